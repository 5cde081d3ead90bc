"""Latent units: which are active, and the scale on which each is varied."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from explorer.inference import Engine
from explorer.metrics.latent import ACTIVE_VARIANCE
from explorer.ui import cache


class Unit(NamedTuple):
    """A latent unit: its mean KL in nats (None for a plain autoencoder), and its activity."""

    number: int
    kl: float | None
    active: bool


def spread(engine: Engine) -> Float[np.ndarray, " latent"]:
    """Return the step of the sliders: the prior's standard deviation, or that of the codes."""
    if engine.has_prior:
        return engine.moments()[1].astype(np.float32)
    atlas = cache.atlas(engine)
    if atlas is None:
        return np.ones(engine.space.size, np.float32)
    return np.maximum(atlas.codes.std(0), 1e-6)


def units(engine: Engine) -> list[Unit]:
    """List the units by decreasing KL, or by the codes' standard deviation without one."""
    atlas = cache.atlas(engine)
    moved = np.zeros(engine.space.size)
    if atlas is not None:
        moved = atlas.codes.var(0)
    active = moved > ACTIVE_VARIANCE * spread(engine) ** 2
    kl = cache.unit_kl(engine)
    order = np.argsort(-(moved if kl is None else kl), kind="stable")
    return [Unit(int(j), None if kl is None else float(kl[j]), bool(active[j])) for j in order]
