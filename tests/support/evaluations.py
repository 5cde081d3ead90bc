"""Measurements of a small model, as `publishing` runs them."""

from functools import cache

from explorer import checkpoint
from explorer.checkpoint import LIKELIHOOD
from explorer.config import RunConfig
from explorer.publishing import measure
from tests.support.data import digits


def run(opened, folder, **options):
    """Measure the likelihood, and return metrics, arrays and how far each report was."""
    done = []
    metrics = measure(
        opened,
        digits(),
        folder,
        **{"samples": 3, "parts": ("likelihood",)} | options,
        report=lambda stage, count, total: done.append((stage, count, total)),
    )
    return metrics, checkpoint.read_arrays(folder / LIKELIHOOD), done


@cache
def small_config():
    return RunConfig.model_validate(
        {
            "data": {"kind": "digits"},
            "model": {"kind": "vae", "latent": 2, "hidden": [8]},
            "prior": {"kind": "mog", "components": 3},
            "training": {"epochs": 1},
            "sketch": {"kind": "pixels", "height": 8, "width": 8},
        }
    )
