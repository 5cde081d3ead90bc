"""How a law fails: with an AssertionError of one sentence."""

from typing import NoReturn

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.sketch import CurveSketch, PixelSketch

Sketch = PixelSketch | CurveSketch

SKETCH = PixelSketch(height=8, width=8)
"""The default sketch: images of 8 x 8 pixels."""


def random_samples(n: int, sketch: Sketch = SKETCH, seed: int = 0) -> Float[Tensor, "n *sample"]:
    """Draw binary samples, which every likelihood accepts."""
    return torch.bernoulli(torch.full((n, *sketch.shape), 0.4), generator=generator(seed))


def generator(seed: int) -> torch.Generator:
    """Make a seeded source of randomness."""
    return torch.Generator().manual_seed(seed)


def require(true: bool, broken: str) -> None:
    """Fail with a sentence unless a condition is true."""
    if not true:
        fail(broken)


def require_close(
    found: Tensor,
    expected: Tensor,
    broken: str,
    *,
    atol: float | None = None,
    rtol: float | None = None,
) -> None:
    """Fail with a sentence unless two tensors are equal to rounding."""

    def message(details: str) -> str:
        return f"{_sentence(broken)}\n{details}"

    torch.testing.assert_close(found, expected, atol=atol, rtol=rtol, msg=message)


def fail(broken: str) -> NoReturn:
    """Fail with a sentence."""
    raise AssertionError(_sentence(broken))


def _sentence(broken: str) -> str:
    return f"{broken[0].upper()}{broken[1:]}."
