"""Matching: the aggregated posterior is drawn to the prior, not each posterior by itself."""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_serializer
from torch import Tensor

from explorer.errors import NoDensityError
from explorer.interfaces import AbstractModel, LatentPrior, joined
from explorer.objectives.companion import Companion, NetworkConfig, has_score
from explorer.objectives.distances import KernelName, kernel_distance, sliced_distance
from explorer.objectives.elbo import AbstractObjectiveConfig, Terms, bound
from explorer.objectives.schedules import ConstantConfig, ScheduleConfig

DistanceName = Literal["sliced", "mmd", "score"]

_USUAL = {"sliced": 100.0, "mmd": 100.0, "score": 2.0}


class MatchingConfig(AbstractObjectiveConfig):
    """E log p(x|z) - weight D(q(z), p(z)) - beta KL(q(z|x) || p(z)), with D between samples.

    `sliced` and `mmd` compare the codes of a batch with as many of the prior: they are drowned by
    noise in small batches, so a queue adds codes of earlier ones. `score` follows the difference
    of two scores instead: the prior's and that of the codes, which a network learns beside the
    model. With weight 0 and beta 1 it is the ELBO.

    References:
        Wasserstein auto-encoders (Tolstikhin et al., 2018), equation 4. https://arxiv.org/abs/1711.01558
        InfoVAE (Zhao et al., 2019), equation 6. https://arxiv.org/abs/1706.02262
        One-step diffusion with distribution matching distillation (Yin et al., 2024), equation 7.
        https://arxiv.org/abs/2311.18828
    """

    kind: Literal["matching"] = "matching"
    distance: DistanceName = "sliced"
    weight: float | None = Field(
        None,
        ge=0,
        le=1e6,
        description="Weight of the distance, in nats per unit of it; by default 100 (sliced and "
        "mmd) or 2 (score).",
    )
    projections: int = Field(100, ge=1, le=10_000, description="Directions in each step.")
    kernel: KernelName = Field("imq", description="Kernels of MMD.")
    queue: int = Field(
        0, ge=0, le=100_000, description="Codes of earlier batches that are compared as well."
    )
    network: NetworkConfig = Field(
        NetworkConfig(), description="The networks that learn scores, for the distance `score`."
    )
    warmup: ScheduleConfig = ConstantConfig(beta=0.0)

    @model_serializer(mode="wrap")
    def _without_what_has_no_effect(
        self, whole: Callable[["MatchingConfig"], dict[str, object]]
    ) -> dict[str, object]:
        """Leave out settings of other distances, so that recipes stay as they were written."""
        used = {"network": self.distance == "score", "kernel": self.distance == "mmd"}
        used["queue"] = self.queue > 0
        return {name: value for name, value in whole(self).items() if used.get(name, True)}

    @property
    def strength(self) -> float:
        """The weight of the distance."""
        return _USUAL[self.distance] if self.weight is None else self.weight

    @property
    def every(self) -> int:
        """Steps of the networks for each of the model."""
        return self.network.every if self.distance == "score" else 1

    @property
    def words(self) -> str:
        """A sentence on what is matched, by which distance, how strongly."""
        name = {
            "sliced": f"the squared sliced 2-Wasserstein distance ({self.projections} directions)",
            "mmd": "MMD\N{SUPERSCRIPT TWO} with "
            + {"imq": "inverse multiquadric", "rbf": "Gaussian"}[self.kernel]
            + " kernels",
            "score": "the difference of their scores",
        }[self.distance]
        seen = (
            f"of each batch and {self.queue:,} codes before it" if self.queue else "of each batch"
        )
        unit = "weight" if self.distance == "score" else "nats per unit of it"
        return (
            f"The aggregated posterior is matched to the prior by {name} {seen}, "
            f"{self.strength:g} {unit}; no posterior is drawn to the prior by itself."
        )

    def companion(self, latent: int, prior: LatentPrior | None) -> Companion | None:
        """Build what is trained or remembered beside the model: networks, and the queue."""
        if not self.strength or (self.distance != "score" and not self.queue):
            return None
        network = self.network if self.distance == "score" else None
        learned = network is not None and not (
            network.exact and prior is not None and has_score(prior, latent)
        )
        return Companion(latent, network, self.queue, learned=learned)

    def terms(
        self,
        model: AbstractModel,
        prior: LatentPrior | None,
        x: Float[Tensor, "batch *sample"],
        *,
        beta: float | None = None,
        generator: torch.Generator | None = None,
        inputs: Float[Tensor, "batch *sample"] | None = None,
        companion: Companion | None = None,
    ) -> Terms:
        """Evaluate a batch with fresh reference codes and directions.

        Without a weight of the KL it is the schedule's last, and `score` is told as a sliced
        distance of 100 nats per unit: what the best epoch is chosen by has to be a distance.

        Raises:
            NoDensityError: If there is no prior to match, or no density for the KL.
        """
        if prior is None:
            raise NoDensityError("Matching needs a prior; choose the objective elbo without one.")
        choosing = beta is None
        weight = self.warmup.beta_at(1e9) if beta is None else beta
        draws = model.posterior(x if inputs is None else inputs).walk(generator=generator)
        if weight and not (prior.has_density and draws[0].q.scale is not None):
            raise NoDensityError(
                "There is no KL to this prior, or of posteriors without noise; "
                "set the constant beta of the warmup to 0."
            )
        terms = bound(model, prior if weight else None, x, draws, weight)
        if not self.strength:
            return terms._replace(kl=weight * terms.kl)
        z = joined(draws)
        if self.distance == "score" and not choosing:
            assert companion is not None
            apart = self.strength * companion.pull(z, prior, generator)
        else:
            strength = _USUAL["sliced"] if self.distance == "score" else self.strength
            apart = strength * self._distance(z, prior, generator, None if choosing else companion)
        return Terms(terms.reconstruction, weight * terms.kl + apart, terms.loss + apart)

    def _distance(
        self,
        z: Float[Tensor, "batch latent"],
        prior: LatentPrior,
        generator: torch.Generator | None,
        companion: Companion | None,
    ) -> Float[Tensor, ""]:
        """Estimate the distance of codes, and those in the queue, from as many of the prior.

        Only the batch has a gradient: each code's is as large as without a queue.
        """
        device, batch = z.device, len(z)
        if companion is not None:
            z = torch.cat([z, companion.remembered()])
        seed = torch.randint(2**31, (1,), generator=generator, device=device)
        reference = prior.draw(len(z), seed=int(seed)).z.detach().to(z)
        if self.distance == "mmd":
            found = kernel_distance(z, reference, float(reference.var(0).mean()), self.kernel)
        else:
            shape = (self.projections, z.shape[1])
            directions = torch.randn(shape, generator=generator, device=device, dtype=z.dtype)
            found = sliced_distance(z, reference, directions)
        if companion is None:
            return found
        return found.detach() + len(z) / batch * (found - found.detach())
