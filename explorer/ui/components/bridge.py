"""The bridge to the browser: how a component is registered, what it is sent, what it says back.

Whatever a page and a component both may change (a released frame, a selection) is a *state*: the
page asks for one, the browser reports another. The browser knows what it reported itself, so a
state travels to it only where it cannot know it: from a link, by Back, or into a new mount.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import streamlit as st

_HERE = Path(__file__).parent
_PROJECT = "latent-explorer"

MODULES = {path.relative_to(_HERE).as_posix(): path.read_bytes() for path in _HERE.rglob("*.js")}
"""The JavaScript of all components by its place in this folder, read once."""

_DIGEST = hashlib.blake2s(digest_size=8)
for _name, _text in sorted(MODULES.items()):
    _DIGEST.update(f"{_name} {len(_text)}\n".encode() + _text)

ADDRESS = f"/api/components/{_DIGEST.hexdigest()}"
"""Where the modules are served. It names their content, so a browser may keep them for good."""

# Inline JavaScript runs from a blob, whose address resolves nothing: the module's is built from
# the page's. Every page lies one segment below the app, wherever a proxy has put the app.
_STUB = """\
export default async function (component) {{
  const page = location.pathname.replace(/\\/+$/, "")
  const base = location.origin + page.slice(0, page.lastIndexOf("/"))
  const module = await import(`${{base}}{address}/{name}/{name}.js`)
  return module.default(component)
}}
"""

Check = Callable[[object], object]
"""Returns a value of the browser as the page takes it; raises ValueError if it cannot."""


def matching(grammar: re.Pattern[str]) -> Check:
    """Return the check of a text that must match as a whole."""

    def check(given: object) -> str:
        if not isinstance(given, str) or not grammar.fullmatch(given):
            raise ValueError("This is not as it stands in a link.")
        return given

    return check


State = TypeVar("State", bound=tuple[Any, ...])
"""A NamedTuple."""


@dataclass
class Turn(Generic[State]):
    """What the page and the browser know of each other."""

    shown: State
    """What is on the screen."""
    sent: State
    """What the browser was told last; it takes it over when the number is new."""
    number: int = 1
    reported: bool = False
    """Whether the browser has reported a change that the page has not seen yet."""


class Synced:
    """A component of this folder, registered once, and the states of its mounts.

    Args:
        name: Its folder, which holds `<name>.html`, `<name>.css` and the module `<name>.js`.
        isolate_styles: Whether it lives in a shadow tree of its own.
    """

    def __init__(self, name: str, *, isolate_styles: bool = True) -> None:
        entry = _HERE / name / name
        self._mount = st.components.v2.component(
            f"{_PROJECT}.{name}",
            html=entry.with_suffix(".html").read_text(),
            css=entry.with_suffix(".css").read_text(),
            js=_STUB.format(address=ADDRESS, name=name),
            isolate_styles=isolate_styles,
        )

    def turn(self, key: str, wanted: State, *, first: bool = False) -> Turn[State]:
        """Settle what is shown: what the visitor just did, or else what the page asks for.

        Args:
            key: Key of the widget.
            wanted: What the page asks for.
            first: Whether it asks at first only; from then on the state is the visitor's.
        """
        memory: Turn[State] | None = st.session_state.get(_memory(key))
        if memory is None:
            memory = st.session_state[_memory(key)] = Turn(shown=wanted, sent=wanted)
            return memory
        if not (first or memory.reported) and memory.shown != wanted:
            memory.shown = memory.sent = wanted
            memory.number += 1
        elif key not in st.session_state and memory.sent != memory.shown:
            # It was away from the screen: its new mount has not seen what the old one reported.
            memory.sent = memory.shown
            memory.number += 1
        memory.reported = False
        return memory

    def mount(
        self,
        key: str,
        data: bytes | Mapping[str, object],
        *,
        checks: Mapping[str, Check] | None = None,
        hear: Mapping[str, Callable[[object], None]] | None = None,
    ) -> Mapping[str, object]:
        """Put the component on the page.

        Args:
            key: Key of the widget; stable, or the browser builds it anew.
            data: What it shows.
            checks: For each field of its state, how a report is checked. What fails is ignored.
            hear: For each of its other values, who is told of a change.

        Returns:
            Its values as the browser has them.
        """
        callbacks: dict[str, Any] = {
            f"on_{field}_change": partial(_take, key, field, check)
            for field, check in (checks or {}).items()
        } | {
            f"on_{field}_change": partial(_tell, key, field, listener)
            for field, listener in (hear or {}).items()
        }
        return self._mount(key=key, data=data, **callbacks)


def _memory(key: str) -> str:
    return f"{key}__memory"


def _value(key: str, field: str) -> object:
    return (st.session_state.get(key) or {}).get(field)


def _take(key: str, field: str, check: Check) -> None:
    """Note what the visitor did; it wins over what the page asks for in this run."""
    memory = st.session_state.get(_memory(key))
    if memory is None:
        return
    try:
        value = check(_value(key, field))
    except ValueError:
        return
    memory.shown = memory.shown._replace(**{field: value})
    memory.reported = True


def _tell(key: str, field: str, listener: Callable[[object], None]) -> None:
    listener(_value(key, field))
