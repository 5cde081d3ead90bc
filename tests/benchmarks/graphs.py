"""2,112 codes decoded by an ONNX graph, and by the network of torch that it was.

Run `python -m tests.benchmarks.graphs`.
A slider that is dragged needs 2,112 decodes at once; the graph may take at most 1.3 times as long.
"""

import tempfile

import numpy as np
import torch
from torch import nn

import explorer
from explorer.inference import Engine
from tests.benchmarks.pairing import ratio

CODES, LIMIT = 2112, 1.3


def main():
    torch.set_num_threads(1)
    source = explorer.load("mnist-static-vae-vamp-40")
    x = torch.bernoulli(torch.rand(60, 1, 28, 28))

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = source.model

        def forward(self, z):
            return self.model.likelihood(z).base_dist.logits

    def encoder(rows):
        return source.model.posterior(rows).loc

    with tempfile.TemporaryDirectory() as folder:
        opened = explorer.export_model(
            encoder, Decoder(), data=x, likelihood="bernoulli", name="graphs", folder=folder,
            logits=True,
        )  # fmt: skip
        ours, theirs = Engine(source, "cpu"), Engine(opened, "cpu")
        z = np.random.default_rng(0).normal(size=(CODES, 40)).astype(np.float32)
        away = float(np.abs(ours.decode(z) - theirs.decode(z)).max())
        found = ratio(lambda: theirs.decode(z), lambda: ours.decode(z), pairs=12)
    print(f"{CODES:,} codes of {source.slug}, one thread; largest difference {255 * away:.1e}/255")
    print(f"graph / torch: {found}, at most {LIMIT} is asked for")
    return found.median <= LIMIT and away < 1 / 255


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
