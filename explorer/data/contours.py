"""The section that a coordinate file means, whatever the order of its points and columns."""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from explorer.data.chords import POINTS_PER_SURFACE
from explorer.data.doubts import doubts
from explorer.data.tables import Block, Row, Table, read_table, words
from explorer.errors import DataError

_LARGEST = 1e9
_TITLES = 3
_REMOTE = 0.15
_MOST_COLUMNS = 6
_SEPARATOR = 998.0
_CHORD_OF_BREAKS = 0.5
_END = 0.05
_CORNER = 0.002
_EXACT = 2e-4
_WIDEST_OPENING = 0.2
_BLUNTER = 1.6
_NEAR_END = (0.01, 0.03)

_FOREIGN = (
    (re.compile(r"\s*0\s*\n\s*SECTION\b", re.I), "a DXF drawing"),
    (re.compile(r"\s*<"), "an SVG, XML or web page"),
    (re.compile(r"\s*\{"), "a JSON file"),
    (re.compile(r"%PDF"), "a PDF"),
    (re.compile(r"\s*(ISO-10303|solid )", re.I), "a CAD model"),
    (
        re.compile(r"(?im)^.*\balpha\b.*\bC_?L\b.*\bC_?D\b|\bC_?L\b.*\bC_?D\b.*\balpha\b"),
        "a polar",
    ),
    (re.compile(r"(?im)^\W*x\b.*\b(Cp|Cpv|Cpi)\b"), "a pressure distribution (Cp)"),
)


class Section(NamedTuple):
    """A contour in Selig order, in the file's units, and what was done to read it.

    Selig order runs along the upper surface from the trailing edge to the nose, then back along
    the lower one.
    """

    points: Float[np.ndarray, "points 2"]
    notes: tuple[str, ...] = ()


class _Candidate(NamedTuple):
    """Points as they might be meant: their lines, where the second surface may begin, notes."""

    xy: Float[np.ndarray, "rows 2"]
    lines: Int[np.ndarray, " rows"]
    second: int | None = None
    notes: tuple[str, ...] = ()


def read_section(text: str) -> Section:
    """Read the coordinates of a section.

    Loops may begin anywhere and run either way, surfaces may follow each other in any order, each
    from either end; columns may be exchanged or mirrored, numbered, or tables of upper and lower
    heights. Title rows and counts of points (Lednicer format) are recognised.

    Args:
        text: The content of the file.

    Raises:
        DataError: If it is no section; the message says why, and what was not understood.
    """
    for pattern, what in _FOREIGN:
        if pattern.search(text[:5000]):
            raise DataError(f"The file is {what}, not coordinates; open the section's own file.")
    table = read_table(text)
    first_error = DataError("The points do not follow one another; check their order.")
    failed = False
    for candidate in _candidates(table):
        try:
            section = _closed(candidate)
        except DataError as error:
            first_error, failed = first_error if failed else error, True
            continue
        passed = (f"{table.stray.capitalize()}, was passed over.",) if table.stray else ()
        return Section(section.points, section.notes + passed)
    stray = table.stray or (table.first if not table.blocks else "")
    if not stray:
        raise first_error
    raise DataError(f"{str(first_error).removesuffix('.')} ({stray} was not understood).")


def parse_coordinates(text: str) -> Float[np.ndarray, "points 2"]:
    """Read the coordinates of a section in Selig order, in the file's units.

    Raises:
        DataError: If it is no section.
    """
    return read_section(text).points


def _candidates(table: Table) -> Iterator[_Candidate]:
    """Ways to understand the rows, the likeliest first."""
    blocks = _of_the_surface(table.blocks)
    rows = [row for block in blocks for row in block.rows]
    wide = [row for row in rows if len(row.values) == table.columns]
    found = sum(len(row.values) == 2 for row in rows) if table.columns == 2 else len(wide)
    if found < 2 * POINTS_PER_SURFACE and table.columns < 3:
        raise DataError(
            f"The coordinate file has {found} points; "
            f"give at least {2 * POINTS_PER_SURFACE}, two numbers per line"
            + (f" ({table.first} was not understood)." if not found and table.first else ".")
        )
    if not all(abs(value) < _LARGEST for row in rows for value in row.values):
        raise DataError(
            "The coordinate file contains non-finite or implausible numbers; correct them."
        )
    if table.columns > 2:
        yield from _of_columns(wide, blocks[0].heading if blocks else "", table.columns)
        return
    for lead in range(min(_TITLES, len(rows)) + 1):
        rest = rows[lead + 1 :]
        head = rows[lead].values if lead < len(rows) else ()
        if _are_counts(head) and sum(head) == len(rest):
            yield _points(rest, int(head[0]))
        if not _is_remote(rows[lead:]):
            yield _points(rows[lead:])
        if _are_counts(head) and _break(_points(rest).xy) is not None:
            raise DataError(
                f"The coordinate file declares {sum(head):.0f} points but has {len(rest)}; "
                "correct the counts in its second line."
            )


def _of_the_surface(blocks: list[Block]) -> list[Block]:
    """Leave out camber and chord lines, which some programs write below the surface."""
    kept = [
        block
        for block in blocks
        if not {"camber", "chord", "mean"} & set(words(block.heading)[:2])
        or "surface" in block.heading.lower()
    ]
    return kept or blocks


def _is_remote(rows: list[Row]) -> bool:
    """Whether the first row is far from both the next and the last one, as a title of numbers."""
    if len(rows) < 3:
        return False
    xy = np.array([row.values for row in rows])
    size = np.ptp(xy[1:], axis=0).max()
    return bool(min(math.dist(xy[0], xy[1]), math.dist(xy[0], xy[-1])) > _REMOTE * size)


def _are_counts(head: tuple[float, ...]) -> bool:
    return len(head) == 2 and all(value >= 2 and value == round(value) for value in head)


def _points(rows: list[Row], second: int | None = None, notes: tuple[str, ...] = ()) -> _Candidate:
    apart = [n for n, row in enumerate(rows) if min(row.values) >= _SEPARATOR]
    elements = [n for n in apart if 0 < n < len(rows) - 1]
    if elements and len(set(rows[elements[0]].values)) == 1 and max(rows[0].values) < _SEPARATOR:
        raise DataError(
            f"The coordinate file has {len(elements) + 1} elements, divided at line "
            f"{rows[elements[0]].line}; keep the points of one."
        )
    xy = np.array([row.values for row in rows], np.float64).reshape(-1, 2)
    return _Candidate(xy, np.array([row.line for row in rows], np.int64), second, notes)


def _of_columns(rows: list[Row], heading: str, columns: int) -> Iterator[_Candidate]:
    """Choose among three or more columns, by their names or by what they hold."""
    if len(rows) < POINTS_PER_SURFACE:
        raise DataError(
            f"The coordinate file has {len(rows)} points; "
            f"give at least {2 * POINTS_PER_SURFACE}, two numbers per line."
        )
    values = np.array([row.values for row in rows])
    lines = np.array([row.line for row in rows], np.int64)
    named = _named(heading, columns)
    kept = list(range(columns))
    if named:
        pairs = named
    else:
        kept = [n for n in kept if np.ptp(values[:, n]) > 0]
        if len(kept) > 1 and (np.diff(values[:, kept[0]]) == 1).all():
            kept = kept[1:]
        if len(kept) == 2:
            pairs = [(kept[0], kept[1])]
        elif len(kept) == 3 and _runs_along(values[:, kept[0]]) and columns < _MOST_COLUMNS:
            pairs = [(kept[0], kept[1]), (kept[0], kept[2])]
        elif len(kept) == 4 and all(_runs_along(values[:, kept[n]]) for n in (0, 2)):
            pairs = [(kept[0], kept[1]), (kept[2], kept[3])]
        else:
            raise DataError(
                f"The coordinate file has {columns} columns that cannot be told apart; give two, "
                "x and y, or name them in a header."
            )
    xy = np.concatenate([values[:, pair] for pair in pairs])
    note = "a table of upper and lower heights" if len(pairs) == 2 else f"two of {columns} columns"
    yield _Candidate(
        xy,
        np.tile(lines, len(pairs)),
        len(rows) if len(pairs) == 2 else None,
        (f"Read as {note}.",),
    )


def _named(heading: str, columns: int) -> list[tuple[int, int]]:
    names = [re.sub(r"mm$|/c$|_", "", word) for word in words(heading)][-columns:]
    if len(names) != columns:
        return []
    place = {name: n for n, name in enumerate(names)}
    for upper, lower in (("yu", "yl"), ("upper", "lower"), ("yupper", "ylower"), ("zu", "zl")):
        if upper in place and lower in place:
            at = [place.get(f"x{side}", place.get("x", 0)) for side in ("u", "l")]
            return [(at[0], place[upper]), (at[1], place[lower])]
    return [(place["x"], place["y"])] if "x" in place and "y" in place else []


def _runs_along(x: Float[np.ndarray, " rows"]) -> bool:
    """Whether a column runs once along the chord, from the nose at 0 or back to it."""
    steps = np.diff(x)
    once = bool((steps >= 0).all() or (steps <= 0).all())
    return once and abs(float(x.min())) < _END * float(np.ptp(x))


def _closed(candidate: _Candidate) -> Section:
    """Bring points into Selig order and check that they are a section."""
    xy, notes = candidate.xy, list(candidate.notes)
    if len(xy) < 2 * POINTS_PER_SURFACE:
        raise DataError(
            f"The coordinate file has {len(xy)} points; "
            f"give at least {2 * POINTS_PER_SURFACE}, two numbers per line."
        )
    if np.ptp(xy[:, 1]) > 1.5 * np.ptp(xy[:, 0]):
        xy = xy[:, ::-1]
        notes.append("The columns were exchanged: the longer is taken as x.")
    upper, lower = _surfaces(xy, candidate.second)
    if min(len(upper), len(lower)) < POINTS_PER_SURFACE:
        raise DataError(
            f"One surface of the section has {min(len(upper), len(lower))} points; "
            f"give at least {POINTS_PER_SURFACE}."
        )
    here, there = (_thickness_near(xy, upper, lower, high) for high in (False, True))
    if there > _BLUNTER * here:
        xy = xy * [-1, 1]
        upper, lower = _surfaces(xy, candidate.second)
        notes.append("The nose was at the larger x: the section was mirrored.")
    if xy[upper, 1].mean() < xy[lower, 1].mean():
        upper, lower = lower, upper
    order = np.concatenate([upper[::-1], lower])
    order = order[np.concatenate([[True], (np.diff(xy[order], axis=0) != 0).any(axis=1)])]
    along = np.ptp(xy[:, 0]) * (1 - _END)
    if _break(xy) is None and candidate.second is None and xy[0, 0] - xy[:, 0].min() < along:
        notes.append("The contour did not begin at the trailing edge: its points were reordered.")
    points = xy[order]
    notes += doubts(points, candidate.lines[order])
    return Section(points, tuple(notes))


def _break(xy: Float[np.ndarray, "rows 2"]) -> int | None:
    """Where the second of two surfaces begins, if a jump along the chord divides them."""
    if len(xy) < 2:
        return None
    jumps = np.abs(np.diff(xy[:, 0]))
    at = int(jumps.argmax())
    return at + 1 if jumps[at] > _CHORD_OF_BREAKS * np.ptp(xy[:, 0]) else None


def _surfaces(
    xy: Float[np.ndarray, "rows 2"], second: int | None
) -> tuple[Int[np.ndarray, " one"], Int[np.ndarray, " other"]]:
    """Rows of both surfaces, each from the smaller x to the larger."""
    rows, x = np.arange(len(xy)), xy[:, 0]
    span = np.ptp(x)
    if span == 0:
        raise DataError("The section's chord has zero length; check its coordinates.")
    at = _break(xy)
    at = second if at is None else at
    if at is not None:
        parts = (rows[:at], rows[at:])
        one, other = (part if x[part[-1]] >= x[part[0]] else part[::-1] for part in parts)
        return one, other
    place = (x - x.min()) / span
    ends = place[[0, -1]]
    whole = (ends > 1 - _EXACT).any() or (ends < _EXACT).any()
    if not whole or not ((ends > 1 - _END).all() or (ends < _END).all()):
        if np.hypot(*(xy[0] - xy[-1])) > _WIDEST_OPENING * span:
            raise DataError(
                "The section's contour is open; give both surfaces, from edge to edge."
            )
        rows = rows[:-1] if (xy[0] == xy[-1]).all() else rows
        rows = np.roll(rows, -_after_corner(xy[rows], place[rows] > 1 - _CORNER))
    if (xy[rows[0]] != xy[rows[-1]]).any() and not _upright(xy, rows):
        rows = np.append(rows, rows[0])  # the closing point was left out
    place = place[rows]
    if place[0] > 1 - _END:
        turn = int(place.argmin())
        return rows[turn::-1], rows[turn:]
    turn = _after_corner(xy[rows], place > 1 - _CORNER)
    end = turn if turn == 0 or not _upright(xy, rows[turn - 1 : turn + 1]) else turn - 1
    return rows[: end + 1], rows[turn:][::-1]


def _after_corner(xy: Float[np.ndarray, "rows 2"], near: Bool[np.ndarray, " rows"]) -> int:
    """The row at the larger end: where it is blunt, the one behind the steepest step."""
    rows = np.flatnonzero(near)
    behind = [row for row in rows if near[row - 1] and row - 1 != len(xy) - 1]
    steep = [row for row in behind if _upright(xy, np.array([row - 1, row]))]
    if not steep:
        return int(rows[xy[rows, 0].argmax()])
    return int(max(steep, key=lambda row: abs(xy[row, 1] - xy[row - 1, 1])))


def _upright(xy: Float[np.ndarray, "rows 2"], rows: Int[np.ndarray, " some"]) -> bool:
    """Whether the way from the first of these rows to the last is more up than along."""
    across = np.abs(xy[rows[0]] - xy[rows[-1]])
    return bool(across[1] > across[0])


def _thickness_near(
    xy: Float[np.ndarray, "rows 2"],
    upper: Int[np.ndarray, " one"],
    lower: Int[np.ndarray, " other"],
    high: bool,
) -> float:
    """Mean thickness close to one end."""
    x = xy[:, 0]
    low, span = x.min(), np.ptp(x)
    at = low + span * (1 - np.array(_NEAR_END) if high else np.array(_NEAR_END))
    heights = []
    for part in (upper, lower):
        order = np.argsort(x[part], kind="stable")
        heights.append(np.interp(at, x[part][order], xy[part, 1][order]))
    return float(np.abs(heights[0] - heights[1]).mean())
