"""Matching: the aggregated posterior is drawn to the prior, not each posterior by itself."""

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from explorer.errors import NoDensityError
from explorer.interfaces import AbstractModel, LatentPrior, joined
from explorer.objectives.distances import DistanceName, kernel_distance, sliced_distance
from explorer.objectives.elbo import AbstractObjectiveConfig, Terms, bound
from explorer.objectives.schedules import ConstantConfig, ScheduleConfig


class MatchingConfig(AbstractObjectiveConfig):
    """E log p(x|z) - weight D(q(z), p(z)) - beta KL(q(z|x) || p(z)), with D between samples.

    D is estimated on the batch, so it is drowned by noise in small ones: 512 or more. With weight
    0 and beta 1 it is the ELBO.

    References:
        Wasserstein auto-encoders (Tolstikhin et al., 2018), equation 4. https://arxiv.org/abs/1711.01558
        InfoVAE (Zhao et al., 2019), equation 6. https://arxiv.org/abs/1706.02262
    """

    kind: Literal["matching"] = "matching"
    distance: DistanceName = "sliced"
    weight: float = Field(
        100.0, ge=0, le=1e6, description="Weight of the distance, in nats per unit of it."
    )
    projections: int = Field(100, ge=1, le=10_000, description="Directions in each step.")
    warmup: ScheduleConfig = ConstantConfig(beta=0.0)

    @property
    def words(self) -> str:
        """A sentence on what is matched, by which distance, how strongly."""
        name = {
            "sliced": f"the squared sliced 2-Wasserstein distance ({self.projections} directions)",
            "mmd": "MMD\N{SUPERSCRIPT TWO} with inverse multiquadric kernels",
        }[self.distance]
        return (
            f"The aggregated posterior is matched to the prior by {name} of each batch, "
            f"{self.weight:g} nats per unit of it; no posterior is drawn to the prior by itself."
        )

    def terms(
        self,
        model: AbstractModel,
        prior: LatentPrior | None,
        x: Float[Tensor, "batch *sample"],
        *,
        beta: float | None = None,
        generator: torch.Generator | None = None,
        inputs: Float[Tensor, "batch *sample"] | None = None,
    ) -> Terms:
        """Evaluate a batch with fresh reference codes and directions.

        Without a weight of the KL, it is the schedule's last.

        Raises:
            NoDensityError: If there is no prior to match.
        """
        if prior is None:
            raise NoDensityError("Matching needs a prior; choose the objective elbo without one.")
        weight = self.warmup.beta_at(1e9) if beta is None else beta
        draws = model.posterior(x if inputs is None else inputs).walk(generator=generator)
        terms = bound(model, prior, x, draws, weight)
        if not self.weight:
            return terms._replace(kl=weight * terms.kl)
        apart = self.weight * self._distance(joined(draws), prior, generator)
        return Terms(terms.reconstruction, weight * terms.kl + apart, terms.loss + apart)

    def _distance(
        self,
        z: Float[Tensor, "batch latent"],
        prior: LatentPrior,
        generator: torch.Generator | None,
    ) -> Float[Tensor, ""]:
        """Estimate the distance of codes from as many of the prior."""
        device = z.device
        seed = torch.randint(2**31, (1,), generator=generator, device=device)
        reference = prior.draw(len(z), seed=int(seed)).z.detach().to(z)
        if self.distance == "mmd":
            return kernel_distance(z, reference, 2 * z.shape[1] * float(reference.var(0).mean()))
        shape = (self.projections, z.shape[1])
        directions = torch.randn(shape, generator=generator, device=device, dtype=z.dtype)
        return sliced_distance(z, reference, directions)
