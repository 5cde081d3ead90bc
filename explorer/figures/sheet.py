"""One design on one page: the section, its numbers by each method, its polars, and its origin."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from explorer import drawing, sections
from explorer.designs import aerodynamics
from explorer.designs.picks import Pick
from explorer.designs.polars import PickPolar
from explorer.designs.properties import Conditions, Measured, OperatingPoint
from explorer.figures.page import HEIGHT, LEFT, PITCH, RIGHT, ROW, WIDTH, Page, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TITLE, _MIDDLE = 115.0, 103.0
_ORIGIN, _END = 252.0, 288.0
_LEAST_CHART, _MOST_CHART, _ABOVE, _BELOW = 40.0, 82.0, 12.0, 20.0
"""Height of a chart, and that of the legend above and the labels below it."""

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_ANGLE = "\N{GREEK SMALL LETTER ALPHA} (°)"
_VERDICTS = {"keep": "kept", "reject": "rejected"}
_LEAST_SECTION, _MOST_SECTION = 20.0, 60.0
"""Height of the picture of a section."""

_PIXELS = 448
_SAME_ANGLE = 0.0051
"""XFoil is asked at the hundredth of a degree."""
_MOST_UNITS = 24
"""A longer code is not printed."""


@dataclass(frozen=True)
class Sheet:
    """What a page tells of a design.

    Args:
        pick: The pick.
        stem: Its name.
        project: The project it was picked for.
        measured: Its properties, measured on one sample.
        conditions: The conditions they were measured under.
        polars: Its polars.
        chord: The chord of its drawings, in millimetres.
        library: Version of this library.
    """

    pick: Pick
    stem: str
    project: str
    measured: Measured
    conditions: Conditions
    polars: Sequence[PickPolar]
    chord: float
    library: str


class _Line(NamedTuple):
    """Coefficients at an operating point, by one method."""

    method: str
    alpha: float
    cl: float
    cd: float
    cm: float

    @property
    def cells(self) -> tuple[str, ...]:
        words = (f"{self.alpha:.2f}", f"{self.cl:.3f}", f"{self.cd:.5f}", f"{self.cm:.4f}",
                 f"{self.cl / self.cd:.1f}")  # fmt: skip
        return tuple(word.replace("nan", "–").replace("-", "−") for word in words)


def of_design(sheet: Sheet) -> bytes:
    """Draw the page of a design as PDF, A4; its date is that of the pick."""
    from explorer.figures import files, style

    pick = sheet.pick
    date = datetime.fromtimestamp(pick.created, UTC) if pick.created else None
    subject = f"{pick.title} of {sheet.project}, {pick.source.model.slug}"
    with style.applied():
        page = Page()
        _head(page, sheet, date)
        if sections.is_section(pick.source.model.sketch):
            below = _section(page, pick)
            tables = max(_geometry(page, sheet, below), _coefficients(page, sheet, below))
            _charts(page, sheet, tables + _ABOVE)
        else:
            _picture(page, sheet)
        _origin(page, sheet)
        return files.write_page(page.figure, sheet.stem, subject, date)


def _head(page: Page, sheet: Sheet, date: datetime | None) -> None:
    pick, fault = sheet.pick, sheet.measured.faults[0]
    when = f"{date:%Y-%m-%d} · " if date else ""
    size = min(15.0, 15.0 * _TITLE / width(sheet.stem, 15.0, bold=True))
    page.write(LEFT, 18.0, sheet.stem, size, bold=True)
    about = f"{when}Latent Explorer {sheet.library}"
    page.write(RIGHT, 18.0, about, right=True, grey=True, most=RIGHT - LEFT - _TITLE)
    known = (
        f"{pick.title} of “{sheet.project}”", "★" * pick.stars, _VERDICTS.get(pick.verdict, ""),
        ", ".join(pick.tags), f"invalid: {fault}" if fault else "",
    )  # fmt: skip
    page.write(LEFT, 24.0, " · ".join(filter(None, known)))
    page.rule(27.0)


def _section(page: Page, pick: Pick) -> float:
    """Draw the section over the width of the page; return where its part ends."""
    from explorer.figures import style

    points = sections.outline(pick.source.sample, pick.source.model.sketch, pick.geometry)
    low, high = float(points[:, 1].min()) - 0.015, float(points[:, 1].max()) + 0.015
    most = RIGHT - LEFT
    scale = min(most, _MOST_SECTION / (high - low))
    tall = max((high - low) * scale, _LEAST_SECTION)
    axes = page.axes(LEFT + (most - scale) / 2, 31.0, scale, tall)
    axes.set_xlim(0, 1)
    spare = tall / scale - (high - low)
    axes.set_ylim(low - spare / 2, high + spare / 2)
    axes.fill(*points.T, color="#DBE5F0", lw=0)
    axes.plot(*np.concatenate([points, points[:1]]).T, color=style.TEXT, lw=0.9, clip_on=False)
    axes.plot([0, 1], [0, 0], color=style.GREY, lw=0.5, ls=(0, (8, 3, 2, 3)))
    half = len(points) // 2
    mean = (points[half::-1, 1] + points[half:, 1]) / 2
    axes.plot(points[half:, 0], mean, color=_COLOURS[1], lw=0.7, ls="--")
    for name in ("top", "right", "left"):
        axes.spines[name].set_visible(False)
    axes.set_yticks([])
    axes.set_xticks(np.linspace(0, 1, 11))
    axes.set_xlabel("x/c; chord line and mean line dashed")
    return 31 + tall + 17


def _geometry(page: Page, sheet: Sheet, top: float) -> float:
    """Write what is no coefficient; return where it ends."""
    pick = sheet.pick
    about = [
        ("Geometry", pick.geometry_name),
        ("Chord of SVG and DXF", f"{sheet.chord:g} mm"),
    ]
    aero = {item.key for item in aerodynamics.Aerodynamics().properties(sheet.conditions)}
    most = int((_ORIGIN - _BELOW - _LEAST_CHART - _ABOVE - top) / ROW)
    return page.rows(LEFT, 92.0, top, "Section", [*about, *_plain(sheet, aero)], most)


def _plain(sheet: Sheet, without: set[str]) -> list[tuple[str, str]]:
    """Return the properties that are no coefficients, as they are written on a page."""
    values = sheet.measured.values
    return [
        (item.label, item.words(float(values[item.key][0])))
        for item in sheet.measured.properties
        if item.key in values and item.key not in without and not item.key.startswith("xfoil")
    ]


def _coefficients(page: Page, sheet: Sheet, top: float) -> float:
    """Write coefficients at each operating point; return where they end."""
    page.write(_MIDDLE, top, "Coefficients", bold=True)
    page.rule(top + 1.4, _MIDDLE)
    at = top + 1.0 + ROW
    page.write(
        _MIDDLE, at, f"Mach 0, {sheet.conditions.transition}", 6.5, grey=True, most=RIGHT - _MIDDLE
    )
    if sheet.measured.faults[0] or not aerodynamics.available():
        lack = "invalid sections have none" if sheet.measured.faults[0] else "without NeuralFoil"
        page.write(_MIDDLE, at + ROW, f"Not computed: {lack}.")
        return at + ROW
    places = (138.0, 151.0, 166.0, 180.0, RIGHT)
    for place, words in zip(places, (_ANGLE, "CL", "CD", "CM", "L/D"), strict=True):
        page.write(place, at + ROW, words, right=True, grey=True)
    at += ROW
    several = len(sheet.conditions.points) > 1
    for number, point in enumerate(sheet.conditions.points, 1):
        at += ROW if number == 1 else 1.1 * ROW
        weight = f", weight {point.weight:g}" if several else ""
        page.write(_MIDDLE, at, f"{point.at}, Re {point.reynolds:,.0f}{weight}", bold=True)
        for line in _lines(sheet, point, number):
            at += 0.85 * ROW
            page.write(_MIDDLE, at, line.method)
            for place, cell in zip(places, line.cells, strict=True):
                page.write(place, at, cell, right=True)
    return at


def _lines(sheet: Sheet, point: OperatingPoint, number: int) -> list[_Line]:
    """Return coefficients at a point: as in the table, by the careful network, and by XFoil."""
    end, pick = "" if number == 1 else f"_{number}", sheet.pick

    def value(key: str) -> float:
        found = sheet.measured.values.get(f"{key}{end}")
        return math.nan if found is None else float(found[0])

    alpha = point.alpha if point.cl is None else value("alpha")
    cl = value("cl") if point.cl is None else point.cl
    flow = Conditions(**dict(point), ncrit=sheet.conditions.ncrit, trips=sheet.conditions.trips)
    careful = aerodynamics.operations(
        pick.shown[None], pick.source.model.sketch, flow, aerodynamics.CAREFUL
    )[0]
    lines = [
        _Line(f"NeuralFoil {aerodynamics.QUICK}", alpha, cl, value("cd"), value("cm")),
        _Line(
            f"NeuralFoil {aerodynamics.CAREFUL}",
            *(float(part[0]) for part in (careful.alpha, careful.cl, careful.cd, careful.cm)),
        ),
    ]
    for polar in sheet.polars:
        if polar.method == "XFoil" and polar.reynolds == point.reynolds:
            numbers = np.stack([polar.alpha, polar.cl, polar.cd, polar.cm], axis=1)
            for row in numbers[np.abs(polar.alpha - alpha) < _SAME_ANGLE][:1].tolist():
                known = math.isfinite(row[2])
                lines.append(_Line("XFoil" if known else "XFoil, not converged", *row))
    return lines


def _charts(page: Page, sheet: Sheet, top: float) -> None:
    if not sheet.polars:
        return
    tall = float(np.clip(_ORIGIN - _BELOW - top, _LEAST_CHART, _MOST_CHART))
    flows = list(dict.fromkeys(polar.reynolds for polar in sheet.polars))
    across, gap = 43.0, 17.0
    charts = [page.axes(LEFT + 10 + (across + gap) * k, top, across, tall) for k in range(3)]
    for polar in sheet.polars:
        colour = _COLOURS[flows.index(polar.reynolds) % len(_COLOURS)]
        pairs = ((polar.alpha, polar.cl), (polar.cd, polar.cl), (polar.alpha, polar.cm))
        for axes, (x, y) in zip(charts, pairs, strict=True):
            _polar(axes, polar, x, y, colour)
    names = ((_ANGLE, "CL"), ("CD", "CL"), (_ANGLE, "CM"))
    for axes, (along, up) in zip(charts, names, strict=True):
        axes.set_xlabel(along)
        axes.set_ylabel(up)
        axes.grid(visible=True, lw=0.3, color="#DDE2E8")
        for name in ("top", "right"):
            axes.spines[name].set_visible(False)
    charts[1].set_xlim(left=0)
    charts[1].xaxis.set_major_locator(_few_ticks())
    handles, names = charts[0].get_legend_handles_labels()
    page.figure.legend(
        handles, names, loc="lower left", ncols=4, columnspacing=1.4, handlelength=1.8,
        bbox_to_anchor=(LEFT / WIDTH, 1 - (top - 2) / HEIGHT), borderaxespad=0,
    )  # fmt: skip


def _polar(axes: "Axes", polar: PickPolar, x: np.ndarray, y: np.ndarray, colour: str) -> None:
    words = f"{polar.method}, Re {polar.reynolds:,.0f}"
    if polar.method == "XFoil":
        axes.plot(x, y, color=colour, ls="none", marker="o", ms=3.2, mfc="none", mew=0.8,
                  label=words)  # fmt: skip
        return
    sure = polar.confidence >= aerodynamics.SURE
    axes.plot(x, y, color=colour, lw=0.7, ls=":")
    # Where the network is not sure, only the dots remain.
    near = sure.copy()
    near[1:] &= sure[:-1]
    joined = near | np.append(near[1:], False)
    axes.plot(np.where(joined, x, np.nan), np.where(joined, y, np.nan), color=colour, lw=1.2,
              label=words)  # fmt: skip


def _few_ticks() -> object:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4)


def _picture(page: Page, sheet: Sheet) -> None:
    sketch = sheet.pick.source.model.sketch
    shown = drawing.on_paper(sheet.pick.shown[None], sketch)
    picture = drawing.thumbnails(shown, sketch, _PIXELS)[0]
    tall = min(110.0, 110.0 * picture.shape[0] / picture.shape[1])
    axes = page.axes(LEFT, 34.0, tall * picture.shape[1] / picture.shape[0], tall)
    axes.imshow(picture, interpolation="none", aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])
    page.rows(LEFT, 110.0, 34 + tall + 12, "Properties", _plain(sheet, set()), 16)


def _origin(page: Page, sheet: Sheet) -> None:
    source = sheet.pick.source
    page.rule(_ORIGIN - 4.5)
    page.write(LEFT, _ORIGIN, "Origin", bold=True)
    drawn = [f"page {source.page}"] if source.page else []
    drawn += [f"component {source.component}"] if source.component is not None else []
    drawn += [f"scale {source.scale:g}"] if source.scale is not None else []
    drawn += [f"seed {source.seed}"] if source.seed is not None else []
    code = f"{len(source.code)} units, in {sheet.stem}-code.npy"
    if len(source.code) <= _MOST_UNITS:
        code = ", ".join(f"{value:z.4f}" for value in source.code.tolist()).replace("-", "−")
    made = [
        f"Model {source.model.slug}, weights {source.model.hash}, data {source.model.data}; "
        f"picked with Latent Explorer {source.library}{''.join(f', {words}' for words in drawn)}.",
        f"Code z = ({code}).",
    ]
    if source.own:
        made = [f"Own section from {source.name}; no model made it."]
    lines = [
        *made,
        f"Pick key {sheet.pick.key}. `latent-explorer rebuild manifest.json` regenerates this "
        "pick and every file beside it, and compares them.",
    ]
    by = [f"{polar.method} {polar.version}" for polar in sheet.polars if polar.network]
    if by:
        lines.insert(
            len(made),
            f"Polars: {by[0]}; dotted where its own confidence is below "
            f"{100 * aerodynamics.SURE:.0f} %. XFoil where it was asked.",
        )
    if sheet.pick.notes.strip():
        lines.append(f"Notes: {sheet.pick.notes}")
    at = _ORIGIN + 4.2
    for words in lines:
        left = int((_END - at) / PITCH)
        if left > 0:
            at = page.paragraph(LEFT, at, words, min(left, 3)) + 0.9
