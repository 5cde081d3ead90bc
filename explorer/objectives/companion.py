"""What is trained beside a model to match its codes: networks of scores, and a queue of codes."""

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from explorer.distributions import DiagonalMixture
from explorer.interfaces import Frozen, LatentPrior
from explorer.priors.mixture import LatentMixture
from explorer.priors.noised import LatentNoised
from explorer.velocity import EARLIEST, LATEST, VelocityNet, flow_matching_loss, noised

_SAMPLES = 4096
_SMALLEST = 1e-6


class NetworkConfig(Frozen):
    """Networks that learn the velocity, and so the score, of noised codes."""

    width: int = Field(256, ge=8, le=2048)
    depth: int = Field(3, ge=1, le=8)
    learning_rate: float = Field(1e-3, gt=0, le=1)
    before: int = Field(
        1000, ge=0, le=100_000, description="Steps before the model's first, to know its codes."
    )
    every: int = Field(
        5, ge=1, le=100, description="Steps for each of the model: the codes must not outrun them."
    )
    exact: bool = Field(
        True,
        description="Whether the prior's score is in closed form where there is one; a network "
        "learns it otherwise.",
    )


class Companion(nn.Module):
    """The velocity of the model's codes, that of the prior if it has no closed form, a queue.

    Networks see codes standardised by the moments of the prior, so that noise of N(0, I) is of
    their size.

    Args:
        latent: Length of a code.
        network: How networks are built and trained; None for a queue only.
        queue: Number of codes to remember.
        learned: Whether a network learns the prior's score as well.

    References:
        One-step diffusion with distribution matching distillation (Yin et al., 2024), section 3.2.
        https://arxiv.org/abs/2311.18828
    """

    queue: Tensor
    filled: Tensor
    loc: Tensor
    scale: Tensor

    def __init__(
        self,
        latent: int,
        network: NetworkConfig | None,
        queue: int = 0,
        *,
        learned: bool = False,
    ) -> None:
        super().__init__()
        self.config = network
        self.codes: VelocityNet | None = None
        self.prior: VelocityNet | None = None
        if network is not None:
            self.codes = VelocityNet(latent, network.width, network.depth)
            if learned:
                self.prior = VelocityNet(latent, network.width, network.depth)
        self.register_buffer("queue", torch.zeros(queue, latent))
        self.register_buffer("filled", torch.zeros(1))
        self.register_buffer("loc", torch.zeros(latent))
        self.register_buffer("scale", torch.ones(latent))

    @torch.no_grad()
    def refer_to(self, prior: LatentPrior) -> None:
        """Take the moments of a prior."""
        if _mixture(prior) is not None or self.prior is not None:
            z = prior.draw(_SAMPLES, seed=0).z
            self.loc.copy_(z.mean(0))
            self.scale.copy_(z.std(0).clamp(min=_SMALLEST))

    @torch.no_grad()
    def remember(self, z: Float[Tensor, "batch latent"]) -> None:
        """Put codes into the queue; the oldest leave it."""
        if len(self.queue):
            self.queue.copy_(torch.cat([z.detach(), self.queue])[: len(self.queue)])
            self.filled.add_(len(z)).clamp_(max=len(self.queue))

    def remembered(self) -> Float[Tensor, "codes latent"]:
        """Return the codes in the queue."""
        return self.queue[: int(self.filled)]

    def learning_loss(
        self,
        z: Float[Tensor, "batch latent"],
        prior: LatentPrior,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, ""]:
        """Evaluate the flow matching loss of each network on its own codes."""
        assert self.codes is not None
        codes = torch.cat([z.detach(), self.remembered()])
        loss = flow_matching_loss(self.codes, (codes - self.loc) / self.scale, generator)
        if self.prior is not None:
            seed = torch.randint(2**31, (1,), generator=generator, device=z.device)
            fresh = prior.draw(len(z), seed=int(seed)).z.detach().to(z)
            loss = loss + flow_matching_loss(
                self.prior, (fresh - self.loc) / self.scale, generator
            )
        return loss

    def pull(
        self,
        z: Float[Tensor, "batch latent"],
        prior: LatentPrior,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, ""]:
        """Return a loss whose gradient in z is the difference of the two denoised means.

        That is the gradient of the reverse KL from noised codes to the noised prior, weighted over
        time, divided for each code by the mean error of the prior's denoised mean. Its value is
        half the mean squared length of this gradient, and no distance.
        """
        assert self.codes is not None
        with torch.no_grad():
            codes = (z - self.loc) / self.scale
            x, t, _ = noised(codes, generator, EARLIEST, LATEST)
            own = self.codes.denoised(x, t)
            wanted = self.reference(prior, x, t)
            error = (codes - wanted).abs().mean(1, keepdim=True).clamp(min=_SMALLEST)
            gradient = (own - wanted) / error
        moving = (z - self.loc) / self.scale
        return 0.5 * (moving - (codes - gradient)).pow(2).sum(1).mean()

    def reference(
        self, prior: LatentPrior, x: Float[Tensor, "batch latent"], t: Float[Tensor, "batch 1"]
    ) -> Float[Tensor, "batch latent"]:
        """Evaluate the prior's denoised mean of standardised codes: exactly, or by its network."""
        if self.prior is not None:
            return self.prior.denoised(x, t)
        found = self._standardised(prior).denoised(x, t)
        assert found is not None
        return found

    def _standardised(self, prior: LatentPrior) -> LatentPrior:
        """Return the prior of standardised codes; what is no mixture is standard as it is."""
        mixture = _mixture(prior)
        if mixture is None:
            return prior
        return LatentMixture(
            mixture.log_weights, (mixture.loc - self.loc) / self.scale, mixture.scale / self.scale
        )


def has_score(prior: LatentPrior, latent: int) -> bool:
    """Whether a prior's denoised mean, and so its score, has a closed form."""
    with torch.no_grad():
        x = torch.ones(1, latent, device=prior.draw(1).z.device)
        return prior.denoised(x, x[:, :1] / 2) is not None


def _mixture(prior: LatentPrior) -> DiagonalMixture | None:
    """Return a prior as a mixture of Gaussians, if it is one."""
    known = prior.density if isinstance(prior, LatentNoised) else prior
    return known.mixture if isinstance(known, LatentMixture) else None
