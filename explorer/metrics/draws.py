"""Samples of a prior in the form of the data, and training data in their place."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from explorer.data import DataSet
from explorer.data.dataset import SplitData
from explorer.devices import at_once
from explorer.interfaces import AbstractModel, LatentPrior
from explorer.metrics.samples import WhitenedComponents, prdc, vendi_score
from explorer.models import Sequential


def draw_data(
    model: AbstractModel,
    prior: LatentPrior,
    n: int,
    seed: int,
    *,
    binary: bool,
    scale: float = 1.0,
) -> Float[np.ndarray, "samples *sample"]:
    """Draw samples in the form of the data: binary if the data are, else means of p(x|z)."""
    with torch.inference_mode():
        codes = prior.draw(n, seed=seed, scale=scale).z
    return decode_data(model, codes, seed, binary=binary)


def decode_data(
    model: AbstractModel, codes: Float[Tensor, "codes latent"], seed: int, *, binary: bool
) -> Float[np.ndarray, "codes *sample"]:
    """Decode codes in the form of the data, drawing binary samples with a seed."""
    draws = []
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        for z in codes.split(at_once(model, 2000)):
            p = model.likelihood(z)
            if isinstance(p, Sequential):
                uniform = torch.rand(len(z), *p.event_shape[1:], generator=generator)
                draws.append(p.paint(uniform.to(z)).cpu())
                continue
            mean = p.mean.cpu()
            draws.append(torch.bernoulli(mean, generator=generator) if binary else mean)
    return torch.cat(draws).numpy()


def reference_codes(prior: LatentPrior, n: int, seed: int) -> Float[Tensor, "n latent"]:
    """Draw fresh codes of what an aggregated posterior is matched to, on the CPU.

    The one place where a measure asks for its reference: for one that is made of samples these
    are to be held-out ones, never those that the model was matched to.
    """
    with torch.inference_mode():
        return prior.draw(n, seed=seed).z.cpu()


def is_binary(x: Float[np.ndarray, "samples *sample"]) -> bool:
    """Whether every value is 0 or 1."""
    return bool(((x == 0) | (x == 1)).all())


def null_row(
    data: DataSet,
    whitened: WhitenedComponents,
    reference: Float[np.ndarray, "samples features"],
    n: int,
    seed: int,
) -> tuple[float, ...]:
    """Measure training data in place of samples: the score of a perfect model."""
    other = whitened(training_rows(data, n, seed).numpy())
    return (*prdc(reference, other), vendi_score(other))


def training_rows(data: DataSet, n: int, seed: int) -> Float[Tensor, "n *sample"]:
    """Choose training data at random, binarised if they are dynamic."""
    return _rows_of(data.train, n, seed, binarised=data.dynamic)


def validation_rows(data: DataSet, n: int, seed: int) -> Float[Tensor, "n *sample"]:
    """Choose validation data at random, for networks that have seen the training data."""
    return _rows_of(data.valid, n, seed, binarised=False)


def _rows_of(
    split: SplitData, n: int, seed: int, *, binarised: bool
) -> Float[Tensor, "n *sample"]:
    generator = np.random.default_rng(seed)
    x = split.x[generator.choice(len(split), n, replace=len(split) < n)]
    if binarised:
        x = (generator.random(x.shape, np.float32) < x).astype(np.float32)
    return torch.from_numpy(x)
