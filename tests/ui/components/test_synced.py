"""A component's state: the page requests it, the browser reports it, a new mount is told of it."""

import re
from typing import NamedTuple

import pytest

from explorer.ui.components import bridge
from explorer.ui.components.bridge import Synced, matching


class Dial(NamedTuple):
    at: int
    name: str = ""


@pytest.fixture
def session(monkeypatch):
    state = {}
    monkeypatch.setattr(bridge.st, "session_state", state)
    return state


@pytest.fixture
def synced(session):
    """A component that Streamlit mounts as soon as its state is asked for."""
    component = object.__new__(Synced)

    def run(wanted, **options):
        state = component.state("dial", wanted, **options)
        session.setdefault("dial", {})
        return state

    return run


def report(session, field, value, check=int):
    session["dial"] = {**session.get("dial", {}), field: value}
    bridge._store("dial", field, check)


def leave(session):
    """Streamlit forgets a widget that a run has not rendered."""
    del session["dial"]


def test_a_request_is_sent_once(synced):
    first = synced(Dial(3))
    assert (first.shown, first.sent, first.version) == (Dial(3), Dial(3), 1)
    assert synced(Dial(3)).version == 1
    again = synced(Dial(4))
    assert (again.shown, again.sent, again.version) == (Dial(4), Dial(4), 2)


def test_a_report_overrides_the_request_and_is_not_sent_back(session, synced):
    synced(Dial(3))
    report(session, "at", 5)
    state = synced(Dial(3))
    assert (state.shown, state.sent, state.version) == (Dial(5), Dial(3), 1)
    # The page has read it by now; what it requests from here on counts again.
    assert synced(Dial(5)).version == 1
    assert synced(Dial(3)).sent == Dial(3)
    assert synced(Dial(3)).version == 2


def test_fields_are_reported_one_by_one(session, synced):
    synced(Dial(3, "a"))
    report(session, "name", "b", str)
    report(session, "at", 5)
    assert synced(Dial(3, "a")).shown == Dial(5, "b")


@pytest.mark.parametrize("value", [None, "x", [1], {"at": 1}])
def test_an_invalid_report_changes_nothing(session, synced, value):
    synced(Dial(3))
    report(session, "at", value, bridge.matching(re.compile("[0-9]+")))
    state = synced(Dial(3))
    assert state.shown == Dial(3)
    assert not state.reported


def test_a_report_before_the_first_run_is_ignored(session):
    report(session, "at", 5)
    assert set(session) == {"dial"}


def test_a_new_mount_is_told_what_the_old_one_reported(session, synced):
    synced(Dial(3))
    report(session, "at", 5)
    synced(Dial(3))
    leave(session)
    state = synced(Dial(5))
    assert (state.shown, state.sent, state.version) == (Dial(5), Dial(5), 2)
    assert synced(Dial(5)).version == 2


def test_an_initial_state_is_not_requested_again(session, synced):
    synced(Dial(0), initial=True)
    report(session, "at", 5)
    for _ in range(2):
        state = synced(Dial(0), initial=True)
        assert (state.shown, state.version) == (Dial(5), 1)
    leave(session)
    assert synced(Dial(0), initial=True).sent == Dial(5)


def test_text_must_match_in_full():
    check = matching(re.compile("a+"))
    assert check("aa") == "aa"
    for value in ("", "ab", "a\n", 1, None):
        with pytest.raises(ValueError, match="Expected text"):
            check(value)


def test_every_component_has_its_module():
    folders = [path for path in bridge._FOLDER.iterdir() if (path / "__init__.py").is_file()]
    assert {f"{path.name}/{path.name}.js" for path in folders} <= set(bridge.MODULES)
