"""Small models for the tests, on one thread."""

from pathlib import Path

import numpy as np
import torch

from explorer.checkpoint import Checkpoint
from explorer.config import RunConfig
from explorer.data import DigitsConfig
from explorer.interfaces import AbstractModel, AbstractPrior
from explorer.models import AutoencoderConfig, VAEConfig
from explorer.priors import (
    CodeMixtureConfig,
    CodeMixturePrior,
    GaussianPrior,
    MixtureConfig,
    MixturePrior,
    StandardConfig,
    VampConfig,
    XVAEConfig,
)
from explorer.sketch import PixelSketch

torch.set_num_threads(1)

PRIORS = {
    "standard": StandardConfig(),
    "xvae": XVAEConfig(source="codes"),
    "xvae-mixture": CodeMixtureConfig(source="codes", components=3),
    "mog": MixtureConfig(components=4),
    "vamp": VampConfig(components=5, mean=0.5, spread=0.15),
}
"""A config of every kind of prior, together with `random_codes` for those that are fitted."""


def random_codes(latent=2):
    """Draw codes in three clumps of unlike size, place and spread."""
    generator = np.random.default_rng(7)
    clump = generator.choice(3, 600, p=[0.5, 0.3, 0.2])
    places = generator.normal(0, 2, (3, latent))
    spreads = generator.uniform(0.3, 1.2, (3, latent))
    noise = generator.normal(size=(600, latent))
    return (places[clump] + spreads[clump] * noise).astype(np.float32)


def small_pair(kind, *, latent=2, **model) -> tuple[AbstractModel, AbstractPrior]:
    """Make a small VAE of 8 x 8 pixels and a prior whose every parameter is out of the common."""
    opened = small_checkpoint(kind, latent=latent, **model)
    assert opened.prior is not None
    return opened.model.requires_grad_(True), opened.prior.requires_grad_(True)


def small_checkpoint(kind=None, *, latent=2, hidden=(16,), likelihood="bernoulli") -> Checkpoint:
    """Make an untrained checkpoint that lies nowhere; without a prior, a plain autoencoder."""
    torch.manual_seed(3)
    build = AutoencoderConfig if kind is None else VAEConfig
    config = RunConfig(
        data=DigitsConfig(),
        model=build(latent=latent, hidden=hidden, likelihood=likelihood),
        prior=None if kind is None else PRIORS[kind],
        sketch=PixelSketch(height=8, width=8),
    )
    model, prior = config.build()
    with torch.no_grad():
        if isinstance(prior, GaussianPrior) and kind == "xvae":
            prior.fit(random_codes(latent), 0.05)
        if isinstance(prior, CodeMixturePrior):
            prior.fit(random_codes(latent), seed=0)
        if isinstance(prior, MixturePrior):
            prior.logits.normal_()
            prior.loc.mul_(2)
            prior.log_variance.uniform_(-3, 1)
    for part in (model, prior):
        if part is not None:
            part.eval().requires_grad_(False)
    return Checkpoint("small", Path("nowhere"), config, model, prior, {}, "")
