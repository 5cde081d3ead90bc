"""Cached answers of installed networks: over a map, at its data, along codes, and flipped."""

import io
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from PIL import Image

from explorer.designs import decisions, flips, measuring
from explorer.designs.asked import Asked
from explorer.designs.measuring import measure
from explorer.designs.properties import Property
from explorer.errors import DesignError
from explorer.inference import Engine
from explorer.ui.cache.atlases import atlas
from explorer.ui.cache.designs import floor_density
from explorer.ui.cache.engines import ENGINES
from explorer.ui.cache.per_engine import per_engine
from explorer.ui.wording import palette

_HALF = 0.85
"""Half the side of a decision map, in multiples of the extent of all points."""


class DecisionMap(NamedTuple):
    """A decision map as a picture for the browser, and what it covers: x, then y."""

    found: decisions.Decision
    box: tuple[float, float, float, float]
    picture: bytes


def asked(engine: Engine) -> tuple[Asked, ...]:
    """List the installed networks that take an engine's samples."""
    return measuring.asked(engine.sketch)


def network(engine: Engine, key: str) -> Asked | None:
    """Return the network of a key, or the first if there is none of that key; None without any."""
    known = asked(engine)
    return next((item for item in known if item.description.key == key), next(iter(known), None))


def map_properties(engine: Engine) -> tuple[Property, ...]:
    """List what networks tell that the data of a map can be coloured by."""
    found = [item for family in asked(engine) for item in measuring.listed(family) if item.main]
    return tuple(found)


@per_engine(4 * ENGINES, measured=True, asking=True, spinner="Asking about the data of the map")
def map_values(engine: Engine, key: str) -> np.ndarray | None:
    """Return a property of what is decoded from each code of a map."""
    known = atlas(engine)
    if known is None:
        return None
    return measure(engine.decode(known.codes), engine.sketch, keys=[key]).values.get(key)


@per_engine(ENGINES, measured=True, asking=True, spinner="Asking about every place of the map")
def decision(engine: Engine, key: str) -> DecisionMap | None:
    """Return the decision map of a network over a model whose map is its latent space."""
    known, family = atlas(engine), network(engine, key)
    if known is None or known.method != "plane" or engine.space.size != 2 or family is None:
        return None
    box = _box(np.concatenate([known.xy, known.sample_xy, known.prototype_xy]))
    found = decisions.decide(engine, family, box[:2], box[2:])
    colours = palette.MANY_CLASSES if found.best is not None else palette.RAMP
    stream = io.BytesIO()
    Image.fromarray(decisions.painted(found, colours), "RGBA").save(stream, "PNG")
    return DecisionMap(found, box, stream.getvalue())


def _box(points: Float[np.ndarray, "points 2"]) -> tuple[float, float, float, float]:
    """Return the places a map of any form shows at first: a square around all points."""
    low, high = points.min(0), points.max(0)
    middle, span = (low + high) / 2, max(float((high - low).max()), 1e-6)
    (x, y), half = middle.tolist(), _HALF * span
    return x - half, x + half, y - half, y + half


def why_not_flipped(engine: Engine) -> str:
    """Say why no class can be flipped within the prior; nothing if one can."""
    if not engine.has_density or floor_density(engine) is None:
        return "A change within the prior needs its density, and this model has none."
    return ""


@per_engine(32, measured=True, asking=True, spinner="Searching the nearest of another class")
def flipped(
    engine: Engine, key: str, z: Float[np.ndarray, " latent"], wanted: int | None
) -> flips.Flip | None:
    """Search the nearest code of another class within the prior; None if none was found.

    Raises:
        DesignError: If the network is gone, or has no answer.
    """
    family, floor = network(engine, key), floor_density(engine)
    if family is None or family.description.key != key or floor is None:
        raise DesignError("The classifier is off; see `latent-explorer property list`.")
    return flips.flip(engine, family, z, floor, wanted=wanted)
