"""Encode two samples of your own, interpolate between them, and keep the path."""

from pathlib import Path

import numpy as np

import explorer
from explorer.data import DigitsConfig

FRAMES = 25


def main(out: Path = Path("path.npz")) -> Path:
    """Save a path's codes, what each is decoded to, and its log p(z)."""
    engine = explorer.Engine(explorer.load("digits-vae-vamp-16"), "cpu")
    held_out = DigitsConfig().load(Path()).test
    assert held_out.labels is not None
    mine = held_out.x[[int(np.argmax(held_out.labels == digit)) for digit in (3, 8)]]

    first, last = engine.encode(mine).loc
    share = np.linspace(0, 1, FRAMES, dtype=np.float32)[:, None]
    codes = first + share * (last - first)
    density = engine.log_prior(codes)
    np.savez(out, codes=codes, decoded=engine.decode(codes), log_density=density)

    print(f"log p(z) from {density[0]:.1f} to {density[-1]:.1f} nats; least {density.min():.1f}")
    return out


if __name__ == "__main__":
    print(f"saved {main()}")
