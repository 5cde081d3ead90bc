"""All laws for one kind of plug-in."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from pydantic import ValidationError

from explorer import registry
from explorer.checkpoint import Checkpoint
from explorer.config import RunConfig, TrainingConfig
from explorer.data import AbstractDataConfig, DataSet, DigitsConfig
from explorer.designs.properties import AbstractProperties
from explorer.interfaces import (
    AbstractConfig,
    AbstractModel,
    AbstractModelConfig,
    AbstractPrior,
    AbstractPriorConfig,
)
from explorer.models import HVAEConfig, VAEConfig
from explorer.objectives import ElboConfig, elbo
from explorer.plugins import kind_of
from explorer.priors import StandardConfig
from explorer.testing.assertions import SKETCH, Sketch, fail, generator, random_samples, require
from explorer.testing.checkpoints import (
    check_batching_changes_nothing,
    check_checkpoint_round_trips,
    check_engine_agrees_with_model,
    check_frames_match_samples,
    check_samples_are_decoded_codes,
    check_weights_round_trip,
)
from explorer.testing.data import (
    check_dynamic_training_data_are_probabilities,
    check_loading_is_deterministic,
    check_samples_fit_their_sketch,
)
from explorer.testing.densities import (
    check_components_are_drawn_by_weight,
    check_density_integrates_to_one,
    check_draws_are_prefix_stable,
    check_equal_seeds_give_equal_codes,
    check_one_level_takes_one_scale_and_one_seed,
    check_responsibilities_follow_bayes_rule,
    check_samples_agree_with_density,
    check_scaling_keeps_component_and_noise,
    check_variance_grows_with_the_squared_scale,
)
from explorer.testing.models import (
    check_posterior_samples_follow_their_generator,
    check_shapes_are_consistent,
)
from explorer.testing.properties import (
    check_keys_are_plain_words,
    check_properties_are_computed_per_sample,
)
from explorer.testing.training import (
    check_beta_scales_only_the_kl,
    check_closed_form_kl_matches_monte_carlo,
    check_elbo_is_the_sum_of_its_terms,
    check_every_parameter_receives_a_gradient,
)

Prepare = Callable[[AbstractModel, AbstractPrior | None], None]


def check_prior(config: AbstractPriorConfig, *, prepare: Prepare | None = None) -> None:
    """Check every law of a prior: as a distribution, in training, and in a checkpoint.

    It is tested on small one- and two-level models, for images of 8 x 8 pixels.

    Args:
        config: The prior's config.
        prepare: Called with each model and its prior before the laws, to fit what training would
            fit and to leave the initial values. By default adds noise to every parameter.

    Raises:
        AssertionError: If a law does not hold; the message says which.
    """
    with _seeded():
        check_config_round_trips(config)
        flat = _checkpoint(VAEConfig(latent=2, hidden=(16,)), config, SKETCH, prepare)
        assert flat.prior is not None
        with torch.no_grad():
            p = flat.model.latent_prior(flat.prior)
            check_equal_seeds_give_equal_codes(p)
            check_draws_are_prefix_stable(p)
            check_scaling_keeps_component_and_noise(p)
            check_density_integrates_to_one(p)
            check_samples_agree_with_density(p)
            check_variance_grows_with_the_squared_scale(p)
            check_components_are_drawn_by_weight(p)
            check_one_level_takes_one_scale_and_one_seed(p)
            check_responsibilities_follow_bayes_rule(p)
        _check_training(flat.model, flat.prior)
        check_elbo_is_the_sum_of_its_terms(flat.model, flat.prior)
        check_closed_form_kl_matches_monte_carlo(flat.model, flat.prior)
        check_beta_scales_only_the_kl(flat.model, flat.prior)
        wide = VAEConfig(latent=16, hidden=(50, 40))
        tall = HVAEConfig(top=2, bottom=3, hidden=(16, 12))
        for model in (wide, tall):
            opened = _checkpoint(model, config, SKETCH, prepare)
            assert opened.prior is not None
            check_beta_scales_only_the_kl(opened.model, opened.prior)
            _check_checkpoint(opened)


def check_model(
    config: AbstractModelConfig, sketch: Sketch = SKETCH, *, prepare: Prepare | None = None
) -> None:
    """Check every law of a model: its shapes, in training, and in a checkpoint.

    Args:
        config: The model's config, with small networks.
        sketch: What its samples are.
        prepare: Called with each model before the laws; by default adds noise to every parameter.

    Raises:
        AssertionError: If a law does not hold; the message says which.
    """
    with _seeded():
        check_config_round_trips(config)
        prior = None if config.deterministic else StandardConfig()
        opened = _checkpoint(config, prior, sketch, prepare)
        model = opened.model
        check_shapes_are_consistent(model, sketch)
        require(
            config.latent == model.space.size,
            f"the config has {config.latent} latent units, the model {model.space.size}",
        )
        check_posterior_samples_follow_their_generator(model, sketch)
        _check_training(model, opened.prior, sketch)
        if opened.prior is not None:
            check_elbo_is_the_sum_of_its_terms(model, opened.prior, sketch)
            check_beta_scales_only_the_kl(model, opened.prior, sketch=sketch)
        _check_checkpoint(opened)


def check_data(config: AbstractDataConfig, root: Path) -> DataSet:
    """Check every law of a data set.

    Args:
        config: The data set's config.
        root: The data root.

    Returns:
        The loaded data set.

    Raises:
        AssertionError: If a law does not hold; the message says which.
    """
    check_config_round_trips(config)
    data = config.load(root)
    check_samples_fit_their_sketch(data)
    check_loading_is_deterministic(data, config.load(root))
    if data.dynamic:
        check_dynamic_training_data_are_probabilities(data)
    return data


def check_properties(
    family: AbstractProperties,
    sketch: Sketch,
    x: Float[np.ndarray, "samples *sample"] | None = None,
) -> None:
    """Check every law of a family of properties.

    Args:
        family: The family.
        sketch: Of samples that the family fits.
        x: Samples; by default random ones.

    Raises:
        AssertionError: If a law does not hold; the message says which.
    """
    check_keys_are_plain_words(family)
    require(family.fits(sketch), f"the family {family.name} does not fit such samples")
    samples = random_samples(12, sketch).numpy() if x is None else x
    check_properties_are_computed_per_sample(family, sketch, samples)


def check_config_round_trips(config: AbstractConfig) -> None:
    """A config has a kind, survives a round trip through JSON and rejects unknown fields."""
    require(
        kind_of(type(config)) is not None,
        f"{type(config).__name__} needs a kind that is one literal and its own default",
    )
    again = type(config).model_validate_json(config.model_dump_json(exclude_none=True))
    require(
        again == config, f"the config of {config.kind} does not survive a round trip through JSON"
    )
    require(bool(config.title.strip()), f"the config of {config.kind} needs a title")
    try:
        type(config).model_validate(config.model_dump() | {"no_such_field": 1})
    except ValidationError:
        return
    fail(f"the config of {config.kind} accepts an unknown field")


@contextmanager
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        yield


def _perturb(model: AbstractModel, prior: AbstractPrior | None) -> None:
    """Perturb every parameter, for laws that hold by chance if all are zero."""
    for module in (model, prior):
        for parameter in module.parameters() if module is not None else ():
            parameter.add_(0.1 * torch.randn_like(parameter))


def _checkpoint(
    model: AbstractModelConfig,
    prior: AbstractPriorConfig | None,
    sketch: Sketch,
    prepare: Prepare | None,
) -> Checkpoint:
    """Build a checkpoint without a folder, from configs that need not be registered yet."""
    config = RunConfig.model_construct(
        data=DigitsConfig(), model=model, prior=prior, sketch=sketch,
        objective=ElboConfig(), training=TrainingConfig(),
    )  # fmt: skip
    built, module = config.build()
    require(
        isinstance(built, AbstractModel),
        f"the config of {model.kind} does not build an AbstractModel",
    )
    require(
        prior is None or isinstance(module, AbstractPrior),
        "the config does not build an AbstractPrior",
    )
    with torch.no_grad():
        (prepare or _perturb)(built, module)
    for part in (built, module):
        if part is not None:
            part.eval()
    return Checkpoint("tried", Path("nowhere"), config, built, module, {}, "")


def _check_training(
    model: AbstractModel, prior: AbstractPrior | None, sketch: Sketch = SKETCH
) -> None:
    """Check that the ELBO trains every parameter."""
    model.train()
    p = model.latent_prior(prior) if prior is not None else None
    elbo(model, p, random_samples(48, sketch), generator=generator(0)).loss.backward()
    for part in (model, prior):
        if part is not None:
            check_every_parameter_receives_a_gradient(part)
            part.zero_grad(set_to_none=True)
    model.eval()


def _check_checkpoint(opened: Checkpoint) -> None:
    """Check the laws of an opened checkpoint."""
    for part in (opened.model, opened.prior):
        if part is not None:
            part.requires_grad_(False)
    check_batching_changes_nothing(opened)
    check_engine_agrees_with_model(opened)
    if opened.prior is not None:
        check_samples_are_decoded_codes(opened)
        check_frames_match_samples(opened)
    known = type(opened.config.model) in registry.MODELS and (
        opened.config.prior is None or type(opened.config.prior) in registry.PRIORS
    )
    with tempfile.TemporaryDirectory() as folder:
        check_weights_round_trip(opened, Path(folder))
        if known:
            check_checkpoint_round_trips(opened, Path(folder) / "saved")
