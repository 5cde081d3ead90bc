"""Can two samples of codes be told apart? A classifier's held-out accuracy, and distances' nulls.

A distance between samples of one distribution is not 0 but a random number that depends on their
size, so every distance stands beside those of the reference from itself at the same size.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.errors import DataError
from explorer.metrics import alignment
from explorer.objectives import distances

MOST_CODES = 5000
"""Most codes per side that the classifier is trained on; as many others judge it."""

MOST_KERNEL_CODES = 1000
"""Most codes per side of MMD, whose cost grows with their square."""

FEWEST = 20
"""Fewest codes per side from which a classifier can be trained and judged."""

NULL_REPEATS = 20
FRESH = 5
"""Fresh samples of the reference that codes are compared with."""

_WIDTH, _BATCH, _LEARNING_RATE, _WEIGHT_DECAY = 128, 256, 1e-3, 1e-4
_EPOCHS, _PATIENCE, _STOPPED_ON = 200, 10, 5

Draw = Callable[[int, int], Tensor]
"""Draws n codes of the reference with a seed; different seeds give independent codes."""

Distance = Callable[[Tensor, Tensor, int], float]
"""A distance between two samples of equal size, with a seed for what it draws itself."""


@dataclass(frozen=True)
class Classified:
    """A classifier between codes and a reference, and its accuracy on codes it has not seen.

    `n` codes were judged, half of them of each side, after training on `trained`.
    """

    accuracy: float
    n: int
    trained: int
    network: nn.Module = field(repr=False)
    mean: Float[Tensor, " latent"] = field(repr=False)
    scale: Float[Tensor, " latent"] = field(repr=False)

    @property
    def error(self) -> float:
        """The binomial standard error of the accuracy."""
        return math.sqrt(self.accuracy * (1 - self.accuracy) / self.n)

    @property
    def null_error(self) -> float:
        """The standard error of a classifier that guesses: sqrt(0.25 / n)."""
        return math.sqrt(0.25 / self.n)

    @property
    def p_value(self) -> float:
        """The probability that guessing is as accurate, by the normal approximation."""
        above = (self.accuracy - 0.5 - 0.5 / self.n) / self.null_error
        return 0.5 * math.erfc(above / math.sqrt(2))

    @torch.no_grad()
    def log_ratio(self, z: Float[Tensor, "codes latent"]) -> Float[Tensor, " codes"]:
        """Estimate log q(z) / r(z) in nats: the logit, since both sides are equally frequent."""
        out: Tensor = self.network((z.float() - self.mean) / self.scale)
        return out.squeeze(1)


def c2st(
    codes: Float[Tensor, "samples latent"],
    reference: Float[Tensor, "others latent"],
    *,
    seed: int = 0,
) -> Classified:
    """Train a classifier to tell codes from a reference, and judge it on codes held back.

    Half of each side, at most 5,000, trains it; as many others judge it. It has two layers of 128
    units and is stopped early, on a fifth of what trains it. Codes are standardised by the
    moments of the reference. Between N(0, I) and N(m, I) the best accuracy is Phi(|m| / 2).

    Args:
        codes: Codes, for example of test data.
        reference: Reference codes, independent of them; of the longer side a part is used.
        seed: Seed of the split, of the initial weights and of the batches.

    Raises:
        DataError: If a side has fewer than 20 codes, or codes that are not finite.

    References:
        Revisiting classifier two-sample tests (Lopez-Paz and Oquab, 2017). https://arxiv.org/abs/1610.06545
    """
    n = min(len(codes), len(reference))
    if n < FEWEST:
        raise DataError(f"{n} codes are too few to train a classifier; take at least {FEWEST}.")
    if not (codes.isfinite().all() and reference.isfinite().all()):
        raise DataError("Codes that are not finite cannot be compared; take them out.")
    generator = torch.Generator().manual_seed(seed)
    half = min(n // 2, MOST_CODES)
    sides = []
    for side in (codes, reference):
        chosen = torch.randperm(len(side), generator=generator)[: 2 * half]
        sides.append(side.detach().cpu()[chosen].float())
    mean, scale = sides[1][:half].mean(0), sides[1][:half].std(0)
    scale = torch.where(scale > 1e-6 * scale.max(), scale, torch.ones_like(scale))
    ours, theirs = ((side - mean) / scale for side in sides)
    stopped = max(2, half // _STOPPED_ON)
    network = _trained(
        _Labelled.of(ours[stopped:half], theirs[stopped:half]),
        _Labelled.of(ours[:stopped], theirs[:stopped]),
        seed,
        generator,
    )
    x, y = _Labelled.of(ours[half:], theirs[half:])
    with torch.no_grad():
        right = (network(x) > 0).float() == y
    return Classified(float(right.float().mean()), len(x), 2 * half, network, mean, scale)


class Compared(NamedTuple):
    """A distance of codes from a reference, beside that of the reference from itself.

    `value` is the mean over fresh reference samples and `error` its standard error over these,
    given the codes. `null` and `null_high` are mean and 95th percentile of the distances of
    independent reference samples from each other, and `n` is the size of all samples.
    """

    value: float
    error: float
    null: float
    null_high: float
    n: int


def compare(
    codes: Float[Tensor, "samples latent"],
    draw: Draw,
    distance: Distance,
    *,
    fresh: int = FRESH,
    repeats: int = NULL_REPEATS,
    seed: int = 0,
) -> Compared:
    """Measure a distance of codes from a reference, and its null at the same size.

    Args:
        codes: Codes.
        draw: Draws reference codes.
        distance: What is measured.
        fresh: Number of reference samples that codes are compared with.
        repeats: Number of pairs of reference samples in the null.
        seed: Seed of all of them.
    """
    n = len(codes)
    found = [distance(codes, draw(n, seed + k), seed + k) for k in range(fresh)]
    nulls = []
    for k in range(fresh, fresh + repeats):
        pair = draw(2 * n, seed + k)
        nulls.append(distance(pair[:n], pair[n:], seed + k))
    error = float(np.std(found, ddof=1) / math.sqrt(fresh)) if fresh > 1 else 0.0
    high = float(np.quantile(nulls, 0.95))
    return Compared(float(np.mean(found)), error, float(np.mean(nulls)), high, n)


def sliced(
    codes: Float[Tensor, "samples latent"],
    draw: Draw,
    *,
    seed: int = 0,
    repeats: int = NULL_REPEATS,
) -> Compared:
    """Compare codes by the squared sliced 2-Wasserstein distance; its null is about 6/n.

    References:
        Sliced and Radon Wasserstein barycenters of measures (Bonneel et al., 2015), section 3.
    """

    def distance(a: Tensor, b: Tensor, own: int) -> float:
        return alignment.sliced_distance(a, b, seed=own)

    return compare(codes, draw, distance, seed=seed, repeats=repeats)


def kernel(
    codes: Float[Tensor, "samples latent"],
    draw: Draw,
    *,
    seed: int = 0,
    repeats: int = NULL_REPEATS,
) -> Compared:
    """Compare at most 1,000 codes by MMD^2, whose null is about 0; the width is the reference's.

    References:
        A kernel two-sample test (Gretton et al., 2012), lemma 6.
    """
    few = codes[:MOST_KERNEL_CODES].float()
    # One width for all samples, not of any that is compared.
    variance = float(draw(MOST_KERNEL_CODES, seed - 1).var(0).mean())

    def distance(a: Tensor, b: Tensor, own: int) -> float:
        return float(distances.kernel_distance(a.float(), b.float(), variance))

    return compare(few, draw, distance, seed=seed, repeats=repeats)


class _Labelled(NamedTuple):
    """Codes, and whether each is not of the reference."""

    x: Float[Tensor, "codes latent"]
    y: Float[Tensor, "codes 1"]

    @classmethod
    def of(cls, ours: Tensor, theirs: Tensor) -> "_Labelled":
        y = torch.cat([torch.ones(len(ours), 1), torch.zeros(len(theirs), 1)])
        return cls(torch.cat([ours, theirs]), y)


def _trained(
    trained: _Labelled, held_back: _Labelled, seed: int, generator: torch.Generator
) -> nn.Module:
    """Train until the loss on what is held back has not fallen for ten epochs; return the best."""
    x, y = trained
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Linear(x.shape[1], _WIDTH),
            nn.ReLU(),
            nn.Linear(_WIDTH, _WIDTH),
            nn.ReLU(),
            nn.Linear(_WIDTH, 1),
        )
    optimiser = torch.optim.AdamW(network.parameters(), _LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    loss = nn.functional.binary_cross_entropy_with_logits
    batch = min(_BATCH, max(8, len(x) // 8))  # of few codes small ones, or none would be learned
    best, weights, waited = math.inf, network.state_dict(), 0
    for _ in range(_EPOCHS):
        for rows in torch.randperm(len(x), generator=generator).split(batch):
            optimiser.zero_grad()
            loss(network(x[rows]), y[rows]).backward()
            optimiser.step()
        with torch.no_grad():
            now = float(loss(network(held_back.x), held_back.y))
        waited += 1
        if now < best:
            best, weights, waited = now, copy.deepcopy(network.state_dict()), 0
        if waited >= _PATIENCE:
            break
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)
