"""Which raw value is black and which is white, and whether grey is ink or light."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped

from explorer.errors import DataError

_HAIR = 1e-3
_TENTH = 0.1
_LOOKED_AT = 2000
_NEAR = 0.1
_UNIFORM = 0.8
_MOST = 0.8


class Levels(NamedTuple):
    """The raw values that become 0 and 1; what lies outside is clipped.

    `plain` says that they are the ends of the type, so that values are as they were stored;
    `said` is what the user should know, one sentence or nothing.
    """

    black: float
    white: float
    plain: bool = True
    said: str = ""

    def unit(
        self, x: Shaped[np.ndarray, "samples *sample"]
    ) -> Float[np.ndarray, "samples *sample"]:
        """Return values in [0, 1], in single precision."""
        if (self.black, self.white) == (0, 1):
            return x.astype(np.float32).clip(0, 1)
        if self.black:
            x = x.astype(np.float64) - self.black
        return (x.astype(np.float32) / np.float32(self.white - self.black)).clip(0, 1)


def levels_of(
    kind: np.dtype, low: float, high: float, source: Path, given: tuple[float, float] | None = None
) -> Levels:
    """Find black and white from the type of the values and their extremes.

    The ends of the type are black and white, unless the largest value is below a tenth of it:
    then white is the next power of two less one (1 of a mask, 4095 of 12 bits).
    Floats are taken for 0..1, 0..255 or -1..1 only where no other reading is likely.

    Args:
        kind: The type of the values.
        low: The smallest value.
        high: The largest value.
        source: The file or folder, for messages.
        given: Black and white as the recipe names them.

    Raises:
        DataError: If the values can be read in several ways; the message asks for both ends.
    """
    if kind.kind not in "biuf":
        raise DataError(
            f"{source} contains {kind}; save numbers: uint8 in 0..255 or floats in 0..1."
        )
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DataError(
            f"{source} contains {kind} from {low:g} to {high:g}; "
            "save uint8 in 0..255 or floats in 0..1, all finite."
        )
    if given is not None:
        black, white = given
        return Levels(black, white, plain=given == _ends(kind, high))
    if kind.kind == "f":
        return _of_floats(kind, low, high, source)
    if low < 0:
        raise _question(kind, low, high, source)
    return _of_whole_numbers(kind, low, high)


def _ends(kind: np.dtype, high: float) -> tuple[float, float]:
    """Return what the type itself takes for black and white; wide integers go by their values."""
    if kind.kind in "bf":
        return 0.0, 1.0
    wide = kind not in (np.uint8, np.uint16)
    most = (255 if high <= 255 else 65535) if wide else np.iinfo(kind).max
    return 0.0, float(most)


def _of_whole_numbers(kind: np.dtype, low: float, high: float) -> Levels:
    black, full = _ends(kind, high)
    if kind.kind == "b" or high == 0:
        return Levels(black, full)
    if _TENTH * full <= high <= full:
        return Levels(black, full, said=_narrow(low, high, full))
    white = float(2 ** int(high).bit_length() - 1)
    of = f" of {full:g}: stretched, so that" if high < full else ":"
    said = (
        f'Values go up to {high:.10g}{of} {white:.10g} is white ("white" in the recipe\'s data).'
    )
    return Levels(black, white, plain=False, said=said)


def _narrow(low: float, high: float, full: float) -> str:
    if not 0 < high - low < _TENTH * full:
        return ""
    return (
        f"Values span only {low:g} to {high:g} of {full:g}, and are left so; "
        'set "black" and "white" in the recipe\'s data to stretch them.'
    )


def _of_floats(kind: np.dtype, low: float, high: float, source: Path) -> Levels:
    if low >= -_HAIR and high <= 1 + _HAIR:
        if not 0 < high < _TENTH:
            return Levels(0.0, 1.0, said=_narrow(low, high, 1.0))
        said = (
            f"Values go up to {high:g} of 1: stretched, so that {high:g} is white "
            '("white" in the recipe\'s data).'
        )
        return Levels(0.0, high, plain=False, said=said)
    if low >= -_HAIR and _TENTH * 255 <= high <= 255 + _HAIR:
        said = f"Values are floats from {low:g} to {high:g}: 0 is black, 255 is white."
        return Levels(0.0, 255.0, plain=False, said=said)
    if -1 - _HAIR <= low < -0.5 and 0.5 < high <= 1 + _HAIR:
        said = f"Values are floats from {low:g} to {high:g}: -1 is black, 1 is white."
        return Levels(-1.0, 1.0, plain=False, said=said)
    raise _question(kind, low, high, source)


def _question(kind: np.dtype, low: float, high: float, source: Path) -> DataError:
    return DataError(
        f"{source} contains {kind} from {low:g} to {high:g}, which can be read in several ways; "
        'set "black" and "white" in the recipe\'s data to the values that are meant by them, '
        "or save uint8 in 0..255 or floats in 0..1."
    )


class Tone(NamedTuple):
    """Whether grey values are light, or ink that has to be inverted, and what is said of it."""

    light: bool
    invert: bool
    said: str = ""


def tone_of(x: Float[np.ndarray, "samples channels height width"], light: bool | None) -> Tone:
    """Guess from the borders of grey pictures whether they are ink, on which ground, or light.

    Ink has ground along the border: nearly one value, much the same in most pictures. Pictures of
    two values are ink; so are blank ones, about which nothing is said.

    Args:
        x: Values in [0, 1].
        light: Whether they are light, if that is known.
    """
    seen = x[:: max(1, len(x) // _LOOKED_AT), 0]
    drawn = seen[np.ptp(seen, axis=(1, 2)) > _NEAR]
    if light or not len(drawn):
        return Tone(bool(light), False)
    border = np.concatenate(
        [drawn[:, 0], drawn[:, -1], drawn[:, 1:-1, 0], drawn[:, 1:-1, -1]], axis=1
    )
    ground = np.median(border, axis=1)
    uniform = (np.abs(border - ground[:, None]) < _NEAR).mean(1) >= _UNIFORM
    if _mostly(uniform & (ground > 0.5)):
        said = 'Dark ink on a light ground: inverted, so that ink is 1 ("invert": false keeps it).'
        return Tone(False, True, said)
    if _mostly(uniform & (ground <= 0.5)):
        said = 'Light on a dark ground: taken for ink ("light": true shows it as brightness).'
        return Tone(False, False, said)
    if light is None and not ((seen == 0) | (seen == 1)).all():
        said = 'No even ground along the borders: taken for photographs ("light": false for ink).'
        return Tone(True, False, said)
    return Tone(False, False)


def _mostly(votes: Bool[np.ndarray, " pictures"]) -> bool:
    return bool(votes.mean() >= _MOST)
