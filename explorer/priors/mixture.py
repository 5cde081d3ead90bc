"""Mixtures of diagonal Gaussians: a trainable one, and one fitted to autoencoder codes."""

import math
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from explorer import papers
from explorer.distributions import DiagonalMixture
from explorer.errors import TrainingError
from explorer.interfaces import (
    AbstractPrior,
    AbstractPriorConfig,
    Components,
    Draw,
    Encode,
    LatentPrior,
    LatentSpace,
    Scale,
    Seed,
    each_level,
    noise,
    uniforms,
)
from explorer.papers import Paper
from explorer.sketch import CurveSketch, PixelSketch

LOG_VARIANCE_BOUNDS = (-6.0, 2.0)
_ALIKE = 1e-5
"""Spread of codes, as a fraction of the largest, that rounding alone may cause."""


class LatentMixture(LatentPrior):
    """p(z) = sum_k w_k N(loc_k, diag scale_k^2); one component makes it a plain Gaussian.

    Args:
        log_weights: Logarithms of the weights, which must sum to one.
        loc: Means of the components.
        scale: Standard deviations of the components.
    """

    def __init__(
        self,
        log_weights: Float[Tensor, " components"],
        loc: Float[Tensor, "components latent"],
        scale: Float[Tensor, "components latent"],
    ) -> None:
        self.mixture = DiagonalMixture(log_weights, loc, scale)

    def log_prob(self, z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch"]:
        """Evaluate log p(z) in nats."""
        return self.mixture.log_prob(z)

    def draw(
        self, n: int, *, scale: Scale = 1.0, seed: Seed = 0, component: int | None = None
    ) -> Draw:
        """Draw z = loc_k + scale * scale_k * noise, k by inverse CDF in float64."""
        loc, spread = self.mixture.loc, self.mixture.scale
        (factor,), (own,) = each_level(scale, 1), each_level(seed, 1)
        if component is None:
            edges = self.mixture.log_weights.double().softmax(0).cumsum(0).cpu()
            index = torch.searchsorted(edges, uniforms(n, own)).clamp(max=len(edges) - 1)
        else:
            index = torch.full((n,), component)
        eps = noise(n, loc.shape[-1], own).to(loc)
        chosen = index.to(loc.device)
        return Draw(loc[chosen] + factor * spread[chosen] * eps, index)

    def components(self) -> Components:
        """Return weights, means and standard deviations."""
        return Components(self.mixture.log_weights, self.mixture.loc, self.mixture.scale)

    def responsibilities(
        self, z: Float[Tensor, "*batch latent"]
    ) -> Float[Tensor, "*batch components"]:
        """Evaluate p(k|z)."""
        return self.mixture.responsibilities(z)


class MixturePrior(AbstractPrior):
    """A mixture of Gaussians whose means, scales and weights are trained with the model.

    References:
        VAE with a VampPrior (Tomczak and Welling, 2018), section 5 ("MoG"). https://arxiv.org/abs/1705.07120
    """

    def __init__(self, latent: int, components: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(components))
        self.loc = nn.Parameter(torch.randn(components, latent))
        self.log_variance = nn.Parameter(torch.full((components, latent), -1.0))

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentMixture:
        """Return the mixture."""
        scale = (0.5 * self.log_variance.clamp(*LOG_VARIANCE_BOUNDS)).exp()
        return LatentMixture(self.logits.log_softmax(0), self.loc, scale)


class CodeMixturePrior(AbstractPrior):
    """A mixture of Gaussians fitted to the codes of a pretrained autoencoder, then frozen."""

    logits: Tensor
    loc: Tensor
    scale: Tensor

    def __init__(self, latent: int, components: int) -> None:
        super().__init__()
        self.register_buffer("logits", torch.zeros(components))
        self.register_buffer("loc", torch.zeros(components, latent))
        self.register_buffer("scale", torch.ones(components, latent))

    def fit(self, codes: Float[np.ndarray, "samples latent"], seed: int) -> None:
        """Fit the mixture by expectation maximisation, with k-means++ initialisation.

        Args:
            codes: Codes of the training split.
            seed: Seed of the initialisation.

        Raises:
            TrainingError: If there are fewer different codes than components, or they do not vary.
        """
        require_spread(codes)
        different = len(np.unique(codes, axis=0))
        if different < len(self.logits):
            of = "" if different == len(codes) else f" different codes among {len(codes):,}"
            raise TrainingError(
                f"{len(self.logits):,} components cannot be fitted to {different:,}"
                f"{of or ' codes'}; set components to at most {different:,}."
            )

        from sklearn.mixture import GaussianMixture

        fitted = GaussianMixture(
            n_components=len(self.logits),
            covariance_type="diag",
            init_params="k-means++",
            reg_covar=1e-4 * float(codes.var(0).mean()),
            max_iter=500,
            n_init=3,
            random_state=seed,
        ).fit(codes.astype(np.float64))
        self.logits.copy_(torch.from_numpy(np.log(fitted.weights_)))
        self.loc.copy_(torch.from_numpy(fitted.means_))
        self.scale.copy_(torch.from_numpy(np.sqrt(fitted.covariances_)))

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentMixture:
        """Return the mixture."""
        return LatentMixture(self.logits.log_softmax(0), self.loc, self.scale)


class MixtureConfig(AbstractPriorConfig):
    """A Gaussian mixture with trained means, scales and weights."""

    title: ClassVar[str] = "Mixture of Gaussians"
    references: ClassVar[tuple[Paper, ...]] = (papers.VAMP,)
    kind: Literal["mog"] = "mog"
    components: int = Field(16, ge=1, le=5000)

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> MixturePrior:
        """Build the untrained prior."""
        return MixturePrior(space.size, self.components)


class CodeMixtureConfig(AbstractPriorConfig):
    """A Gaussian mixture fitted to the codes of a pretrained autoencoder."""

    title: ClassVar[str] = "X-VAE mixture"
    references: ClassVar[tuple[Paper, ...]] = (papers.XVAE,)
    kind: Literal["xvae-mixture"] = "xvae-mixture"
    source: str = Field(max_length=100, description="Slug of the autoencoder's checkpoint.")
    source_hash: str | None = Field(
        None, max_length=64, description="Its hash, filled in by training."
    )
    components: int = Field(10, ge=1, le=5000)

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> CodeMixturePrior:
        """Build the prior, to be fitted to codes."""
        return CodeMixturePrior(space.size, self.components)


def require_spread(codes: Float[np.ndarray, "samples latent"]) -> None:
    """Check that a distribution can be fitted to an autoencoder's codes.

    Raises:
        TrainingError: If they are all alike, up to rounding, or not finite.
    """
    finite = bool(np.isfinite(codes).all())
    if not finite or np.ptp(codes, axis=0).max() <= _ALIKE * np.abs(codes).max():
        raise TrainingError(
            f"The autoencoder's {len(codes):,} codes "
            + (
                "are all alike, so no prior can be fitted to them; "
                "train it on samples that differ, or longer."
                if finite
                else "are not finite, so no prior can be fitted to them; train it again."
            )
        )


def uniform_log_weights(components: int, like: Tensor) -> Float[Tensor, " components"]:
    """Return the log weights of an equally weighted mixture."""
    return torch.full((components,), -math.log(components), dtype=like.dtype, device=like.device)
