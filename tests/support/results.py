"""Checkpoints that are numbers alone."""

import numpy as np
import pytest
import torch

from explorer import checkpoint
from explorer.checkpoint import LIKELIHOOD, Metric
from explorer.config import RunConfig
from explorer.ui import cache

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SIDES = {"digits": (8, 8), "frey": (28, 20)}

LIKELIHOODS = {"frey": {"likelihood": "logistic"}}

N = 50


def put(
    shelf, slug, metrics, *, data="digits", prior=None, model="vae", latent=2, weights=True,
    hidden=(8, 8), **arrays,
):  # fmt: skip
    """Put a small untrained model with made-up numbers on the shelf; a plain one has no prior."""
    height, width = SIDES.get(data, (28, 28)) if isinstance(data, str) else (8, 8)
    top = {"top": latent, "bottom": latent + 1} if "hvae" in model else {"latent": latent}
    config = RunConfig.model_validate(
        {
            "data": {"kind": data} if isinstance(data, str) else data,
            "model": {"kind": model, "hidden": hidden} | top | LIKELIHOODS.get(str(data), {}),
            "prior": None if model == "ae" else prior or {"kind": "standard"},
            "sketch": {"kind": "pixels", "height": height, "width": width},
        }
    )
    torch.manual_seed(0)
    folder = checkpoint.save(*config.build(), config, shelf / slug)
    checkpoint.write_metrics(folder, metrics)
    if arrays:
        np.savez(folder / LIKELIHOOD, **arrays)
    if not weights:
        (folder / checkpoint.WEIGHTS).unlink()
    return folder


def nats(value, se=0.25, *, n=N, samples=500, **more):
    return Metric(value=value, se=se, n=n, samples=samples, seed=0, unit="nats", **more)


def share(value, se=0.004, null=None):
    return Metric(value=value, se=se, n=N, seed=0, unit="share", samples=5 * N, null=null)


def everything(value=-20.0):
    """Make up numbers that lack nothing the page asks for."""
    return {
        "log_likelihood": nats(value),
        "elbo": nats(value - 2),
        "reconstruction": nats(value + 5),
        "active_units_absolute": Metric(value=2, n=N, unit="of 2 units"),
        "density": share(0.9, null=1.0),
        "coverage": share(0.8, null=0.96),
        "information": Metric(value=1.5, se=0.01, n=N, seed=0, unit="nats"),
        "mmd": Metric(value=0.01, n=N, seed=0, unit="squared"),
    }


def matched(value=0.6, **more):
    """Make up what is measured on request of a model with a prior."""
    features = {"n": N, "seed": 0, "unit": "on features 0123456789abcdef", "samples": 5 * N}
    return {
        "c2st": Metric(value=value, se=0.07, n=N, unit="share", null=0.49, null_high=0.61),
        "reference_sliced": Metric(
            value=0.25, se=0.01, n=N, unit="squared", null=0.12, null_high=0.15
        ),
        "direct_frechet": Metric(value=30.0, se=2.0, null=12.0, **features),
        "direct_copies": share(0.011, null=0.05),
        **flowing(),
    } | more


def flowing(frechet=20.0):
    """Make up what is measured on request of any model."""
    features = {"n": N, "seed": 0, "unit": "on features 0123456789abcdef", "samples": 5 * N}
    return {
        "flow_frechet": Metric(value=frechet, se=1.5, null=12.0, **features),
        "flow_floor": Metric(value=14.0, se=1.0, null=12.0, **features),
        "flow_precision": share(0.8, null=0.7),
        "flow_copies": share(0.034, null=0.05),
    }


def flow_curves(frechet=20.0):
    """Make up curves over training and over sampling steps."""
    training, sampling = np.array([250, 500, 4000]), np.array([1, 8, 50])
    found = {"flow_training": training, "flow_sampling": sampling}
    for axis in ("training", "sampling"):
        for name, last in (("frechet", frechet), ("copies", 0.034)):
            found[f"flow_{axis}_{name}"] = last * np.array([3.0, 1.5, 1.0], np.float32)
            found[f"flow_{axis}_{name}_error"] = np.full(3, 0.1, np.float32)
    return found


def per_sample(seed):
    generator = np.random.default_rng(seed)
    return {
        "rows": np.arange(N, dtype=np.int32),
        "log_likelihood": generator.normal(-20 - seed, 3, N).astype(np.float32),
        "elbo": generator.normal(-22 - seed, 3, N).astype(np.float32),
        "kl_per_unit": np.array([0.5, 3.0], np.float32),
    }


def entry(slug):
    return next(each for each in cache.entries() if each.slug == slug)
