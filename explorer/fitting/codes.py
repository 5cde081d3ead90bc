"""The codes that a prior is fitted to: draws of the posteriors of training data."""

import time
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.checkpoint import Checkpoint
from explorer.data import DataSet
from explorer.interfaces import Posterior
from explorer.metrics.latent import encode

MOST = 50_000
_FEWEST, _AT_ONCE = 2000, 1000


@dataclass(frozen=True)
class Codes:
    """Codes of training data, in random order.

    Args:
        z: One draw of each datum's posterior, or its code where that is a point.
        q: The posteriors.
        rows: Their rows in the training split.
    """

    z: Float[np.ndarray, "codes latent"]
    q: Posterior
    rows: Int[np.ndarray, " codes"]

    def __len__(self) -> int:
        return len(self.z)


def codes_of(opened: Checkpoint, data: DataSet, seed: int, seconds: float = float("inf")) -> Codes:
    """Draw one code of each training datum, of at most 50,000 drawn at random.

    Args:
        opened: The model.
        data: Its data set.
        seed: Seed of the draws.
        seconds: Time after which those encoded so far suffice, if they are 2,000.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(data.train))[:MOST]
    until, parts, done = time.monotonic() + seconds, list[Posterior](), 0
    while done < len(order) and (done < _FEWEST or time.monotonic() < until):
        x = data.train.x[order[done : done + _AT_ONCE]]
        if data.dynamic:
            x = (generator.random(x.shape, np.float32) < x).astype(np.float32)
        parts.append(encode(opened.model, torch.from_numpy(x)))
        done += len(x)
    scales: list[Tensor] = [part.scale for part in parts if part.scale is not None]
    q = Posterior(torch.cat([part.loc for part in parts]), torch.cat(scales) if scales else None)
    z = q.sample(torch.Generator().manual_seed(seed))
    return Codes(z.numpy(), q, order[:done])
