"""The shortlist: picks as cards, triaged by keyboard; marks are stored at once."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from explorer.strips import Strip, pack
from explorer.ui.components.bridge import Synced

_SHORTLIST = Synced("shortlist")


class Card(NamedTuple):
    """A pick as shown in the browser: its strip, its index in it, and its facts.

    `name` is that of its file, if it is the user's own; `reasons` say why it is invalid, or which
    constraints it violates; it is `dim` if any does.
    """

    key: str
    number: int
    name: str
    panel: int
    at: int
    stars: int
    verdict: str
    tags: tuple[str, ...]
    words: tuple[str, ...]
    fault: str
    reasons: tuple[str, ...]
    dim: bool


def shortlist(
    strips: Sequence[Strip],
    cards: Sequence[Card],
    *,
    key: str,
    project: int,
    at: int | None,
    chosen: Sequence[int],
    most: int,
    on_held: Callable[[int | None, tuple[int, ...]], None],
) -> None:
    """Render picks as cards.

    Args:
        strips: One frame of samples for each kind of sample.
        cards: The picks, in display order.
        key: Key of the widget.
        project: The project they are in.
        at: Number of the pick in focus.
        chosen: Numbers of the compared picks.
        most: Maximum number of compared picks.
        on_held: Called with the pick in focus and the compared ones when either changes.
    """
    headers, bodies = [], []
    for strip in strips:
        header, body = strip.panel
        kept = {name: value for name, value in header.items() if name not in ("density",)}
        headers.append(kept | {"bytes": len(body)})
        bodies.append(body)
    facts: dict[str, object] = {
        "panels": headers,
        "cards": [card._asdict() for card in cards],
        "project": project,
        "at": at,
        "chosen": list(chosen),
        "most": most,
    }
    numbers = {card.number for card in cards}

    def remember(held: object) -> None:
        if not isinstance(held, dict):
            return
        now, wanted = held.get("at"), held.get("chosen")
        if (now is None or now in numbers) and isinstance(wanted, list):
            on_held(now, tuple(item for item in wanted if item in numbers)[:most])

    _SHORTLIST.mount(key, pack(facts, b"".join(bodies)), listeners={"held": remember})
