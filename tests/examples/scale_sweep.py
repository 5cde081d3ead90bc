"""Open a shipped model, draw the same samples at five scales, and save them as one picture."""

from pathlib import Path

import numpy as np
from PIL import Image

import explorer

SCALES = (0.0, 0.5, 1.0, 1.5, 2.0)
SAMPLES, PIXEL = 12, 5


def main(out: Path = Path("scale-sweep.png")) -> Path:
    """Save a row of samples for each scale; a column keeps its component and its noise."""
    engine = explorer.Engine(explorer.load("digits-vae-vamp-16"), "cpu")
    rows = []
    for scale in SCALES:
        sample = engine.sample(SAMPLES, scale, seed=1)
        print(f"scale {scale}: mean log p(z) {sample.log_density.mean():.1f} nats")
        rows.append(np.hstack(list(sample.x[:, 0])))  # SAMPLES x 1 x height x width
    ink = np.vstack(rows).repeat(PIXEL, 0).repeat(PIXEL, 1)
    Image.fromarray((255 * (1 - ink)).astype(np.uint8)).save(out)
    return out


if __name__ == "__main__":
    print(f"saved {main()}")
