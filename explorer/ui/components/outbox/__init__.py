"""The outbox: how many picks there are, and what still waits in this browser to be saved."""

from explorer.ui.components.bridge import Synced

_OUTBOX = Synced("outbox")


def outbox(
    *, key: str, project: int | None, name: str, count: int, news: str, listens: bool
) -> bool:
    """Show the count of picks; say whether the visitor wants to see them.

    Args:
        key: Key of the widget.
        project: The project that picks go to; None where the store cannot be read.
        name: Its name.
        count: How many picks it holds.
        news: Why picks cannot be saved now, or "".
        listens: Whether the page shows picks, and runs anew when there are others.
    """
    state = _OUTBOX.mount(
        key,
        {
            "project": project,
            "name": name,
            "count": count,
            "news": news,
            "listens": listens,
        },
        hear={"open": _rerun, "changed": _rerun},
    )
    return bool(state.get("open"))


def _rerun(_: object) -> None:
    """That it was said is all: it runs the page anew."""
