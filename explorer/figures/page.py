"""A page A4 on which everything is placed in millimetres from its upper left corner."""

import textwrap
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from explorer.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 210.0, 297.0
LEFT, RIGHT = 18.0, 192.0
ROW = 4.4
"""Height of a row of a table."""
PITCH = 3.25
"""Height of a line of small print."""

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
        most: int = 120,
    ) -> None:
        """Write one line of at most so many letters, at its baseline; `right` ends it at x."""
        shown = printable(words)
        if len(shown) > most:
            shown = shown[: most - 1].rstrip() + "…"
        self.figure.text(
            x / WIDTH, 1 - y / HEIGHT, shown, size=size, parse_math=False,
            ha="right" if right else "left", va="baseline",
            weight="bold" if bold else "normal", color=style.GREY if grey else style.TEXT,
        )  # fmt: skip

    def paragraph(self, x: float, y: float, words: str, letters: int, lines: int) -> float:
        """Write small print in lines of so many letters; return where the next would begin."""
        rows = textwrap.wrap(
            printable(words), letters, max_lines=lines, placeholder=" …", break_on_hyphens=False
        )
        for number, row in enumerate(rows):
            self.write(x, y + PITCH * number, row, 6.5, most=letters + 2)
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
            self.write(x, at, name, most=36)
            self.write(to, at, value, right=True, most=36)
        if len(shown) < len(pairs):
            self.write(x, y + 1.0 + ROW * most, f"and {len(pairs) - len(shown)} more", grey=True)
        return y + 1.0 + ROW * min(len(pairs), most)

    def axes(self, x: float, y: float, width: float, height: float) -> "Axes":
        """Add axes whose frame begins at x and y."""
        box = (x / WIDTH, 1 - (y + height) / HEIGHT, width / WIDTH, height / HEIGHT)
        return self.figure.add_axes(box)


def printable(text: str) -> str:
    """Return text on one line with the letters that the font has; others become boxes."""
    known = _letters()
    plain = " ".join(text.split())
    return "".join(letter if ord(letter) in known else _NO_GLYPH for letter in plain)


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(findfont(style.FONT)).get_charmap())
