"""Fitting of X-VAE priors to the codes of a pretrained autoencoder."""

import numpy as np
import torch
from jaxtyping import Float

from explorer import checkpoint
from explorer.config import RunConfig
from explorer.data import DataSet
from explorer.devices import at_once
from explorer.errors import TrainingError
from explorer.interfaces import AbstractModel, AbstractPrior
from explorer.models import VAE
from explorer.priors import (
    CodeMixtureConfig,
    CodeMixturePrior,
    GaussianPrior,
    VampDataPrior,
    XVAEConfig,
)


def fit_prior(
    config: RunConfig, model: AbstractModel, prior: AbstractPrior | None, data: DataSet
) -> RunConfig:
    """Fit an X-VAE's prior to its autoencoder's codes; leave any other prior unchanged.

    The model's variance clamps are set relative to the prior's mean and scale.

    Returns:
        The recipe, with the autoencoder's hash and the floored units filled in.

    Raises:
        TrainingError: If the autoencoder does not fit the recipe, or its codes are too few.
    """
    if isinstance(prior, VampDataPrior):
        prior.fit(data.train.x, config.training.seed, dynamic=data.dynamic)
    if not isinstance(config.prior, XVAEConfig | CodeMixtureConfig):
        return config
    source = checkpoint.load(config.prior.source)
    if source.config.model.latent != model.top.size:
        raise TrainingError(
            f"{source.slug} differs from the recipe in latent size; choose a matching source."
        )
    if source.config.sketch is None or not source.config.sketch.fits(data.sketch):
        raise TrainingError(
            f"{source.slug} and the recipe have different data; choose a matching source."
        )
    codes = autoencoder_codes(source, data)
    found: dict[str, object] = {"source_hash": source.hash}
    if isinstance(prior, GaussianPrior):
        assert isinstance(config.prior, XVAEConfig)
        found["floored"] = tuple(prior.fit(codes, config.prior.floor))
        loc, scale = prior.loc, prior.scale
    else:
        assert isinstance(prior, CodeMixturePrior)
        prior.fit(codes, config.training.seed)
        mixture = prior(model.posterior).mixture
        loc, scale = mixture.mean, mixture.variance.sqrt()
    if isinstance(model, VAE):
        model.refer_to(loc, scale)
    return config.model_copy(update={"prior": config.prior.model_copy(update=found)})


def autoencoder_codes(
    source: checkpoint.Checkpoint, data: DataSet
) -> Float[np.ndarray, "samples latent"]:
    """Encode the training split with a pretrained autoencoder; dynamic data as probabilities."""
    with torch.no_grad():
        x = torch.from_numpy(data.train.x)
        return torch.cat(
            [source.model.posterior(part).loc for part in x.split(at_once(source.model, 2000))]
        ).numpy()
