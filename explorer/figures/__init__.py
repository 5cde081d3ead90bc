"""Figures for a paper: what a page shows as SVG and PDF, with its caption and papers to cite.

A `PaperFigure` is drawn only when it is asked for: matplotlib takes a second to import. The same
data give the same bytes, so a figure is rebuilt from a strip's manifest like its images.
"""

from explorer.figures.chart import Axis, Chart, Series, of_charts
from explorer.figures.paper import PaperFigure
from explorer.figures.plane import Cloud, PlaneFigure, Shading, of_plane
from explorer.figures.wall import MOST_ROWS, Wall, columns, of_samples, of_strip

__all__ = [
    "MOST_ROWS",
    "Axis",
    "Chart",
    "Cloud",
    "PaperFigure",
    "PlaneFigure",
    "Series",
    "Shading",
    "Wall",
    "columns",
    "of_charts",
    "of_plane",
    "of_samples",
    "of_strip",
]
