"""Marks the terms of the glossary on the page, where they first occur, with their definitions."""

from collections.abc import Sequence

from explorer.ui.components.bridge import Synced

_TERMS = Synced("terms")


def terms(marks: Sequence[object], *, key: str) -> None:
    """Mark terms, each with its definition, which shows while the pointer rests on it.

    Args:
        marks: Per term its `definition`, its `forms` in sentences, and its `labels`, which stand
            alone.
        key: Key of the widget.
    """
    _TERMS.mount(key, {"terms": [*marks]})
