"""The ground of a picture, below whatever is drawn on it: even, shaded, or in shadows."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped
from scipy import ndimage

from explorer.data.placing import resized

SMALL = 64
"""Side up to which a picture is no photograph, in pixels."""

_COARSE = 400
_COARSEST = 16
_EVEN = 1.5 / 255

_Levels = Float[np.ndarray, "height width channels"]


class Ground(NamedTuple):
    """A ground, coarse, and by which factor it has to be better than those before.

    Beside an even one there is no noise, and any grey is ink. One of shadows is wrong where they
    meet the border. `told` is the share of the picture that is ground, where that is told and not
    found; then anything else may be ink.
    """

    levels: _Levels
    advantage: float = 1.0
    even: bool = False
    shadows: bool = False
    told: float | None = None

    @property
    def doubt(self) -> float:
        """How much of the light on it may be missed by its shape."""
        return 0.2 * float(np.ptp(np.quantile(self.levels, (0.05, 0.95), (0, 1)), 0).max())

    def over(self, shape: tuple[int, int]) -> Float[np.ndarray, "rows columns channels"]:
        """Spread it over a picture of a height and width."""
        return self.levels if self.levels.shape[:2] == (1, 1) else resized(self.levels, shape)


def grounds(levels: _Levels) -> Iterator[Ground]:
    """Yield a ground of one colour, one of light that falls off, and one of shadows."""
    border = border_of(levels)
    flat = np.median(border, 0)
    high, wide = levels.shape[:2]
    same = float((np.abs(border - flat).max(1) <= _EVEN).mean())
    even = same > (0.5 if max(high, wide) <= SMALL else 0.75)
    yield Ground(flat[None, None], even=even)
    if min(high, wide) < _COARSEST or even:
        return
    scale = min(1.0, _COARSE / max(high, wide))
    coarse = resized(levels, (max(1, round(high * scale)), max(1, round(wide * scale))))
    yield Ground(_fall_off(coarse), 1.5)
    smooth = ndimage.median_filter(coarse, (3, 3, 1))
    window = (max(3, min(coarse.shape[:2]) // 5),) * 2 + (1,)
    both = (ndimage.grey_closing(smooth, window), ndimage.grey_opening(smooth, window))
    shadows = min(both, key=_variation)  # the other one has kept the ink
    yield Ground(shadows + np.median(coarse - shadows, (0, 1)), 2.0, shadows=True)


def _variation(levels: _Levels) -> float:
    """Return the total variation."""
    return sum(float(np.abs(np.diff(levels, axis=axis)).sum()) for axis in (0, 1))


def _fall_off(coarse: _Levels) -> _Levels:
    """Fit a quadratic surface to most of a picture, by least absolute deviations."""
    high, wide, channels = coarse.shape
    y, x = np.meshgrid(np.linspace(-1, 1, high), np.linspace(-1, 1, wide), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1).reshape(-1, 6)
    values = coarse.reshape(-1, channels).astype(np.float64)
    weights = np.ones(len(values))
    for _ in range(12):
        root = np.sqrt(weights)[:, None]
        fit = np.linalg.lstsq(root * terms, root * values, rcond=None)[0]
        weights = 1 / np.maximum(np.linalg.norm(values - terms @ fit, axis=1), 0.01)
    return (terms @ fit).reshape(coarse.shape).clip(0, 1).astype(np.float32)


def border_of(
    levels: Shaped[np.ndarray, "height width channels"],
) -> Shaped[np.ndarray, "border channels"]:
    """Return what lies along the border."""
    deep = max(1, min(levels.shape[:2]) // 50)
    sides = (levels[:deep], levels[-deep:], levels[:, :deep], levels[:, -deep:])
    return np.concatenate([side.reshape(-1, levels.shape[2]) for side in sides])
