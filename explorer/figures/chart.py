"""Figures of charts: lines, points and bars with their errors, densities, and areas."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from explorer.figures import captions
from explorer.figures.paper import PaperFigure
from explorer.papers import Paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import PathPatch

Values = Sequence[float | None]
Symbol = Literal["circle", "square", "diamond", "star", "x", "line", "none"]
_MARKS = {
    "circle": "o", "square": "s", "diamond": "D", "star": "*", "x": "x", "line": "|", "none": "",
}  # fmt: skip


@dataclass(frozen=True)
class Series:
    """One line, cloud of points, set of bars, area or density.

    Args:
        x: Abscissae; a gap where one is None.
        y: Ordinates.
        name: Its entry in the legend; none if empty.
        colour: Its colour, as #rrggbb.
        line: Whether points are joined, and how.
        symbol: The mark of a point.
        size: Its size, in points.
        open: Whether the mark is an outline.
        width: Width of the line, in points.
        opacity: 0 to 1.
        x_error: Distances to the lower and the upper bound.
        y_error: Likewise.
        bars: Whether it is a set of bars, and which way they lie.
        area: Whether it fills the space down to the series before, or its own outline.
        hatched: Whether an outline is hatched instead of filled.
        step: Whether values hold until the next.
        texts: What is written above each point.
        density: Values over the grid of x and y, drawn as shading.
        second: Whether ordinates are those of the axis on the right.
    """

    x: Values
    y: Values
    name: str = ""
    colour: str = "#0072B2"
    line: Literal["", "-", "--", ":", "-."] = ""
    symbol: Symbol = "none"
    size: float = 4.0
    open: bool = False
    width: float = 1.2
    opacity: float = 1.0
    x_error: tuple[Values, Values] | None = None
    y_error: tuple[Values, Values] | None = None
    bars: Literal["", "v", "h"] = ""
    area: Literal["", "below", "own"] = ""
    hatched: bool = False
    step: bool = False
    texts: Sequence[str] = ()
    density: np.ndarray | None = None
    second: bool = False


@dataclass(frozen=True)
class Axis:
    """One axis.

    Args:
        label: Its title, with the unit.
        log: Whether it is logarithmic.
        ticks: Positions and texts of its marks; chosen if empty.
        low: Its end; chosen if None.
        high: Likewise.
        reversed: Whether it runs backwards.
        hidden: Whether marks and title are left out.
        per_cent: Whether marks are written in per cent.
    """

    label: str = ""
    log: bool = False
    ticks: Sequence[tuple[float, str]] = ()
    low: float | None = None
    high: float | None = None
    reversed: bool = False
    hidden: bool = False
    per_cent: bool = False


@dataclass(frozen=True)
class Chart:
    """One chart.

    Args:
        series: What is drawn, the first below the others.
        x: The horizontal axis.
        y: The vertical axis.
        second: The vertical axis on the right.
        title: Its title.
        verticals: Abscissae of thin dotted lines, with a text each.
        horizontals: Ordinates of such lines.
        equal: Whether both axes have one scale.
        height: Its height relative to its width.
    """

    series: Sequence[Series]
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    second: Axis | None = None
    title: str = ""
    verticals: Sequence[tuple[float, str]] = ()
    horizontals: Sequence[tuple[float, str]] = ()
    equal: bool = False
    height: float = 0.75


def of_charts(
    opened: Sequence[captions.Described],
    charts: Sequence[Chart],
    what: str,
    words: str = "",
    *others: Paper,
) -> PaperFigure:
    """Make the figure of charts side by side.

    Args:
        opened: The models to describe and to cite.
        charts: The charts.
        what: What they show, in a few words.
        words: Further sentences of the caption: n, seeds, what the bars are.
        others: Further papers to cite.
    """
    return PaperFigure(
        what,
        captions.of_models(opened, what, words),
        captions.cited(opened, *others),
        lambda: draw(charts),
    )


def draw(charts: Sequence[Chart]) -> "Figure":
    """Draw charts side by side, at most three in a row, under one legend."""
    from explorer.figures import style

    columns = min(3, len(charts))
    rows = math.ceil(len(charts) / columns)
    words = max(len(text) for chart in charts for _, text in (*chart.y.ticks, (0.0, "")))
    narrow = columns == 1 and words < 20
    width = style.COLUMN * 1.3 if narrow else style.WIDTH
    each = width / columns
    tall = max(chart.height for chart in charts) * min(each, style.COLUMN * 1.3)
    page = style.page(width, tall * rows)
    page.set_layout_engine("constrained")
    grid = page.subplots(rows, columns, squeeze=False)
    known: dict[str, object] = {}
    for place, axes in enumerate(grid.ravel()):
        if place < len(charts):
            _draw(axes, charts[place])
            for item, name in zip(*axes.get_legend_handles_labels(), strict=True):
                known.setdefault(name, item)
        else:
            axes.set_axis_off()
    if known:
        page.legend(
            list(known.values()),
            list(known),
            loc="outside upper center",
            ncols=min(4, len(known), max(1, int(90 * width / 6.75 / max(map(len, known))))),
        )
    return page


def _draw(axes: "Axes", chart: Chart) -> None:
    from explorer.figures import style

    right = None if chart.second is None else axes.twinx()
    below: Series | None = None
    for series in chart.series:
        where = right if right is not None and series.second else axes
        _series(where, series, below)
        below = series
    thin = {"color": style.GREY, "lw": 0.7, "ls": ":", "zorder": 0.5}
    note = {"textcoords": "offset points", "size": 6, "color": style.GREY}
    for at, words in chart.verticals:
        axes.axvline(at, **thin)
        axes.annotate(
            words, (at, 1), (2, -2), xycoords=("data", "axes fraction"), va="top", **note
        )
    for at, words in chart.horizontals:
        axes.axhline(at, **thin)
        axes.annotate(
            words, (1, at), (-2, 2), xycoords=("axes fraction", "data"), ha="right", **note
        )
    _axis(axes, "x", chart.x)
    _axis(axes, "y", chart.y)
    if right is not None and chart.second is not None:
        _axis(right, "y", chart.second)
        right.spines["top"].set_visible(False)
    axes.spines["top"].set_visible(False)
    axes.spines["right"].set_visible(right is not None)
    if chart.equal:
        axes.set_aspect("equal", adjustable="box")
    if chart.title:
        axes.set_title(chart.title)


def _series(axes: "Axes", series: Series, below: Series | None) -> None:
    words = series.name or "_"
    look = {"color": series.colour, "alpha": series.opacity, "label": words}
    x, y = _numbers(series.x), _numbers(series.y)
    if series.density is not None:
        _shading(axes, series, x, y)
    elif series.bars:
        bars = {"error_kw": {"elinewidth": 0.8, "capsize": 1.5}} | look
        if series.bars == "h":
            axes.barh(y, x, xerr=_errors(series.x_error), height=0.7, **bars)
        else:
            axes.bar(x, y, yerr=_errors(series.y_error), width=0.7, **bars)
    elif series.area == "below" and below is not None:
        axes.fill_between(x, y, _numbers(below.y), color=series.colour, lw=0, label=words,
                          alpha=series.opacity, step="post" if series.step else None)  # fmt: skip
    elif series.area == "own":
        style = (
            {"fill": False, "hatch": "////", "edgecolor": series.colour, "lw": 0.7}
            if series.hatched
            else {"color": series.colour, "lw": 0}
        )
        axes.add_patch(_outline(x, y, style, words))
    else:
        axes.errorbar(
            x, y, yerr=_errors(series.y_error), xerr=_errors(series.x_error),
            ls=series.line or "none", lw=series.width, elinewidth=0.8,
            capsize=1.2, marker=_MARKS[series.symbol], ms=series.size,
            mfc="none" if series.open else series.colour,
            mew=0.8 if series.open or series.symbol in ("x", "line") else 0.0,
            drawstyle="steps-post" if series.step else "default",
            rasterized=len(x) > 5000, **look,
        )  # fmt: skip
    for at, up, text in zip(x, y, series.texts, strict=False):
        axes.annotate(text, (at, up), (0, 4), textcoords="offset points", ha="center", size=6)


def _shading(axes: "Axes", series: Series, x: np.ndarray, y: np.ndarray) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("shades", ["#FFFFFF", series.colour])
    dx, dy = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
    axes.imshow(
        np.asarray(series.density),
        cmap=shades,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(x[0] - dx, x[-1] + dx, y[0] - dy, y[-1] + dy),
    )


def _outline(x: np.ndarray, y: np.ndarray, style: dict[str, object], words: str) -> "PathPatch":
    """Return the area within rings, which are divided by gaps; rings within rings are holes."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    vertices: list[tuple[float, float]] = []
    codes: list[int] = []
    start = True
    for at, up in zip(x.tolist(), y.tolist(), strict=True):
        if math.isnan(at) or math.isnan(up):
            start = True
            continue
        vertices.append((at, up))
        codes.append(int(Path.MOVETO if start else Path.LINETO))
        start = False
    return PathPatch(Path(vertices, codes), label=words, **style)


def _axis(axes: "Axes", name: Literal["x", "y"], axis: Axis) -> None:
    from matplotlib.ticker import NullLocator, PercentFormatter

    own = axes.xaxis if name == "x" else axes.yaxis
    if axis.log:
        (axes.set_xscale if name == "x" else axes.set_yscale)("log")
    if axis.low is not None or axis.high is not None:
        if name == "x":
            axes.set_xlim(axis.low, axis.high)
        else:
            axes.set_ylim(axis.low, axis.high)
    if axis.per_cent:
        own.set_major_formatter(PercentFormatter(1.0, decimals=0))
    if axis.ticks:
        own.set_ticks([at for at, _ in axis.ticks], [words for _, words in axis.ticks])
        own.set_minor_locator(NullLocator())
    if axis.reversed:
        own.set_inverted(True)
    if axis.hidden:
        own.set_visible(False)
    else:
        own.set_label_text(axis.label)


def _numbers(values: Values) -> np.ndarray:
    """Return values as floats; gaps are not a number."""
    return np.array([math.nan if value is None else float(value) for value in values])


def _errors(bounds: tuple[Values, Values] | None) -> np.ndarray | None:
    if bounds is None:
        return None
    return np.nan_to_num(np.stack([_numbers(part) for part in bounds]))
