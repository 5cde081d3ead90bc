"""Schedules of the KL weight beta: constant, linear or cyclical."""

from typing import Annotated, Literal

from pydantic import Field

from explorer.interfaces import Frozen


class ConstantConfig(Frozen):
    """Constant beta: 1 is the evidence lower bound, other values give a beta-VAE."""

    kind: Literal["constant"] = "constant"
    beta: float = Field(1.0, ge=0, le=1000)

    def beta_at(self, epoch: int | float) -> float:
        """Return the weight after this many epochs."""
        return self.beta


class LinearConfig(Frozen):
    """beta = min(1, epoch / epochs), counting epochs from 1.

    References:
        Generating sentences from a continuous space (Bowman et al., 2016). https://arxiv.org/abs/1511.06349
    """

    kind: Literal["linear"] = "linear"
    epochs: int = Field(100, ge=1)

    def beta_at(self, epoch: int | float) -> float:
        """Return the weight in this epoch."""
        return min(1.0, epoch / self.epochs)


class CyclicalConfig(Frozen):
    """beta rises to 1 within a fraction of each cycle and stays there until the next.

    References:
        Cyclical annealing schedule (Fu et al., 2019), equation 6. https://arxiv.org/abs/1903.10145
    """

    kind: Literal["cyclical"] = "cyclical"
    epochs: int = Field(100, ge=1, description="Epochs covered by all cycles.")
    cycles: int = Field(4, ge=1)
    rise: float = Field(0.5, gt=0, le=1, description="Fraction of a cycle in which beta rises.")

    def beta_at(self, epoch: int | float) -> float:
        """Return the weight in this epoch; 1 after the last cycle."""
        if epoch >= self.epochs:
            return 1.0
        length = self.epochs / self.cycles
        return min(1.0, (epoch % length) / length / self.rise)


ScheduleConfig = Annotated[
    ConstantConfig | LinearConfig | CyclicalConfig, Field(discriminator="kind")
]
