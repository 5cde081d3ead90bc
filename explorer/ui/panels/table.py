"""One compact table for everything that is told in rows and columns of text."""

import html
from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st


class Line(NamedTuple):
    """A row: its label, a text per column, whether it is a main row, and what the label means."""

    label: str
    values: Sequence[str]
    main: bool = False
    help: str = ""


def render(
    lines: Sequence[Line],
    columns: Sequence[str] = (),
    *,
    label: str = "",
    numbers: bool = False,
    note: str = "",
) -> None:
    """Render a table; without names of columns, each line is one fact.

    Args:
        lines: The rows; main rows are bold.
        columns: Names of the columns after the label.
        label: Name of the label's column.
        numbers: Whether values are numbers, which align at the right.
        note: A small line below the table.
    """
    right = numbers or not columns
    cells = []
    if columns:
        names = (_cell(name, head=True, right=numbers) for name in columns)
        cells = [_cell(label, head=True), *names]
    for line in lines:
        cells.append(_cell(line.label, main=line.main, title=line.help))
        cells += [_cell(text, main=line.main or not columns, right=right) for text in line.values]
    kind = "latent-table" if columns else "latent-table facts"
    kind += " wide" if len(columns) > len(lines) else ""
    st.html(
        f'<div class="{kind}" style="--columns: {len(columns) + 1}">{"".join(cells)}</div>'
        + (f'<div class="latent-table-note">{html.escape(note)}</div>' if note else "")
    )


def _cell(
    text: str, *, head: bool = False, main: bool = False, right: bool = False, title: str = ""
) -> str:
    tag = "b" if main else "span"
    kind = " ".join(name for name, used in (("head", head), ("right", right)) if used)
    attribute = f' class="{kind}"' if kind else ""
    attribute += f' title="{html.escape(title)}"' if title else ""
    return f"<{tag}{attribute}>{html.escape(text)}</{tag}>"
