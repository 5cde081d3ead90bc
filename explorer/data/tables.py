"""Rows of numbers in a text file, however its program wrote them."""

import re
from collections import Counter
from typing import NamedTuple

from explorer.errors import DataError

MOST_ROWS = 10_000
"""Largest number of rows in a coordinate file."""

_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d\x96"), "-")
_BLANKS = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u200a\u202f\u3000"), " ")
_UNSEEN = dict.fromkeys(map(ord, "\ufeff\u200b\u200e\u200f()[]{}'"))
_COMMENT = re.compile(r"(#|!|//|%|^\s*;).*")
_QUOTED = re.compile(r'"([^"]*)"')
_NUMBER = re.compile(
    r"[+-]?(\d{1,32}\.?\d{0,32}|\.\d{1,32})([eEdDqQ][+-]?\d{1,4})?|[+-]?(nan|inf|infinity)", re.I
)
_COMMA_NUMBER = re.compile(r"[+-]?\d{0,32},\d{1,32}([eEdD][+-]?\d{1,4})?")
_SHOWN = 40


class Row(NamedTuple):
    """The numbers of one line, and the number of that line, from 1."""

    line: int
    values: tuple[float, ...]


class Block(NamedTuple):
    """Rows below a heading, which may be empty."""

    heading: str
    rows: list[Row]


class Table(NamedTuple):
    """What a text contains: blocks of rows, and the first line with numbers that is no row."""

    blocks: list[Block]
    columns: int
    stray: str
    first: str


def read_table(text: str) -> Table:
    """Read rows of two or more numbers.

    Blanks, tabs, commas and semicolons separate numbers; decimal commas, Fortran exponents,
    Unicode minus signs, quotes, brackets, and comments behind a row are understood. All rows have
    as many numbers as most have; leading rows of two numbers are kept, which may be a title or
    counts.

    Raises:
        DataError: If there are too many rows.
    """
    plain = text.translate(_DASHES | _BLANKS | _UNSEEN)
    lines = [_COMMENT.sub("", line) for line in plain.splitlines()]
    split = _Splitter(lines)
    read = [_leading_numbers(split(_unquoted(line))) for line in lines]
    counts = Counter(len(values) for values in read if len(values) > 1)
    if counts.total() > MOST_ROWS + 8:
        raise DataError(
            f"The coordinate file has {counts.total():,} points; give at most {MOST_ROWS:,}."
        )
    columns = counts.most_common(1)[0][0] if counts else 2
    blocks = [Block("", [])]
    stray = first = ""
    found = 0
    for number, (line, values) in enumerate(zip(lines, read, strict=True), 1):
        shown = f"line {number}, {' '.join(line.split())[:_SHOWN]!r}"
        if len(values) == columns or (len(values) == 2 and found < 2 and columns != 2):
            found += len(values) == columns
            blocks[-1].rows.append(Row(number, values))
        elif not line.strip(' ,;\t"'):
            continue
        elif not values:
            first = first or shown
            if blocks[-1].rows or len(blocks) == 1:
                blocks.append(Block(line.strip(), []))
            else:
                blocks[-1] = Block(f"{blocks[-1].heading} {line.strip()}", [])
        elif found:
            stray = stray or shown
    blocks = [block for block in blocks if block.rows]
    return Table(blocks, columns, stray, first)


def words(line: str) -> list[str]:
    """Split a line of names, as a header of columns, into lower-case words."""
    return re.findall(r"[a-z_/]+", line.lower())


def _unquoted(line: str) -> str:
    return _QUOTED.sub(_cell, line).replace('"', " ")


def _cell(quoted: re.Match[str]) -> str:
    cell = quoted[1].strip()
    return f" {cell.replace(',', '.') if _COMMA_NUMBER.fullmatch(cell) else cell} "


class _Splitter:
    """How the lines of one file are divided, found from all of them."""

    def __init__(self, lines: list[str]) -> None:
        commas = [line for line in lines if "," in line and re.search(r"\d", line)]
        bare = [_QUOTED.sub("", line) for line in commas]
        spaced = [[t for t in re.split(r"[\s;]+", line) if t.strip(",")] for line in bare]
        cells = [line.strip().split(",") for line in bare]
        rows = max(1, sum(len(row) > 1 for row in spaced))
        self._decimal = (
            sum(len(row) > 1 and all(map(_with_comma, row)) for row in spaced) > rows / 2
        )
        joined = sum(map(_halves, cells))
        self._joined = not self._decimal and joined > max(3, len(cells) / 2)

    def __call__(self, line: str) -> list[str]:
        if self._joined and _halves(line.strip().split(",")):
            halves = line.strip().split(",")
            return [
                f"{a.strip()}.{b.strip()}" for a, b in zip(halves[::2], halves[1::2], strict=True)
            ]
        if self._decimal:
            tokens = [token for token in re.split(r"[\s;]+", line) if token.strip(",")]
            return [token.strip(",").replace(",", ".") for token in tokens]
        if ";" in line:
            return [t.strip().replace(",", ".") for t in re.split(r"[;\s]+", line) if t.strip()]
        return [token for token in re.split(r"[,\s]+", line) if token]


def _with_comma(token: str) -> bool:
    """Whether a token may be a number of a file with decimal commas."""
    return bool(_COMMA_NUMBER.fullmatch(token.strip()) or re.fullmatch(r"[+-]?\d{1,4}", token))


def _halves(cells: list[str]) -> bool:
    """Whether cells are numbers cut at their decimal commas: 1,000084,0,001257."""
    return (
        len(cells) in (4, 6)
        and all(re.fullmatch(r"\s*[+-]?\d{1,3}\s*", cell) for cell in cells[::2])
        and all(re.fullmatch(r"\d{2,32}\s*", cell) for cell in cells[1::2])
    )


def _leading_numbers(tokens: list[str]) -> tuple[float, ...]:
    values = []
    for token in tokens:
        if not _NUMBER.fullmatch(token):
            break
        values.append(float(re.sub("[dDqQ]", "e", token) if token[-1].isdigit() else token))
    return tuple(values)
