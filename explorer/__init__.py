"""Latent Explorer: explore, steer and sample the latent spaces of models with learned priors.

Examples:
    >>> import explorer
    >>> [entry.slug for entry in explorer.catalogue() if not (entry.healthy or entry.results_only)]
    []
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.checkpoint import Checkpoint, Entry, Metric, catalogue, load, save
    from explorer.fitting import fit_prior
    from explorer.foreign import export_model
    from explorer.inference import Engine

__version__ = "0.1.0"

_HOMES = {
    "Checkpoint": "checkpoint",
    "Engine": "inference",
    "Entry": "checkpoint",
    "Metric": "checkpoint",
    "catalogue": "checkpoint",
    "export_model": "foreign",
    "fit_prior": "fitting",
    "load": "checkpoint",
    "save": "checkpoint",
}

__all__ = [
    "Checkpoint",
    "Engine",
    "Entry",
    "Metric",
    "catalogue",
    "export_model",
    "fit_prior",
    "load",
    "save",
]


def __getattr__(name: str) -> object:
    """Import public names on first use: torch takes seconds to import, `--help` should not."""
    if name in _HOMES:
        return getattr(import_module(f"explorer.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'explorer' has no attribute {name!r}")
