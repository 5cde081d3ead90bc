"""The VampPrior: a mixture of the encoder's posteriors at learned pseudo-inputs."""

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from explorer.interfaces import AbstractPrior, Encode, LatentSpace, Recipe
from explorer.priors.mixture import LatentMixture, uniform_log_weights
from explorer.sketch import CurveSketch, PixelSketch


class VampPrior(AbstractPrior):
    """p(z) = 1/K sum_k q(z|u_k), the pseudo-inputs u_k trained by the ELBO.

    Args:
        shape: Shape of one sample.
        components: K, the number of pseudo-inputs.
        bounds: Values a sample can hold; pseudo-inputs are held inside by a hard clamp.
        mean: Mean of the pseudo-inputs at the start.
        spread: Their standard deviation at the start.

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
    ) -> None:
        super().__init__()
        self.bounds = bounds
        self.inputs = nn.Parameter(mean + spread * torch.randn(components, *shape))

    def pseudo_inputs(self) -> Float[Tensor, "components *sample"]:
        """Return the pseudo-inputs in data units."""
        return (
            self.inputs
            if self.bounds is None
            else nn.functional.hardtanh(self.inputs, *self.bounds)
        )

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentMixture:
        """Encode the pseudo-inputs, once, to the components."""
        q = posterior(self.pseudo_inputs())
        assert q.scale is not None, "a point posterior makes no mixture"
        return LatentMixture(uniform_log_weights(len(q.loc), q.loc), q.loc, q.scale)


class VampConfig(Recipe):
    """A mixture of the encoder's posteriors at learned pseudo-inputs."""

    kind: Literal["vamp"] = "vamp"
    components: int = Field(500, ge=1, le=5000)
    mean: float = Field(0.05, ge=-10, le=10, description="Mean of the pseudo-inputs at the start.")
    spread: float = Field(0.01, gt=0, le=10, description="Their standard deviation at the start.")

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> VampPrior:
        """Make the untrained prior."""
        return VampPrior(sketch.shape, self.components, sketch.bounds, self.mean, self.spread)
