"""Picks with their measured properties, and the one in focus."""

import contextlib
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from explorer.designs import polars, xfoil
from explorer.designs.candidates import Store
from explorer.designs.picks import Pick, Project
from explorer.designs.properties import Conditions, Measured, Property
from explorer.errors import StoreError
from explorer.ui import cache
from explorer.ui.address.views import CandidatesView


class MeasuredPick(NamedTuple):
    """A pick with its properties, and why it is invalid ("" if it is valid).

    `verified` is XFoil's result under the same conditions, if it was asked for.
    """

    pick: Pick
    properties: tuple[Property, ...]
    values: dict[str, float]
    fault: str
    verified: xfoil.Point | None = None


def measure_picks(store: Store, project: Project, conditions: Conditions) -> list[MeasuredPick]:
    """Read the project's picks and measure them; new measurements are stored with them."""
    picks = store.picks(project.id)
    found: dict[str, MeasuredPick] = {}
    for group in alike(picks):
        sketch = group[0].source.model.sketch
        x = np.stack([pick.source.sample for pick in group])
        names = "".join(pick.key for pick in group)
        name = hashlib.sha256((names + sketch.model_dump_json()).encode()).hexdigest()
        worth = cache.pick_properties(name, conditions, x, sketch, group[0].geometry)
        for row, pick in enumerate(group):
            values = {key: float(value[row]) for key, value in worth.values.items()}
            found[pick.key] = MeasuredPick(pick, worth.properties, values, worth.faults[row])
    text = conditions.model_dump_json()
    new = {
        key: item.values
        for key, item in found.items()
        if not _same(item.pick.properties.get(text), item.values)
    }
    if new:
        with contextlib.suppress(StoreError):  # they will be measured again next time
            store.measured(new, text)
    return _verified([found[pick.key] for pick in picks], conditions)


def _verified(items: list[MeasuredPick], conditions: Conditions) -> list[MeasuredPick]:
    """Add XFoil's results as properties, if any pick has one."""
    known = [
        polars.known(item.pick, conditions).get(polars.angle(item.values, conditions))
        if is_aerodynamic(item)
        else None
        for item in items
    ]
    if not any(known):
        return items
    added = xfoil.properties(conditions.at)
    return [
        item._replace(
            properties=(*item.properties, *added),
            values=item.values | xfoil.values(point),
            verified=point,
        )
        if is_aerodynamic(item)
        else item
        for item, point in zip(items, known, strict=True)
    ]


def focus(items: Sequence[MeasuredPick], view: CandidatesView) -> int | None:
    """Return the number of the pick in focus: the link's, or the first."""
    numbers = [item.pick.number for item in items]
    return view.at if view.at in numbers else (numbers[0] if numbers else None)


def common(items: Sequence[MeasuredPick], at: int | None = None) -> tuple[Property, ...]:
    """List the properties of the pick in focus, or of the most common kind."""
    focus = next((item for item in items if item.pick.number == at), None)
    if focus is not None:
        return focus.properties
    kinds = alike([item.pick for item in items])
    if not kinds:
        return ()
    largest = {pick.key for pick in max(kinds, key=len)}
    return next(item.properties for item in items if item.pick.key in largest)


def alike(picks: Sequence[Pick]) -> list[list[Pick]]:
    """Group picks with the same sketch and geometry."""
    groups: dict[tuple[str, str], list[Pick]] = {}
    for pick in picks:
        kind = (pick.source.model.sketch.model_dump_json(), pick.geometry)
        groups.setdefault(kind, []).append(pick)
    return list(groups.values())


def as_measured(item: MeasuredPick) -> Measured:
    """Return a pick's values as a measurement of one sample."""
    values = {key: np.array([value]) for key, value in item.values.items()}
    return Measured(item.properties, values, (item.fault,))


def is_aerodynamic(item: MeasuredPick) -> bool:
    """Whether the lift and drag of a pick are known."""
    return any(prop.key == "cl" for prop in item.properties)


def _same(known: object, values: dict[str, float]) -> bool:
    if not isinstance(known, dict) or known.keys() != values.keys():
        return False
    return all(
        known[key] == value or (np.isnan(known[key]) and np.isnan(value))
        for key, value in values.items()
    )
