"""Ink placed in a sample: cropped, scaled last, thickened where it is thin, centred by mass."""

import numpy as np
from jaxtyping import Float
from PIL import Image
from scipy import ndimage

_FAINT = 0.25
_FINE = 8

_Levels = Float[np.ndarray, "height width channels"]
_Plane = Float[np.ndarray, "height width"]
_Scaled = Float[np.ndarray, "rows columns"]


def extent(amount: _Plane) -> tuple[slice, slice]:
    """Return the rows and columns between which there is ink."""
    dark = amount > min(_FAINT, 0.5 * float(amount.max()))
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def settled(amount: _Plane, shape: tuple[int, int], share: float, pen: float) -> _Scaled:
    """Scale ink to a share of the shorter side, thicken a thin pen, and centre it by mass.

    Ink that lies so already, in a picture of that height and width, is left as it is.

    Args:
        amount: Ink from 0 to 1, not all 0.
        shape: Height and width of the result.
        share: Longer side of the ink, as a share of the shorter side of the result.
        pen: Least width of a line, in pixels of the result.

    References:
        Gradient-based learning applied to document recognition (LeCun et al., 1998), section
        III.A: digits fill 20 of 28 pixels and are centred by mass.
    """
    side = share * min(shape)
    part = amount[extent(amount)]
    if amount.shape == shape and abs(max(part.shape) - side) <= 1.5:
        off = _centre(amount) - np.array(shape) / 2
        if np.abs(off).max() <= 1:
            return amount
    unit = round(_FINE * side) / max(part.shape)
    high, wide = (max(1, round(unit * length)) for length in part.shape)
    part = resized(part[..., None], (high, wide))[..., 0]
    width = line_width(part)
    # Its outline grows with a line, and is scaled to the same size.
    lacking = max(0.0, (pen / side * max(part.shape) - width) / (1 - pen / side))
    part = _grown(part, lacking)
    window = np.array(shape) * max(part.shape) / side
    start = np.clip(_centre(part) - window / 2, np.minimum(np.array(part.shape) - window, 0), 0)
    margin = np.ceil(window).astype(int)
    padded = np.pad(part, [(int(length), int(length)) for length in margin])
    top, left = (float(at) for at in start + margin)
    scaled = Image.fromarray(padded).resize(
        (shape[1], shape[0]),
        Image.Resampling.BOX,
        box=(left, top, left + float(window[1]), top + float(window[0])),
    )
    return np.asarray(scaled).clip(0, 1)


def fitted(amount: _Plane, shape: tuple[int, int]) -> _Scaled:
    """Scale all of a picture to fit in, and thicken lines of less than a pixel."""
    scale = min(shape[0] / amount.shape[0], shape[1] / amount.shape[1])
    high, wide = (max(1, round(side * scale)) for side in amount.shape)
    if amount.shape != (high, wide):
        fine = resized(amount[..., None], (_FINE * high, _FINE * wide))[..., 0]
        if fine.max() > 0:
            width = line_width(fine)
            reach = round(max(0.0, _FINE - width) / 2)
            grown = _grown(fine, max(0.0, _FINE - width))
            fine = grown[reach : reach + fine.shape[0], reach : reach + fine.shape[1]]
        amount = fine.reshape(high, _FINE, wide, _FINE).mean((1, 3))
    whole = np.zeros(shape, np.float32)
    top, left = (shape[0] - high) // 2, (shape[1] - wide) // 2
    whole[top : top + high, left : left + wide] = amount
    return whole


def _centre(amount: _Plane) -> Float[np.ndarray, "2"]:
    """Return the centre of mass, from the upper left corner, in pixels."""
    mass = [amount.sum(1 - axis, dtype=np.float64) for axis in (0, 1)]
    return np.array([(part * (np.arange(len(part)) + 0.5)).sum() / part.sum() for part in mass])


def line_width(amount: _Plane) -> float:
    """Estimate the mean width of lines: twice their area by their perimeter (after Crofton)."""
    inside = np.pad(amount > 0.5 * float(np.quantile(amount[amount > 0], 0.95)), 1)
    crossings = sum(np.count_nonzero(np.diff(inside, axis=axis)) for axis in (0, 1))
    return 2 * float(amount.sum()) / float(np.pi / 4 * crossings)


def _grown(amount: _Plane, by: float) -> _Scaled:
    """Widen lines, half of it on either side, and give those under a pixel their full ink."""
    reach = round(by / 2)
    if not reach:
        return amount
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    ridge = float(np.median(amount[amount > 0.5 * amount.max()]))
    padded = np.pad(amount / ridge, reach).clip(0, 1)
    return ndimage.grey_dilation(padded, footprint=x * x + y * y <= (reach + 0.3) ** 2)


def resized(levels: _Levels, shape: tuple[int, int]) -> Float[np.ndarray, "rows columns channels"]:
    """Resize to height and width, averaging over what a pixel covers."""
    if levels.shape[:2] == shape:
        return levels
    size = (shape[1], shape[0])
    planes = [Image.fromarray(np.ascontiguousarray(plane)) for plane in levels.transpose(2, 0, 1)]
    scaled = [np.asarray(plane.resize(size, Image.Resampling.BILINEAR)) for plane in planes]
    return np.stack(scaled, 2)
