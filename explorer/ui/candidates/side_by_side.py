"""Charts of all picks over their properties: parallel coordinates and a scatter plot."""

import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer.designs.picks import VERDICTS
from explorer.designs.properties import Property
from explorer.designs.search import pareto
from explorer.ui.address.controls import commit, control
from explorer.ui.address.views import CandidatesView
from explorer.ui.api.address import PLOTLY
from explorer.ui.candidates import printing
from explorer.ui.candidates.judged import MeasuredPick, common, focus
from explorer.ui.components.parallel import parallel
from explorer.ui.panels import chart, export_menu
from explorer.ui.wording import palette

AXES = 8
FRONT, FOCUS = palette.CLASSES[2], "#d1495b"


def charts(items: Sequence[MeasuredPick], view: CandidatesView) -> None:
    """Render all picks over their properties: parallel coordinates, and a scatter plot of two."""
    for properties in (common(items, focus(items, view)), common(items)):
        same = [item for item in items if item.properties == properties and not item.fault]
        if properties and len(same) > 1:
            break
    else:
        st.caption("Trade-offs need two valid picks of the same data set.")
        return
    axes = [
        (html.escape(prop.title), [item.values[prop.key] for item in same])
        for prop in _telling(properties, same)
    ]
    parallel(
        axes,
        [item.pick.number for item in same],
        key="candidates_parallel",
        address=PLOTLY,
        at=focus(items, view),
    )
    st.caption(
        "One line per pick, the one in focus in red. Drag along an axis to filter; cards outside "
        "the range are dimmed. Click the axis to clear."
    )
    _scatter(same, properties, view, focus(items, view))
    _columns(items)


def _columns(items: Sequence[MeasuredPick]) -> None:
    with st.expander("As a table"):
        rows = []
        for item in items:
            pick = item.pick
            row: dict[str, object] = {
                "Pick": pick.number, "Stars": pick.stars, "Verdict": VERDICTS[pick.verdict],
                "Tags": ", ".join(pick.tags), "Model": pick.source.model.slug,
                "Valid": "no: " + item.fault if item.fault else "yes",
            }  # fmt: skip
            for prop in item.properties:
                value = item.values.get(prop.key, np.nan)
                row[prop.title] = (
                    None
                    if not np.isfinite(value)
                    else prop.words(value)
                    if prop.classes
                    else round(value, prop.digits)
                )
            rows.append(row)
        st.dataframe(rows, key="candidates_table", hide_index=True)


def _telling(properties: Sequence[Property], items: Sequence[MeasuredPick]) -> list[Property]:
    """The properties that vary and are known for all picks, main ones first, as many as fit."""
    telling = []
    quantities = (prop for prop in properties if not prop.classes)
    for prop in sorted(quantities, key=lambda prop: not prop.main):
        values = np.array([item.values.get(prop.key, np.nan) for item in items])
        if np.isfinite(values).all() and np.ptp(values) > 0:
            telling.append(prop)
    return telling[:AXES]


def _scatter(
    items: Sequence[MeasuredPick],
    properties: Sequence[Property],
    view: CandidatesView,
    here: int | None,
) -> None:
    known = {
        prop.key: prop for prop in properties if prop.key in items[0].values and not prop.classes
    }
    keys = list(known)
    x = view.x if view.x in known else ("cd" if "cd" in known else keys[0])
    y = view.y if view.y in known else ("cl" if "cl" in known else keys[1])
    for field, value in (("x", x), ("y", y)):
        if getattr(view, field) not in ("", value):
            instead = f"showing {known[value].label}"
            view.fall_back(field, "", "is not known of these picks", instead)
    with st.container(horizontal=True, gap="small"):
        for field, label, value in (("x", "X axis", x), ("y", "Y axis", y)):
            control(st.selectbox, label, view, field, options=keys, value=value,
                    format_func=lambda key: known[key].label, width=190)  # fmt: skip
    points = np.array([[item.values[x], item.values[y]] for item in items])
    better = (known[x].better or "less", known[y].better or "more")
    front = pareto(points, better)
    figure = go.Figure()
    numbers = [item.pick.number for item in items]
    for on, name, mark in (
        (False, "others", {"size": 9, "color": palette.CLASSES[0], "opacity": 0.85}),
        (True, "Pareto front", {"size": 13, "color": FRONT, "symbol": "diamond"}),
    ):
        rows = [row for row in np.argsort(points[:, 0]) if front[row] == on]
        figure.add_scatter(
            x=points[rows, 0],
            y=points[rows, 1],
            mode="lines+markers+text" if on else "markers+text",
            text=[str(numbers[row]) for row in rows],
            textposition="top center",
            name=name,
            marker=mark,
            line={"color": FRONT, "width": 1, "dash": "dot"},
            customdata=[numbers[row] for row in rows],
            hovertemplate="Pick %{customdata}<br>%{x:.4g}, %{y:.4g}",
        )
    at = points[[number == here for number in numbers]]
    figure.add_scatter(
        x=at[:, 0],
        y=at[:, 1],
        mode="markers",
        name="in focus",
        hoverinfo="skip",
        marker={"size": 20, "symbol": "circle-open", "color": FOCUS, "line": {"width": 2.5}},
    )
    drawn = chart.render(
        figure,
        "candidates_scatter",
        x=html.escape(known[x].title),
        y=html.escape(known[y].title),
        height=360,
        legend=1.12,
        on_click=_clicked,
    )
    first, second = ("higher" if way == "more" else "lower" for way in better)
    words = (
        f"Pareto front: picks not dominated by any other ({first} {known[x].label}, "
        f"{second} {known[y].label} is better)."
    )
    st.caption(f"{words} Click a point to focus its pick.")
    printed = printing.of_charts(items, [drawn], "Picks over two properties", words)
    export_menu.figures_menu({"scatter": printed}, "picks", "candidates_scatter_export")


def _clicked() -> None:
    points = st.session_state["candidates_scatter"].selection.points
    if points and isinstance(points[0].get("customdata"), list | int | float):
        given = points[0]["customdata"]
        commit(at=int(given[0] if isinstance(given, list) else given))
