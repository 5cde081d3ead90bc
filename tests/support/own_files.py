"""Models of one's own files, trained for an epoch."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from explorer import checkpoint, publishing, training
from explorer.config import RunConfig


def draw(folder: Path, count: int, first: int = 0) -> None:
    """Draw grey pictures of 6 x 6 pixels, each from its number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 6), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03}.png")


def recipe(path, likelihood=None, seed=1, prior="standard", **data):
    model = {"kind": "vae", "latent": 2, "hidden": [8]}
    return RunConfig.model_validate(
        {
            "data": {"kind": "files", "path": str(path)} | data,
            "model": model | ({"likelihood": likelihood} if likelihood else {}),
            "prior": {"kind": prior},
            "training": {"epochs": 1, "batch": 20, "seed": seed},
        }
    )


def trained(config: RunConfig, root: Path, out: Path) -> checkpoint.Checkpoint:
    """Train, measure the likelihood, and map."""
    data = config.data.load(root)
    training.train(config, data, out)
    opened = checkpoint.load(out)
    publishing.measure(opened, data, out, samples=4, parts=("likelihood",))
    publishing.project(opened, data, out)
    return checkpoint.load(out)


def as_before(folder: Path) -> None:
    """Make a checkpoint of 8-bit grey values like those of before fingerprints: Bernoulli."""
    (folder / checkpoint.FINGERPRINT).unlink()
    config = RunConfig.model_validate_json((folder / checkpoint.CONFIG).read_bytes())
    model = config.model.model_copy(update={"likelihood": "bernoulli"})
    plain = config.model_copy(update={"model": model})
    checkpoint.save(*plain.build(), plain, folder)
    facts = plain.model_dump(mode="json", exclude_none=True)
    for newer in ("split_rule", "black", "white", "light", "invert", "skip_broken"):
        del facts["data"][newer]
    (folder / checkpoint.CONFIG).write_text(json.dumps(facts))
