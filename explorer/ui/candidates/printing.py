"""Figures of picks for a paper: the cards as a wall, and charts of the picks."""

from collections.abc import Sequence

import numpy as np

from explorer import figures
from explorer.checkpoint import Entry
from explorer.figures import Chart, PaperFigure, Wall
from explorer.papers import Paper
from explorer.ui import cache
from explorer.ui.candidates.judged import MeasuredPick

MOST = 64
"""Picks on a wall; a page holds no more of a size one can see."""


def wall(items: Sequence[MeasuredPick], project: str) -> PaperFigure:
    """Make the figure of picks of one kind of samples, in the order of their cards."""
    sketch = items[0].pick.source.model.sketch
    alike = [item.pick for item in items if item.pick.source.model.sketch == sketch]
    shown = alike[:MOST]
    words = f"Picks {', '.join(str(pick.number) for pick in shown)}, row by row"
    if len(shown) < len(items):
        words += f"; {len(items) - len(shown)} others are not drawn"
    columns = figures.columns(len(shown), sketch)
    return figures.of_samples(
        _models(items),
        lambda: [Wall(np.stack([pick.shown for pick in shown]), sketch, columns)],
        f"Picks of {project}",
        words,
    )


def of_charts(
    items: Sequence[MeasuredPick], charts: Sequence[Chart], what: str, words: str, *others: Paper
) -> PaperFigure:
    """Make the figure of charts of picks."""
    return figures.of_charts(_models(items), charts, what, words, *others)


def _models(items: Sequence[MeasuredPick]) -> list[Entry]:
    """Return the models of the picks that are here with the same weights."""
    wanted = {(item.pick.source.model.slug, item.pick.source.model.hash) for item in items}
    return [entry for entry in cache.entries() if (entry.slug, entry.hash) in wanted]
