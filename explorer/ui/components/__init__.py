"""Own components: plain JavaScript, CSS and HTML, read as text, each with a typed wrapper."""

from explorer.ui.components.filmstrip import FilmstripState, filmstrip
from explorer.ui.components.point_map import Layer, MapState, point_map

__all__ = ["FilmstripState", "Layer", "MapState", "filmstrip", "point_map"]
