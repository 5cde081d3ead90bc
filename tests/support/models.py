"""Small models of every kind, untrained."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from explorer.checkpoint import Checkpoint
from explorer.config import FittedConfig, RunConfig
from explorer.data import DigitsConfig
from explorer.interfaces import AbstractModel, AbstractPrior
from explorer.models import (
    AutoencoderConfig,
    ConvAutoencoderConfig,
    ConvHVAEConfig,
    ConvVAEConfig,
    HVAEConfig,
    MatchedVAEConfig,
    PixelHVAEConfig,
    VAEConfig,
)
from explorer.objectives import ElboConfig, MatchingConfig
from explorer.priors import (
    CodeMixtureConfig,
    CodeMixturePrior,
    FeatureMixtureConfig,
    FeaturesConfig,
    FileReferenceConfig,
    FlowConfig,
    FlowPrior,
    FullGaussianConfig,
    FullGaussianPrior,
    GaussianPrior,
    KernelPrior,
    MixtureConfig,
    MixturePrior,
    NoisedConfig,
    NoisedPrior,
    SecondStageConfig,
    SecondStagePrior,
    SphereConfig,
    StandardConfig,
    VampConfig,
    VampDataConfig,
    VampDataPrior,
    VampPrior,
    WeightedVampConfig,
    XVAEConfig,
)
from explorer.sketch import CurveSketch, PixelSketch

PRIORS = {
    "standard": StandardConfig(),
    "xvae": XVAEConfig(source="codes"),
    "gaussian": FullGaussianConfig(source="codes"),
    "xvae-mixture": CodeMixtureConfig(source="codes", components=3),
    "mog": MixtureConfig(components=4),
    "vamp": VampConfig(components=5, mean=0.5, spread=0.15),
    "vamp-data": VampDataConfig(components=6),
    "vamp-weighted": WeightedVampConfig(components=5, mean=0.5, spread=0.15),
    "flow": FlowConfig(transforms=2, hidden=(16, 16), bins=5),
}
"""A config of every kind of prior, together with `random_codes` for those that are fitted."""

REFERENCES = {
    "sphere": SphereConfig(),
    "noised": NoisedConfig(reference=CodeMixtureConfig(source="codes", components=3), t=0.7),
    "noised-over-time": NoisedConfig(reference=StandardConfig(), t=None),
    "noised-features": NoisedConfig(reference=FeaturesConfig(source="codes", points=40), t=0.6),
    "noised-file-over-time": NoisedConfig(
        reference=FileReferenceConfig(path="codes.npy", points=8), t=None
    ),
    "noised-sphere": NoisedConfig(reference=SphereConfig(), t=0.5),
    "gmm": FeatureMixtureConfig(source="codes", most=6),
    "features": FeaturesConfig(source="codes", points=200),
    "file": FileReferenceConfig(path="codes.npy", points=100),
}
"""A config of every kind of reference beside the priors above, fitted to `random_codes`."""

AFTERWARDS = {"second-stage": SecondStageConfig(hidden=(16,))}
"""A config of every kind of prior that is only ever fitted to codes."""

MIXTURES = [kind for kind in PRIORS if kind not in ("flow", "gaussian")]
"""Priors with components, the single Gaussians among them."""

CHANNELS, WIDTH = (3, 4, 4, 5, 2), 12
MODELS = {
    "vae": VAEConfig(hidden=(16,)),
    "dmvae": MatchedVAEConfig(hidden=(16,)),
    "convvae": ConvVAEConfig(channels=CHANNELS, decoder_channels=(3, 4), width=WIDTH),
    "hvae": HVAEConfig(hidden=(16, WIDTH)),
    "convhvae": ConvHVAEConfig(channels=CHANNELS, decoder_channels=(3, 4), width=WIDTH),
    "pixelhvae": PixelHVAEConfig(
        channels=CHANNELS, width=WIDTH, decoder_channels=5, decoder_layers=3
    ),
}
"""A small config of every kind of model that has a prior."""

AUTOENCODERS = {
    "ae": AutoencoderConfig(hidden=(16,)),
    "convae": ConvAutoencoderConfig(channels=CHANNELS, decoder_channels=(3, 4), width=WIDTH),
}
"""Those that have none."""

HIERARCHIES = [name for name, config in MODELS.items() if "top" in type(config).model_fields]
"""Those of two levels."""


def random_codes(latent=2):
    """Draw codes in three clumps of unlike size, place and spread."""
    generator = np.random.default_rng(7)
    clump = generator.choice(3, 600, p=[0.5, 0.3, 0.2])
    places = generator.normal(0, 2, (3, latent))
    spreads = generator.uniform(0.3, 1.2, (3, latent))
    noise = generator.normal(size=(600, latent))
    return (places[clump] + spreads[clump] * noise).astype(np.float32)


def small_pair(kind, *, latent=2, **model) -> tuple[AbstractModel, AbstractPrior]:
    """Make a small model of 8 x 8 pixels and a prior, its every parameter out of the common."""
    opened = small_checkpoint(kind, latent=latent, **model)
    assert opened.prior is not None
    return opened.model.requires_grad_(True), opened.prior.requires_grad_(True)


def small_model(model="vae", *, latent=2, bottom=None, **fields):
    """Return a small config; of two levels, `latent` is the top's length."""
    config = (MODELS | AUTOENCODERS)[model]
    levels = {"latent": latent, "top": latent, "bottom": bottom or latent + 1}
    known = type(config).model_fields
    return config.model_copy(
        update={name: value for name, value in levels.items() if name in known} | fields
    )


def small_checkpoint(kind=None, *, model=None, **fields) -> Checkpoint:
    """Make an untrained checkpoint that lies nowhere; without a prior, a plain autoencoder."""
    torch.manual_seed(3)
    usual = "ae" if kind is None else "dmvae" if kind in REFERENCES else "vae"
    chosen = small_model(model or usual, **fields)
    config = RunConfig(
        data=DigitsConfig(),
        model=chosen,
        prior=None if kind is None else (PRIORS | REFERENCES | AFTERWARDS)[kind],
        fitted=FittedConfig(source="codes") if kind in AFTERWARDS else None,
        objective=MatchingConfig() if kind in REFERENCES else ElboConfig(),
        sketch=PixelSketch(height=8, width=8),
    )
    built, prior = config.build()
    with torch.no_grad():
        unsettle(built, prior, kind)
    for part in (built, prior):
        if part is not None:
            part.eval().requires_grad_(False)
    return Checkpoint("small", Path("nowhere"), config, built, prior, {}, "")


def unsettle(model, prior, kind) -> None:
    """Give priors and running statistics values that none of them starts with."""
    size = model.top.size
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            for values in (part.running_mean, part.weight, part.bias):
                values.add_(0.3 * torch.randn_like(values))
            part.running_var.uniform_(0.2, 1.5)
    if isinstance(prior, GaussianPrior) and kind == "xvae":
        prior.fit(random_codes(size), 0.05)
    if isinstance(prior, FullGaussianPrior):
        prior.fit(random_codes(size))
    if isinstance(prior, NoisedPrior):
        unsettle(model, prior.reference, "xvae-mixture")
    if isinstance(prior, CodeMixturePrior | KernelPrior):
        prior.fit(random_codes(size), seed=0)
    if isinstance(prior, MixturePrior):
        prior.logits.normal_()
        prior.loc.mul_(2)
        prior.log_variance.uniform_(-3, 1)
    if isinstance(prior, VampPrior) and prior.logits is not None:
        prior.logits.normal_()
    if isinstance(prior, VampDataPrior):
        prior.fit(np.random.default_rng(5).random((40, 1, 8, 8), np.float32), 1, dynamic=True)
        prior.freeze(model.top_posterior)
        prior.inputs = None  # as it is opened: the samples are not stored
    if isinstance(prior, FlowPrior | SecondStagePrior):
        for parameter in prior.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))


STATIONS = tuple(np.linspace(0, 1, 20).tolist())
SKETCHES = {
    "pixels": PixelSketch(height=8, width=8),
    "curve": CurveSketch(x=STATIONS, loc=(0.0,) * 20, scale=(1.0,) * 20),
}

CONVOLUTIONS = ["convae", "convvae", "convhvae", "pixelhvae"]

every_kind = pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("vae", "standard"),
        ("vae", "vamp"),
        ("vae", "flow"),
        ("convvae", "vamp-weighted"),
        ("hvae", "mog"),
        ("convhvae", "vamp"),
        ("pixelhvae", "vamp-data"),
    ],
)


def binary(n, shape=(1, 8, 8), seed=0):
    return torch.bernoulli(
        torch.full((n, *shape), 0.4), generator=torch.Generator().manual_seed(seed)
    )
