"""What a search changed: which properties got worse, and whether a second opinion agrees."""

import math
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from explorer.designs.aerodynamics import Operation
from explorer.designs.properties import Property
from explorer.designs.xfoil import Point

CLOSE = 0.1
"""The relative difference in drag beyond which two methods are said to disagree."""

_MOMENT = re.compile(r"cm(_\d)?")
_AT_POINT = re.compile(r"(cl|cd|cm|ld)(?:_(\d))?")


class Change(NamedTuple):
    """A property before and after a search; `mark` says whether it got worse or better."""

    prop: Property
    before: float
    after: float
    mark: Literal["worse", "better", ""]
    words: str


class Opinion(NamedTuple):
    """XFoil's results at one operating point; None where there was no time for one."""

    before: Point | None
    after: Point | None


def compare(prop: Property, before: float, after: float) -> Change:
    """Judge how a property changed, if its digits show it.

    A pitching moment is judged by its magnitude, since it has to be trimmed; any other property
    by its better direction, if it has one.

    Args:
        prop: The property.
        before: Its value of the start; NaN if it has none.
        after: Its value of the result.
    """
    moment = _MOMENT.fullmatch(prop.key) is not None
    if prop.words(before) == prop.words(after) or not (moment or prop.better):
        return Change(prop, before, after, "", "")
    if not math.isfinite(after):
        return Change(prop, before, after, "worse", "⚠ Worse: unknown")
    if not math.isfinite(before):
        return Change(prop, before, after, "", "")
    old, new = (abs(before), abs(after)) if moment else (before, after)
    more = new > old
    mark: Literal["worse", "better"]
    mark = "worse" if more == (moment or prop.better == "less") else "better"
    return Change(prop, before, after, mark, f"{_SIGNS[mark]}: {_by(prop, old, new, moment)}")


_SIGNS = {"worse": "⚠ Worse", "better": "✓ Better"}


def _by(prop: Property, old: float, new: float, moment: bool) -> str:
    """Say by how much a value changed: as a multiple, or where that says little in its unit."""
    name = "|CM| " if moment else ""
    if old > 0 and new > 0 and not 0.5 < new / old < 2:
        return f"{name}× {new / old:.2g}"
    if old > 0 and prop.unit != "%":
        return f"{name}{100 * (new / old - 1):+.0f} %".replace("-", "−")
    step = round(new, prop.digits) - round(old, prop.digits)
    return f"{name}{step:+.{prop.digits}f} {prop.unit}".strip().replace("-", "−")


def agreement(
    opinions: Sequence[Opinion],
    before: Sequence[Operation],
    after: Sequence[Operation],
    key: str,
    way: Literal["more", "less"],
) -> tuple[tuple[bool, str], ...]:
    """Say whether XFoil agrees with what a search by NeuralFoil found.

    Args:
        opinions: XFoil's results at each operating point.
        before: NeuralFoil's results of the start, one section per point.
        after: NeuralFoil's results of the result.
        key: The property that was pushed; where it is none of this point, L/D is judged.
        way: Whether it was to increase or decrease.

    Returns:
        For each point whether it agrees, and what it finds, as a clause.
    """
    match = _AT_POINT.fullmatch(key)
    said = []
    for number, (opinion, first, then) in enumerate(zip(opinions, before, after, strict=True), 1):
        if match and int(match[2] or 1) == number:
            said.append(_at(opinion, first, then, match[1], way))
        elif key == "cd_mean":
            said.append(_at(opinion, first, then, "cd", way))
        else:
            said.append(_at(opinion, first, then, "ld", way if key == "ld_mean" else "more"))
    return tuple(said)


def _at(
    opinion: Opinion,
    before: Operation,
    after: Operation,
    kind: str,
    way: Literal["more", "less"],
) -> tuple[bool, str]:
    if opinion.after is None or opinion.before is None:
        return False, "XFoil did not finish in time"
    if not opinion.after.converged:
        return False, "XFoil did not converge for the result"
    if not opinion.before.converged:
        return False, "XFoil did not converge for the start"
    first, last = _value(opinion.before, kind), _value(opinion.after, kind)
    name, digits = _NAMES[kind]
    told = f"{name} {first:.{digits}f} → {last:.{digits}f}".replace("-", "−")
    gain = _value(_point(after), kind) - _value(_point(before), kind)
    sign = 1 if way == "more" else -1
    if sign * gain > 0 >= sign * (last - first):
        return False, f"XFoil disagrees, it finds {told}"
    ratio = opinion.after.cd / float(after.cd[0])
    if abs(ratio - 1) > CLOSE:
        than = "more" if ratio > 1 else "less"
        return False, (
            f"XFoil finds {told}, with {abs(100 * (ratio - 1)):.0f} % {than} drag of the result "
            "than NeuralFoil"
        )
    return True, f"XFoil finds {told}"


_NAMES = {"cl": ("CL", 2), "cd": ("CD", 4), "cm": ("CM", 3), "ld": ("L/D", 1)}


def _point(at: Operation) -> Point:
    return Point(float(at.cl[0]), float(at.cd[0]), float(at.cm[0]))


def _value(point: Point, kind: str) -> float:
    return point.cl / point.cd if kind == "ld" else float(getattr(point, kind))
