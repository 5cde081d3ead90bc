"""Mixtures of diagonal Gaussians: a trainable one, and one fitted to autoencoder codes."""

import math
import time
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Literal

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

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

LOG_VARIANCE_BOUNDS = (-6.0, 2.0)
_ALIKE = 1e-5
"""Spread of codes, as a fraction of the largest, that rounding alone may cause."""

_LONG = 8
"""Components in runs of one spread beyond which they are denoised run by run."""


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

    def denoised(
        self, x: Float[Tensor, "batch latent"], t: Float[Tensor, "batch 1"]
    ) -> Float[Tensor, "batch latent"]:
        """Evaluate E[z | t z + (1 - t) e = x]: each component's Gaussian conditional, weighted.

        References:
            Pattern recognition and machine learning (Bishop, 2006), equations 2.113-2.117.
        """
        loc, variance = self.mixture.loc, self.mixture.scale.pow(2)
        if len(loc) == 1:
            gain = t * variance / (t.pow(2) * variance + (1 - t).pow(2))
            return loc + gain * (x - t * loc)
        log_weights = self.mixture.log_weights
        runs = _runs_of_one_spread(variance)
        if len(runs) == 1:
            return self._denoised_run(x, t, runs[0])[1]
        if len(runs) * _LONG <= len(loc):
            parts = [self._denoised_run(x, t, run) for run in runs]
            shares = torch.stack([joint for joint, _ in parts]).softmax(0)
            return torch.einsum("rb,rbl->bl", shares, torch.stack([mean for _, mean in parts]))
        total = (t.pow(2))[:, None] * variance + ((1 - t).pow(2))[:, None]
        apart = x[:, None] - t[:, None] * loc
        joint = log_weights - 0.5 * (apart.pow(2) / total + total.log()).sum(2)
        means = loc + t[:, None] * variance / total * apart
        return torch.einsum("bk,bkl->bl", joint.softmax(1), means)

    def _denoised_run(
        self, x: Float[Tensor, "batch latent"], t: Float[Tensor, "batch 1"], run: slice
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, "batch latent"]]:
        """Denoise by components of one spread, as in a kernel density: two matrix products.

        Returns:
            Their joint log-density with x, up to a constant, and the denoised mean given them.
        """
        loc, variance = self.mixture.loc[run], self.mixture.scale[run][:1].pow(2)
        total = t.pow(2) * variance + (1 - t).pow(2)
        share = t / total
        joint = (
            self.mixture.log_weights[run] + (x * share) @ loc.T - 0.5 * (t * share) @ loc.pow(2).T
        )
        gain = share * variance
        mean = gain * x + (1 - t * gain) * (joint.softmax(1) @ loc)
        return joint.logsumexp(1) - 0.5 * (x.pow(2) / total + total.log()).sum(1), mean

    def components(self) -> Components | None:
        """Return weights, means and standard deviations."""
        return Components(self.mixture.log_weights, self.mixture.loc, self.mixture.scale)

    def responsibilities(
        self, z: Float[Tensor, "*batch latent"]
    ) -> Float[Tensor, "*batch components"] | None:
        """Evaluate p(k|z)."""
        return self.mixture.responsibilities(z)


def _runs_of_one_spread(variance: Float[Tensor, "components latent"]) -> list[slice]:
    """Return runs of neighbouring components of equal spread."""
    ends = (variance[1:] != variance[:-1]).any(1).nonzero().flatten().add(1).tolist()
    return [slice(*ends) for ends in pairwise([0, *ends, len(variance)])]


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
        self._require_enough(codes)
        self._take(_fitted(codes, len(self.logits), seed))

    def fit_by_criterion(
        self, codes: Float[np.ndarray, "samples latent"], seed: int, until: float = math.inf
    ) -> int:
        """Fit 1, 2, 3, 5 and so on up to as many components as there are places; keep one fit.

        It is the one with the smallest Bayesian information criterion.

        Args:
            codes: Codes of the training split.
            seed: Seed of the initialisation.
            until: Time, by `time.monotonic`, after which no more components are tried.

        Returns:
            Its number of components.

        Raises:
            TrainingError: If there are fewer different codes than components, or they do not vary.

        References:
            Estimating the dimension of a model (Schwarz, 1978).
        """
        require_spread(codes)
        self._require_enough(codes)
        most = len(self.logits)
        counts = sorted({min(most, round(1.5**power)) for power in range(14)} | {most})
        fits = [_fitted(codes, counts[0], seed, restarts=1)]
        for count in counts[1:]:
            if time.monotonic() > until:
                break
            fits.append(_fitted(codes, count, seed, restarts=1))
        best = min(fits, key=lambda fit: float(fit.bic(codes.astype(np.float64))))
        like, count = self.loc, int(best.n_components)
        # Fitted anew with restarts, as the finished recipe would be.
        self.logits, self.loc, self.scale = (
            like.new_zeros(count),
            like.new_zeros(count, like.shape[1]),
            like.new_ones(count, like.shape[1]),
        )
        self.fit(codes, seed)
        return count

    def _require_enough(self, codes: Float[np.ndarray, "samples latent"]) -> None:
        different = len(np.unique(codes, axis=0))
        if different < len(self.logits):
            of = "" if different == len(codes) else f" different codes among {len(codes):,}"
            raise TrainingError(
                f"{len(self.logits):,} components cannot be fitted to {different:,}"
                f"{of or ' codes'}; set components to at most {different:,}."
            )

    def _take(self, fitted: "GaussianMixture") -> None:
        self.logits.copy_(torch.from_numpy(np.log(fitted.weights_)))
        self.loc.copy_(torch.from_numpy(fitted.means_))
        self.scale.copy_(torch.from_numpy(np.sqrt(fitted.covariances_)))

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentMixture:
        """Return the mixture."""
        return LatentMixture(self.logits.log_softmax(0), self.loc, self.scale)


def _fitted(
    codes: Float[np.ndarray, "samples latent"], components: int, seed: int, restarts: int = 3
) -> "GaussianMixture":
    from sklearn.mixture import GaussianMixture

    return GaussianMixture(
        n_components=components,
        covariance_type="diag",
        init_params="k-means++",
        reg_covar=1e-4 * float(codes.var(0).mean()),
        max_iter=500,
        n_init=restarts,
        random_state=seed,
    ).fit(codes.astype(np.float64))


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
    fixed: ClassVar[bool] = True
    kind: Literal["xvae-mixture"] = "xvae-mixture"
    source: str = Field(max_length=100, description="Slug of the autoencoder's checkpoint.")
    source_hash: str | None = Field(
        None, max_length=64, description="Its hash, filled in by training."
    )
    components: int = Field(10, ge=1, le=5000)

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> CodeMixturePrior:
        """Build the prior, to be fitted to codes."""
        return CodeMixturePrior(space.size, self.components)


class FeatureMixtureConfig(AbstractPriorConfig):
    """A Gaussian mixture fitted to whitened features, with as many components as BIC chooses."""

    title: ClassVar[str] = "Mixture of features"
    references: ClassVar[tuple[Paper, ...]] = (papers.BIC,)
    fixed: ClassVar[bool] = True
    kind: Literal["gmm"] = "gmm"
    source: str = Field(max_length=100, description="Slug of the checkpoint with the encoder.")
    source_hash: str | None = Field(
        None, max_length=64, description="Its hash, filled in by training."
    )
    components: int | None = Field(
        None, ge=1, le=5000, description="Number of them; filled in by training, from BIC."
    )
    most: int = Field(20, ge=1, le=200, description="Most of them that are tried.")

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> CodeMixturePrior:
        """Build the prior, to be fitted to codes."""
        return CodeMixturePrior(space.size, self.components or self.most)


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
