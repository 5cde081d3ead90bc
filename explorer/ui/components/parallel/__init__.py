"""Parallel coordinates by Plotly, linked: ranges drawn on its axes dim the cards outside them."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_MOUNT = st.components.v2.component(
    "parallel",
    html='<div class="parallel" data-testid="parallel"><div class="plot"></div>'
    '<p class="said" aria-live="polite"></p></div>',
    css=".parallel { font-family: var(--st-font); color: var(--st-text-color); }"
    ".parallel .axis path, .parallel .axis line { stroke: currentColor !important; opacity: .5; }"
    ".parallel .plot { height: 340px; }"
    ".parallel .said { margin: .2rem 0 0; font-size: .82rem; min-height: 1.3em; opacity: .85; }",
    js=(_HERE / "parallel.js").read_text(),
    # Plotly puts its styles into the document's head: in a shadow tree they would not apply.
    isolate_styles=False,
)


def parallel(
    axes: Sequence[tuple[str, Sequence[float]]],
    numbers: Sequence[int],
    *,
    key: str,
    address: str,
    at: int | None,
) -> None:
    """Draw a line for each pick over one axis for each property.

    Args:
        axes: Each axis with its label and the value of every pick.
        numbers: The picks' numbers.
        key: Key of the widget.
        address: Where Plotly's own script is fetched.
        at: The pick whose line stands out.
    """
    _MOUNT(
        key=key,
        data={
            "axes": [{"label": label, "values": list(values)} for label, values in axes],
            "numbers": list(numbers),
            "address": address,
            "at": at,
        },
    )
