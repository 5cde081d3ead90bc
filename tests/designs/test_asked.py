"""Installed networks are properties: measured, offered where they fit, off when they break."""

import csv
import io
import shutil

import numpy as np
import pytest

from explorer.designs import installed, measuring
from explorer.designs.asked import Asked, Description, judged
from explorer.designs.measuring import applicable_properties, measure
from explorer.designs.properties import Conditions, in_words, parse
from explorer.errors import DesignError
from explorer.runtime import sessions, verdicts
from explorer.sketch import PixelSketch
from explorer.testing.properties import (
    check_keys_are_plain_words,
    check_properties_are_computed_per_sample,
)
from tests.support.asked import (
    classifier,
    described,
    described_regressor,
    install,
    regressor,
    write_judge,
)

DIGITS = PixelSketch(height=8, width=8)


pytestmark = pytest.mark.usefixtures("one_prober")


@pytest.fixture
def x():
    """Ink on the left, on the right, and none."""
    made = np.zeros((3, 1, 8, 8), np.float32)
    made[0, 0, :, :3] = 1
    made[1, 0, :, 5:] = 1
    return made


def test_a_classifier_tells_the_class_its_margin_and_each_probability(tmp_path, x):
    install(tmp_path / "side")
    found = measure(x, DIGITS, keys=["side"])
    assert [item.key for item in found.properties] == [
        "side", "side_margin", "side_left", "side_right", "side_none",
    ]  # fmt: skip
    assert found.values["side"][:2].tolist() == [0, 1]
    assert found.properties[0].words(found.values["side"][1]) == "right"
    total = sum(found.values[f"side_{name}"] for name in ("left", "right", "none"))
    np.testing.assert_allclose(total, 100, rtol=1e-6)
    ranked = np.sort(
        np.stack([found.values[f"side_{n}"] for n in ("left", "right", "none")]), axis=0
    )
    np.testing.assert_allclose(found.values["side_margin"], ranked[2] - ranked[1])
    assert found.meets(parse("side_left>=90")).tolist() == [True, False, False]


def test_softmax_in_the_graph_or_here_is_the_same(tmp_path, x):
    install(tmp_path / "one")
    inside = described(key="inner", softmax=False, outputs=[
        {"key": f"inner_{k}", "label": str(k)} for k in range(3)])  # fmt: skip
    install(tmp_path / "two", classifier(logits=False), inside)
    found = measure(x, DIGITS)
    np.testing.assert_allclose(found.values["side_left"], found.values["inner_0"], atol=1e-4)


def test_what_a_network_cannot_tell_is_unknown(tmp_path, x):
    install(tmp_path / "logs", regressor(), described_regressor())
    found = measure(x, DIGITS, keys=["log_ink"])
    assert np.isnan(found.values["log_ink"][2])
    np.testing.assert_allclose(found.values["log_ink"][0], np.log(3 / 8), rtol=1e-5)
    assert found.properties[0].words(found.values["log_ink"][2]) == "–"
    assert found.meets(parse("log_ink>=-9")).tolist() == [True, True, False]
    broken = x.copy()
    broken[0, 0, 0, 0] = np.nan
    assert np.isnan(measure(broken, DIGITS, keys=["log_ink"]).values["log_ink"][0])


@pytest.mark.parametrize("row", [[np.nan, 0.2, 0.8], [np.inf, 0, 0], [-np.inf, 1, 1]])
def test_a_row_with_an_unknown_probability_has_no_class(row):
    found = judged(np.array([row, [0.1, 0.2, 0.7]]))
    assert found.best.tolist() == [-1, 2]
    assert np.isnan(found.margin[0])


def test_values_are_mapped_to_the_range_the_network_was_trained_on(tmp_path, x):
    install(tmp_path / "logs", regressor(), described_regressor(range=[0, 255]))
    found = measure(x, DIGITS, keys=["log_ink"])
    np.testing.assert_allclose(found.values["log_ink"][0], np.log(255 * 3 / 8), rtol=1e-5)


def test_it_is_offered_only_where_its_shape_fits(tmp_path):
    install(tmp_path / "side")
    keys = [item.key for item in applicable_properties(DIGITS)]
    assert "side" in keys
    for other in (PixelSketch(height=28, width=28), PixelSketch(height=8, width=8, channels=3)):
        assert "side" not in [item.key for item in applicable_properties(other)]


def test_it_obeys_the_laws_of_a_family(tmp_path):
    x = np.random.default_rng(0).random((5, 1, 8, 8)).astype(np.float32)
    for folder, graph, told in (
        ("one", None, None), ("two", regressor(), described_regressor()),
    ):  # fmt: skip
        family = install(tmp_path / folder, graph, told).family
        check_keys_are_plain_words(family)
        check_properties_are_computed_per_sample(family, DIGITS, x)


def test_what_is_installed_removed_or_replaced_is_seen_without_a_restart(tmp_path, x):
    assert measuring.networks() == ()
    install(tmp_path / "side")
    first = measuring.fingerprint()
    assert first
    with pytest.raises(DesignError, match="already"):
        install(tmp_path / "side")
    write_judge(tmp_path / "side", classifier(seed=5))
    installed.add([tmp_path / "side"], measuring.taken_keys(), replace=True)
    assert measuring.fingerprint() not in ("", first)
    installed.remove("side")
    assert measuring.fingerprint() == ""
    assert "side" not in measure(x, DIGITS).values
    with pytest.raises(DesignError, match="no property “side”"):
        installed.remove("side")


@pytest.mark.parametrize("key", ["../x", "..", "", ".", "a/b", "/etc"])
def test_only_what_is_listed_can_be_removed(tmp_path, key):
    install(tmp_path / "side")
    with pytest.raises(DesignError):
        installed.remove(key)
    assert measuring.networks()[0].family is not None


def test_a_file_exchanged_by_hand_is_not_run_before_its_probe(tmp_path, x):
    install(tmp_path / "side")
    place = installed.folder() / "side" / "network.onnx"
    place.write_bytes(classifier(seed=3).SerializeToString())
    first = measuring.networks()[0]
    assert first.family is None
    assert "being tried" in first.reason
    assert verdicts.verdict(first.description.single(place.read_bytes())).passed
    assert measuring.networks()[0].family is not None
    place.write_bytes(b"rubbish")
    verdicts.verdict(first.description.single(b"rubbish"))
    assert "damaged" in measuring.networks()[0].reason
    assert "side" not in measure(x, DIGITS).values


def test_another_runtime_has_it_probed_again(tmp_path, monkeypatch):
    description = install(tmp_path / "side").description
    one = description.single(b"x").key
    monkeypatch.setattr(verdicts, "runtime", lambda: "another")
    assert description.single(b"x").key != one


def test_a_network_that_fails_turns_itself_off(tmp_path, x, monkeypatch):
    install(tmp_path / "side")

    def slow(self, block):
        raise sessions.DeviceError("side was ended: it takes too long.")

    monkeypatch.setattr(sessions.Network, "_run", slow)
    assert np.isnan(measure(x, DIGITS, keys=["side"]).values["side"]).all()
    assert measuring.networks()[0].reason == "side was ended: it takes too long."
    assert "side" not in [item.key for item in applicable_properties(DIGITS)]


def test_a_crash_of_the_runtime_turns_it_off_in_a_sentence(x):
    family = Asked(Description.model_validate(described()), b"no graph at all")
    assert np.isnan(family.measure(x, DIGITS, Conditions())["side"]).all()
    assert family.fault.startswith("It cannot be run")
    assert not family.fits(DIGITS)


def test_a_folder_that_lost_a_file_is_off_in_a_sentence(tmp_path):
    install(tmp_path / "side")
    (installed.folder() / "side" / "property.json").unlink()
    assert "lacks one of its two files" in measuring.networks()[0].reason


def test_a_link_in_the_folder_is_not_followed(tmp_path):
    install(tmp_path / "side")
    real = tmp_path / "elsewhere"
    shutil.move(installed.folder() / "side", real)
    (installed.folder() / "side").symlink_to(real)
    assert "link" in measuring.networks()[0].reason


def test_two_of_one_key_are_told(tmp_path):
    install(tmp_path / "side")
    other = described(key="other")
    with pytest.raises(DesignError, match="“side_"):
        install(tmp_path / "other", None, other)


def test_a_bound_on_a_class_is_told_by_its_name(tmp_path):
    family = install(tmp_path / "side").family
    bound = parse("side>=1")[0]
    assert in_words(bound, family.properties(Conditions())) == "Side ≥ right"


def test_hostile_units_do_not_reach_a_spreadsheet(tmp_path, x):
    from explorer.designs.formats import cell

    told = described_regressor()
    told["outputs"][0] |= {"label": "=1+1", "unit": "=HYPERLINK(1)"}
    install(tmp_path / "logs", regressor(), told)
    stream = io.StringIO()
    csv.writer(stream).writerow([cell("=1+1")])
    assert stream.getvalue().startswith("'=")
