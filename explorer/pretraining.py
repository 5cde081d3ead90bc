"""Fitting of priors to the codes of another encoder, or to those of a file."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from explorer import checkpoint
from explorer.config import RunConfig
from explorer.data import DataSet
from explorer.data.codes import found_beside, read_codes
from explorer.devices import at_once
from explorer.errors import TrainingError
from explorer.interfaces import AbstractModel, AbstractPrior, AbstractPriorConfig
from explorer.models import VAE
from explorer.priors import (
    CodeMixtureConfig,
    CodeMixturePrior,
    FeatureMixtureConfig,
    FeaturesConfig,
    FileReferenceConfig,
    FullGaussianConfig,
    FullGaussianPrior,
    GaussianPrior,
    KernelPrior,
    LatentFullGaussian,
    LatentMixture,
    MovingConfig,
    NoisedConfig,
    NoisedPrior,
    StandardConfig,
    VampDataPrior,
    XVAEConfig,
)


def fit_prior(
    config: RunConfig,
    model: AbstractModel,
    prior: AbstractPrior | None,
    data: DataSet,
    root: Path | None = None,
) -> RunConfig:
    """Fit a prior to what it is the distribution of: another encoder's codes, or a file.

    Any other prior is left as it is. The model's variance clamps are set relative to the prior's
    mean and scale.

    Args:
        config: The recipe.
        model: The untrained model.
        prior: Its prior.
        data: The data set.
        root: The folder that a relative path of a reference is sought in, before the current one.

    Returns:
        The recipe, with what fitting has determined filled in.

    Raises:
        TrainingError: If the source does not fit the recipe, or its codes are too few.
        DataError: If a file is no sample of codes.
    """
    if isinstance(prior, VampDataPrior):
        prior.fit(data.train.x, config.training.seed, dynamic=data.dynamic)
    if prior is None or config.prior is None or not config.prior.fixed:
        return config
    fitted = _fitted(config.prior, prior, model, data, config.training.seed, root)
    if isinstance(model, VAE) and not isinstance(fitted, StandardConfig | MovingConfig):
        z = prior(model.posterior)
        if isinstance(z, LatentFullGaussian):
            model.refer_to(z.loc, z.factor.pow(2).sum(1).sqrt())
        if isinstance(z, LatentMixture):
            loc, scale = z.mixture.mean, z.mixture.variance.sqrt()
            model.refer_to(loc, scale)
    return config.model_copy(update={"prior": fitted})


def _fitted(
    config: AbstractPriorConfig,
    prior: AbstractPrior,
    model: AbstractModel,
    data: DataSet,
    seed: int,
    root: Path | None,
) -> AbstractPriorConfig:
    """Fit one prior; return its config with what has been determined filled in."""
    if isinstance(config, NoisedConfig):
        assert isinstance(prior, NoisedPrior)
        inner = _fitted(config.reference, prior.reference, model, data, seed, root)
        return config.model_copy(update={"reference": inner})
    if isinstance(config, MovingConfig):  # its codes are those of the model, in every epoch anew
        assert isinstance(prior, KernelPrior)
        shape = (len(data.train), model.top.size)
        codes = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
        return config.model_copy(update={"points": prior.fit(codes, seed)})
    if isinstance(config, FileReferenceConfig):
        assert isinstance(prior, KernelPrior)
        codes, digest = read_codes(found_beside(config.path, root), model.top.size)
        return config.model_copy(update={"points": prior.fit(codes, seed), "content": digest})
    if not isinstance(
        config,
        XVAEConfig
        | FullGaussianConfig
        | CodeMixtureConfig
        | FeatureMixtureConfig
        | FeaturesConfig,
    ):
        return config
    source = checkpoint.load(config.source)
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
    if isinstance(config, XVAEConfig):
        assert isinstance(prior, GaussianPrior)
        found["floored"] = tuple(prior.fit(codes, config.floor))
    elif isinstance(config, FullGaussianConfig):
        assert isinstance(prior, FullGaussianPrior)
        found["shrinkage"] = prior.fit(codes)
    elif isinstance(config, FeaturesConfig):
        assert isinstance(prior, KernelPrior)
        found["points"] = prior.fit(codes, seed)
    else:
        assert isinstance(prior, CodeMixturePrior)
        if isinstance(config, FeatureMixtureConfig) and config.components is None:
            found["components"] = prior.fit_by_criterion(codes, seed)
        else:
            prior.fit(codes, seed)
    return config.model_copy(update=found)


def autoencoder_codes(
    source: checkpoint.Checkpoint, data: DataSet
) -> Float[np.ndarray, "samples latent"]:
    """Encode the training split with a pretrained autoencoder; dynamic data as probabilities."""
    with torch.no_grad():
        x = torch.from_numpy(data.train.x)
        return torch.cat(
            [source.model.posterior(part).loc for part in x.split(at_once(source.model, 2000))]
        ).numpy()
