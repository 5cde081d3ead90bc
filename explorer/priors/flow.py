"""A normalising flow as the prior: flexible, with exact density and fast sampling."""

from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field, model_serializer
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
        loc: What is subtracted from codes before the flow.
        scale: What they are then divided by.
    """

    dial = _DIAL

    def __init__(
        self,
        flow: "NormalizingFlow",
        like: Tensor,
        loc: Float[Tensor, " latent"] | None = None,
        scale: Float[Tensor, " latent"] | None = None,
    ) -> None:
        self.flow, self._like = flow, like
        self._loc, self._scale = loc, scale

    def log_prob(self, z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch"]:
        """Evaluate log p(z) in nats."""
        # The base density written out: its validation would abort a diverging run by itself.
        if self._loc is not None and self._scale is not None:
            z = (z - self._loc) / self._scale
        base, volume = self.flow.transform.call_and_ladj(z)
        if self._scale is not None:
            volume = volume - self._scale.log().sum()
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
        z = self.flow.transform.inv(base)
        if self._loc is not None and self._scale is not None:
            z = self._loc + self._scale * z
        return Draw(z, torch.zeros(n, dtype=torch.int64))

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
        standardised: Whether codes are standardised before the flow, by their own moments.

    References:
        Variational lossy autoencoder (Chen et al., 2017), section 3.2, for a flow as the prior.
        https://arxiv.org/abs/1611.02731
        Neural spline flows (Durkan et al., 2019). https://arxiv.org/abs/1906.04032
    """

    loc: Tensor | None
    scale: Tensor | None

    def __init__(
        self,
        latent: int,
        transforms: int,
        hidden: tuple[int, ...],
        bins: int,
        *,
        standardised: bool = False,
    ) -> None:
        super().__init__()
        import zuko

        self.register_buffer("loc", torch.zeros(latent) if standardised else None)
        self.register_buffer("scale", torch.ones(latent) if standardised else None)

        # zuko disables this check for the whole process.
        Distribution.set_default_validate_args(True)
        only_shapes = _only_shapes()
        # Its masks use operations that the meta device, where shapes are checked, lacks. Making
        # them takes up to a second a layer, and layers are of the same shape: there, one is made.
        with torch.device("cpu"), torch.random.fork_rng(devices=[], enabled=only_shapes):
            self.flow = zuko.flows.NSF(
                latent,
                transforms=1 if only_shapes else transforms,
                bins=bins,
                hidden_features=hidden,
                passes=min(2, latent),
            )
        if only_shapes:
            layers = self.flow.to("meta").transform.transforms
            layers.extend(deepcopy(layers[0]) for _ in range(transforms - 1))
        with torch.no_grad():
            for layer in self.flow.transform.transforms:
                if latent == 1:  # a single unit cannot be coupled
                    for phi in layer.phi:
                        phi.zero_()
                else:
                    layer.hyper[-1].weight.zero_()
                    layer.hyper[-1].bias.zero_()

    @torch.no_grad()
    def standardise(self, codes: Float[np.ndarray, "codes latent"]) -> None:
        """Standardise codes before the flow: its splines bend only what is within five units."""
        assert self.loc is not None
        assert self.scale is not None
        spread = codes.std(0)
        self.loc.copy_(torch.from_numpy(codes.mean(0)))
        self.scale.copy_(torch.from_numpy(np.maximum(spread, 1e-3 * spread.max())))

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentFlow:
        """Return the flow's distribution."""
        return LatentFlow(self.flow(), self.flow.base.loc, self.loc, self.scale)


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
    standardised: bool = Field(
        False, description="Whether codes are standardised first, as for a flow fitted to them."
    )

    @model_serializer(mode="wrap")
    def _as_it_was_written(
        self, whole: Callable[["FlowConfig"], dict[str, object]]
    ) -> dict[str, object]:
        """Leave out what earlier recipes do not name, unless it is asked for."""
        return {
            name: value for name, value in whole(self).items() if name != "standardised" or value
        }

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> FlowPrior:
        """Make the untrained prior."""
        return FlowPrior(
            space.size,
            self.transforms,
            self.hidden,
            self.bins,
            standardised=self.standardised,
        )
