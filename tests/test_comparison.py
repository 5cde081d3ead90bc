"""Models are compared within one data set, on the samples that both were tested on."""

import numpy as np
import pytest

from explorer.checkpoint import LIKELIHOOD, Metric, catalogue
from explorer.comparison import Difference, _freedom, data_groups, difference, same_data
from tests.support.own_files import as_before, draw, recipe, trained


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    root = tmp_path_factory.mktemp("own")
    draw(root / "pictures", 60)
    np.save(root / "other.npy", np.random.default_rng(0).integers(0, 256, (60, 6, 6), np.uint8))
    trained(recipe("pictures"), root, root / "shelf" / "one")
    trained(recipe("other.npy"), root, root / "shelf" / "other")
    (root / "moved").mkdir()
    for path in (root / "pictures").iterdir():
        (root / "moved" / path.name).write_bytes(path.read_bytes())
    trained(recipe("moved"), root, root / "shelf" / "moved")
    draw(root / "pictures", 40, first=60)
    trained(recipe("pictures", seed=2), root, root / "shelf" / "grown")
    return root / "shelf"


def entries(shelf):
    return {entry.slug: entry for entry in catalogue(shelf)}


def test_own_files_are_told_apart_by_what_they_hold(shelf):
    known = entries(shelf)
    groups = data_groups(list(known.values()))
    members = sorted(sorted(e.slug for e in group.entries) for group in groups.values())
    assert members == [["grown", "moved", "one"], ["other"]]
    assert len({group.words for group in groups.values()}) == 2
    assert not same_data(known["one"], known["other"])
    assert difference(known["one"], known["other"], "log_likelihood") is None


def test_a_pair_is_taken_on_equal_or_common_test_samples(shelf):
    known = entries(shelf)
    n = known["one"].fingerprint.test.n
    same = difference(known["one"], known["moved"], "log_likelihood")
    assert (same.n, same.paired) == (n, True)
    common = difference(known["one"], known["grown"], "log_likelihood")
    assert common.paired
    assert common.n <= n < known["grown"].fingerprint.test.n
    ids = [np.load(known[slug].folder / LIKELIHOOD)["ids"] for slug in ("one", "grown")]
    values = [
        np.load(known[slug].folder / LIKELIHOOD)["log_likelihood"] for slug in ("one", "grown")
    ]
    by_id = [dict(zip(*pair, strict=True)) for pair in zip(ids, values, strict=True)]
    both = by_id[0].keys() & by_id[1].keys()
    expected = np.mean([float(by_id[0][i]) - float(by_id[1][i]) for i in both])
    np.testing.assert_allclose(common.value, expected, rtol=1e-5)


def test_what_is_no_likelihood_is_compared_with_none(shelf, tmp_path):
    import shutil

    shutil.copytree(shelf, tmp_path / "shelf")
    as_before(tmp_path / "shelf" / "one")
    known = entries(tmp_path / "shelf")
    assert known["one"].pseudo
    assert same_data(known["one"], known["grown"])
    assert difference(known["one"], known["grown"], "log_likelihood") is None


def test_values_that_were_read_otherwise_are_other_data(tmp_path):
    """Masks as they were read before, nearly black, and stretched, are not compared."""
    masks = (np.random.default_rng(0).random((60, 6, 6)) > 0.5).astype(np.uint8)
    np.save(tmp_path / "masks.npy", masks)
    for name, rule in (("before", 2), ("now", 3)):
        config = recipe("masks.npy", likelihood="logistic", split_rule=rule)
        trained(config, tmp_path, tmp_path / "shelf" / name)
    known = entries(tmp_path / "shelf")
    assert known["now"].config.data.white == 1
    assert not same_data(known["before"], known["now"])


def test_a_difference_of_five_draws_is_judged_by_student_s_t():
    """Two standard errors of five draws are exceeded by chance in 8 % of cases, not in 5 %."""
    generator = np.random.default_rng(0)
    judged, naive = [], []
    for row in generator.normal(size=(4000, 2, 5)):
        (a, b), errors = row.mean(1), row.std(1, ddof=1) / np.sqrt(5)
        items = [Metric(value=0, se=e, n=250, unit="on features 1") for e in errors]
        found = Difference(a - b, float(np.hypot(*errors)), 250, False, _freedom(*items))
        judged.append(found.significant)
        naive.append(abs(found.value) > 2 * found.error)
    assert 0.035 < np.mean(judged) < 0.056
    assert np.mean(naive) > 0.065


def test_an_error_over_many_samples_is_judged_as_a_normal_one():
    many = Metric(value=0, se=0.1, n=10_000, unit="nats")
    assert _freedom(many, many) > 10_000
    assert Difference(1.97, 1.0, 10_000, True, 9_999).significant
    assert not Difference(1.95, 1.0, 10_000, True, 9_999).significant
