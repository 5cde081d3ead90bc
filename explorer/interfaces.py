"""The promises every model and prior keeps, and the words for shapes.

Axis words, the same everywhere: `batch latent channels height width pixels components samples
codes classes`; `*sample` stands for the axes of one sample. Log-densities are in nats.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from explorer.errors import NoDensityError

BLOCK = 16
"""Rows in which noise is drawn: torch fills tensors below 16 elements in another order."""


class Recipe(BaseModel):
    """Base of every config: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Level:
    """One group of latent units: `name`, and the slice of the flat code that it fills."""

    name: str
    start: int
    stop: int
    kind: Literal["continuous", "codebook"] = "continuous"


@dataclass(frozen=True)
class LatentSpace:
    """A code is one flat row; its levels say what its parts are."""

    levels: tuple[Level, ...]

    @property
    def size(self) -> int:
        """Length of a code."""
        return self.levels[-1].stop

    @classmethod
    def single(cls, size: int) -> "LatentSpace":
        """Declare a space of one continuous level."""
        return cls((Level("z", 0, size),))


@dataclass(frozen=True)
class Posterior:
    """q(z|x) for a batch: a diagonal Gaussian, or a point where `scale` is None."""

    loc: Float[Tensor, "batch latent"]
    scale: Float[Tensor, "batch latent"] | None

    def sample(self, generator: torch.Generator | None = None) -> Float[Tensor, "batch latent"]:
        """Draw one code per row, differentiably; a point posterior returns its point."""
        if self.scale is None:
            return self.loc
        device = generator.device if generator is not None else self.loc.device
        noise = torch.randn(self.loc.shape, generator=generator, device=device).to(self.loc)
        return self.loc + self.scale * noise

    def log_prob(
        self, z: Float[Tensor, "*samples batch latent"]
    ) -> Float[Tensor, "*samples batch"]:
        """Evaluate log q(z|x) in nats.

        Raises:
            NoDensityError: If the posterior is a point.
        """
        if self.scale is None:
            raise NoDensityError(
                "A plain autoencoder has no posterior density; choose a model with a prior."
            )
        return Independent(Normal(self.loc, self.scale, validate_args=False), 1).log_prob(z)


@dataclass(frozen=True)
class Components:
    """The components of a mixture prior; one component is a plain Gaussian."""

    log_weights: Float[Tensor, " components"]
    loc: Float[Tensor, "components latent"]
    scale: Float[Tensor, "components latent"]

    def __len__(self) -> int:
        return len(self.log_weights)


class Draw(NamedTuple):
    """Codes drawn from a prior, and the component each came from."""

    z: Float[Tensor, "batch latent"]
    component: Int[Tensor, " batch"]


class LatentPrior(ABC):
    """p(z) at hand: a density, a sampler with a scale, and components where it has them."""

    @abstractmethod
    def log_prob(self, z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch"]:
        """Evaluate log p(z) in nats, always under the prior as trained (scale 1)."""

    @abstractmethod
    def draw(
        self, n: int, *, scale: float = 1.0, seed: int = 0, component: int | None = None
    ) -> Draw:
        """Draw n codes: mean + scale * spread * noise inside the drawn component.

        The first rows of a larger draw equal a smaller draw, and a row keeps its component and
        its noise for every scale.
        """

    @abstractmethod
    def components(self) -> Components | None:
        """Return the mixture's components, or None for a prior that is no mixture."""


Encode = Callable[..., Posterior]


class AbstractPrior(nn.Module, ABC):
    """A prior module: called with a model's `posterior`, it hands out a `LatentPrior`.

    It does not own the encoder; a VampPrior borrows it at each call.
    """

    @abstractmethod
    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentPrior:
        """Build p(z), differentiably in the prior's and the encoder's parameters."""

    def pseudo_inputs(self) -> Tensor | None:
        """Return the learned inputs of a VampPrior, shape (components, *sample), or None."""
        return None


class AbstractModel(nn.Module, ABC):
    """A model with an encoder and a decoder."""

    space: LatentSpace

    @abstractmethod
    def posterior(
        self, x: Float[Tensor, "batch *sample"], labels: Tensor | None = None
    ) -> Posterior:
        """Encode samples."""

    @abstractmethod
    def likelihood(
        self, z: Float[Tensor, "*batch latent"], labels: Tensor | None = None
    ) -> Distribution:
        """Return p(x|z), its event the axes of one sample."""

    def joint(self, prior: LatentPrior) -> LatentPrior:
        """Return the prior over whole codes; for one level, the prior itself."""
        return prior


def noise(n: int, size: int, seed: int) -> Float[Tensor, "n size"]:
    """Draw standard normal noise on the CPU; a smaller n gives the first rows of a larger."""
    generator = torch.Generator().manual_seed(seed)
    blocks = [torch.randn(BLOCK, size, generator=generator) for _ in range(-(-n // BLOCK))]
    return torch.cat(blocks)[:n] if blocks else torch.empty(0, size)


def uniforms(n: int, seed: int) -> Float[Tensor, " n"]:
    """Draw uniform numbers in float64, apart from `noise` of the same seed, prefix-stable in n."""
    generator = torch.Generator().manual_seed(seed ^ 0x5EED_C0DE)
    blocks = [
        torch.rand(BLOCK, generator=generator, dtype=torch.float64) for _ in range(-(-n // BLOCK))
    ]
    return torch.cat(blocks)[:n] if blocks else torch.empty(0, dtype=torch.float64)
