"""Charts of a page as charts of a paper: the same numbers, without Plotly."""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from plotly.basedatatypes import (
    BaseLayoutHierarchyType,
    BaseTraceHierarchyType,
    BaseTraceType,
)

from explorer.figures import Axis, Chart, Series
from explorer.figures.chart import Symbol, Values
from explorer.ui.wording import palette

Given = Sequence[Any] | np.ndarray | None
"""What an attribute of Plotly's holds for all points of a trace."""

MOST_TICKS = 20
_DASHES: dict[str, Literal["-", "--", ":", "-."]] = {
    "solid": "-", "dash": "--", "longdash": "--", "dot": ":", "dashdot": "-.",
}  # fmt: skip
_SYMBOLS: dict[str, Symbol] = {
    "circle": "circle", "square": "square", "diamond": "diamond", "star": "star",
    "x": "x", "x-thin": "x", "line-ns": "line",
}  # fmt: skip
_PIXELS = 0.5
"""Points of a printed mark for each pixel of one on screen."""


def printed(figure: go.Figure, title: str = "") -> Chart:
    """Describe a chart of the page, so that matplotlib can draw it."""
    layout = figure.layout
    legend = layout.showlegend is not False
    kinds = {axis: _categories(figure, axis) for axis in ("x", "y")}
    lines = [shape for shape in layout.shapes or () if shape.type == "line"]
    words = {note.x: _plain(note.text) for note in layout.annotations or ()}
    return Chart(
        series=[item for trace in figure.data for item in _series(trace, kinds, legend)],
        x=_axis(layout.xaxis, kinds["x"]),
        y=_axis(layout.yaxis, kinds["y"]),
        second=_axis(layout.yaxis2, ()) if "yaxis2" in layout else None,
        title=title,
        verticals=[
            (float(line.x0), words.get(line.x0, "")) for line in lines if line.x0 == line.x1
        ],
        horizontals=[(float(line.y0), "") for line in lines if line.y0 == line.y1],
        equal=layout.yaxis.scaleanchor is not None,
        height=_height(float(layout.height or 300), figure),
    )


def _series(
    trace: BaseTraceType, kinds: Mapping[str, Sequence[str]], legend: bool
) -> Iterator[Series]:
    x, y = _values(trace.x, kinds["x"]), _values(trace.y, kinds["y"])
    name = _plain(trace.name or "") if legend and trace.showlegend is not False else ""
    if trace.type == "heatmap":
        colour, opacity = _colour(trace.colorscale[-1][1])
        yield Series(x, y, colour=colour, opacity=opacity, density=np.asarray(trace.z, float))
        return
    errors: dict[str, Any] = {"x_error": _errors(trace.error_x), "y_error": _errors(trace.error_y)}
    if trace.type == "bar":
        if not len(x):  # bars without positions stand side by side
            x = [float(k) for k in range(len(y))]
        colour, opacity = _colour(trace.marker.color)
        lie: Literal["h", "v"] = "h" if trace.orientation == "h" else "v"
        yield Series(x, y, name, colour, opacity=opacity, bars=lie, **errors)
        return
    if not len(x):
        x = [float(k) for k in range(len(y))]
    mode = trace.mode or "lines"
    colour, opacity = _colour(trace.line.color or _first(trace.marker.color))
    opacity *= 1.0 if trace.opacity is None else float(trace.opacity)
    look: dict[str, Any] = {
        "colour": colour,
        "opacity": opacity,
        "width": 0.7 * (2.0 if trace.line.width is None else trace.line.width),
        "step": trace.line.shape == "hv",
    }
    if trace.fill in ("tonexty", "toself"):
        filled, opacity = _colour(trace.fillpattern.fgcolor or trace.fillcolor)
        yield Series(
            x, y, name, filled, opacity=opacity,
            area="below" if trace.fill == "tonexty" else "own",
            hatched=trace.fillpattern.shape is not None,
        )  # fmt: skip
        return
    line = _DASHES[trace.line.dash or "solid"] if "lines" in mode and look["width"] else ""
    texts = [str(words) for words in trace.text] if "text" in mode else ()
    own: dict[str, Any] = {"texts": texts, "second": trace.yaxis == "y2"} | errors
    if "markers" not in mode:
        yield Series(x, y, name, line=line, **look, **own)
        return
    symbols = _each(trace.marker.symbol or "circle", len(y))
    size = _PIXELS * float(trace.marker.size or 6)
    for k, symbol in enumerate(dict.fromkeys(symbols)):
        # Points of another mark are a series of their own, along one line.
        held: Values = [value if mark == symbol else None for value, mark in zip(y, symbols)]  # noqa: B905
        alone = len(set(symbols)) == 1
        if k == 0 and not alone:
            yield Series(x, y, "", line=line, **look, **own)
        shape = _SYMBOLS[symbol.removesuffix("-open").removesuffix("-dot")]
        rest: dict[str, Any] = own if alone else {"second": own["second"]}
        yield Series(
            x, held, name if k == 0 else "", line=line if alone else "", symbol=shape, size=size,
            open=symbol.endswith("-open"), **look, **rest,
        )  # fmt: skip


def _axis(axis: BaseLayoutHierarchyType, categories: Sequence[str]) -> Axis:
    low, high = (None, None) if axis.range is None else map(float, axis.range)
    if axis.type == "log" and low is not None and high is not None:
        low, high = 10.0**low, 10.0**high
    if axis.rangemode == "tozero" and low is None:
        low = 0.0
    ticks: list[tuple[float, str]] = []
    if categories:
        step = -(-len(categories) // MOST_TICKS)
        ticks = [(float(k), categories[k]) for k in range(0, len(categories), step)]
    elif axis.tickvals is not None and axis.ticktext is not None:
        pairs = zip(axis.tickvals, axis.ticktext, strict=False)
        ticks = [(float(at), _plain(words)) for at, words in pairs]
    return Axis(
        label=_plain(axis.title.text or ""),
        log=axis.type == "log",
        ticks=ticks,
        low=low,
        high=high,
        reversed=axis.autorange == "reversed",
        hidden=axis.visible is False,
        per_cent=(axis.tickformat or "").endswith("%"),
    )


def _categories(figure: go.Figure, name: Literal["x", "y"]) -> list[str]:
    """List the words along an axis, in order of appearance; empty if it has numbers."""
    found = [getattr(trace, name) for trace in figure.data]
    words = [value for values in found if values is not None for value in values]
    named = any(isinstance(value, str) for value in words)
    return list(dict.fromkeys(str(value) for value in words)) if named else []


def _values(values: Given, categories: Sequence[str]) -> Values:
    if values is None:
        return []
    if categories:
        place = {words: float(k) for k, words in enumerate(categories)}
        return [place[str(value)] for value in values]
    return [None if value is None else float(value) for value in values]


def _errors(given: BaseTraceHierarchyType) -> tuple[Values, Values] | None:
    if given.array is None:
        return None
    above = [None if value is None else float(value) for value in given.array]
    below = above if given.arrayminus is None else [float(value) for value in given.arrayminus]
    return below, above


def _colour(given: object) -> tuple[str, float]:
    """Return a colour for white paper, and its opacity."""
    text = str(_first(given) or palette.CLASSES[0])
    if found := re.fullmatch(r"rgba?\(([\d., ]+)\)", text):
        numbers = [float(part) for part in found[1].split(",")]
        red, green, blue = (round(value) for value in numbers[:3])
        return f"#{red:02x}{green:02x}{blue:02x}", numbers[3] if len(numbers) > 3 else 1.0
    paper = {
        palette.grey(dark=True): palette.grey(dark=False),
        palette.text(dark=True): palette.text(dark=False),
    }
    return paper.get(text, text), 1.0


def _first(given: object) -> object:
    if isinstance(given, list | tuple | np.ndarray):
        return given[0] if len(given) else None
    return given


def _each(given: object, count: int) -> list[str]:
    if isinstance(given, list | tuple | np.ndarray):
        return [str(item) for item in given]
    return [str(given)] * count


def _plain(text: str) -> str:
    """Remove markup; a dollar is none of matplotlib’s either."""
    words = html.unescape(re.sub(r"<[^>]+>", " ", text))
    return " ".join(words.split()).replace("$", r"\$")


def _height(pixels: float, figure: go.Figure) -> float:
    if figure.layout.yaxis.scaleanchor is not None:
        return 0.9
    return min(1.6, max(0.5, pixels / 400))
