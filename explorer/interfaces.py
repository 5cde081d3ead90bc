"""The interfaces every model and prior implements, and the vocabulary of shapes.

Axis names, the same everywhere: `batch latent channels height width pixels components samples
codes classes`; `*sample` stands for the axes of one sample. Log-densities are in nats.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, TypeVar

import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from explorer.errors import LevelError, NoDensityError
from explorer.papers import Paper
from explorer.sketch import CurveSketch, PixelSketch

BLOCK = 16
"""Block of rows for drawing noise: torch fills tensors below 16 elements in another order."""


class Frozen(BaseModel):
    """Base of every config: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AbstractConfig(Frozen, ABC):
    """The config of one kind of data set, model or prior, as named in a recipe.

    A concrete class has a `kind`, a literal of one word with itself as default, and a `title`.
    """

    title: ClassVar[str]
    """The display name of the kind."""

    references: ClassVar[tuple[Paper, ...]] = ()
    """The papers to cite where this kind is shown."""

    needs: ClassVar[tuple[str, ...]] = ()
    """Further attributes a concrete class must define, each as a field or a property."""

    if TYPE_CHECKING:  # a field of each concrete class, in its own position

        @property
        def kind(self) -> str:
            """The name used in recipes."""


@dataclass(frozen=True)
class Level:
    """One group of latent units: its name and its slice of the flat code.

    The units of a `spatial` level are principal components of codes of a `shape`, channels x
    height x width; `explained` is their share of the variance of training codes.
    """

    name: str
    start: int
    stop: int
    kind: Literal["continuous", "codebook", "spatial"] = "continuous"
    shape: tuple[int, int, int] | None = None
    explained: float | None = None


@dataclass(frozen=True)
class LatentSpace:
    """The layout of codes: flat rows, divided into levels."""

    levels: tuple[Level, ...]

    @property
    def size(self) -> int:
        """Length of a code."""
        return self.levels[-1].stop

    @classmethod
    def single(cls, size: int) -> "LatentSpace":
        """Return a space with a single continuous level."""
        return cls((Level("z", 0, size),))


@dataclass(frozen=True)
class Posterior:
    """q(z|x) for a batch: a diagonal Gaussian, or a point mass if `scale` is None.

    In a hierarchy `loc` and `scale` describe the top level, and `below` returns the next level's
    Gaussian given the codes above it.
    """

    loc: Float[Tensor, "*batch level"]
    scale: Float[Tensor, "*batch level"] | None
    below: "Callable[[Tensor], Posterior] | None" = None

    def sample(self, generator: torch.Generator | None = None) -> Float[Tensor, "*batch latent"]:
        """Draw one code per row by reparametrisation; a point posterior returns its point."""
        return joined(self.walk(generator=generator))

    def walk(
        self,
        eps: Float[Tensor, "*shape latent"] | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> "tuple[LevelDraw, ...]":
        """Go down the levels, drawing z = loc + scale * noise at each given those above.

        Args:
            eps: Standard normal noise, a row per code, its columns in the order of the levels;
                drawn from `generator` if absent.
            generator: Source of the noise.
        """
        if self.scale is None:
            return (LevelDraw(self, self.loc),)
        width = self.loc.shape[-1]
        if eps is None:
            device = generator.device if generator is not None else self.loc.device
            own = torch.randn(self.loc.shape, generator=generator, device=device).to(self.loc)
            rest = None
        else:
            own, rest = eps[..., :width], eps[..., width:]
        z = self.loc + self.scale * own
        first = LevelDraw(self, z)
        if self.below is None:
            return (first,)
        return (first, *self.below(z).walk(rest, generator=generator))

    def log_prob(self, z: Float[Tensor, "*shape latent"]) -> Float[Tensor, "*shape"]:
        """Evaluate log q(z|x) in nats.

        Raises:
            NoDensityError: If the posterior is a point.
        """
        if self.scale is None:
            raise NoDensityError(
                "A plain autoencoder has no posterior density; choose a model with a prior."
            )
        width = self.loc.shape[-1]
        own = self.level_log_prob(z[..., :width])
        return (
            own
            if self.below is None
            else own + self.below(z[..., :width]).log_prob(z[..., width:])
        )

    def level_log_prob(self, z: Float[Tensor, "*shape level"]) -> Float[Tensor, "*shape"]:
        """Evaluate the log-density of this level's Gaussian in nats."""
        assert self.scale is not None
        return Independent(Normal(self.loc, self.scale, validate_args=False), 1).log_prob(z)

    def flat(self) -> "Posterior":
        """Follow the means down the levels: the whole code as one diagonal Gaussian."""
        if self.scale is None or self.below is None:
            return self
        rest = self.below(self.loc).flat()
        assert rest.scale is not None
        return Posterior(
            torch.cat([self.loc, rest.loc], -1), torch.cat([self.scale, rest.scale], -1)
        )


Conditional = Callable[[Tensor], Posterior]
"""Maps codes of the levels above to the Gaussian of the level below."""


class LevelDraw(NamedTuple):
    """One level of a drawn code: its conditional Gaussian given the levels above, and z."""

    q: Posterior
    z: Float[Tensor, "*shape level"]

    def log_prob(self) -> Float[Tensor, "*shape"]:
        """Evaluate the log-density of this level's code in nats."""
        return self.q.level_log_prob(self.z)


def joined(draws: "tuple[LevelDraw, ...]") -> Float[Tensor, "*shape latent"]:
    """Concatenate the levels of a drawn code."""
    return draws[0].z if len(draws) == 1 else torch.cat([drawn.z for drawn in draws], -1)


@dataclass(frozen=True)
class Components:
    """The components of a mixture prior; a single component is a plain Gaussian."""

    log_weights: Float[Tensor, " components"]
    loc: Float[Tensor, "components latent"]
    scale: Float[Tensor, "components latent"]

    def __len__(self) -> int:
        return len(self.log_weights)


class Draw(NamedTuple):
    """Codes drawn from a prior, and the component each came from."""

    z: Float[Tensor, "batch latent"]
    component: Int[Tensor, " batch"]


_Value = TypeVar("_Value", int, float)

Scale = float | tuple[float, ...]
"""One scale for all levels, or one per level, top first."""

Seed = int | tuple[int, ...]
"""One seed for all levels, or one per level, top first."""


def each_level(value: _Value | tuple[_Value, ...], levels: int) -> tuple[_Value, ...]:
    """Expand to one value per level."""
    values = value if isinstance(value, tuple) else (value,) * levels
    if len(values) != levels:
        raise LevelError(
            f"{len(values)} values were given for {levels} levels; give one, or one per level."
        )
    return values


@dataclass(frozen=True)
class Dial:
    """What the scale of a prior does to its samples.

    Args:
        words: What it multiplies, in a few words.
        formula: How a code is drawn at scale s, in LaTeX.
        rest: What every sample is at s = 0.
        most: Largest scale that means something; None for any.
    """

    words: str
    formula: str
    rest: str
    most: float | None = None


SPREAD = Dial(
    "the spread of each component",
    r"k \sim w,\qquad z = \mu_k + s\,\sigma_k \odot \varepsilon,"
    r"\quad \varepsilon \sim \mathcal N(0, I)",
    "the mean of its component",
)
"""The scale of a mixture of Gaussians, a single one included."""


class LatentPrior(ABC):
    """An evaluated p(z): a sampler with a scale, and a density and components if it has any."""

    has_density: bool = True
    """Whether `log_prob` exists; a distribution on a surface has none."""

    bounded: bool = False
    """Whether there is a lower bound in place of `log_prob`."""

    varies_at_rest: bool = False
    """Whether codes at scale 0 still differ where there are no components."""

    dial: Dial = SPREAD
    """What the scale does."""

    @abstractmethod
    def log_prob(self, z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch"]:
        """Evaluate log p(z) in nats, always under the prior as trained (scale 1).

        Raises:
            NoDensityError: If there is no density.
        """

    def log_bound(self, z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch"]:
        """Bound log p(z) from below in nats, where that is all there is.

        Raises:
            NoDensityError: If there is no bound, as for a prior that has its density.
        """
        raise NoDensityError("This prior has no bound in place of a density; use `log_prob`.")

    def denoised(
        self, x: Float[Tensor, "batch latent"], t: Float[Tensor, "batch 1"]
    ) -> Float[Tensor, "batch latent"] | None:
        """Evaluate E[z | t z + (1 - t) e = x] for e from N(0, I); None without a closed form.

        It is the score of the noised prior in other words (Tweedie's formula).
        """
        return None

    @abstractmethod
    def draw(
        self, n: int, *, scale: Scale = 1.0, seed: Seed = 0, component: int | None = None
    ) -> Draw:
        """Draw n codes: mean + scale * sd * noise within the drawn component.

        The first rows of a larger draw equal a smaller draw, up to rounding in a matrix product
        where one is needed, and a row keeps its component and noise at every scale.
        """

    @abstractmethod
    def components(self) -> Components | None:
        """Return the mixture's components, or None for a prior that is not a mixture.

        In a hierarchy they are the top level's, each with the level below at its mean: points
        to inspect, whose densities are the top level's only.
        """

    def levels(self, z: Float[Tensor, "*batch latent"]) -> "tuple[LatentPrior | Posterior, ...]":
        """Return the prior of each level given the codes above it, top first."""
        return (self,)

    def responsibilities(
        self, z: Float[Tensor, "*batch latent"]
    ) -> Float[Tensor, "*batch components"] | None:
        """Evaluate p(k|z), the probability that component k drew z; None without components."""
        return None


Encode = Callable[..., Posterior]


class AbstractPrior(nn.Module, ABC):
    """A prior module: called with a model's `posterior`, it returns a `LatentPrior`.

    It does not own the encoder; a VampPrior borrows it for each call.
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

    differentiable: bool = True
    """Whether its results have derivatives; a foreign network has none."""

    @property
    def top(self) -> LatentSpace:
        """The space on which the learned prior lives: the top level of a hierarchy, or all."""
        return self.space

    def beside(self) -> dict[str, bytes]:
        """Return the files that a checkpoint keeps beside the weights; most have none."""
        return {}

    def attach(self, folder: Path, patience: float | None = None) -> None:
        """Read what lies beside the weights in a checkpoint's folder.

        Args:
            folder: The folder.
            patience: Seconds to wait for what takes long; None to wait until it is done.

        Raises:
            CheckpointError: If it cannot be opened.
        """

    @abstractmethod
    def posterior(
        self, x: Float[Tensor, "batch *sample"], labels: Tensor | None = None
    ) -> Posterior:
        """Encode samples."""

    @abstractmethod
    def likelihood(
        self, z: Float[Tensor, "*batch latent"], labels: Tensor | None = None
    ) -> Distribution:
        """Return p(x|z), whose event axes are those of one sample."""

    def top_posterior(
        self, x: Float[Tensor, "batch *sample"], labels: Tensor | None = None
    ) -> Posterior:
        """Encode samples to the space of the learned prior, which is all a VampPrior needs."""
        return self.posterior(x, labels)

    def joint(self, prior: LatentPrior) -> LatentPrior:
        """Return the prior over whole codes; for one level, the prior itself."""
        return prior

    def latent_prior(self, prior: AbstractPrior) -> LatentPrior:
        """Build p(z) over whole codes from a prior module."""
        return self.joint(prior(self.top_posterior))


class AbstractPriorConfig(AbstractConfig):
    """The config of one kind of prior."""

    fixed: ClassVar[bool] = False
    """Whether training leaves it as it is, so that codes can be matched to it."""

    afterwards: ClassVar[bool] = False
    """Whether it is only ever fitted to the codes of a trained model."""

    @property
    def has_density(self) -> bool:
        """Whether there is a density to train the ELBO by."""
        return True

    @abstractmethod
    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> AbstractPrior:
        """Build the untrained prior.

        Args:
            space: The latent space of the density: the whole code, or a hierarchy's top level.
            sketch: The format of samples, for priors with parameters of that shape.
        """


class AbstractModelConfig(AbstractConfig):
    """The config of one kind of model.

    A concrete class also has `latent`, the length of a whole code, and `likelihood`, the name of
    p(x|z), each as a field or a property.
    """

    needs: ClassVar[tuple[str, ...]] = ("latent", "likelihood")

    deterministic: ClassVar[bool] = False
    """Whether it is a plain autoencoder, which has no prior."""

    @property
    def stochastic(self) -> bool:
        """Whether q(z|x) has a spread, so that it has a density."""
        return not self.deterministic

    @property
    def has_likelihood(self) -> bool:
        """Whether p(x|z) is a distribution of data, rather than a mean with a loss."""
        return True

    if TYPE_CHECKING:

        @property
        def latent(self) -> int:
            """Length of a whole code."""

        @property
        def likelihood(self) -> str:
            """The name of p(x|z)."""

    @property
    @abstractmethod
    def words(self) -> str:
        """A description of the architecture, for cards."""

    def examine(
        self, sketch: PixelSketch | CurveSketch, folder: Path, patience: float | None = None
    ) -> None:
        """Check what lies beside the weights in a checkpoint's folder.

        Args:
            sketch: What a sample is.
            folder: The folder.
            patience: Seconds to wait for what takes long; None to wait until it is done.

        Raises:
            CheckpointError: If it cannot be opened.
        """

    @abstractmethod
    def build(self, sketch: PixelSketch | CurveSketch) -> AbstractModel:
        """Build the untrained model.

        Raises:
            RecipeError: If it cannot model such samples.
        """


def noise(n: int, size: int, seed: int) -> Float[Tensor, "n size"]:
    """Draw standard normal noise on the CPU; a smaller n yields the first rows of a larger."""
    generator = torch.Generator().manual_seed(seed)
    blocks = [torch.randn(BLOCK, size, generator=generator) for _ in range(-(-n // BLOCK))]
    return torch.cat(blocks)[:n] if blocks else torch.empty(0, size)


def uniforms(n: int, seed: int) -> Float[Tensor, " n"]:
    """Draw uniforms in float64, independent of `noise` with the same seed, prefix-stable in n."""
    generator = torch.Generator().manual_seed(seed ^ 0x5EED_C0DE)
    blocks = [
        torch.rand(BLOCK, generator=generator, dtype=torch.float64) for _ in range(-(-n // BLOCK))
    ]
    return torch.cat(blocks)[:n] if blocks else torch.empty(0, dtype=torch.float64)
