"""Sentences on how samples are judged say what was measured."""

import numpy as np
import pytest

from explorer.checkpoint import Metric
from explorer.metrics.novelty import Axes, NoveltyReference
from explorer.ui.wording import rules
from tests.support.gaussians import normal


def share(value, n=3000):
    return Metric(value=value, se=(value * (1 - value) / n) ** 0.5, n=n, seed=0, unit="share")


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [(52.1, 3.7, "52 ± 4 %"), (45.0, 0.2, "45 ± 1 %"), (99.8, 0.0, "100 ± 1 %")],
)
def test_a_percentile_is_told_in_whole_points_with_its_error(value, error, words):
    assert rules.anomaly(value, error) == words


def test_shares_are_told_as_precisely_as_they_are_known():
    assert rules.share({"a": share(0.0512)}, "a") == "5.1 ± 0.4 %"
    assert rules.share({"a": share(0.05, 100)}, "a") == "5 ± 2 %"
    assert rules.share({"a": share(1.0)}, "a") == "100.0 %"


def test_rates_name_each_that_was_measured():
    said = rules.error_rates({"held_out_copied": share(0.05), "noise_far": share(0.9, 1000)})
    assert said.startswith("By this rule 5.0 ± 0.4 % of held-out samples")
    assert "white noise" in said
    assert "n ≥ 1,000" in said
    assert rules.error_rates({}) == ""


def test_far_from_all_is_said_of_the_whole_split_only():
    axes = Axes.of(normal(50, 2))
    for total, words, whole in (
        (50, "all 50 training samples searched", True),
        (70, "50 of 70 training samples searched", False),
        (
            None,
            "50 training codes of the map searched; all after `latent-explorer project`",
            False,
        ),
    ):
        measure = NoveltyReference.stored(axes, normal(50, 2), np.arange(9.0), total)
        assert rules.compared_with(measure) == words
        assert (rules.verdict(99.0, measure) == "Far from the data") == whole
        assert rules.verdict(1.0, measure) == "Nearly a copy"
        assert rules.verdict(50.0, measure) == "Novel"
