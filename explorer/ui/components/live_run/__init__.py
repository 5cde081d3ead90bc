"""A run while it trains: curves, pictures and codes that follow it, and a time line through it."""

from typing import NamedTuple

from explorer.ui.components.bridge import Synced
from explorer.ui.wording import palette

_LIVE = Synced("live_run")

LIVE = -1
"""What stands for the latest frame."""

_MOST_STEPS = 10**9


class _Time(NamedTuple):
    at: int


def live_run(address: str, at: int, *, key: str, beside: str = "") -> int:
    """Render a run; return the step that is looked at, or `LIVE`.

    Args:
        address: URL of the run.
        at: The step that the page asks for, or `LIVE`.
        key: Key of the widget.
        beside: URL of the run that it was branched from, whose curves are drawn beneath.
    """
    state = _LIVE.state(key, _Time(at))
    facts = {
        "address": address,
        "beside": beside,
        "at": state.sent.at,
        "version": state.version,
        "colours": list(palette.CLASSES),
    }
    _LIVE.mount(key, facts, checks={"at": _step}, listeners={"ended": _ignore})
    return state.shown.at


def _step(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not LIVE <= value < _MOST_STEPS:
        raise ValueError("Expected a step.")
    return value


def _ignore(value: object) -> None:
    """The page runs again when a run ends, which is all."""
