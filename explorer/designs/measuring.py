"""Measurement of samples by all families of properties that fit them, plug-ins included."""

from functools import lru_cache

import numpy as np

from explorer import plugins
from explorer.designs.aerodynamics import Aerodynamics
from explorer.designs.colour import Colour
from explorer.designs.geometry import SectionGeometry, faults
from explorer.designs.ink import Ink
from explorer.designs.properties import (
    AbstractProperties,
    Conditions,
    Measured,
    Property,
    Samples,
    Values,
)
from explorer.sketch import CurveSketch, PixelSketch

GROUP = "latent_explorer.properties"


@lru_cache(maxsize=1)
def families() -> tuple[AbstractProperties, ...]:
    """List the families of this package and of installed plug-ins.

    Raises:
        PluginError: If a plugged-in family cannot be used; the message names its package.
    """
    found: list[AbstractProperties] = [SectionGeometry(), Aerodynamics(), Ink(), Colour()]
    for point, family in plugins.classes(GROUP, AbstractProperties):
        try:
            found.append(family())
        except Exception as error:
            raise plugins.refusal(point, f"cannot be made ({error})") from error
    return tuple(found)


def applicable_properties(
    sketch: PixelSketch | CurveSketch, conditions: Conditions | None = None
) -> tuple[Property, ...]:
    """List the properties of samples with this sketch."""
    wanted = conditions or Conditions()
    return tuple(
        item for family in families() if family.fits(sketch) for item in family.properties(wanted)
    )


def measure(
    x: Samples, sketch: PixelSketch | CurveSketch, conditions: Conditions | None = None
) -> Measured:
    """Measure samples with all families that fit them.

    Args:
        x: Samples in data units.
        sketch: How they are drawn.
        conditions: The conditions they are evaluated under.
    """
    wanted = conditions or Conditions()
    values: dict[str, Values] = {}
    for family in families():
        if family.fits(sketch):
            values |= {
                key: np.asarray(found, np.float64)
                for key, found in family.measure(x, sketch, wanted).items()
            }
    return Measured(applicable_properties(sketch, wanted), values, faults(x, sketch))
