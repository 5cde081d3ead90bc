"""Linked parallel coordinates by Plotly: ranges on the axes dim the cards outside them."""

from collections.abc import Sequence

from explorer.ui.components.bridge import Synced

# Plotly adds its styles to the document's head: in a shadow tree they would not apply.
_PARALLEL = Synced("parallel", isolate_styles=False)


def parallel(
    axes: Sequence[tuple[str, Sequence[float]]],
    numbers: Sequence[int],
    *,
    key: str,
    address: str,
    at: int | None,
) -> None:
    """Render one line per pick over one axis per property.

    Args:
        axes: Each axis with its label and the value of every pick.
        numbers: The picks' numbers.
        key: Key of the widget.
        address: URL of Plotly's script.
        at: The pick whose line is highlighted.
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
