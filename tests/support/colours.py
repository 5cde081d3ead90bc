"""Small models of coloured discs on white, trained in a second, with all that the pages read."""

import numpy as np

from explorer import checkpoint, publishing, training
from explorer.config import RunConfig

VAMP, STANDARD = "discs-vae-vamp-2", "discs-vae-standard-2"
SIDE = 12
_PRIORS = {
    VAMP: {"kind": "vamp", "components": 4, "mean": 0.8, "spread": 0.2},
    STANDARD: {"kind": "standard"},
}


def discs(n=60, seed=0):
    """Discs in one of four colours, somewhere on white, 8 bits."""
    rng = np.random.default_rng(seed)
    colours = np.array([[220, 40, 40], [40, 90, 220], [250, 210, 40], [40, 160, 80]])
    x = np.full((n, SIDE, SIDE, 3), 255, np.uint8)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    for row in range(n):
        place = rng.uniform(4, 7, 2)
        inside = np.hypot(rows - place[0], columns - place[1]) < 3.2
        x[row][inside] = colours[row % len(colours)]
    return x


def train_discs(folder):
    """Write the pictures, and a checkpoint of two units for each of two priors."""
    labels = np.arange(60) % 4
    np.savez(folder / "discs.npz", x=discs(), labels=labels)
    for slug, prior in _PRIORS.items():
        config = RunConfig.model_validate(
            {
                "data": {"kind": "files", "path": "discs.npz", "channels": 3},
                "model": {"kind": "vae", "latent": 2, "hidden": [24]},
                "prior": prior,
                "training": {"epochs": 25, "batch": 12, "learning_rate": 0.005},
            }
        )
        data, place = config.data.load(folder), folder / "shelf" / slug
        training.train(config, data, place)
        opened = checkpoint.load(place)
        publishing.measure(opened, data, place, samples=3, parts=("likelihood", "units"))
        publishing.project(opened, data, place)
        checkpoint.write(place / checkpoint.PREVIEW, publishing.preview(opened))
