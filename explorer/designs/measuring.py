"""Measurement of samples by all families of properties that fit them, also by networks."""

from collections.abc import Collection
from functools import lru_cache

import numpy as np

from explorer import plugins, sections
from explorer.checkpoint import catalogue
from explorer.designs import installed, xfoil
from explorer.designs.aerodynamics import Aerodynamics
from explorer.designs.asked import Asked, Description
from explorer.designs.colour import Colour
from explorer.designs.geometry import SectionDecode, SectionGeometry, faults
from explorer.designs.ink import Ink
from explorer.designs.installed import Installed
from explorer.designs.properties import (
    MOST_POINTS,
    AbstractProperties,
    Conditions,
    Measured,
    OperatingPoint,
    Property,
    Samples,
    Values,
)
from explorer.sections import Geometry
from explorer.sketch import CurveSketch, PixelSketch

GROUP = "latent_explorer.properties"

RESERVED = (
    "number", "stars", "label", "kl", "reconstruction", "log_prior", "typicality", "claimed",
    "trust", "differs", "split",
)  # fmt: skip
"""Words that links use in the place of a property's key: orders of picks, colours of the map."""


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


@lru_cache(maxsize=1)
def taken_keys() -> frozenset[str]:
    """Return the keys that no installed network may have: of all families, under any flow."""
    own = set[str](RESERVED)
    for cl in (None, 0.5):
        others = tuple(OperatingPoint(cl=cl) for _ in range(MOST_POINTS - 1))
        wanted = Conditions(cl=cl, others=others)
        own |= {item.key for family in families() for item in family.properties(wanted)}
        own |= {item.key for item in xfoil.properties(wanted.at)}
    return frozenset(own)


def networks() -> tuple[Installed, ...]:
    """List the installed networks, and why some are off."""
    return installed.listed(taken_keys())


def fingerprint() -> str:
    """Return a hash of the networks that are on, by which what they tell is cached."""
    return installed.fingerprint(taken_keys())


def asked(sketch: PixelSketch | CurveSketch) -> tuple[Asked, ...]:
    """List the installed networks that take samples with this sketch."""
    known = (item.family for item in networks())
    return tuple(family for family in known if family is not None and family.fits(sketch))


def listed(family: Asked) -> tuple[Property, ...]:
    """List the properties of an installed network; no flow changes them."""
    return family.properties(Conditions())


def models_that_fit(description: Description) -> tuple[str, ...]:
    """Name the models whose samples a network takes."""
    return tuple(
        entry.slug
        for entry in catalogue(patience=0.0)
        if entry.healthy
        and entry.config is not None
        and entry.config.sketch is not None
        and description.takes(entry.config.sketch)
    )


def applicable_properties(
    sketch: PixelSketch | CurveSketch, conditions: Conditions | None = None
) -> tuple[Property, ...]:
    """List the properties of samples with this sketch."""
    wanted = conditions or Conditions()
    return tuple(
        item
        for family in (*families(), *asked(sketch))
        if family.fits(sketch)
        for item in family.properties(wanted)
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
    for family in (*families(), *asked(sketch)):
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
