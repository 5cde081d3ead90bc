"""A second VAE, on the codes of the first: flexible, and its density is known by a bound only."""

import math
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from explorer import papers
from explorer.errors import NoDensityError
from explorer.interfaces import (
    AbstractPrior,
    AbstractPriorConfig,
    Components,
    Dial,
    Draw,
    Encode,
    LatentPrior,
    LatentSpace,
    Scale,
    Seed,
    each_level,
    noise,
)
from explorer.papers import Paper
from explorer.sketch import CurveSketch, PixelSketch

BOUND_SAMPLES = 64
"""Codes of the second stage by which the density of a code is bounded."""

_ROWS = 256
_LOG_SCALES = (-7.0, 2.0)
_DIAL = Dial(
    "the noise of both stages",
    r"z = \mu + \sigma \odot \bigl(f(s\,\varepsilon_1) + s\,\gamma \odot \varepsilon_2\bigr),"
    r"\quad \varepsilon_1, \varepsilon_2 \sim \mathcal N(0, I)",
    "the same code, decoded from the origin of the second stage",
)


class LatentSecondStage(LatentPrior):
    """p(z) = integral of p(z|u) N(u; 0, I) du, which is bounded from below and never evaluated.

    Args:
        module: The networks of the second stage.
    """

    has_density = False
    bounded = True
    dial = _DIAL

    def __init__(self, module: "SecondStagePrior") -> None:
        self._module = module

    def log_prob(self, z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch"]:
        """Raise an error: there is a bound only."""
        raise NoDensityError(
            "The density of a second-stage VAE is known by a lower bound only; "
            "choose a model with another prior to compare densities."
        )

    def log_bound(self, z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch"]:
        """Bound log p(z) from below in nats, by importance sampling with the same noise for all.

        References:
            Importance weighted autoencoders (Burda et al., 2016), equation 8, with 64 samples.
            https://arxiv.org/abs/1509.00519
        """
        rows = z.reshape(-1, z.shape[-1])
        eps = noise(BOUND_SAMPLES, rows.shape[1], 0).to(rows)[:, None]
        found = [self._module.weights(part, eps).logsumexp(0) for part in rows.split(_ROWS)]
        joint = torch.cat(found) if found else rows.new_empty(0)
        return (joint - math.log(BOUND_SAMPLES)).reshape(z.shape[:-1])

    def draw(
        self, n: int, *, scale: Scale = 1.0, seed: Seed = 0, component: int | None = None
    ) -> Draw:
        """Draw u, then z given u; there are no components, so all indices are 0."""
        (factor,), (own,) = each_level(scale, 1), each_level(seed, 1)
        size = len(self._module.loc)
        eps = factor * noise(n, 2 * size, own).to(self._module.loc)
        z = self._module.decoded(eps[:, :size])
        spread = self._module.log_scale.clamp(*_LOG_SCALES).exp()
        standard = z + spread * eps[:, size:]
        where = torch.zeros(n, dtype=torch.int64)
        return Draw(self._module.loc + self._module.scale * standard, where)

    def components(self) -> Components | None:
        """Return None: it is no mixture of finitely many."""
        return None


class SecondStagePrior(AbstractPrior):
    """A VAE whose data are codes, standardised; it has as many units as they have.

    Args:
        latent: Length of a code.
        hidden: Widths of the layers of its encoder; those of its decoder are mirrored.

    References:
        Diagnosing and enhancing VAE models (Dai and Wipf, 2019), section 4.
        https://arxiv.org/abs/1903.05789
    """

    loc: Tensor
    scale: Tensor

    def __init__(self, latent: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("loc", torch.zeros(latent))
        self.register_buffer("scale", torch.ones(latent))
        self.encoder = _dense((latent, *hidden, 2 * latent))
        self.decoder = _dense((latent, *hidden[::-1], latent))
        self.log_scale = nn.Parameter(torch.zeros(latent))

    @torch.no_grad()
    def standardise(self, codes: Float[np.ndarray, "codes latent"]) -> None:
        """Set mean and standard deviation to those of codes, unit by unit."""
        spread = codes.std(0)
        self.loc.copy_(torch.from_numpy(codes.mean(0)))
        self.scale.copy_(torch.from_numpy(np.maximum(spread, 1e-3 * spread.max())))

    def decoded(self, u: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch latent"]:
        """Decode to the mean of standardised codes."""
        found: Tensor = self.decoder(u)
        return found

    def encoded(self, z: Float[Tensor, "*batch latent"]) -> Normal:
        """Encode standardised codes."""
        loc, log_scale = self.encoder(z).chunk(2, -1)
        return Normal(loc, log_scale.clamp(*_LOG_SCALES).exp(), validate_args=False)

    def weights(
        self, z: Float[Tensor, "batch latent"], eps: Float[Tensor, "samples #batch latent"]
    ) -> Float[Tensor, "samples batch"]:
        """Evaluate log p(z, u) - log q(u|z) in nats, for u drawn from q(u|z) with given noise."""
        standard = (z - self.loc) / self.scale
        q = self.encoded(standard)
        u = q.loc + q.scale * eps
        spread = self.log_scale.clamp(*_LOG_SCALES).exp()
        likelihood = Independent(Normal(self.decoded(u), spread, validate_args=False), 1)
        base = Normal(torch.zeros_like(u), 1.0, validate_args=False)
        log_weight: Tensor = (
            likelihood.log_prob(standard)
            - self.scale.log().sum()
            + base.log_prob(u).sum(-1)
            - q.log_prob(u).sum(-1)
        )
        return log_weight

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentSecondStage:
        """Return the distribution."""
        return LatentSecondStage(self)


class SecondStageConfig(AbstractPriorConfig):
    """A second VAE, trained on the codes of the first; its density is bounded only."""

    title: ClassVar[str] = "Second-stage VAE"
    references: ClassVar[tuple[Paper, ...]] = (papers.TWO_STAGE,)
    afterwards: ClassVar[bool] = True
    kind: Literal["second-stage"] = "second-stage"
    hidden: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(
        (256, 256), min_length=1, max_length=4
    )

    @property
    def has_density(self) -> bool:
        """No: it has a bound."""
        return False

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> SecondStagePrior:
        """Build the untrained prior."""
        return SecondStagePrior(space.size, self.hidden)


def _dense(widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inner, outer in pairwise(widths):
        layers += [nn.Linear(inner, outer), nn.SiLU()]
    return nn.Sequential(*layers[:-1])
