"""Knobs turned while a model trains: killed, replayed or branched, it ends alike."""

import threading
import time
from itertools import pairwise

import pytest
import torch

from explorer import recording, run_states, runs, steering, training, training_loop
from explorer.config import Turn
from explorer.errors import TrainingError
from explorer.recording import Recorder
from explorer.steering import Wish
from explorer.training_loop import Follower, StoppedRunError
from tests.support.runs import _Killed, assert_same_run, digits, recipe, weights
from tests.training.test_resume import RESUMED

TURNS = [
    (2, "beta", 4.0),
    (5, "prior_learning_rate", 0.02),
    (7, "freeze_prior", 1.0),
    (9, "learning_rate", 0.002),
    (11, "free_bits", 0.3),
    (13, "freeze_prior", 0.0),
]
"""Step, knob and value."""


class Turning(Follower):
    """Turns knobs before given batches, and dies before one."""

    def __init__(self, turns=(), dies=None):
        self.turns, self.dies = turns, dies

    def begin(self, run):
        pass

    def between(self, run):
        if run.step == self.dies:
            raise _Killed
        return [
            Turn(step=step, knob=knob, value=value)
            for step, knob, value in self.turns
            if step == run.step
        ]

    def epoch(self, run, progress):
        pass


@pytest.mark.parametrize("config", RESUMED.values(), ids=RESUMED.keys())
@pytest.mark.fault
def test_a_run_killed_within_an_epoch_ends_like_one_that_was_not(config, tmp_path, monkeypatch):
    training.train(config, digits(), tmp_path / "whole")
    monkeypatch.setattr(training_loop, "SAVE_EVERY_SECONDS", -1)
    for dies, resume in ((4, False), (8, True)):
        with pytest.raises(_Killed):
            training.train(
                config, digits(), tmp_path / "killed", resume=resume, follower=Turning(dies=dies)
            )
    training.train(config, digits(), tmp_path / "killed", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "killed")


def test_what_was_turned_is_turned_again_by_the_recipe(tmp_path):
    done = training.train(recipe(), digits(), tmp_path / "live", follower=Turning(TURNS))
    assert [(turn.step, turn.knob, turn.value) for turn in done.training.turns] == TURNS
    training.train(done, digits(), tmp_path / "again")
    assert_same_run(tmp_path / "live", tmp_path / "again")
    training.train(recipe(), digits(), tmp_path / "untouched")
    one, other = weights(tmp_path / "live"), weights(tmp_path / "untouched")
    assert any(not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("knob", TURNS, ids=lambda turn: f"{turn[1]} {turn[2]}")
def test_every_knob_does_something(knob, tmp_path):
    if knob[1] == "freeze_prior" and not knob[2]:
        pytest.skip("it undoes another")
    training.train(recipe(), digits(), tmp_path / "plain")
    training.train(recipe(), digits(), tmp_path / "turned", follower=Turning([knob]))
    one, other = weights(tmp_path / "plain"), weights(tmp_path / "turned")
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_a_frozen_prior_stays_as_it_is(tmp_path):
    ends = {}
    for epochs in (3, 6):
        frozen = [(3, "freeze_prior", 1.0)]
        config = recipe(epochs=epochs, average=0, decay="constant", patience=50)
        config = config.settled(digits())
        run = training_loop.Run(config, digits(), tmp_path / str(epochs), torch.device("cpu"))
        run.follower = Turning(frozen)
        for _ in run.epochs():
            pass
        ends[epochs] = {
            name: value.clone() for name, value in run.network.prior.state_dict().items()
        }
    for name, value in ends[3].items():
        torch.testing.assert_close(value, ends[6][name], rtol=0, atol=0)


@pytest.mark.fault
def test_a_turn_is_kept_before_the_kill_that_follows_it(tmp_path):
    config = recipe()
    training.train(config, digits(), tmp_path / "whole", follower=Turning(TURNS[:1]))
    with pytest.raises(_Killed):  # the state is that of the first epoch's end, before the turn
        training.train(
            config, digits(), tmp_path / "killed", follower=Turning([(5, "beta", 4.0)], dies=6)
        )
    training.train(config, digits(), tmp_path / "killed", resume=True)
    training.train(config, digits(), tmp_path / "other", follower=Turning([(5, "beta", 4.0)]))
    assert_same_run(tmp_path / "killed", tmp_path / "other")


def test_impossible_values_are_refused_in_a_sentence(tmp_path):
    for knob, value in (("beta", -1), ("learning_rate", 2), ("free_bits", float("nan"))):
        with pytest.raises(TrainingError, match="cannot be"):
            steering.ask(tmp_path, Wish(order="turn", knob=knob, value=value))
    assert not (tmp_path / "training").exists()


def test_lines_that_are_no_wishes_are_passed_over(tmp_path):
    wishes = steering.Wishes(tmp_path)
    path = tmp_path / "training" / steering.WISHES
    path.parent.mkdir()
    path.write_bytes(b'{"order": "dance"}\n\xff\xfe\n[]\n' + b"[" * 9000 + b"\n")
    steering.ask(tmp_path, Wish(order="pause"))
    append(path, b'{"order": "sto')
    assert wishes.fresh() == [Wish(order="pause")]
    append(path, b'p"}\n')
    assert wishes.fresh() == [Wish(order="stop")]
    assert wishes.fresh() == []


def append(path, content):
    with path.open("ab") as stream:
        stream.write(content)


# Runs


@pytest.fixture
def load(monkeypatch):
    """A tenth of the digits in the place of all."""
    few = digits()  # read before it takes the place of all
    monkeypatch.setattr("explorer.data.DigitsConfig.load", lambda *given, **further: few)
    monkeypatch.setattr(runs.publishing, "measure", lambda *given, **further: {})
    monkeypatch.setattr(recording, "SECONDS", 0.0)
    monkeypatch.setattr(recording, "_SHARE", 0)
    monkeypatch.setattr(recording, "_STATE_SECONDS", 0.0)


def trained(slug, config, halt=None):
    folder = runs.begin(config, slug)
    runs.train(folder, lambda stage, done, total: None, halt or threading.Event())
    return folder


@pytest.mark.usefixtures("load")
def test_a_recorded_run_ends_with_the_weights_of_one_that_was_not(tmp_path):
    folder = trained("recorded", recipe())
    training.train(recipe(), digits(), tmp_path / "plain")
    assert_same_run(tmp_path / "plain", folder)
    assert (runs.published("recorded") / "model.safetensors").read_bytes() == (
        folder / "model.safetensors"
    ).read_bytes()
    steps = recording.steps(folder)
    assert steps[0] == 0
    assert len(steps) > 6
    points, known = recording.curves(folder)
    assert {point.split for point in points} == {"train", "valid"}
    assert recording.curves(folder, known) == ([], known)
    header = recording.header_of(recording.read_frame(folder, steps[-1]))
    assert set(header["panels"]) == {
        "samples", "reconstructed", "pseudo", "codes", "density", "plane",
    }  # fmt: skip


@pytest.mark.usefixtures("load")
def test_a_branch_goes_on_from_where_it_was(tmp_path):
    parent = trained("parent", recipe(patience=50))
    epoch = recording.states(parent)[1]
    same = runs.branch("parent", epoch, [], "same")
    runs.train(same, lambda *told: None, threading.Event())
    assert_same_run(parent, same)
    other = runs.branch("parent", epoch, [Wish(order="turn", knob="beta", value=9)], "other")
    assert max(recording.steps(other)) <= 3 * epoch
    runs.train(other, lambda *told: None, threading.Event())
    one, two = weights(parent), weights(other)
    assert any(not torch.equal(one[name], two[name]) for name in one)
    training.train(
        recipe(patience=50), digits(), tmp_path / "anew",
        follower=Turning([(3 * epoch, "beta", 9.0)]),
    )  # fmt: skip
    assert_same_run(tmp_path / "anew", other)
    assert runs.read("other").parent == "parent"
    with pytest.raises(TrainingError, match="was not kept"):
        runs.branch("parent", 99, [], "late")
    with pytest.raises(TrainingError, match="choose another name"):
        runs.branch("parent", epoch, [], "same")


@pytest.mark.usefixtures("load")
def test_a_run_is_paused_and_goes_on_and_stops_and_is_resumed(tmp_path):
    folder = runs.begin(recipe(epochs=4000, patience=4000), "long")
    told, halt = [], threading.Event()
    failed = []

    def work():
        try:
            runs.train(folder, lambda stage, done, total: told.append((stage, done)), halt)
        except StoppedRunError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    waits(lambda: any(stage == "epoch" for stage, _ in told))
    steering.ask(folder, Wish(order="pause"))
    waits(lambda: told[-1][0] == "paused, epoch")
    epochs = [done for stage, done in told if stage == "epoch"]
    time.sleep(0.3)
    assert [done for stage, done in told if stage == "epoch"] == epochs
    steering.ask(folder, Wish(order="go"))
    waits(lambda: told[-1][0] == "epoch")
    halt.set()
    thread.join(20)
    assert failed
    assert not runs.published("long").exists()
    reached = max(done for stage, done in told if stage == "epoch")
    told.clear()
    halt.clear()
    thread = threading.Thread(target=work)
    thread.start()
    waits(lambda: any(stage == "epoch" for stage, _ in told))
    assert told[0][1] >= reached
    steering.ask(folder, Wish(order="finish"))
    thread.join(30)
    assert runs.published("long").is_dir()


def waits(ready, seconds=30):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.usefixtures("load")
def test_a_record_that_cannot_be_written_ends_and_the_run_goes_on(tmp_path, monkeypatch):
    write = recording.checkpoint.write

    def full(path, content):
        if recording.RECORD in path.parts:
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(recording.checkpoint, "write", full)
    folder = trained("unrecorded", recipe())
    training.train(recipe(), digits(), tmp_path / "plain")
    assert_same_run(tmp_path / "plain", folder)
    assert recording.steps(folder) == []


@pytest.mark.usefixtures("load")
def test_a_full_disk_is_told_with_its_remedy_and_the_run_is_resumed(tmp_path, monkeypatch):
    monkeypatch.setattr(training_loop, "SAVE_EVERY_SECONDS", -1)
    write, stored = run_states.write, []

    def full(*given):
        stored.append(given)
        if len(stored) > 7:
            raise OSError(28, "No space left on device")
        write(*given)

    monkeypatch.setattr(run_states, "write", full)
    folder = runs.begin(recipe(), "full")
    with pytest.raises(TrainingError, match=r"No space left on device.*then resume it"):
        runs.train(folder, lambda *told: None, threading.Event())
    monkeypatch.setattr(run_states, "write", write)
    runs.train(folder, lambda *told: None, threading.Event())
    training.train(recipe(), digits(), tmp_path / "plain")
    assert_same_run(tmp_path / "plain", folder)


# The record


def test_what_is_thinned_stays_even_with_both_ends():
    for count in (3, 10, 500):
        known, kept = list(range(0, 7 * count, 7)), []
        for step in known:
            kept.append(step)
            for gone in recording.superfluous(kept, 16):
                kept.remove(gone)
        assert len(kept) == min(count, 16)
        assert (kept[0], kept[-1]) == (0, known[-1])
        gaps = [b - a for a, b in pairwise(kept)]
        assert max(gaps[:-1]) <= 4 * min(gaps[:-1])


def test_a_record_forgets_what_came_after_the_state(tmp_path):
    recorder = Recorder(tmp_path)
    recorder.folder.mkdir(parents=True)
    for step in (0, 5, 9):
        (recorder.folder / f"{step:09d}.bin").write_bytes(b"frame")
        recorder._line(recording.Point(step=step, split="train", reconstruction=-1, kl=1))
    recording.forget(tmp_path, 5)
    assert recording.steps(tmp_path) == [0, 5]
    points, known = recording.curves(tmp_path)
    assert [point.step for point in points] == [0, 5]
    assert recording.curves(tmp_path, known + 50)[0] == points, "a shorter record is read anew"


def test_a_torn_line_of_the_curves_waits(tmp_path):
    recorder = Recorder(tmp_path)
    recorder.folder.mkdir(parents=True)
    recorder._line(recording.Point(step=1, split="train", reconstruction=-1, kl=1))
    append(recorder.folder / recording.CURVES, b'{"step": 2, "spl')
    points, known = recording.curves(tmp_path)
    assert [point.step for point in points] == [1]
    append(recorder.folder / recording.CURVES, b'it": "train", "reconstruction": 0, "kl": 0}\n')
    assert [point.step for point in recording.curves(tmp_path, known)[0]] == [2]
