"""A page A4 on which everything is placed in millimetres from its upper left corner."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 210.0, 297.0
LEFT, RIGHT = 18.0, 192.0
ROW = 4.4
"""Height of a row of a table."""
SMALL, PITCH = 6.5, 3.25
"""Size of small print, and the height of its lines."""

_INCH = 25.4
_NO_GLYPH = "□"


class Page:
    """An empty page; `figure` holds what was placed."""

    def __init__(self) -> None:
        self.figure = style.page(WIDTH / _INCH, HEIGHT / _INCH)

    def write(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 7.5,
        *,
        right: bool = False,
        bold: bool = False,
        grey: bool = False,
        most: float = RIGHT - LEFT,
    ) -> None:
        """Write one line at its baseline, cut off at a width; `right` ends it at x."""
        shown = printable(words, bold)
        ends = np.cumsum([width(letter, size, bold) for letter in shown])
        if len(ends) and ends[-1] > most:
            room = most - width("…", size, bold)
            shown = shown[: int((ends <= room).sum())].rstrip() + "…"
        self.figure.text(
            x / WIDTH, 1 - y / HEIGHT, shown, size=size, parse_math=False,
            ha="right" if right else "left", va="baseline",
            weight="bold" if bold else "normal", color=style.GREY if grey else style.TEXT,
        )  # fmt: skip

    def paragraph(self, x: float, y: float, words: str, lines: int) -> float:
        """Write small print in at most so many lines; return where the next would begin."""
        rows = [""]
        for word in printable(words).split(" "):
            longer = f"{rows[-1]} {word}".strip()
            if rows[-1] and width(longer, SMALL) > RIGHT - x:
                rows.append(word)
            else:
                rows[-1] = longer
        if len(rows) > lines:
            rows = [*rows[: lines - 1], " ".join(rows[lines - 1 : lines + 1])]
        for number, row in enumerate(rows):
            self.write(x, y + PITCH * number, row, SMALL, most=RIGHT - x)
        return y + PITCH * len(rows)

    def rule(self, y: float, x: float = LEFT, to: float = RIGHT) -> None:
        """Draw a thin line across."""
        from matplotlib.lines import Line2D

        ends = ((x / WIDTH, to / WIDTH), (1 - y / HEIGHT, 1 - y / HEIGHT))
        self.figure.add_artist(Line2D(*ends, lw=0.6, color=style.FRAME))

    def rows(
        self, x: float, to: float, y: float, head: str, pairs: Sequence[tuple[str, str]], most: int
    ) -> float:
        """Write names with their values below a head, at most so many; return where they end."""
        self.write(x, y, head, bold=True)
        self.rule(y + 1.4, x, to)
        shown = pairs if len(pairs) <= most else pairs[: most - 1]
        for number, (name, value) in enumerate(shown, 1):
            at = y + 1.0 + ROW * number
            self.write(x, at, name, most=0.6 * (to - x))
            self.write(to, at, value, right=True, most=0.38 * (to - x))
        if len(shown) < len(pairs):
            self.write(x, y + 1.0 + ROW * most, f"and {len(pairs) - len(shown)} more", grey=True)
        return y + 1.0 + ROW * min(len(pairs), most)

    def axes(self, x: float, y: float, width: float, height: float) -> "Axes":
        """Add axes whose frame begins at x and y."""
        box = (x / WIDTH, 1 - (y + height) / HEIGHT, width / WIDTH, height / HEIGHT)
        return self.figure.add_axes(box)


def printable(text: str, bold: bool = False) -> str:
    """Return text on one line with the letters that the font has; others become boxes."""
    known = _advances(bold)
    plain = " ".join(text.split())
    return "".join(letter if ord(letter) in known else _NO_GLYPH for letter in plain)


def width(text: str, size: float, bold: bool = False) -> float:
    """Return how wide a line of printable text is, in millimetres."""
    advances = _advances(bold)
    return sum(advances[ord(letter)] for letter in text) * size * _INCH / 72


@lru_cache(maxsize=2)
def _advances(bold: bool) -> dict[int, float]:
    """Return the width of each letter of the font, for its size of 1."""
    from fontTools.ttLib import TTFont
    from matplotlib.font_manager import findfont

    font = TTFont(findfont(f"{style.FONT}:bold" if bold else style.FONT))
    unit, metrics = font["head"].unitsPerEm, font["hmtx"].metrics
    return {code: metrics[name][0] / unit for code, name in font.getBestCmap().items()}
