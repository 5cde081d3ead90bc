"""A normalising flow as the prior: flexible, with exact density and fast sampling."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.distributions import Distribution, Normal

from explorer import papers
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

if TYPE_CHECKING:
    from zuko.distributions import NormalizingFlow


_DIAL = Dial(
    "the noise before the flow",
    r"z = f^{-1}(s\,\varepsilon),\quad \varepsilon \sim \mathcal N(0, I)",
    "the same code, the image of the noise's mean",
)


class LatentFlow(LatentPrior):
    """log p(z) = log N(f(z); 0, I) + log |det df/dz|; sampled by the inverse of f.

    Args:
        flow: The flow's distribution.
        like: A tensor of its dtype and device.
    """

    dial = _DIAL

    def __init__(self, flow: "NormalizingFlow", like: Tensor) -> None:
        self.flow, self._like = flow, like

    def log_prob(self, z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch"]:
        """Evaluate log p(z) in nats."""
        # The base density written out: its validation would abort a diverging run by itself.
        base, volume = self.flow.transform.call_and_ladj(z)
        normal = Normal(torch.zeros_like(base), 1.0, validate_args=False)
        density: Tensor = normal.log_prob(base).sum(-1) + volume
        return density

    def draw(
        self, n: int, *, scale: Scale = 1.0, seed: Seed = 0, component: int | None = None
    ) -> Draw:
        """Draw z = f^-1(scale * noise); a flow has no components, so all indices are 0."""
        (factor,), (own,) = each_level(scale, 1), each_level(seed, 1)
        size = self.flow.event_shape[-1]
        base = factor * noise(n, size, own).to(self._like)
        return Draw(self.flow.transform.inv(base), torch.zeros(n, dtype=torch.int64))

    def components(self) -> Components | None:
        """Return None: a flow is not a mixture."""
        return None


def _only_shapes() -> bool:
    """Whether modules are built for their shapes only, without drawing random numbers."""
    return torch.empty(0).is_meta


class FlowPrior(AbstractPrior):
    """Neural spline flow with coupling layers, initialised as the standard normal.

    Args:
        latent: Length of a code.
        transforms: Number of coupling layers.
        hidden: Widths of their networks.
        bins: Number of bins of their splines.

    References:
        Variational lossy autoencoder (Chen et al., 2017), section 3.2, for a flow as the prior.
        https://arxiv.org/abs/1611.02731
        Neural spline flows (Durkan et al., 2019). https://arxiv.org/abs/1906.04032
    """

    def __init__(self, latent: int, transforms: int, hidden: tuple[int, ...], bins: int) -> None:
        super().__init__()
        import zuko

        # zuko disables this check for the whole process.
        Distribution.set_default_validate_args(True)
        # Its masks use operations that the meta device, where shapes are checked, lacks.
        with torch.device("cpu"), torch.random.fork_rng(devices=[], enabled=_only_shapes()):
            self.flow = zuko.flows.NSF(
                latent,
                transforms=transforms,
                bins=bins,
                hidden_features=hidden,
                passes=min(2, latent),
            )
        with torch.no_grad():
            for layer in self.flow.transform.transforms:
                if latent == 1:  # a single unit cannot be coupled
                    for phi in layer.phi:
                        phi.zero_()
                else:
                    layer.hyper[-1].weight.zero_()
                    layer.hyper[-1].bias.zero_()

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentFlow:
        """Return the flow's distribution."""
        return LatentFlow(self.flow(), self.flow.base.loc)


class FlowConfig(AbstractPriorConfig):
    """A neural spline flow."""

    title: ClassVar[str] = "Flow"
    references: ClassVar[tuple[Paper, ...]] = (papers.FLOW_PRIOR, papers.SPLINES)
    kind: Literal["flow"] = "flow"
    transforms: int = Field(4, ge=1, le=16)
    hidden: tuple[Annotated[int, Field(ge=1, le=256)], ...] = Field(
        (64, 64), min_length=1, max_length=4
    )
    bins: int = Field(8, ge=2, le=32)

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> FlowPrior:
        """Make the untrained prior."""
        return FlowPrior(space.size, self.transforms, self.hidden, self.bins)
