"""Properties of samples and constraints on them; families of properties plug in here.

A family is one class. This package has five; other packages add theirs by an entry point in
the group `latent_explorer.properties` that names such a class.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field

from explorer.errors import DesignError
from explorer.interfaces import Frozen
from explorer.sketch import CurveSketch, PixelSketch

MOST_CONSTRAINTS = 12

_NUMBER = r"-?\d{1,7}(?:\.\d{1,6})?"
_ONE = rf"[a-z][a-z0-9_]{{0,39}}(?:>=|<=){_NUMBER}"
CONSTRAINTS = re.compile(rf"(?:{_ONE}(?:,{_ONE}){{0,{MOST_CONSTRAINTS - 1}}})?")
"""Constraints as written in a link: `thickness>=12,cl>=0.6`; or nothing."""

Samples = Float[np.ndarray, "samples *sample"]
Values = Float[np.ndarray, " samples"]


class Property(NamedTuple):
    """One property of a sample: its key, name, unit and number format.

    `better` is the preferable direction, if any; `main` properties come first.
    """

    key: str
    label: str
    unit: str = ""
    digits: int = 1
    better: Literal["more", "less", ""] = ""
    main: bool = False
    meaning: str = ""

    @property
    def title(self) -> str:
        """Its name with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    def words(self, value: float) -> str:
        """Format a value with its unit, or a dash if there is none."""
        if not np.isfinite(value):
            return "–"
        unit = f" {self.unit}" if self.unit else ""
        return f"{value:z.{self.digits}f}{unit}".replace("-", "−")


class Conditions(Frozen):
    """The conditions a design is evaluated under: the flow past a section; images have none."""

    reynolds: Annotated[float, Field(ge=1e4, le=1e8, allow_inf_nan=False)] = 1e6
    alpha: Annotated[float, Field(ge=-10, le=20, allow_inf_nan=False)] = 4.0


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


def words(
    properties: Iterable[Property], values: Mapping[str, float], main: bool = True
) -> list[str]:
    """Format values with their names, only the main ones or all."""
    return [
        f"{item.label} {item.words(values[item.key])}"
        for item in properties
        if item.key in values and (item.main or not main)
    ]
