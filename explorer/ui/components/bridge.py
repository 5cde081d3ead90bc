"""The bridge to the browser: registers components, mounts them, and checks what they report.

A *state* (a released frame, a selection) can change on both sides: the page requests one, the
browser reports another. The browser knows what it reported itself, so a state is sent only where
it cannot know it: from a link, after Back, or to a new mount.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import streamlit as st

_FOLDER = Path(__file__).parent
_PROJECT = "latent-explorer"

MODULES = {
    path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in _FOLDER.rglob("*.js")
}
"""The JavaScript modules of all components by their path below this folder, read once."""

_DIGEST = hashlib.blake2s(digest_size=8)
for _name, _text in sorted(MODULES.items()):
    _DIGEST.update(f"{_name} {len(_text)}\n".encode() + _text)

ADDRESS = f"/api/components/{_DIGEST.hexdigest()}"
"""URL below which the modules are served; it names their content, so browsers may cache them."""

# Inline JavaScript runs from a blob: URL, against which nothing resolves, so the module's URL is
# built from the page's. Every page lies one segment below the app, wherever a proxy puts the app.
_STUB = """\
export default async function (component) {{
  const page = location.pathname.replace(/\\/+$/, "")
  const base = location.origin + page.slice(0, page.lastIndexOf("/"))
  const module = await import(`${{base}}{address}/{name}/{name}.js`)
  return module.default(component)
}}
"""

Check = Callable[[object], object]
"""Converts a value that the browser reports; raises ValueError if it is invalid."""

State = TypeVar("State", bound=tuple[Any, ...])
"""A NamedTuple whose fields are the component's state values in the browser."""


def matching(pattern: re.Pattern[str]) -> Check:
    """Return a check that accepts text which the pattern matches in full."""

    def check(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(f"Expected text that matches {pattern.pattern}.")
        return value

    return check


@dataclass
class SyncedState(Generic[State]):
    """The state of one mount as both sides know it."""

    shown: State
    """What is on the screen."""
    sent: State
    """What was sent last; the browser adopts it when the version is new."""
    version: int = 1
    reported: bool = False
    """Whether the browser has reported a change that the page has not read yet."""


class Synced:
    """A component in this folder, registered once, with the state of its mounts.

    Args:
        name: Its folder, with `<name>.html`, `<name>.css` and the module `<name>.js`.
        isolate_styles: Whether it is mounted in a shadow tree.
    """

    def __init__(self, name: str, *, isolate_styles: bool = True) -> None:
        entry = _FOLDER / name / name
        self._mount = st.components.v2.component(
            f"{_PROJECT}.{name}",
            html=entry.with_suffix(".html").read_text(),
            css=entry.with_suffix(".css").read_text(),
            js=_STUB.format(address=ADDRESS, name=name),
            isolate_styles=isolate_styles,
        )

    def state(self, key: str, wanted: State, *, initial: bool = False) -> SyncedState[State]:
        """Reconcile what the page requests with what the user did since the last run.

        Args:
            key: Key of the widget.
            wanted: The state that the page requests; what the user did overrides it.
            initial: Whether `wanted` is only the initial state, and later runs keep the user's.
        """
        state: SyncedState[State] | None = st.session_state.get(_state_key(key))
        if state is None:
            state = st.session_state[_state_key(key)] = SyncedState(shown=wanted, sent=wanted)
            return state
        if not (initial or state.reported) and state.shown != wanted:
            state.shown = state.sent = wanted
            state.version += 1
        elif key not in st.session_state and state.sent != state.shown:
            # Remounted, as after another page: this mount never saw what the old one reported.
            state.sent = state.shown
            state.version += 1
        state.reported = False
        return state

    def mount(
        self,
        key: str,
        data: bytes | Mapping[str, object],
        *,
        checks: Mapping[str, Check] | None = None,
        listeners: Mapping[str, Callable[[object], None]] | None = None,
    ) -> Mapping[str, object]:
        """Render the component.

        Args:
            key: Key of the widget; if it changes, the browser mounts another one.
            data: What the component shows.
            checks: A check for each field of its state; invalid reports are ignored.
            listeners: For each other value, a callback that receives it when it changes.

        Returns:
            Its values in the browser.
        """
        callbacks: dict[str, Any] = {
            f"on_{field}_change": partial(_store, key, field, check)
            for field, check in (checks or {}).items()
        } | {
            f"on_{field}_change": partial(_notify, key, field, listener)
            for field, listener in (listeners or {}).items()
        }
        return self._mount(key=key, data=data, **callbacks)


def _state_key(key: str) -> str:
    return f"{key}__state"


def _value(key: str, field: str) -> object:
    return (st.session_state.get(key) or {}).get(field)


def _store(key: str, field: str, check: Check) -> None:
    """Store what the browser reports; it overrides what the page requests in this run."""
    state = st.session_state.get(_state_key(key))
    if state is None:
        return
    try:
        value = check(_value(key, field))
    except ValueError:
        return
    state.shown = state.shown._replace(**{field: value})
    state.reported = True


def _notify(key: str, field: str, listener: Callable[[object], None]) -> None:
    listener(_value(key, field))
