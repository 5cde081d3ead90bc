"""The page Train: a recipe that follows from choices; a run that is turned and branched."""

import json

import pytest

from explorer import jobs, recording, runs, settings, steering, suggestions
from explorer.config import RunConfig
from explorer.jobs import Line
from explorer.ui.train import form
from tests.support.jobs import folder_of
from tests.support.pages import address, open_page, press, told
from tests.support.runs import recipe


@pytest.fixture(autouse=True)
def untimed(monkeypatch):
    """An epoch takes a tenth of a second, and no process is started."""
    form._suggested.clear()  # what another test has timed
    monkeypatch.setattr(suggestions, "seconds_per_epoch", lambda config, data: 0.1)
    monkeypatch.setattr(jobs.subprocess, "Popen", _Process)
    yield
    form._suggested.clear()


class _Process:
    pid = 1

    def __init__(self, *given, **further):
        pass

    def poll(self):
        return None


def active(slug, stage="epoch", done=3):
    """A run that says it trains."""
    order = jobs.order_of(slug)
    folder = folder_of(order)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "job.json").write_text(order.model_dump_json())
    line = Line(time=9e9, state="running", done=done, total=6, stage=stage)
    (folder / "log.jsonl").write_text(line.model_dump_json() + "\n")


@pytest.fixture
def training(monkeypatch):
    """A run that trains, as far as the page can tell."""
    folder = runs.begin(recipe(), "mine")
    active("mine")
    monkeypatch.setattr(jobs, "_alive", lambda place: True)
    return folder


def given(app):
    return RunConfig.model_validate_json(app.text_area[0].value)


def test_a_recipe_follows_from_what_is_chosen():
    app = open_page("train")
    assert not app.exception
    assert given(app).prior.kind == "vamp"
    assert given(app).model.latent == 2
    assert given(app).training.epochs == 510  # 0.85 minutes
    assert "510 epochs of 1,297 samples, about a minute" in told(app)
    next(c for c in app.segmented_control if c.key == "train_units").set_value(16).run()
    next(c for c in app.segmented_control if c.key == "train_prior").set_value("xvae").run()
    assert given(app).prior.source == "digits-ae-16"
    next(c for c in app.segmented_control if c.key == "train_units").set_value(40).run()
    assert "train one first" in app.info[0].value
    next(c for c in app.segmented_control if c.key == "train_prior").set_value("none").run()
    next(c for c in app.segmented_control if c.key == "train_pace").set_value("best").run()
    assert given(app).model.kind == "ae"
    assert given(app).training.epochs == 5000


def test_start_begins_a_run_and_its_link_says_so():
    app = open_page("train")
    press(app, "train_start")
    assert not app.exception
    assert address(app)["run"] == "digits-vae-vamp-2-own"
    assert runs.read("digits-vae-vamp-2-own").recipe == given(open_page("train"))
    assert jobs.find(jobs.order_of("digits-vae-vamp-2-own")).active


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "9" * 5000, json.dumps({"data": {"kind": "digits"}, "model": {"kind": "no"}}),
     json.dumps({"data": {"kind": "files", "path": "/etc"}, "model": {"kind": "ae"}}),
     json.dumps({"data": {"kind": "files", "path": "../x"}, "model": {"kind": "ae"}})],
)  # fmt: skip
def test_a_recipe_that_is_none_is_refused_in_a_sentence(text):
    app = open_page("train")
    app.text_area[0].set_value(text).run()
    assert not app.exception
    assert app.error[0].value.endswith(".")
    assert "train_start" not in [button.key for button in app.button]


def test_knobs_stand_at_their_values_and_are_turned(training):
    app = open_page("train", run="mine")
    beta = next(item for item in app.number_input if item.key == "train_beta_mine")
    assert beta.value == 1
    beta.set_value(4.0).run()
    wishes = (training / "training" / steering.WISHES).read_text().splitlines()
    assert json.loads(wishes[0]) == {"order": "turn", "knob": "beta", "value": 4.0}
    press(app, "train_pause_mine")
    active("mine", "paused, epoch")
    app.run()
    press(app, "train_go_mine")
    press(app, "train_finish_mine")
    lines = (training / "training" / steering.WISHES).read_text().splitlines()
    assert [json.loads(line)["order"] for line in lines] == ["turn", "pause", "go", "finish"]
    steering.keep(training, steering.turn_of(steering.Wish(order="turn", knob="beta", value=7), 3))
    again = open_page("train", run="mine")
    shown = next(item for item in again.number_input if item.key == "train_beta_mine")
    assert shown.value == 7


def test_an_autoencoder_has_no_beta(monkeypatch):
    runs.begin(recipe({"kind": "ae"}), "plain")
    active("plain")
    monkeypatch.setattr(jobs, "_alive", lambda place: True)
    app = open_page("train", run="plain")
    assert [item.key for item in app.number_input] == ["train_learning_rate_plain"]
    assert not app.toggle


def test_a_stopped_run_can_be_resumed_and_branched(training, monkeypatch):
    monkeypatch.setattr(jobs, "_alive", lambda place: False)
    kept = training / "training" / recording.KEPT
    kept.mkdir(parents=True)
    (kept / "000002.safetensors").write_bytes(b"state")
    monkeypatch.setattr(runs, "_batches", lambda folder: 3)
    app = open_page("train", run="mine")
    assert "train_beta_mine" not in [item.key for item in app.number_input]
    app.number_input(key="train_value_beta_mine").set_value(3.0).run()
    press(app, "train_branch_mine")
    assert not app.exception
    assert address(app)["run"] == "mine-branch"
    assert [(turn.step, turn.value) for turn in steering.kept(runs.folder_of("mine-branch"))] == [
        (6, 3.0)
    ]
    app = open_page("train", run="mine")
    press(app, "train_resume_mine")
    assert not app.exception
    assert jobs.find(jobs.order_of("mine")).active


def test_a_link_to_no_run_says_so():
    app = open_page("train", run="nobody")
    assert not app.exception
    assert "There is no run called nobody" in told(app)


def test_work_is_off_where_others_can_reach_the_server(training, monkeypatch):
    monkeypatch.delenv(settings.VARIABLES["allow_work"])
    for link in ({}, {"run": "mine"}):
        app = open_page("train", **link)
        assert not app.exception
        assert "--allow-work" in app.info[0].value
        keys = [button.key or "" for button in app.button]
        assert not any(key.startswith(("train_start", "train_pause")) for key in keys)
        assert not app.number_input
    stop = next(button for button in app.button if (button.key or "").startswith("job_stop_"))
    assert stop.disabled
