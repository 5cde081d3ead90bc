"""The catalogue as text: one line a model, its name whole in a terminal of any width."""

from collections.abc import Sequence
from typing import NamedTuple

from explorer.checkpoint import Entry

TITLES = ("checkpoint", "data", "model", "prior", "latent", "log p(x), nats", "S")
_LAST_TO_GO = ("checkpoint", "log p(x), nats", "data", "prior", "model", "latent", "S")
"""Columns by importance: where they do not fit, the last ones are left out."""
_GAP = 2


class Line(NamedTuple):
    """A line of text, and its style in Rich's words."""

    text: str
    style: str = ""


def lines(entries: Sequence[Entry], width: int | None = None) -> list[Line]:
    """Lay out the catalogue: models in columns, then the broken ones, each with its reason.

    Args:
        entries: The catalogue.
        width: Width of the terminal in characters; None if the text goes to a file.
    """
    good = [entry for entry in entries if entry.healthy or entry.results_only]
    laid = []
    if good:
        rows = [TITLES, *(_cells(entry) for entry in good)]
        laid = [
            Line(text, "" if place else "bold") for place, text in enumerate(_fit(rows, width))
        ]
    broken = [entry for entry in entries if not (entry.healthy or entry.results_only)]
    return laid + [Line(f"{entry.slug}  broken: {entry.reason}", "red") for entry in broken]


def _cells(entry: Entry) -> tuple[str, ...]:
    score = entry.metrics.get("log_likelihood")
    value = f"{score.value:.2f} ± {score.se or 0:.2f}" if score else ""
    depth = str(score.samples) if score else ""
    return (entry.slug, entry.data, entry.model, entry.prior, str(entry.latent), value, depth)


def _fit(rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Pad columns, without those that do not fit beside the first."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(TITLES))]
    kept: list[int] = []
    used = 0
    for title in _LAST_TO_GO:
        column = TITLES.index(title)
        used += widths[column] + (_GAP if kept else 0)
        if kept and width is not None and used > width:
            break
        kept.append(column)
    kept.sort()
    gap = " " * _GAP
    return [gap.join(row[k].ljust(widths[k]) for k in kept).rstrip() for row in rows]
