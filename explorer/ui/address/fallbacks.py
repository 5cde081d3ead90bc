"""What a link asked for and could not have, field by field, told in one place and one voice."""

from typing import NamedTuple

import streamlit as st

from explorer.ui.address.hand import modern
from explorer.ui.wording.format import plain

_KNOWN, _PAGE, _SLOT, _WRITTEN = (
    "frame_fallbacks", "frame_page", "frame_fallbacks_slot", "frame_written",
)  # fmt: skip
_LONGEST = 40
"""Characters of a link's value that are repeated on the page."""

_NAMES = {
    "compare": "list of compared models",
    "hand": "thing in hand",
    "held": "scale of the other level",
    "lower": "seed of the lower level",
    "only": "isolated selection",
    "pick": "selection",
    "path": "line",
    "a": "group A",
    "b": "group B",
    "of": "data set",
    "one": "model A",
    "other": "model B",
    "limits": "list of constraints",
    "goal": "order",
    "alpha": "angle of attack",
    "reynolds": "Reynolds number",
    "flow": "list of operating points",
    "colour": "colouring",
    "ends": "list of endpoints",
    "kind": "method",
    "find": "search",
    "tab": "pane",
    "bench": "view",
    "dead": "choice of inactive units",
    "closeness": "density weight",
    "rows": "number of units",
    "index": "number of the sample",
    "layers": "list of layers",
    "chosen": "list of compared picks",
    "neighbours": "number of neighbours",
    "frames": "number of frames",
    "stars": "number of stars",
    "at": "position",
    "t": "time of the noised prior",
    "steps": "number of steps",
    "large": "choice of large type",
    "hide": "choice of hidden picks",
    "refine": "choice to refine",
    "difference": "choice of differences",
    "x": "horizontal axis",
    "y": "vertical axis",
    "tour": "step of the tour",
}
"""Names of fields where their own will not do."""


class Fallback(NamedTuple):
    """A field of a link that could not be followed: what it held, and what the address then says.

    `settled` once the page has written its address.
    """

    asked: str
    why: str
    instead: str
    shown: str | None = None
    settled: bool = False


def begin(page: str) -> None:
    """Begin a run of a page: keep what was told of the values still shown, forget the rest."""
    known = _known() if st.session_state.get(_PAGE) == page else {}
    st.session_state[_PAGE] = page
    st.session_state[_KNOWN] = {
        field: item
        for field, item in known.items()
        if _in_link(field) == (item.shown if item.settled else item.asked)
    }
    st.session_state[_SLOT] = None


def place() -> None:
    """Reserve the place where it is told."""
    st.session_state[_SLOT] = st.empty()
    _render()


def asked(field: str) -> str | None:
    """Return what a link asks for in a field; None if the address was written by the app."""
    if dict(st.query_params) == st.session_state.get(_WRITTEN):
        return None
    return _in_link(field)


def tell(field: str, why: str, instead: str) -> None:
    """Tell why a field of the link could not be followed.

    Args:
        field: The view's field.
        why: What is wrong with its value, as a verb: "was not found".
        instead: What is done instead, as a clause: "showing all components".
    """
    value = asked(field)
    if value is None:
        return
    before = _known().get(field)
    if before is not None and before.asked == value:
        why = before.why  # the first reason is the cause; what is done is known last
    st.session_state[_KNOWN] = _known() | {field: Fallback(value, why, instead)}
    _render()


def name_of(field: str) -> str:
    """Return the display name of a view's field."""
    return _NAMES.get(field, field.replace("_", " "))


def written(address: dict[str, str]) -> None:
    """Remember an address that the app itself has written, and what it shows instead."""
    st.session_state[_WRITTEN] = address
    st.session_state[_KNOWN] = {
        field: item if item.settled else item._replace(shown=address.get(field), settled=True)
        for field, item in _known().items()
    }


def last_written() -> dict[str, str] | None:
    """Return the address that the app itself wrote last."""
    address: dict[str, str] | None = st.session_state.get(_WRITTEN)
    return address


def forget() -> None:
    """Forget what was told, as another model is opened."""
    st.session_state[_KNOWN] = {}


def _in_link(field: str) -> str | None:
    """Return what the link holds for a field, also under its name of before."""
    found = modern(dict(st.query_params.items())).get(field)
    return None if found is None else str(found)


def _known() -> dict[str, Fallback]:
    return st.session_state.get(_KNOWN, {})


def _render() -> None:
    slot, known = st.session_state.get(_SLOT), _known()
    if slot is not None and known:
        told = "  \n".join(_words(field, item) for field, item in known.items())
        slot.warning(told, icon=":material/link_off:")


def _words(field: str, item: Fallback) -> str:
    short = item.asked if len(item.asked) <= _LONGEST else f"{item.asked[: _LONGEST - 1]}…"
    return f"The link’s {name_of(field)} “{plain(short)}” {item.why}; {item.instead}."
