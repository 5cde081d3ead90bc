"""Atlases of known densities."""

import math

import numpy as np
import torch

from explorer.inference import Engine
from explorer.priors.mixture import LatentMixture
from explorer.projection import PRIOR_SAMPLES, Atlas
from tests.support.models import small_checkpoint


def normal(n, latent, seed=0, spread=1.0):
    return (spread * np.random.default_rng(seed).normal(size=(n, latent))).astype(np.float32)


def atlas_of(train, test, scale, sample_xy=None, xy=None):
    """Make an atlas of training and test codes; without places, codes of a plane."""
    codes = np.concatenate([train, test])
    n = len(codes)
    samples = np.zeros((PRIOR_SAMPLES, 2), np.float32) if sample_xy is None else sample_xy
    return Atlas(
        method="plane" if xy is None else "umap",
        codes=codes,
        scale=np.full_like(codes, scale),
        xy=codes if xy is None else xy,
        trust=np.ones(n, np.float32),
        split=np.repeat([0, 2], [len(train), len(test)]).astype(np.uint8),
        ids=np.arange(n),
        label=np.full(n, -1),
        kl=np.zeros(n, np.float32),
        reconstruction=np.zeros(n, np.float32),
        log_prior=np.zeros(n, np.float32),
        sample_xy=samples,
        prototype_xy=np.empty((0, 2), np.float32),
        classes=(),
        hash="",
    )


class PriorOnly(Engine):
    """An engine that has a prior and nothing else."""

    def __init__(self, prior):
        super().__init__(small_checkpoint("standard"), "cpu")
        self._prior = prior


def mixture_engine(codes, scale):
    n = len(codes)
    return PriorOnly(
        LatentMixture(
            torch.full((n,), -math.log(n)),
            torch.from_numpy(codes),
            torch.full((n, codes.shape[1]), scale),
        )
    )


def gaussian_engine(loc, scale):
    one = torch.ones(1, len(loc))
    return PriorOnly(LatentMixture(torch.zeros(1), torch.tensor([loc]) * one, scale * one))


def drawn(engine):
    return engine.draw(PRIOR_SAMPLES)[0]


def integral(found, height):
    return float(height.sum() * (found.x[1] - found.x[0]) * (found.y[1] - found.y[0]))
