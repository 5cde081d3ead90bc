"""Figures of the latent map: points by class, prior samples, prototypes, contours and holes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float, Int, UInt8

from explorer.checkpoint import Checkpoint
from explorer.figures import captions
from explorer.figures.paper import PaperFigure
from explorer.papers import Paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Lines = Sequence[Float[np.ndarray, "_ 2"]]

_MOST_SHAPES = 4000
"""Clouds of more points are drawn as pixels: as shapes they make a file of many megabytes."""
_MARKS = {"dot": "o", "diamond": "D", "star": "*"}


@dataclass(frozen=True)
class Cloud:
    """Points of one kind.

    Args:
        xy: Their positions.
        name: What they are.
        mark: The shape of a point: data are dots, prior samples diamonds, prototypes stars.
        colour: Their colour, without values or classes.
        classes: Names of classes, of which `group` has the numbers (negative for none).
        group: The class of each point.
        palette: The colour of each class, or a ramp from low to high.
        values: A value for each point, instead of a class.
        label: What the values are, with the unit.
    """

    xy: Float[np.ndarray, "points 2"]
    name: str
    mark: Literal["dot", "diamond", "star"]
    colour: str = "#5B7A99"
    classes: Sequence[str] = ()
    group: Int[np.ndarray, " points"] | None = None
    palette: Sequence[str] = ()
    values: Float[np.ndarray, " points"] | None = None
    label: str = ""


@dataclass(frozen=True)
class Shading:
    """A picture below the points.

    Args:
        picture: Its pixels, the uppermost row first.
        box: Left, right, bottom and top.
        classes: Names of what its colours mean, and these.
    """

    picture: UInt8[np.ndarray, "rows columns 4"]
    box: tuple[float, float, float, float]
    classes: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class PlaneFigure:
    """A latent map.

    Args:
        clouds: Points, the last on top.
        contours: Lines of each density, by its name.
        holes: Outlines of regions with prior mass and no data.
        ringed: Positions of the selection.
        path: A line through the map, and a mark at each of its ends.
        arrows: Positions of arrows, x and y of the start and of the head.
        shade: A picture below the points.
        axes: Whether the plane is the latent space itself, with axes.
    """

    clouds: Sequence[Cloud]
    contours: Sequence[tuple[str, str, Lines]] = ()
    holes: Lines = ()
    ringed: Float[np.ndarray, "selected 2"] | None = None
    path: Float[np.ndarray, "stops 2"] | None = None
    axes: bool = False
    arrows: Float[np.ndarray, "arrows 4"] | None = None
    shade: Shading | None = None


def of_plane(
    opened: Checkpoint, plane: Callable[[], PlaneFigure], words: str, *others: Paper
) -> PaperFigure:
    """Make the figure of a model's latent map.

    Args:
        opened: The model.
        plane: Returns what is drawn.
        words: Sentences of the caption: what the points are, and what the map preserves.
        others: Further papers to cite.
    """
    what = "Latent map"
    return PaperFigure(
        what,
        captions.of_models([opened], what, words),
        captions.cited([opened], *others),
        lambda: draw(plane()),
    )


def draw(plane: PlaneFigure) -> "Figure":
    """Draw a map; distances along both axes have one scale."""
    from explorer.figures import style

    page = style.page(style.WIDTH * 0.75, style.WIDTH * 0.66)
    page.set_layout_engine("constrained")
    axes = page.subplots()
    if plane.shade is not None:
        look = {"zorder": 1, "interpolation": "bilinear"}
        axes.imshow(plane.shade.picture, extent=plane.shade.box, **look)
        for name, colour in plane.shade.classes:
            axes.scatter(
                [], [], s=18, marker="s", c=colour, alpha=0.6, label=_literal(name), linewidths=0
            )
    for index, cloud in enumerate(plane.clouds):
        _cloud(axes, cloud, 2 + index)
    for name, colour, lines in plane.contours:
        _lines(axes, name, colour, lines)
    if len(plane.holes):
        _hatched(axes, plane.holes)
    if plane.arrows is not None and len(plane.arrows):
        x, y, u, v = plane.arrows.T
        axes.quiver(x, y, u - x, v - y, angles="xy", scale_units="xy", scale=1, units="dots",
                    width=0.6, headwidth=7, headlength=8, headaxislength=7, color="#1B2430",
                    zorder=7, label="transport to the prior")  # fmt: skip
    if plane.ringed is not None and len(plane.ringed):
        axes.scatter(*plane.ringed.T, s=14, facecolors="none", edgecolors="#D55E00",
                     linewidths=0.7, zorder=8, label="selected",
                     rasterized=len(plane.ringed) > _MOST_SHAPES)  # fmt: skip
    if plane.path is not None and len(plane.path):
        axes.plot(*plane.path.T, color="#D55E00", lw=1.4, zorder=9, label="path")
        axes.plot(*plane.path[[0, -1]].T, "o", color="#D55E00", ms=5, mec="white", zorder=10)
    axes.autoscale_view()
    axes.set_aspect("equal", adjustable="box")
    if plane.axes:
        axes.set_xlabel("z₁")
        axes.set_ylabel("z₂")
        axes.spines[["top", "right"]].set_visible(False)
    else:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_color("#E3E7EB")
    handles, names = axes.get_legend_handles_labels()
    if names:
        page.legend(handles, names, loc="outside right upper", markerscale=1.0)
    return page


def _cloud(axes: "Axes", cloud: Cloud, layer: int) -> None:
    large = {"dot": 3.0, "diamond": 4.0, "star": 18.0}[cloud.mark]
    look = {"marker": _MARKS[cloud.mark], "zorder": layer, "linewidths": 0,
            "rasterized": len(cloud.xy) > _MOST_SHAPES}  # fmt: skip
    if cloud.mark == "star":
        look |= {"linewidths": 0.4, "edgecolors": "white"}
    if cloud.group is not None:
        _classes(axes, cloud, large, look)
        return
    if cloud.values is not None:
        from matplotlib.colors import LinearSegmentedColormap

        known = cloud.values[np.isfinite(cloud.values)]
        low, high = np.percentile(known, [2, 98]) if len(known) else (0.0, 1.0)
        shown = axes.scatter(
            *cloud.xy.T, s=large, c=cloud.values, vmin=low, vmax=high,
            cmap=LinearSegmentedColormap.from_list("ramp", list(cloud.palette)), **look,
        )  # fmt: skip
        axes.figure.colorbar(shown, ax=axes, label=_literal(cloud.label), shrink=0.6,
                             location="bottom", aspect=40)  # fmt: skip
        return
    axes.scatter(*cloud.xy.T, s=large, c=cloud.colour, label=_named(axes, cloud, large), **look)


def _classes(axes: "Axes", cloud: Cloud, large: float, look: dict[str, object]) -> None:
    """Draw all points at once, in their own order, so that no class covers the others."""
    assert cloud.group is not None
    colours = np.array([*cloud.palette[: len(cloud.classes)], "#BFC6CE"])
    axes.scatter(*cloud.xy.T, s=large, c=colours[cloud.group].tolist(), **look)
    for number, words in enumerate(cloud.classes):
        if (cloud.group == number).any():
            axes.scatter([], [], s=18, marker=str(look["marker"]), linewidths=0,
                         label=_literal(words), c=[colours[number]])  # fmt: skip


def _literal(words: str) -> str:
    """Keep what a name says from being read as a formula."""
    return words.replace("$", r"\$")


def _named(axes: "Axes", cloud: Cloud, large: float) -> str:
    """Name a cloud in the legend by a mark one can see."""
    axes.scatter([], [], s=max(18, large), c=cloud.colour, marker=_MARKS[cloud.mark],
                 linewidths=0, label=f"{cloud.name} ({len(cloud.xy):,})")  # fmt: skip
    return "_"


def _lines(axes: "Axes", name: str, colour: str, lines: Lines) -> None:
    from matplotlib.collections import LineCollection

    dashed = "aggregated" in name
    drawn = LineCollection(
        list(lines),
        colors=colour,
        linewidths=0.9,
        label=name,
        zorder=6,
        linestyles="--" if dashed else "-",
    )
    axes.add_collection(drawn)


def _hatched(axes: "Axes", outlines: Lines) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    whole = Path.make_compound_path(*(Path(line, closed=False) for line in outlines))
    look = {"fill": False, "hatch": "////", "edgecolor": "#D55E00", "lw": 0.7}
    axes.add_patch(PathPatch(whole, zorder=7, label="holes", **look))
