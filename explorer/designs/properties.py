"""Properties of samples and constraints on them; families of properties plug in here.

A family is one class. This package has five; other packages add theirs by an entry point in
the group `latent_explorer.properties` that names such a class, and anybody adds trained networks
(`installed`).
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field, model_serializer

from explorer.errors import DesignError
from explorer.interfaces import Frozen
from explorer.sketch import CurveSketch, PixelSketch

MOST_CONSTRAINTS = 12
MOST_POINTS = 4
"""Operating points of one set of conditions."""

Reynolds = Annotated[float, Field(ge=1e4, le=1e8, allow_inf_nan=False)]
Trip = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

_NUMBER = r"-?[0-9]{1,7}(?:\.[0-9]{1,6})?"
_ONE = rf"[a-z][a-z0-9_]{{0,39}}(?:>=|<=){_NUMBER}"
CONSTRAINTS = re.compile(rf"(?:{_ONE}(?:,{_ONE}){{0,{MOST_CONSTRAINTS - 1}}})?")
"""Constraints as written in a link: `thickness>=12,cl>=0.6`; or nothing."""

FLOW = re.compile(r"[a-z0-9.@;*/-]*")
"""The characters of `Conditions.text`."""

MOST_FLOW = 200

Samples = Float[np.ndarray, "samples *sample"]
Values = Float[np.ndarray, " samples"]


class Property(NamedTuple):
    """One property of a sample: its key, name, unit and number format.

    `better` is the preferable direction, if any; `main` properties come first. Where there are
    `classes`, a value is the number of one.
    """

    key: str
    label: str
    unit: str = ""
    digits: int = 1
    better: Literal["more", "less", ""] = ""
    main: bool = False
    meaning: str = ""
    classes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its name with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    def words(self, value: float) -> str:
        """Format a value with its unit, or a dash if there is none."""
        if not np.isfinite(value):
            return "–"
        if self.classes:
            return self.classes[min(max(round(value), 0), len(self.classes) - 1)]
        unit = f" {self.unit}" if self.unit else ""
        return f"{value:z.{self.digits}f}{unit}".replace("-", "−")


class OperatingPoint(Frozen):
    """One flow past a section: its chord's Reynolds number, and an angle of attack in degrees.

    With `cl` the angle is the one at which a section has this lift coefficient, and `alpha` is
    not used. `weight` counts in means over several points.
    """

    reynolds: Reynolds = 1e6
    alpha: Annotated[float, Field(ge=-10, le=20, allow_inf_nan=False)] = 4.0
    cl: Annotated[float, Field(ge=-2, le=3, allow_inf_nan=False)] | None = None
    weight: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1.0

    @property
    def at(self) -> str:
        """What is held: the angle of attack, or the lift coefficient."""
        held = f"{self.alpha:g}°" if self.cl is None else f"CL {self.cl:g}"
        return held.replace("-", "−")

    @model_serializer(mode="wrap")
    def _without_usual(
        self, whole: Callable[["OperatingPoint"], dict[str, object]]
    ) -> dict[str, object]:
        """Leave out what is as it always was, so that stored conditions keep their form."""
        return {
            name: value
            for name, value in whole(self).items()
            if name in ("reynolds", "alpha") or value != _plain(type(self), name)
        }


def _plain(model: type[Frozen], name: str) -> object:
    usual = model.model_fields[name].default
    return list(usual) if isinstance(usual, tuple) else usual


class Conditions(OperatingPoint):
    """The conditions a design is evaluated under: flows past a section; images have none.

    Its own fields are the first operating point. `ncrit` is the logarithm of the amplification at
    which a boundary layer becomes turbulent, and `trips` are the chordwise positions at which it
    is forced to, on the upper and the lower surface (1 is never).
    """

    ncrit: Annotated[float, Field(ge=1, le=14, allow_inf_nan=False)] = 9.0
    trips: tuple[Trip, Trip] = (1.0, 1.0)
    others: Annotated[tuple[OperatingPoint, ...], Field(max_length=MOST_POINTS - 1)] = ()

    @property
    def points(self) -> tuple[OperatingPoint, ...]:
        """All operating points."""
        own = {name: getattr(self, name) for name in OperatingPoint.model_fields}
        return (OperatingPoint(**own), *self.others)

    @property
    def transition(self) -> str:
        """In words, how boundary layers become turbulent."""
        words = f"Ncrit {self.ncrit:g}"
        if self.trips == (1.0, 1.0):
            return f"{words}, free transition"
        named = zip(("upper", "lower"), self.trips, strict=True)
        forced = [f"{100 * trip:g} % ({side})" for side, trip in named if trip < 1]
        return f"{words}, transition forced at {' and '.join(forced)}"

    @property
    def text(self) -> str:
        """What goes beyond the first point's angle and Reynolds number, for a link; or nothing."""
        parts = [f"cl{self.cl:g}"] if self.cl is not None else []
        parts += [f"w{self.weight:g}"] if self.weight != 1 else []
        parts += [f"n{self.ncrit:g}"] if self.ncrit != 9 else []
        parts += [f"t{self.trips[0]:g}/{self.trips[1]:g}"] if self.trips != (1.0, 1.0) else []
        for point in self.others:
            held = f"a{point.alpha:g}" if point.cl is None else f"c{point.cl:g}"
            weight = f"*{point.weight:g}" if point.weight != 1 else ""
            flow = f"{point.reynolds:.6g}".replace("e+0", "e")
            parts.append(f"{held}@{flow}{weight}")
        return ";".join(parts)

    @classmethod
    def parse(cls, text: str, *, reynolds: float = 1e6, alpha: float = 4.0) -> "Conditions":
        """Read the `text` of a link beside its first point's angle and Reynolds number.

        Raises:
            DesignError: If it is malformed, or a number is out of bounds.
        """
        given: dict[str, object] = {"reynolds": reynolds, "alpha": alpha}
        others: list[dict[str, object]] = []
        try:
            for part in filter(None, text.split(";")):
                if "@" in part:
                    held, _, rest = part.partition("@")
                    flow, _, weight = rest.partition("*")
                    name = {"a": "alpha", "c": "cl"}[held[:1]]
                    others.append({name: held[1:], "reynolds": flow, "weight": weight or 1.0})
                elif part.startswith("cl"):
                    given["cl"] = part[2:]
                elif part[0] == "t":
                    given["trips"] = tuple(part[1:].split("/"))
                else:
                    given[{"w": "weight", "n": "ncrit"}[part[0]]] = part[1:]
            return cls.model_validate(given | {"others": others})
        except (KeyError, ValueError) as error:
            shown = " ".join(text[:60].split())
            raise DesignError(
                f"“{shown}” does not describe operating points; write them as n9;a6@500000."
            ) from error


class AbstractProperties(ABC):
    """A family of properties of one kind of sample.

    It `reads` samples in the geometry in which they are shown, or as decoded, and measures
    invalid ones too unless it is `only_valid`; these get no value then.
    """

    name: ClassVar[str]
    reads: ClassVar[Literal["shown", "decoded"]] = "shown"
    only_valid: ClassVar[bool] = False

    @abstractmethod
    def fits(self, sketch: PixelSketch | CurveSketch) -> bool:
        """Return whether samples with this sketch have these properties."""

    @abstractmethod
    def properties(self, conditions: Conditions) -> tuple[Property, ...]:
        """List the properties, in display order."""

    @abstractmethod
    def measure(
        self, x: Samples, sketch: PixelSketch | CurveSketch, conditions: Conditions
    ) -> dict[str, Values]:
        """Measure all samples in one call.

        Args:
            x: Samples in data units; NaN where the family measures only valid ones.
            sketch: How they are drawn.
            conditions: The conditions they are evaluated under.

        Returns:
            Values by key; NaN where a sample lacks the property.
        """


class Constraint(NamedTuple):
    """A bound on one property."""

    key: str
    way: Literal[">=", "<="]
    value: float

    def __str__(self) -> str:
        return f"{self.key}{self.way}" + f"{self.value:.6f}".rstrip("0").rstrip(".")


class Measured(NamedTuple):
    """Properties of samples, and for each sample why it is invalid ("" if it is valid)."""

    properties: tuple[Property, ...]
    values: dict[str, Values]
    faults: tuple[str, ...]

    @property
    def valid(self) -> Bool[np.ndarray, " samples"]:
        """Which samples are valid designs."""
        return np.array([not fault for fault in self.faults], bool)

    def meets(self, constraints: Iterable[Constraint]) -> Bool[np.ndarray, " samples"]:
        """Return which samples are valid and meet all constraints; an unknown value meets none."""
        good = self.valid
        for bound in constraints:
            value = self.values.get(bound.key, np.full(len(good), np.nan))
            with np.errstate(invalid="ignore"):
                good = good & (value >= bound.value if bound.way == ">=" else value <= bound.value)
        return good


def parse(text: str) -> tuple[Constraint, ...]:
    """Parse constraints as written in a link.

    Raises:
        DesignError: If they are malformed.
    """
    if not CONSTRAINTS.fullmatch(text):
        shown = " ".join(text[:60].split())
        raise DesignError(
            f"“{shown}” is not a list of constraints; write it as thickness>=12,cl>=0.6."
        )
    found = []
    for part in filter(None, text.split(",")):
        way: Literal[">=", "<="] = ">=" if ">=" in part else "<="
        key, _, value = part.partition(way)
        found.append(Constraint(key, way, float(value)))
    return tuple(found)


def join(constraints: Iterable[Constraint]) -> str:
    """Format constraints for a link."""
    return ",".join(str(bound) for bound in constraints)


def in_words(bound: Constraint, properties: Iterable[Property]) -> str:
    """Format a constraint for display."""
    found = next((item for item in properties if item.key == bound.key), None)
    if found is None:
        return str(bound)
    sign = "≥" if bound.way == ">=" else "≤"
    if found.classes:
        return f"{found.label} {sign} {found.words(bound.value)}"
    unit = f" {found.unit}" if found.unit else ""
    return f"{found.label} {sign} {bound.value:g}{unit}".replace("-", "−")


def words(
    properties: Iterable[Property], values: Mapping[str, float], main: bool = True
) -> list[str]:
    """Format values with their names, only the main ones or all."""
    return [
        f"{item.label} {item.words(values[item.key])}"
        for item in properties
        if item.key in values and (item.main or not main)
    ]
