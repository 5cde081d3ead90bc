"""2,000 images decoded by convolutions, together and in parts.

Run `python -m tests.benchmarks.convolutions`.
The activations of 2,000 images do not fit a processor's cache; `at_once` says how many
do. Both give the same densities; in parts must be at least twice as fast.
"""

import torch

from explorer import load
from explorer.devices import at_once
from tests.benchmarks.pairing import ratio

MODEL = "fashion-convvae-vamp-32"
PICTURES, LIMIT = 2000, 2


@torch.inference_mode()
def density(model, z, x, most):
    parts = zip(z.split(most), x.split(most), strict=True)
    return torch.cat([model.likelihood(codes).log_prob(rows) for codes, rows in parts])


def main():
    torch.set_num_threads(1)
    model = load(MODEL).model
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(PICTURES, model.space.size, generator=generator)
    with torch.inference_mode():
        x = model.likelihood(z[:1]).mean.expand(PICTURES, -1, -1, -1)
    most = at_once(model, PICTURES)

    def together():
        return density(model, z, x, PICTURES)

    def apart():
        return density(model, z, x, most)

    away = float((together() - apart()).abs().max())
    found = ratio(together, apart, pairs=8)
    print(f"log p(x|z) of {PICTURES:,} codes of {MODEL}, one thread; {most} at a time")
    print(f"largest difference {away:.1e} nats")
    print(f"together / in parts: {found}, at least {LIMIT} is asked for")
    return found.median >= LIMIT and away < 0.05


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
