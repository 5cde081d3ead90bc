"""A checkpoint knows its data, and one of before says that it does not."""

import numpy as np
import pytest

from explorer import checkpoint, publishing
from explorer.checkpoint import FINGERPRINT, Metric, catalogue, load, write_metrics
from explorer.errors import CheckpointError, TrainingError
from explorer.projection import Split, load_atlas
from explorer.training import train
from tests.support.own_files import as_before, draw, recipe, trained


@pytest.fixture
def mine(tmp_path):
    draw(tmp_path / "pictures", 60)
    return trained(recipe("pictures"), tmp_path, tmp_path / "shelf" / "mine")


def test_a_fingerprint_travels_with_weights_map_and_measurements(mine, tmp_path):
    data = mine.config.data.load(tmp_path)
    expected = mine.config.data.fingerprint(data)
    measured = checkpoint.read_arrays(mine.folder / checkpoint.LIKELIHOOD)
    assert mine.fingerprint == load_atlas(mine).fingerprint == expected
    assert str(measured["test"]) == expected.test.digest
    np.testing.assert_array_equal(measured["ids"], data.test.ids)
    assert mine.changes(data) == ""
    assert catalogue(tmp_path / "shelf")[0].fingerprint == expected


def test_originals_stay_with_their_codes_when_the_folder_grows(mine, tmp_path):
    atlas, before = load_atlas(mine), mine.config.data.load(tmp_path)
    for copy in ("000a.png", "0000.png"):
        (tmp_path / "pictures" / copy).write_bytes((tmp_path / "pictures/000.png").read_bytes())
    draw(tmp_path / "pictures", 5, first=100)
    (tmp_path / "pictures" / "007.png").unlink()
    after = mine.config.data.load(tmp_path)
    missing = []
    for row, number in enumerate(atlas.ids):
        name = Split(atlas.split[row]).label
        old, new = before.split(name), after.split(name)
        at = new.find(int(number))
        if at is None:
            missing.append(atlas.names[row])
        else:
            np.testing.assert_array_equal(new.x[at], old.x[old.find(int(number))])
    assert missing == ["007.png"]
    assert "train" in mine.changes(after)
    assert not set(before.train.ids) & set(after.test.ids)


def test_a_damaged_fingerprint_is_named(mine, tmp_path):
    (mine.folder / FINGERPRINT).write_text('{"train": 3}')
    with pytest.raises(CheckpointError, match=r"data\.json"):
        load(mine.folder)
    entry = catalogue(tmp_path / "shelf")[0]
    assert not entry.healthy
    assert "data.json" in entry.reason


def test_a_checkpoint_of_before_keeps_its_split_and_its_score_another_name(mine, tmp_path):
    as_before(mine.folder)
    number = Metric(value=-5.0, se=0.1, n=6, unit="nats", samples=4)
    names = ("log_likelihood", "elbo", "reconstruction", "kl", "bits_per_dimension")
    write_metrics(mine.folder, dict.fromkeys(names, number))
    opened = load(mine.folder)
    assert opened.config.data.split_rule == 1
    assert opened.pseudo
    scores = ("log_likelihood", "elbo", "reconstruction")
    assert opened.metrics.keys() == {f"pseudo_{name}" for name in scores} | {"kl"}
    assert opened.metrics.keys() == catalogue(tmp_path / "shelf")[0].metrics.keys()
    data = opened.config.data.load(tmp_path)
    assert "does not record its data" in opened.changes(data)
    found = publishing.measure(opened, data, mine.folder, samples=4, parts=("likelihood",))
    assert "pseudo_log_likelihood" in found
    assert "log_likelihood" not in found
    assert "pseudo log likelihood" in publishing.card(load(mine.folder))


def test_a_run_of_before_is_resumed_by_its_rule(tmp_path):
    draw(tmp_path / "pictures", 60)
    config = recipe("pictures", split_rule=2)
    train(config, config.data.load(tmp_path), tmp_path / "out")
    newer = recipe("pictures")
    with pytest.raises(TrainingError, match='set "split_rule": 2'):
        train(newer, newer.data.load(tmp_path), tmp_path / "out", resume=True)
    train(config, config.data.load(tmp_path), tmp_path / "out", resume=True)
    assert load(tmp_path / "out").config.data.split_rule == 2
    assert load(tmp_path / "out").config.data.white is None


def test_what_reading_settled_is_kept_and_a_run_goes_on_with_it(tmp_path):
    draw(tmp_path / "pictures", 60)
    config = recipe("pictures")
    train(config, config.data.load(tmp_path), tmp_path / "out")
    stored = load(tmp_path / "out").config
    assert (stored.data.white, stored.data.light, stored.data.invert) == (255, True, False)
    assert stored.data.path == "pictures"
    train(config, config.data.load(tmp_path), tmp_path / "out", resume=True)
    assert load(tmp_path / "out").config == stored


def test_a_run_is_resumed_on_its_own_data_alone(tmp_path):
    draw(tmp_path / "pictures", 60)
    config = recipe("pictures")
    train(config, config.data.load(tmp_path), tmp_path / "out")
    draw(tmp_path / "pictures", 9, first=60)
    longer = config.model_copy(
        update={"training": config.training.model_copy(update={"epochs": 2})}
    )
    with pytest.raises(TrainingError, match="data have changed since this run began"):
        train(longer, longer.data.load(tmp_path), tmp_path / "out", resume=True)
