"""All laws of one kind of plug-in, one after another."""

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
from explorer.priors import StandardConfig
from explorer.testing.bounds import (
    beta_weighs_only_the_kl,
    bound_is_the_sum_of_its_terms,
    closed_form_is_the_mean_of_the_sampled_kl,
    gradients_reach,
)
from explorer.testing.checkpoints import (
    batching_changes_nothing,
    checkpoint_gives_back_what_was_saved,
    engine_agrees_with_its_model,
    frames_are_samples_at_their_scale,
    samples_are_decoded_codes,
    weights_come_back_from_their_file,
)
from explorer.testing.claims import SKETCH, Sketch, fail, generator, hold, random_samples
from explorer.testing.data import (
    dynamic_pictures_are_grey_to_train_on_and_binary_to_test_on,
    reading_twice_gives_the_same_numbers,
    samples_fit_their_sketch,
)
from explorer.testing.densities import (
    components_come_as_often_as_they_weigh,
    density_integrates_to_one,
    equal_seeds_give_equal_codes,
    one_prior_takes_one_scale_and_one_seed,
    responsibilities_are_bayes_rule,
    rows_keep_component_and_noise_over_scales,
    samples_agree_with_density,
    smaller_draws_begin_larger_ones,
    variance_grows_with_the_squared_scale,
)
from explorer.testing.models import posterior_follows_its_generator, shapes_are_as_promised
from explorer.testing.properties import keys_are_plain_words, properties_are_of_each_sample_alone

Prepare = Callable[[AbstractModel, AbstractPrior | None], None]


def check_prior(config: AbstractPriorConfig, *, prepare: Prepare | None = None) -> None:
    """Check that a prior keeps every law: as a density, in training, and in a checkpoint.

    It is tried on small models of one and of two levels, with pictures of 8 x 8 pixels.

    Args:
        config: The prior's config.
        prepare: Called with each model and its prior before the laws: what training would fit, and
            values that a fresh prior does not have. By default every parameter is moved at random.

    Raises:
        AssertionError: If a law is broken; the message says which.
    """
    with _seeded():
        config_comes_back_from_json(config)
        flat = _checkpoint(VAEConfig(latent=2, hidden=(16,)), config, SKETCH, prepare)
        assert flat.prior is not None
        with torch.no_grad():
            p = flat.model.latent_prior(flat.prior)
            equal_seeds_give_equal_codes(p)
            smaller_draws_begin_larger_ones(p)
            rows_keep_component_and_noise_over_scales(p)
            density_integrates_to_one(p)
            samples_agree_with_density(p)
            variance_grows_with_the_squared_scale(p)
            components_come_as_often_as_they_weigh(p)
            one_prior_takes_one_scale_and_one_seed(p)
            responsibilities_are_bayes_rule(p)
        _learns(flat.model, flat.prior)
        bound_is_the_sum_of_its_terms(flat.model, flat.prior)
        closed_form_is_the_mean_of_the_sampled_kl(flat.model, flat.prior)
        beta_weighs_only_the_kl(flat.model, flat.prior)
        wide = VAEConfig(latent=16, hidden=(50, 40))
        tall = HVAEConfig(top=2, bottom=3, hidden=(16, 12))
        for model in (wide, tall):
            opened = _checkpoint(model, config, SKETCH, prepare)
            assert opened.prior is not None
            beta_weighs_only_the_kl(opened.model, opened.prior)
            _whole(opened)


def check_model(
    config: AbstractModelConfig, sketch: Sketch = SKETCH, *, prepare: Prepare | None = None
) -> None:
    """Check that a model keeps every law: its shapes, in training, and in a checkpoint.

    Args:
        config: The model's config, small enough to be tried.
        sketch: What its samples are.
        prepare: Called with each model before the laws; by default every parameter is moved at
            random.

    Raises:
        AssertionError: If a law is broken; the message says which.
    """
    with _seeded():
        config_comes_back_from_json(config)
        prior = None if config.deterministic else StandardConfig()
        opened = _checkpoint(config, prior, sketch, prepare)
        model = opened.model
        shapes_are_as_promised(model, sketch)
        hold(
            config.latent == model.space.size,
            f"the config says {config.latent} latent units, the model has {model.space.size}",
        )
        posterior_follows_its_generator(model, sketch)
        _learns(model, opened.prior, sketch)
        if opened.prior is not None:
            bound_is_the_sum_of_its_terms(model, opened.prior, sketch)
            beta_weighs_only_the_kl(model, opened.prior, sketch=sketch)
        _whole(opened)


def check_data(config: AbstractDataConfig, root: Path) -> DataSet:
    """Check that a data set keeps every law.

    Args:
        config: The data set's config.
        root: The data root.

    Returns:
        The data set as it was read.

    Raises:
        AssertionError: If a law is broken; the message says which.
    """
    config_comes_back_from_json(config)
    data = config.load(root)
    samples_fit_their_sketch(data)
    reading_twice_gives_the_same_numbers(data, config.load(root))
    if data.dynamic:
        dynamic_pictures_are_grey_to_train_on_and_binary_to_test_on(data)
    return data


def check_properties(
    family: AbstractProperties,
    sketch: Sketch,
    x: Float[np.ndarray, "samples *sample"] | None = None,
) -> None:
    """Check that a family of properties keeps every law.

    Args:
        family: The family.
        sketch: How samples that have its properties are drawn.
        x: Samples; by default random ones.

    Raises:
        AssertionError: If a law is broken; the message says which.
    """
    keys_are_plain_words(family)
    hold(family.fits(sketch), f"the family {family.name} does not fit such samples")
    samples = random_samples(12, sketch).numpy() if x is None else x
    properties_are_of_each_sample_alone(family, sketch, samples)


def config_comes_back_from_json(config: AbstractConfig) -> None:
    """A recipe gives the config back, and refuses a field that it does not know."""
    again = type(config).model_validate_json(config.model_dump_json(exclude_none=True))
    hold(again == config, f"the config of {config.kind} does not come back from its JSON")
    hold(bool(config.title.strip()), f"the config of {config.kind} needs a title")
    try:
        type(config).model_validate(config.model_dump() | {"no_such_field": 1})
    except ValidationError:
        return
    fail(f"the config of {config.kind} takes a field that it does not know")


@contextmanager
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        yield


def _moved(model: AbstractModel, prior: AbstractPrior | None) -> None:
    """Move every parameter, for laws that hold by chance where all is zero."""
    for module in (model, prior):
        for parameter in module.parameters() if module is not None else ():
            parameter.add_(0.1 * torch.randn_like(parameter))


def _checkpoint(
    model: AbstractModelConfig,
    prior: AbstractPriorConfig | None,
    sketch: Sketch,
    prepare: Prepare | None,
) -> Checkpoint:
    """Build a checkpoint that lies nowhere, of configs that need not be plugged in yet."""
    config = RunConfig.model_construct(
        data=DigitsConfig(), model=model, prior=prior, sketch=sketch,
        objective=ElboConfig(), training=TrainingConfig(),
    )  # fmt: skip
    built, module = config.build()
    hold(isinstance(built, AbstractModel), f"the config of {model.kind} builds no AbstractModel")
    hold(prior is None or isinstance(module, AbstractPrior), "the config builds no AbstractPrior")
    with torch.no_grad():
        (prepare or _moved)(built, module)
    for part in (built, module):
        if part is not None:
            part.eval()
    return Checkpoint("tried", Path("nowhere"), config, built, module, {}, "")


def _learns(model: AbstractModel, prior: AbstractPrior | None, sketch: Sketch = SKETCH) -> None:
    """Check that the bound pulls at every parameter."""
    model.train()
    p = model.latent_prior(prior) if prior is not None else None
    elbo(model, p, random_samples(48, sketch), generator=generator(0)).loss.backward()
    for part in (model, prior):
        if part is not None:
            gradients_reach(part)
            part.zero_grad(set_to_none=True)
    model.eval()


def _whole(opened: Checkpoint) -> None:
    """Check what an opened checkpoint keeps to."""
    for part in (opened.model, opened.prior):
        if part is not None:
            part.requires_grad_(False)
    batching_changes_nothing(opened)
    engine_agrees_with_its_model(opened)
    if opened.prior is not None:
        samples_are_decoded_codes(opened)
        frames_are_samples_at_their_scale(opened)
    known = type(opened.config.model) in registry.MODELS and (
        opened.config.prior is None or type(opened.config.prior) in registry.PRIORS
    )
    with tempfile.TemporaryDirectory() as folder:
        weights_come_back_from_their_file(opened, Path(folder))
        if known:
            checkpoint_gives_back_what_was_saved(opened, Path(folder) / "saved")
