"""One set of colours for the whole app: a class looks the same on every page and model."""

from collections.abc import Sequence

CLASSES = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#B8A600",
    "#7A5195",
    "#8C6D31",
    "#7F7F7F",
)
"""Okabe and Ito's colours and three more, told apart with every common colour vision."""

PRIORS = {
    prior: CLASSES[k]
    for k, prior in enumerate(
        ("standard", "vamp", "xvae", "mog", "vamp-data", "vamp-weighted", "flow", "xvae-mixture")
    )
}
"""A prior looks the same on every chart that compares priors."""

DATA = "#5B7A99"
PROTOTYPE = "#E6A700"
INK = "ink"
"""The colour of text in the open theme; diamonds and stars have it, as hues are classes."""

RAMP = ("#440154", "#46327E", "#365C8D", "#277F8E", "#1FA187", "#4AC16D", "#A0DA39", "#FDE725")
"""Viridis: even steps of lightness, readable in grey."""

MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}
BARE = {"displayModeBar": False}
"""Room around a chart in pixels, and a chart without Plotly's tool bar."""


def of_priors(kinds: Sequence[str]) -> list[str]:
    """Return a colour for each prior: its own, or where one comes twice, the first few."""
    if len(set(kinds)) == len(kinds) and all(kind in PRIORS for kind in kinds):
        return [PRIORS[kind] for kind in kinds]
    return [CLASSES[k % len(CLASSES)] for k in range(len(kinds))]


def text(dark: bool) -> str:
    """Return the themes' colour of text, for charts whose own labels are paler."""
    return "#E8ECF1" if dark else "#1B2430"


def grey(dark: bool) -> str:
    """Return the grey of published numbers, readable on either paper."""
    return "#A3A3A3" if dark else "#6E6E6E"
