"""The outbox: counts picks, and saves those that wait in this browser."""

from collections.abc import Mapping

from explorer.ui.components.bridge import Synced

_OUTBOX = Synced("outbox")


def outbox(
    *,
    key: str,
    project: int | None,
    name: str,
    count: int,
    news: str,
    listens: bool,
    kept: tuple[int, Mapping[str, object]] | None = None,
) -> bool:
    """Render the count of picks; return whether the user opens them.

    Args:
        key: Key of the widget.
        project: The project that picks go to; None if the store cannot be read.
        name: Its name.
        count: Its number of picks.
        news: Why picks cannot be saved now, or "".
        listens: Whether the page shows picks, and reruns when they change.
        kept: How often the server kept a pick by itself, and the last, which is confirmed once.
    """
    state = _OUTBOX.mount(
        key,
        {
            "project": project,
            "name": name,
            "count": count,
            "news": news,
            "listens": listens,
            "turn": 0 if kept is None else kept[0],
            "kept": None if kept is None else dict(kept[1]),
        },
        listeners={"open": _rerun, "changed": _rerun},
    )
    return bool(state.get("open"))


def _rerun(_: object) -> None:
    """Do nothing: the report itself reruns the page."""
