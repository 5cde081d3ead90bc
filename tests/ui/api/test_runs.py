"""The record of a run is told from where the browser knows it; what is not there is absent."""

import threading

import pytest

from explorer import recording, runs, steering
from explorer.steering import Wish
from tests.support.api import ask, assert_absent
from tests.support.runs import digits, recipe


@pytest.fixture
def folder(monkeypatch):
    few = digits()  # read before it takes the place of all
    monkeypatch.setattr("explorer.data.DigitsConfig.load", lambda *given, **further: few)
    monkeypatch.setattr(runs, "_publish", lambda *given: None)
    for name in ("SECONDS", "_SHARE", "_STATE_SECONDS"):
        monkeypatch.setattr(recording, name, 0)
    place = runs.begin(recipe(epochs=2), "mine")
    runs.train(place, lambda *told: None, threading.Event())
    return place


def test_a_run_is_told_once_and_then_what_is_new(folder):
    first = ask("/api/runs/mine").json
    assert first["from"] == 0
    assert not first["active"]
    assert first["steps"] == recording.steps(folder)
    assert {point["split"] for point in first["points"]} == {"train", "valid"}
    again = ask(f"/api/runs/mine?from={first['known']}").json
    assert again["points"] == []
    assert again["from"] == again["known"] == first["known"]
    recording.forget(folder, 0)
    shorter = ask(f"/api/runs/mine?from={first['known']}").json
    assert shorter["from"] == 0
    assert shorter["known"] < first["known"]
    for knob, value, words in (("beta", 2, "β 2"), ("freeze_prior", 1, "prior frozen")):
        steering.keep(folder, steering.turn_of(Wish(order="turn", knob=knob, value=value), 4))
        assert ask("/api/runs/mine").json["turns"][-1] == {"step": 4, "words": words}


def test_frames_hold_what_the_browser_paints(folder):
    header, body = ask("/api/runs/mine/meta").packed
    assert header["panel"]["tiles"] == recording.RECONSTRUCTED
    assert len(body) == 64 * recording.RECONSTRUCTED
    assert len(header["labels"]) == 120
    step = recording.steps(folder)[-1]
    header, body = ask(f"/api/runs/mine/frames/{step}").packed
    ends = [panel["offset"] + panel["bytes"] for panel in header["panels"].values()]
    assert max(ends) == len(body)
    assert header["panels"]["samples"]["tiles"] == recording.SAMPLES
    assert header["panels"]["density"]["bytes"] == 48 * 48
    assert len(header["activity"]) == 2


@pytest.mark.parametrize(
    "path",
    ["nobody", "nobody/meta", "nobody/frames/0", "..", "%2e%2e", "..%2f..%2fetc", "a%00b", "CON",
     "x" * 300, "mine/frames/-1", "mine/frames/1e9", "mine/frames/99999999999", "mine/frames/٣",
     "mine/frames/..", "mine?from=-1", "mine?from=x", "mine?from=" + "9" * 30],
)  # fmt: skip
def test_what_is_not_there_is_absent(folder, path):
    assert_absent(ask(f"/api/runs/{path}"))
