"""Overhead of 2,112 decodes by the Engine: `python -m tests.benchmarks.engine_overhead`.

The Engine pads blocks so that an image never depends on its batch; that, locks and NumPy together
may cost at most 10 %.
"""

import torch

from explorer import Engine, load
from tests.benchmarks.pairing import ratio

DECODES, LIMIT = 2112, 1.10


def main(slug="mnist-static-vae-vamp-40"):
    torch.set_num_threads(1)
    engine = Engine(load(slug), "cpu")
    z, _ = engine.draw(DECODES)
    codes = torch.from_numpy(z)
    model = engine.checkpoint.model

    def bare():
        with torch.inference_mode():
            return model.likelihood(codes).mean.numpy()

    found = ratio(lambda: engine.decode(z), bare)
    print(f"Engine / bare module, {DECODES:,} decodes of {slug}: {found}, limit {LIMIT}")
    return found.median <= LIMIT


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
