"""Titles of the kinds of data sets, models and priors."""

import numpy as np

from explorer import priors, registry
from explorer.config import RunConfig
from explorer.interfaces import AbstractConfig, AbstractModelConfig
from explorer.metrics.published import published
from explorer.plugins import kind_of


def _titles(configs: tuple[type[AbstractConfig], ...]) -> dict[str, str]:
    return {str(kind_of(config)): config.title for config in configs}


DATA = _titles(registry.DATA)
"""Titles of data sets by kind, in display order."""

MODELS = _titles(registry.MODELS)
"""Titles of models by kind."""

PRIORS = {"none": "Autoencoder"} | _titles(registry.PRIORS)
"""Titles of priors by kind, and of the models without one."""

_WIDTHS = ("hidden", "channels", "decoder_channels", "decoder_layers", "width")
"""Fields of a recipe that set a network's size; their defaults are the published sizes."""


def by_flexibility() -> tuple[str, ...]:
    """List priors from the most flexible to none, then plug-ins."""
    kinds, own = tuple(PRIORS), 1 + len(priors.CONFIGS)
    return (*reversed(kinds[:own]), *kinds[own:])


def kind_words(model: str, prior: str, *, small: bool = False, joint: str = ", ") -> str:
    """Return the display name of a prior, and of its model unless that is the plain one."""
    words = PRIORS.get(prior, prior)
    if small:
        return f"{words}{joint}small {MODELS[model]}"
    return words if model in ("vae", "ae") else f"{words}{joint}{MODELS[model]}"


def is_small(config: RunConfig) -> bool:
    """Return whether published results used a wider network of the same kind."""
    if all(item.model != config.model.kind for item in published(config.data.kind)):
        return False
    return _size(config.model) < _size(type(config.model)())


def _size(model: AbstractModelConfig) -> int:
    return sum(int(np.sum(getattr(model, name, 0))) for name in _WIDTHS)
