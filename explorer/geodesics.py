"""Shortest paths in data space: geodesics of the decoder's pullback metric.

The metric is never formed. A path is a chain of codes; its energy is the sum of squared steps of
the decoded codes, embedded so that equal distances are equally distinguishable.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Bernoulli, Independent, Normal

from explorer.errors import NoDensityError
from explorer.interfaces import AbstractModel
from explorer.models import Sequential
from explorer.paths import at_stops, clock

SEGMENTS = 32
ITERATIONS = 150
_HISTORY = 20
_TOLERANCE = 1e-12

Embedding = Callable[[Tensor], Tensor]
"""Maps codes (rows) to their decodings, embedded so that distances are Euclidean."""


class Geodesic(NamedTuple):
    """A path between two codes, with its length and energy compared to the straight line.

    `energies` decrease from the straight line's to the path's; lengths are measured in data
    space, in units of the embedding.
    """

    codes: Float[np.ndarray, "stops latent"]
    energies: tuple[float, ...]
    length: float
    straight_length: float

    @property
    def saved(self) -> float:
        """How much shorter than the straight line it is, as a fraction."""
        return 1 - self.length / self.straight_length if self.straight_length > 0 else 0.0


def embedding(model: AbstractModel) -> Embedding:
    """Build the embedding of a model's decoder, in double precision.

    Bernoulli pixels map to 2 arcsin(sqrt(p)), where the Fisher metric is flat; Gaussian ones to
    mean / standard deviation; 8-bit pixels to their mean.

    Raises:
        NoDensityError: If its images have no derivative: it is autoregressive, or foreign.

    References:
        Latent space oddity (Arvanitidis et al., 2018), section 3. https://arxiv.org/abs/1710.11379
        Information geometry of multiparameter models (Amari and Nagaoka, 2000), chapter 2.
    """
    if not model.differentiable:
        raise NoDensityError(
            "An ONNX graph gives no derivatives, so there is no shortest path; "
            "choose another method."
        )

    def embed(codes: Float[Tensor, "stops latent"]) -> Float[Tensor, "stops features"]:
        p = model.likelihood(codes)
        if isinstance(p, Sequential):
            raise NoDensityError(
                "An autoregressive decoder is not differentiable in z; choose another method."
            )
        base = p.base_dist if isinstance(p, Independent) else p
        if isinstance(base, Bernoulli):
            # arcsin(sqrt(sigmoid(l))) = arctan(exp(l / 2)), whose slope survives at p = 0, 1.
            return (2 * (base.logits.clamp(-60, 60) / 2).exp().atan()).flatten(1)
        if isinstance(base, Normal):
            return (base.loc / base.scale).flatten(1)
        return p.mean.flatten(1)

    return embed


def geodesic(
    start: Float[np.ndarray, " latent"],
    end: Float[np.ndarray, " latent"],
    embed: Embedding,
    *,
    unit: Float[np.ndarray, " latent"] | None = None,
    segments: int = SEGMENTS,
    iterations: int = ITERATIONS,
) -> Geodesic:
    """Find a path of minimal energy between two codes, starting from the straight line.

    The energy is T times the sum over T steps of |f(c_{i+1}) - f(c_i)|^2. It never rises: every
    step is a line search, and the best path seen is kept, including the straight line.

    Args:
        start: The first code.
        end: The last code.
        embed: The embedding of the decoder.
        unit: Standard deviation of each latent unit, for scaled steps; ones by default.
        segments: T.
        iterations: Maximum number of L-BFGS steps.

    References:
        Latent space oddity (Arvanitidis et al., 2018), section 4. https://arxiv.org/abs/1710.11379
        A limited memory algorithm for bound constrained optimization (Byrd et al., 1995).
    """
    from scipy.optimize import OptimizeResult, minimize

    scale = torch.from_numpy(
        np.ones_like(start, np.float64) if unit is None else unit.astype(np.float64)
    )
    a, b = (torch.from_numpy(code.astype(np.float64)) / scale for code in (start, end))
    times = torch.linspace(0, 1, segments + 1, dtype=torch.float64)[1:-1, None]

    def whole(free: Float[Tensor, "inner latent"]) -> Float[Tensor, "stops latent"]:
        return torch.cat([a[None], free, b[None]]) * scale

    def energy(flat: np.ndarray) -> tuple[float, np.ndarray]:
        free = torch.from_numpy(flat.reshape(len(times), -1)).requires_grad_()
        with torch.enable_grad():
            value = segments * embed(whole(free)).diff(dim=0).pow(2).sum()
            (slope,) = torch.autograd.grad(value, free)
        return float(value.detach()), slope.numpy().ravel()

    line = ((1 - times) * a + times * b).numpy().ravel()
    best, energies = line, [energy(line)[0]]

    def note(intermediate_result: OptimizeResult) -> None:
        nonlocal best
        if intermediate_result.fun < energies[-1]:
            best = intermediate_result.x.copy()
            energies.append(float(intermediate_result.fun))

    minimize(
        energy,
        line,
        jac=True,
        method="L-BFGS-B",
        callback=note,
        options={"maxiter": iterations, "maxcor": _HISTORY, "ftol": _TOLERANCE, "gtol": 0.0},
    )
    codes = whole(torch.from_numpy(best.reshape(len(times), -1)))
    straight = whole(torch.from_numpy(line.reshape(len(times), -1)))
    return Geodesic(
        codes.numpy(), tuple(energies), _length(embed, codes), _length(embed, straight)
    )


def shortest(
    ends: Float[np.ndarray, "ends latent"],
    frames: int,
    embed: Embedding,
    scale: Float[np.ndarray, " latent"],
) -> tuple[Float[np.ndarray, "frames latent"], tuple[Geodesic, ...]]:
    """Follow the geodesic from each endpoint to the next, with equally many frames per leg.

    Args:
        ends: Codes to visit.
        frames: Codes of the path.
        embed: The embedding of the decoder.
        scale: The prior's standard deviation per unit.

    Returns:
        The codes, and each leg's geodesic.
    """
    legs = tuple(geodesic(a, b, embed, unit=scale) for a, b in pairwise(ends))
    leg, share = clock(len(ends), frames)
    codes = np.empty((frames, ends.shape[1]))
    for number, found in enumerate(legs):
        rows = leg == number
        stops = np.linspace(0, 1, len(found.codes))
        codes[rows] = at_stops(found.codes, stops, share[rows, 0].astype(np.float64))
    return codes.astype(ends.dtype), legs


@torch.no_grad()
def _length(embed: Embedding, codes: Float[Tensor, "stops latent"]) -> float:
    return float(embed(codes).diff(dim=0).norm(dim=1).sum())
