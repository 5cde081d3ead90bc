"""Parallel coordinates by Plotly, linked: ranges drawn on its axes dim the cards outside them."""

from collections.abc import Sequence

from explorer.ui.components.bridge import Synced

# Plotly puts its styles into the document's head: in a shadow tree they would not apply.
_PARALLEL = Synced("parallel", isolate_styles=False)


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
    _PARALLEL.mount(
        key,
        {
            "axes": [{"label": label, "values": list(values)} for label, values in axes],
            "numbers": list(numbers),
            "address": address,
            "at": at,
        },
    )
