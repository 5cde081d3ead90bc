"""The shortlist: picks as cards, triaged by keyboard; what is said of them is stored at once."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from explorer.strips import Strip, pack
from explorer.ui.components.bridge import Synced

_SHORTLIST = Synced("shortlist")


class Card(NamedTuple):
    """One pick as the browser shows it: in which strip it is, at which place, and its facts."""

    key: str
    number: int
    panel: int
    at: int
    stars: int
    verdict: str
    tags: tuple[str, ...]
    words: tuple[str, ...]
    fault: str
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
    """Show picks as cards.

    Args:
        strips: One frame of samples for each kind of picture.
        cards: The picks, in the order in which they are shown.
        key: Key of the widget.
        project: The project they are in.
        at: Number of the pick in focus.
        chosen: Numbers of those that are compared.
        most: How many may be compared.
        on_held: Told which pick is in focus and which are compared, when any of it changes.
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
