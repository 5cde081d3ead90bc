"""Cached answers of the design desk: samples with their properties, and those chosen."""

import numpy as np

from explorer.designs import desk
from explorer.designs.measuring import applicable_properties
from explorer.designs.properties import Conditions, Property, parse
from explorer.errors import DesignError
from explorer.inference import Engine
from explorer.ui.cache.atlases import held_out_density
from explorer.ui.cache.per_engine import per_engine
from explorer.ui.cache.properties import held_out_waviness
from explorer.ui.cache.references import novelty_reference

FLOOR = 5.0
"""Designs keep log p(z) above this percentile of held-out codes."""

_WAVINESS = 90.0


def floor_density(engine: Engine) -> float | None:
    """Return the bound on log p(z) in nats; None without a density or held-out codes."""
    known = held_out_density(engine)
    return None if known is None or not len(known) else float(np.percentile(known, FLOOR))


def sound(engine: Engine) -> desk.Sound:
    """Return what makes a design of a model sound."""
    return desk.Sound(floor_density(engine), waviness_bound(engine), novelty_reference(engine))


def waviness_bound(engine: Engine) -> float | None:
    """Return the waviness below which most decoded held-out sections lie; None without any."""
    return held_out_waviness(engine, _WAVINESS)


@per_engine(8, measured=True, asking=True, spinner="Drawing designs from the prior")
def design_pool(engine: Engine, conditions: Conditions, seed: int) -> desk.Pool:
    """Return samples of the prior with their properties, judged for soundness."""
    count = desk.POOL if engine.sketch.kind == "curve" else desk.POOL // 3
    return desk.pool(engine, conditions, sound(engine), n=count, seed=seed)


@per_engine(16, measured=True, asking=True, spinner="Choosing designs")
def designs(
    engine: Engine, conditions: Conditions, limits: str, goal: str, spread: float, seed: int
) -> desk.Found:
    """Return twelve designs that satisfy constraints, in order of a property.

    Raises:
        DesignError: If the samples lack a property.
    """
    return desk.find(
        engine,
        design_pool(engine, conditions, seed),
        parse(limits),
        objective(engine, conditions, goal),
        conditions,
        sound(engine),
        spread=spread,
        seed=seed,
    )


def objective(engine: Engine, conditions: Conditions, goal: str) -> Property:
    """Return a property with the direction in which designs are ordered.

    Args:
        engine: The model.
        conditions: Under what designs are judged.
        goal: The property's key; a leading `-` asks for little of it.

    Raises:
        DesignError: If the samples lack it.
    """
    key = goal.removeprefix("-")
    for item in applicable_properties(engine.sketch, conditions):
        if item.key == key:
            return item._replace(better="less" if goal.startswith("-") else "more")
    raise DesignError(f"These designs have no property “{key}”; choose another.")
