"""RunConfig: data, model, prior, objective and training in one JSON file, the recipe."""

from pathlib import Path
from typing import Literal, get_args

import torch
from pydantic import Field, ValidationError, model_validator

from explorer.data import DataSet
from explorer.errors import RecipeError
from explorer.interfaces import AbstractModel, AbstractPrior, Frozen
from explorer.objectives import ElboConfig, MatchingConfig, ObjectiveConfig
from explorer.registry import PRIORS, DataConfig, ModelConfig, PriorConfig
from explorer.sketch import Sketch

MAX_BYTES = 1_000_000
MAX_PARAMETERS = 200_000_000


class ContrastiveConfig(Frozen):
    """Training of the encoder alone, by SimCLR, before the model: no labels and no decoder.

    The encoder's features are then whitened by their principal components to make the codes.

    References:
        A simple framework for contrastive learning of visual representations (Chen et al., 2020),
        equation 1. https://arxiv.org/abs/2002.05709
    """

    kind: Literal["simclr"] = "simclr"
    steps: int = Field(3000, ge=1, le=1_000_000)
    batch: int = Field(512, ge=8, le=8192)
    temperature: float = Field(0.2, gt=0, le=10)
    learning_rate: float = Field(1e-3, gt=0, le=1)
    explained: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Share of the features' variance kept by the codes, filled in by training.",
    )


Knob = Literal["beta", "free_bits", "learning_rate", "prior_learning_rate", "freeze_prior"]

LIMITS: dict[Knob, tuple[float, float]] = {
    "beta": (0, 1000),
    "free_bits": (0, 100),
    "learning_rate": (0, 1),
    "prior_learning_rate": (0, 1),
    "freeze_prior": (0, 1),
}
"""The least and greatest value of each knob."""


class Turn(Frozen):
    """What was changed while a model was trained, and before which of its batches."""

    step: int = Field(ge=0, description="Number of batches trained before.")
    knob: Knob
    value: float = Field(allow_inf_nan=False)

    @model_validator(mode="after")
    def _value_is_possible(self) -> "Turn":
        low, high = LIMITS[self.knob]
        if not low <= self.value <= high:
            raise ValueError(f"{self.knob} is from {low:g} to {high:g}")
        return self


class TrainingConfig(Frozen):
    """Optimisation, augmentation, early stopping and storage of the weights."""

    seed: int = Field(14, ge=0, lt=2**31)
    epochs: int = Field(500, ge=1, le=100_000)
    batch: int = Field(100, ge=1, le=100_000)
    learning_rate: float = Field(5e-4, gt=0, le=1)
    prior_learning_rate: float | None = Field(
        None, gt=0, le=1, description="Learning rate of the prior, if different."
    )
    decay: Literal["constant", "cosine"] = "constant"
    weight_decay: float = Field(0.0, ge=0, le=10)
    normalise_gradients: bool = Field(
        False, description="Divide each tensor's gradient by its norm before Adam."
    )
    average: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Decay per step of the weights' exponential moving average, after a warm-up.",
    )
    corruption: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Largest fraction of input values masked from the encoder in training.",
    )
    shift: int = Field(
        0, ge=0, le=8, description="Largest random shift of training images, in pixels."
    )
    patience: int = Field(
        50, ge=1, description="Epochs without a better validation bound before training stops."
    )
    pretraining: ContrastiveConfig | None = Field(
        None, description="Training of the encoder alone before the model."
    )
    freeze: Literal["encoder", "trunk"] | None = Field(
        None,
        description="What is not trained: all of the encoder, or all but its last layer, which is "
        "then a bottleneck.",
    )
    init: str | None = Field(
        None,
        max_length=200,
        description="Checkpoint it was initialised from, filled in by training.",
    )
    turns: tuple[Turn, ...] | None = Field(
        None,
        max_length=10_000,
        description="What was changed while it was trained; training again changes it likewise.",
    )
    half: bool = Field(True, description="Store weight matrices in half precision or lower.")
    bits: Literal[8] | None = Field(
        None, description="8: store them as 8-bit integers with one scale per row."
    )

    @model_validator(mode="after")
    def _eight_bits_are_less_than_half(self) -> "TrainingConfig":
        if self.bits and not self.half:
            raise ValueError("bits 8 and half false contradict each other; leave one out")
        return self


class FittedConfig(Frozen):
    """A prior that was fitted to the codes of a trained model, which stayed as it was."""

    source: str = Field(max_length=200, description="Slug of the model whose codes these are.")
    source_hash: str | None = Field(None, max_length=64)
    samples: int = Field(0, ge=0, description="Number of training data whose codes were used.")
    seed: int = Field(0, ge=0, lt=2**31)
    words: str = Field("", max_length=300, description="How it was fitted, in a sentence.")


class RunConfig(Frozen):
    """Everything needed to train a model again, and to open it without its data.

    `sketch` describes how a sample is drawn; training fills it in from the data. `fitted` says
    that the prior was fitted afterwards, or given, rather than trained with the model.
    """

    data: DataConfig
    model: ModelConfig
    prior: PriorConfig | None = None
    objective: ObjectiveConfig = ElboConfig()
    training: TrainingConfig = TrainingConfig()
    sketch: Sketch | None = None
    fitted: FittedConfig | None = None

    @model_validator(mode="after")
    def _model_and_prior_fit(self) -> "RunConfig":
        if self.prior is None and not self.model.deterministic:
            raise ValueError(
                "a plain autoencoder (ae, convae) has no prior, and every other model needs one"
            )
        if self.prior is not None and self.model.deterministic and self.fitted is None:
            raise ValueError(
                "a plain autoencoder (ae, convae) has no prior in training; "
                "fit one to its codes afterwards by `latent-explorer fit`"
            )
        if self.prior is not None and self.prior.afterwards and self.fitted is None:
            raise ValueError(
                f"a prior {self.prior.kind} is fitted to the codes of a trained model: "
                "train one with another prior, then use `latent-explorer fit`"
            )
        matched = isinstance(self.objective, MatchingConfig)
        if matched and (self.prior is None or not self.prior.fixed or self.model.kind != "dmvae"):
            raise ValueError(
                "matching is for the model dmvae under a prior that stays as it is: "
                + ", ".join(prior.model_fields["kind"].default for prior in PRIORS if prior.fixed)
            )
        if (
            self.fitted is None
            and not matched
            and (
                getattr(self.model, "noise", 1) == 0
                or (self.prior is not None and not self.prior.has_density)
            )
        ):
            raise ValueError(
                "the ELBO needs noise in each posterior and a density of the prior; "
                "set the objective to matching"
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

    def is_pseudo(self, binary: bool | None) -> bool:
        """Whether the model's score is no log-likelihood: Bernoulli on values that are not binary.

        Args:
            binary: Whether the data are known to be binary; None goes by the recipe.

        References:
            The continuous Bernoulli: fixing a pervasive error in variational autoencoders
            (Loaiza-Ganem and Cunningham, 2019). https://arxiv.org/abs/1907.06845
        """
        known = self.data.binarised if binary is None else binary
        bernoulli = self.model.likelihood == "bernoulli"
        return bernoulli and known is False and not self.model.deterministic

    def settled(self, data: DataSet) -> "RunConfig":
        """Return the recipe completed with all that its loaded data determine.

        Raises:
            RecipeError: If model and likelihood do not fit the data.
        """
        whole = self.completed(data.sketch, data.binary)
        return whole.model_copy(update={"data": self.data.settled(data)})

    def completed(self, sketch: Sketch, binary: bool) -> "RunConfig":
        """Return the recipe completed with what its data determine.

        That is the sketch and, unless the recipe names one, the likelihood: Bernoulli for binary
        values, discretised logistic for other pixels, Gaussian for curves.

        Raises:
            RecipeError: If model and likelihood do not fit the data.
        """
        given = self.model_dump() | {"sketch": sketch.model_dump()}
        fitting = "bernoulli" if binary else "logistic" if sketch.kind == "pixels" else "gaussian"
        field = type(self.model).model_fields.get("likelihood")
        offered = get_args(field.annotation) if field is not None else ()
        possible = fitting in offered or not offered
        chosen = "likelihood" in self.model.model_fields_set or self.model.deterministic
        if field is not None and possible and not chosen:
            given["model"]["likelihood"] = fitting
        try:
            whole = RunConfig.model_validate(given)
        except ValidationError as error:
            where = first_problem(error)
            raise RecipeError(f"The recipe does not fit its data: {where}") from error
        if whole.is_pseudo(binary):
            remedies = [
                f'the model\'s likelihood to "{fitting}"' if possible else "",
                '"binary" of the data to true' if hasattr(self.data, "binary") else "",
            ]
            remedy = ", or ".join(filter(None, remedies))
            raise RecipeError(
                "A Bernoulli likelihood is for values of 0 and 1, and these data have others: "
                + (f"set {remedy}." if remedy else "choose another model.")
            )
        return whole

    def build(self) -> tuple[AbstractModel, AbstractPrior | None]:
        """Build the untrained model and prior.

        Raises:
            RecipeError: If the sketch is not yet known.
        """
        if self.sketch is None:
            raise RecipeError("The recipe has no sketch; train it with `latent-explorer train`.")
        model = self.model.build(self.sketch)
        return model, self.prior.build(model.top, self.sketch) if self.prior else None


def read_recipe(path: Path) -> RunConfig:
    """Read a recipe.

    Raises:
        RecipeError: If the file is missing or invalid; the message names the first invalid field.
    """
    if not path.is_file():
        raise RecipeError(
            f"{path} does not exist; give a recipe, for example a checkpoint's config.json."
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
    """Return pydantic's first error as one phrase."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    if first["type"] == "union_tag_invalid":
        context = first.get("ctx", {})
        return (
            f"{one_line(where)}: the kind {one_line(repr(context.get('tag')), 60)} is not known; "
            f"use one of {one_line(str(context.get('expected_tags')))}, or install the package "
            "that adds it."
        )
    return f"{one_line(where)}: {one_line(first['msg'])}."


def one_line(text: str, longest: int = 200) -> str:
    """Return untrusted text as one printable line."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"
