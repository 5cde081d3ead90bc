"""Actions on picks: mark, remove, undo; and their history."""

from collections.abc import Sequence

import streamlit as st

from explorer.designs.candidates import Store
from explorer.designs.picks import Project
from explorer.errors import StoreError
from explorer.ui.address.controls import commit
from explorer.ui.candidates.judged import MeasuredPick
from explorer.ui.picks import service


def history(store: Store, project: Project) -> None:
    """Render the history, newest first, with a button to undo the last change."""
    changes = store.history(project.id, 12)
    if not changes:
        return
    with st.expander("History"):
        st.button("Undo the last change", key="candidates_undo", icon=":material/undo:",
                  on_click=_undo, args=(project.id,),
                  disabled=all(item.undone for item in changes))  # fmt: skip
        lines = []
        for change in changes:
            words = change.words[:1].upper() + change.words[1:]
            many = f" ({change.picks} picks)" if change.picks > 1 else ""
            struck = "~~" if change.undone else ""
            lines.append(f"- {struck}{words}{many}{struck}")
        st.markdown("\n".join(lines))


def new_project() -> None:
    """Create the project named in the form and open it; for callbacks."""
    try:
        source = service.store().add_project(st.session_state["candidates_name"])
    except StoreError as error:
        st.toast(str(error), icon=":material/error:")
        return
    commit(project=source, chosen=None, at=None)


def store_field(project: int, key: str, what: str) -> None:
    """Store the notes, tags or treatment of a pick; for callbacks."""
    value = st.session_state[f"candidates_{key}_{what}"]
    _mark(project, [key], **{what: value})


def beside(items: Sequence[MeasuredPick], item: MeasuredPick) -> int | None:
    """The next pick in the list, or the one before the last."""
    numbers = [one.pick.number for one in items]
    place = numbers.index(item.pick.number)
    left = numbers[:place] + numbers[place + 1 :]
    return left[min(place, len(left) - 1)] if left else None


def remove(project: int, key: str, beside: int | None) -> None:
    """Remove a pick and focus its neighbour; for callbacks."""
    _mark(project, [key], removed=True)
    commit(at=beside)


def _mark(project: int, keys: list[str], **said: object) -> None:
    try:
        service.store().mark(project, keys, **said)  # type: ignore[arg-type]
    except StoreError as error:
        st.toast(str(error), icon=":material/error:")


def _undo(project: int) -> None:
    try:
        words = service.store().undo(project)
    except StoreError as error:
        words = str(error)
    st.toast(f"Undone: {words}" if words else "There is nothing to undo.")
