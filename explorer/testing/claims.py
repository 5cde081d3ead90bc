"""How a law ends where it is broken: in one sentence, as an AssertionError."""

from typing import NoReturn

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.sketch import CurveSketch, PixelSketch

Sketch = PixelSketch | CurveSketch

SKETCH = PixelSketch(height=8, width=8)
"""What samples are where nothing else is said: pictures of 8 x 8 pixels."""


def random_samples(n: int, sketch: Sketch = SKETCH, seed: int = 0) -> Float[Tensor, "n *sample"]:
    """Draw samples of ones and zeros, which every likelihood takes."""
    return torch.bernoulli(torch.full((n, *sketch.shape), 0.4), generator=generator(seed))


def generator(seed: int) -> torch.Generator:
    """Make a source of randomness that is nobody else's."""
    return torch.Generator().manual_seed(seed)


def hold(true: bool, broken: str) -> None:
    """End in a sentence that says what is broken, unless it is true."""
    if not true:
        fail(broken)


def close(
    found: Tensor,
    expected: Tensor,
    broken: str,
    *,
    atol: float | None = None,
    rtol: float | None = None,
) -> None:
    """End in a sentence that says what is broken, unless two tensors are equal to rounding."""

    def told(details: str) -> str:
        return f"{_sentence(broken)}\n{details}"

    torch.testing.assert_close(found, expected, atol=atol, rtol=rtol, msg=told)


def fail(broken: str) -> NoReturn:
    """End in a sentence that says what is broken."""
    raise AssertionError(_sentence(broken))


def _sentence(broken: str) -> str:
    return f"{broken[0].upper()}{broken[1:]}."
