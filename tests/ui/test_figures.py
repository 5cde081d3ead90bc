"""Every page offers what it shows as figures for a paper, with the numbers of the page."""

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.ui.address.views import PAGES
from explorer.ui.panels import export_menu
from explorer.ui.panels.printed import printed
from tests.support.figures import opened_pdf, opened_svg
from tests.support.pages import open_page

LINKS = {
    "latent_map": {"layers": "data,prior,prototypes,density,aggregated,holes,transport"},
    "interpolate": {"ends": "data:3 data:70"},
    "prototypes": {"component": 1},
}
OFFERED = {
    "catalogue": {"", "scales", "models"},
    "generate": {"", "scales", "tradeoff"},
    "prototypes": {"", "scales", "pseudo-inputs"},
    "latent_map": {"map"},
    "traverse": {""},
    "interpolate": {"", "profile"},
    "reconstruct": {"", "posterior"},
    "design": {""},
    "candidates": set(),
    "priors_lab": {""},
    "evaluate": {"likelihood", "histogram", "flows", "kl", "diversity", "components"},
    "pictures": set(),
    "train": set(),
}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_page_offers_its_figures(page, monkeypatch):
    found = {}

    def offered(known, stem, key, buttons=export_menu.figure_buttons):
        found.update(known)
        buttons(known, stem, key)

    monkeypatch.setattr(export_menu, "figure_buttons", offered)
    app = open_page(page, model="digits-vae-vamp-2", **LINKS.get(page, {}))
    assert not app.exception
    assert set(found) == OFFERED[page]
    assert len({figure.title for figure in found.values()}) == len(found)
    if not found:
        return
    _, figure = found.popitem()  # the most particular of the page
    opened_svg(figure.file("svg"))
    facts, _, _ = opened_pdf(figure.file("pdf"))
    assert facts["/Subject"] == figure.caption
    assert "digits-vae" in figure.caption


def test_a_printed_chart_has_the_numbers_of_the_page():
    figure = go.Figure()
    figure.add_scatter(
        x=np.array([1.0, 10, 100]), y=[1, None, 3], name="<b>bold</b> name", mode="lines+markers",
        error_y={"array": [0.1, 0.2, 0.3], "arrayminus": [0.2, 0.2, 0.2]},
        line={"color": "#112233", "dash": "dot", "width": 2},
        marker={"symbol": "diamond-open", "size": 10},
    )  # fmt: skip
    figure.add_vline(x=10, annotation={"text": "here", "yref": "paper", "y": 1})
    figure.update_layout(
        xaxis={"type": "log", "title": "K", "range": [0, 2]}, yaxis={"title": "nats"}
    )
    chart = printed(figure, "title")
    line = chart.series[0]
    assert (line.x, line.y) == ([1, 10, 100], [1, None, 3])
    assert line.y_error == ([0.2, 0.2, 0.2], [0.1, 0.2, 0.3])
    assert (line.name, line.colour, line.line) == ("bold name", "#112233", ":")
    assert (line.symbol, line.open) == ("diamond", True)
    assert (chart.x.log, chart.x.low, chart.x.high) == (True, 1, 100)
    assert (chart.x.label, chart.y.label, chart.title) == ("K", "nats", "title")
    assert chart.verticals == [(10, "here")]


def test_words_along_an_axis_become_its_marks():
    figure = go.Figure()
    half = {"color": "rgba(1,2,3,.5)"}
    errors = {"array": [0.5, None]}
    figure.add_bar(y=["one", "two"], x=[3, None], orientation="h", marker=half, error_x=errors)
    figure.update_layout(yaxis={"autorange": "reversed"})
    chart = printed(figure)
    bars = chart.series[0]
    assert (bars.bars, list(bars.y), bars.x) == ("h", [0, 1], [3, None])
    assert chart.y.ticks == [(0.0, "one"), (1.0, "two")]
    assert chart.y.reversed
    assert (bars.colour, bars.opacity) == ("#010203", 0.5)


def test_points_of_another_mark_keep_one_line():
    figure = go.Figure()
    figure.add_scatter(x=[0, 1, 2], y=[5, 6, 7], mode="lines+markers", name="polar",
                       marker={"symbol": ["circle", "x-thin-open", "circle"]})  # fmt: skip
    line, sure, unsure = printed(figure).series
    assert (line.y, line.line, line.symbol) == ([5, 6, 7], "-", "none")
    assert (sure.y, sure.symbol, sure.line) == ([5, None, 7], "circle", "")
    assert (unsure.y, unsure.symbol) == ([None, 6, None], "x")


def test_the_greys_of_the_dark_theme_become_those_of_paper():
    figure = go.Figure()
    figure.add_scatter(x=[1], y=[1], mode="markers", marker={"color": "#A3A3A3"})
    assert printed(figure).series[0].colour == "#6E6E6E"
