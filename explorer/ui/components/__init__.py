"""Custom components: plain JavaScript, CSS and HTML, each with a typed wrapper."""

from explorer.ui.components.canvas import canvas
from explorer.ui.components.copy_link import copy_link
from explorer.ui.components.filmstrip import FilmstripState, filmstrip
from explorer.ui.components.live_run import LIVE, live_run
from explorer.ui.components.outbox import outbox
from explorer.ui.components.outline import outline
from explorer.ui.components.point_map import Layer, MapState, point_map
from explorer.ui.components.terms import terms
from explorer.ui.components.tour import tour_clock
from explorer.ui.components.traversal import traversal

__all__ = [
    "LIVE",
    "FilmstripState",
    "Layer",
    "MapState",
    "canvas",
    "copy_link",
    "filmstrip",
    "live_run",
    "outbox",
    "outline",
    "point_map",
    "terms",
    "tour_clock",
    "traversal",
]
