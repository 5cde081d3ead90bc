"""RunConfig: data, model, prior, objective and training in one JSON file, the recipe."""

from pathlib import Path
from typing import Literal

import torch
from pydantic import Field, ValidationError, model_validator

from explorer.errors import RecipeError
from explorer.interfaces import AbstractModel, AbstractPrior, Recipe
from explorer.objectives import ElboConfig
from explorer.registry import DataConfig, ModelConfig, PriorConfig
from explorer.sketch import Sketch

MAX_BYTES = 1_000_000
MAX_PARAMETERS = 200_000_000


class TrainingConfig(Recipe):
    """How long, how fast, and with what care the weights are trained."""

    seed: int = Field(14, ge=0, lt=2**31)
    epochs: int = Field(500, ge=1, le=100_000)
    batch: int = Field(100, ge=1, le=100_000)
    learning_rate: float = Field(5e-4, gt=0, le=1)
    prior_learning_rate: float | None = Field(
        None, gt=0, le=1, description="Of the prior, if another."
    )
    decay: Literal["constant", "cosine"] = "constant"
    weight_decay: float = Field(0.0, ge=0, le=10)
    normalise_gradients: bool = Field(
        False, description="Divide each tensor's gradient by its norm before Adam."
    )
    average: float = Field(
        0.0, ge=0, lt=1, description="Decay of the running average of the weights, per step."
    )
    corruption: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Greatest share of values hidden from the encoder in training.",
    )
    shift: int = Field(
        0, ge=0, le=8, description="Pixels by which training pictures are moved at random."
    )
    patience: int = Field(
        50, ge=1, description="Epochs without a better validation bound before the end."
    )
    init: str | None = Field(
        None, max_length=200, description="Weights it started from, filled in by training."
    )
    half: bool = Field(True, description="Store weight matrices in half precision, or less.")
    bits: Literal[8] | None = Field(
        None, description="8: store them as eight-bit integers, with a factor for each row."
    )

    @model_validator(mode="after")
    def _eight_bits_are_less_than_half(self) -> "TrainingConfig":
        if self.bits and not self.half:
            raise ValueError("bits 8 and half false ask for two precisions; leave one out")
        return self


class RunConfig(Recipe):
    """Everything needed to train a model anew, and to open it without its data.

    `sketch` says how a sample is drawn; training fills it in from the data.
    """

    data: DataConfig
    model: ModelConfig
    prior: PriorConfig | None = None
    objective: ElboConfig = ElboConfig()
    training: TrainingConfig = TrainingConfig()
    sketch: Sketch | None = None

    @model_validator(mode="after")
    def _model_and_prior_fit(self) -> "RunConfig":
        if self.model.deterministic != (self.prior is None):
            raise ValueError(
                "a plain autoencoder (ae, convae) has no prior, and every other model needs one"
            )
        if self.sketch is not None:
            try:
                with torch.device("meta"):
                    built = self.build()
            except RecipeError as error:
                raise ValueError(str(error).rstrip(".")) from error
            count = sum(
                value.numel()
                for module in built
                if module is not None
                for value in module.state_dict().values()
            )
            if count > MAX_PARAMETERS:
                raise ValueError(f"the model would have over {MAX_PARAMETERS:,} parameters")
        return self

    def build(self) -> tuple[AbstractModel, AbstractPrior | None]:
        """Make the untrained model and prior.

        Raises:
            RecipeError: If the sketch is still unknown.
        """
        if self.sketch is None:
            raise RecipeError("The recipe has no sketch; train it with `latent-explorer train`.")
        model = self.model.build(self.sketch)
        return model, self.prior.build(model.top, self.sketch) if self.prior else None


def read_recipe(path: Path) -> RunConfig:
    """Read a recipe.

    Raises:
        RecipeError: If the file is absent or does not describe a run; names the first wrong field.
    """
    if not path.is_file():
        raise RecipeError(
            f"{path} does not exist; name a recipe, for instance a checkpoint's config.json."
        )
    if path.stat().st_size > MAX_BYTES:
        raise RecipeError(
            f"{path} is over {MAX_BYTES // 1_000_000} MB; a recipe is a small JSON file."
        )
    try:
        return RunConfig.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RecipeError(f"{path}: {first_problem(error)}") from error


def first_problem(error: ValidationError) -> str:
    """Say in one phrase what pydantic found first."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"{one_line(where)}: {one_line(first['msg'])}."


def one_line(text: str, longest: int = 200) -> str:
    """Quote foreign text as one printable line."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"
