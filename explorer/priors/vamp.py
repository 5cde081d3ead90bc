"""The VampPrior: a mixture of the encoder's posteriors at learned pseudo-inputs, or at data."""

from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from explorer import papers
from explorer.interfaces import AbstractPrior, AbstractPriorConfig, Encode, LatentSpace
from explorer.papers import Paper
from explorer.priors.mixture import LatentMixture, uniform_log_weights
from explorer.sketch import CurveSketch, PixelSketch


class VampPrior(AbstractPrior):
    """p(z) = 1/K sum_k q(z|u_k), the pseudo-inputs u_k trained by the ELBO.

    Args:
        shape: Shape of one sample.
        components: K, the number of pseudo-inputs.
        bounds: Range of sample values, to which pseudo-inputs are clamped.
        mean: Mean of the initial pseudo-inputs.
        spread: Standard deviation of the initial pseudo-inputs.
        weighted: Whether components have trainable weights, initially equal.

    References:
        VAE with a VampPrior (Tomczak and Welling, 2018), equation 9. https://arxiv.org/abs/1705.07120
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        components: int,
        bounds: tuple[float, float] | None,
        mean: float,
        spread: float,
        weighted: bool = False,
    ) -> None:
        super().__init__()
        self.bounds = bounds
        self.inputs = nn.Parameter(mean + spread * torch.randn(components, *shape))
        self.logits = nn.Parameter(torch.zeros(components)) if weighted else None

    def pseudo_inputs(self) -> Float[Tensor, "components *sample"]:
        """Return the pseudo-inputs in data units."""
        return (
            self.inputs
            if self.bounds is None
            else nn.functional.hardtanh(self.inputs, *self.bounds)
        )

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentMixture:
        """Encode the pseudo-inputs into the components."""
        q = posterior(self.pseudo_inputs())
        assert q.scale is not None, "a point posterior cannot form a mixture"
        log_weights = (
            uniform_log_weights(len(q.loc), q.loc)
            if self.logits is None
            else self.logits.log_softmax(0)
        )
        return LatentMixture(log_weights, q.loc, q.scale)


class VampDataPrior(AbstractPrior):
    """p(z) = 1/K sum_k q(z|x_k) at K fixed samples of the training data.

    The samples themselves are never stored as weights: a checkpoint keeps their rows in the
    training split, and each component's mean and scale under the trained encoder.

    Args:
        components: K.
        latent: Length of a code.
        weighted: Whether components have weights, fitted with them.

    References:
        VAE with a VampPrior (Tomczak and Welling, 2018), table 2, "VampPrior data".
        https://arxiv.org/abs/1705.07120
    """

    rows: Tensor
    loc: Tensor
    scale: Tensor
    inputs: Tensor | None
    logits: Tensor | None

    def __init__(self, components: int, latent: int, *, weighted: bool = False) -> None:
        super().__init__()
        self.register_buffer("logits", torch.zeros(components) if weighted else None)
        self.register_buffer("rows", torch.zeros(components))
        self.register_buffer("loc", torch.zeros(components, latent))
        self.register_buffer("scale", torch.ones(components, latent))
        self.register_buffer("inputs", None, persistent=False)

    def fit(
        self, x: Float[np.ndarray, "samples *sample"], seed: int, *, dynamic: bool = False
    ) -> None:
        """Choose the samples, once.

        Args:
            x: The training split.
            seed: Seed of the choice.
            dynamic: Whether `x` holds probabilities, which are then binarised once.
        """
        generator = np.random.default_rng(seed)
        count = len(self.rows)
        chosen = generator.choice(len(x), count, replace=len(x) < count)
        inputs = x[chosen]
        if dynamic:
            inputs = (generator.random(inputs.shape, np.float32) < inputs).astype(np.float32)
        self.rows.copy_(torch.from_numpy(chosen))
        self.inputs = torch.from_numpy(inputs)

    @torch.no_grad()
    def freeze(self, posterior: Encode) -> None:
        """Store the components under the trained encoder, for the checkpoint."""
        mixture = self(posterior).mixture
        self.loc.copy_(mixture.loc)
        self.scale.copy_(mixture.scale)

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentMixture:
        """Encode the samples if available, as in training; else use the stored components."""
        loc, scale = self.loc, self.scale
        if self.inputs is not None:
            q = posterior(self.inputs)
            assert q.scale is not None, "a point posterior cannot form a mixture"
            loc, scale = q.loc, q.scale
        log_weights = (
            uniform_log_weights(len(loc), loc)
            if self.logits is None
            else self.logits.log_softmax(0)
        )
        return LatentMixture(log_weights, loc, scale)


class _PseudoInputsConfig(AbstractPriorConfig):
    kind: Literal["vamp", "vamp-weighted"]
    components: int = Field(500, ge=1, le=5000)
    mean: float = Field(0.05, ge=-10, le=10, description="Mean of the initial pseudo-inputs.")
    spread: float = Field(0.01, gt=0, le=10, description="Their standard deviation.")


class VampConfig(_PseudoInputsConfig):
    """A mixture of the encoder's posteriors at learned pseudo-inputs."""

    title: ClassVar[str] = "VampPrior"
    references: ClassVar[tuple[Paper, ...]] = (papers.VAMP,)
    kind: Literal["vamp"] = "vamp"

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> VampPrior:
        """Build the untrained prior."""
        return VampPrior(sketch.shape, self.components, sketch.bounds, self.mean, self.spread)


class WeightedVampConfig(_PseudoInputsConfig):
    """The same with a trained weight for each component."""

    title: ClassVar[str] = "VampPrior, weighted"
    references: ClassVar[tuple[Paper, ...]] = (papers.VAMP,)
    kind: Literal["vamp-weighted"] = "vamp-weighted"

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> VampPrior:
        """Build the untrained prior."""
        return VampPrior(
            sketch.shape, self.components, sketch.bounds, self.mean, self.spread, weighted=True
        )


class VampDataConfig(AbstractPriorConfig):
    """A mixture of the encoder's posteriors at randomly chosen training data."""

    title: ClassVar[str] = "VampPrior on data"
    references: ClassVar[tuple[Paper, ...]] = (papers.VAMP,)
    kind: Literal["vamp-data"] = "vamp-data"
    components: int = Field(500, ge=1, le=5000)
    weighted: Literal[True] | None = Field(
        None, description="Weights by expectation maximisation, where it is fitted afterwards."
    )

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> VampDataPrior:
        """Build the prior, to be given its data."""
        return VampDataPrior(self.components, space.size, weighted=bool(self.weighted))
