"""Measurement of samples by all families of properties that fit them, plug-ins included."""

from collections.abc import Collection
from functools import lru_cache

import numpy as np

from explorer import plugins, sections
from explorer.designs.aerodynamics import Aerodynamics
from explorer.designs.colour import Colour
from explorer.designs.geometry import SectionDecode, SectionGeometry, faults
from explorer.designs.ink import Ink
from explorer.designs.properties import (
    AbstractProperties,
    Conditions,
    Measured,
    Property,
    Samples,
    Values,
)
from explorer.sections import Geometry
from explorer.sketch import CurveSketch, PixelSketch

GROUP = "latent_explorer.properties"


@lru_cache(maxsize=1)
def families() -> tuple[AbstractProperties, ...]:
    """List the families of this package and of installed plug-ins.

    Raises:
        PluginError: If a plugged-in family cannot be used; the message names its package.
    """
    found: list[AbstractProperties] = [
        SectionGeometry(),
        SectionDecode(),
        Aerodynamics(),
        Ink(),
        Colour(),
    ]
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
    x: Samples,
    sketch: PixelSketch | CurveSketch,
    conditions: Conditions | None = None,
    geometry: Geometry | None = None,
    keys: Collection[str] | None = None,
) -> Measured:
    """Measure samples with all families that fit them, in the geometry in which they are shown.

    Whether a sample is valid is decided on the decoded heights, which nothing repairs.

    Args:
        x: Samples as decoded, in data units.
        sketch: How they are drawn.
        conditions: The conditions they are evaluated under.
        geometry: The geometry in which they are shown; by default the usual one.
        keys: Properties that are needed; families without any of them are left out.
    """
    wanted = conditions or Conditions()
    wrong = faults(x, sketch)
    shown = sections.shaped(x, sketch, geometry)
    valid = np.array([not fault for fault in wrong], bool)
    values: dict[str, Values] = {}
    listed: list[Property] = []
    for family in families():
        if family.fits(sketch):
            own = family.properties(wanted)
            if keys is not None and not any(item.key in keys for item in own):
                continue
            listed += own
            given = x if family.reads == "decoded" else shown
            if family.only_valid:
                given = np.where(valid.reshape(-1, *[1] * (x.ndim - 1)), given, np.nan)
            values |= {
                key: np.asarray(found, np.float64)
                for key, found in family.measure(given, sketch, wanted).items()
            }
    return Measured(tuple(listed), values, wrong)
