"""Models stand side by side with their nulls; what does not exist says why."""

import dataclasses
import json

import pytest

from explorer import jobs
from explorer.models import MatchedVAEConfig
from explorer.objectives import MatchingConfig
from explorer.priors import SphereConfig
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate import flows, matching, table
from explorer.ui.evaluate.matching import code_line, null_line, sample_line, way
from explorer.ui.evaluate.table import Row
from tests.support.pages import address, open_page, told
from tests.support.results import (
    entry,
    everything,
    flow_curves,
    flowing,
    matched,
    nats,
    per_sample,
    put,
    share,
)


@pytest.fixture
def several(shelf):
    """Put models of each way on the shelf, some with other numbers of units."""
    put(shelf, "fixed", everything() | matched(0.52), **per_sample(1), **flow_curves(20.0))
    put(shelf, "learned", everything(-19) | matched(), prior={"kind": "mog", "components": 3},
        **flow_curves(16.0))  # fmt: skip
    put(shelf, "plain", {"reconstruction": nats(-8)} | flowing(13.0), model="ae",
        **flow_curves(13.0))  # fmt: skip
    put(shelf, "wide", everything(-18) | matched(), latent=5, **flow_curves())
    put(shelf, "unmeasured", everything(-23), prior={"kind": "vamp", "components": 4})
    return shelf


def row(slug):
    return Row(entry(slug), slug)


# Cells


def test_a_measure_has_its_error_and_its_null(several):
    cells = code_line(row("fixed"))
    assert cells["C2ST"] == "0.520 ± 0.070 (0.490; 0.610)"
    assert cells["Sliced W²"] == "0.2500 ± 0.0100 (0.1200; 0.1500)"
    assert cells["MMD²"] == "not measured"
    assert (cells["log p(x)"], cells["n"]) == ("−20.0 ± 0.2", "50")
    cells = sample_line(row("fixed"))
    assert cells["Fréchet, prior"] == "30.0 ± 2.0"
    assert cells["Near copies, prior"] == "1.1 ± 0.4 %"
    assert cells["Network"] == "0123456789abcdef"


def test_copies_stand_beside_every_distance_of_samples(several):
    headings = list(sample_line(row("fixed")))
    for sampler in ("prior", "flow"):
        place = headings.index(f"Fréchet, {sampler}")
        assert headings[place + 1] == f"Near copies, {sampler}"


def test_an_autoencoder_has_no_prior_to_match_or_to_sample(several):
    codes, samples = code_line(row("plain")), sample_line(row("plain"))
    assert {codes[name] for name in ("C2ST", "Sliced W²", "MMD²", "log p(x)")} == {"no prior"}
    assert codes["log p(x|z)"] == "−8.0 ± 0.2"
    assert {samples["Fréchet, prior"], samples["Near copies, prior"]} == {"no prior"}
    assert samples["Fréchet, flow"] == "13.0 ± 1.5"


def changed(slug, **parts):
    """Return a model with parts of its recipe replaced, and without log p(x)."""
    known = entry(slug)
    config = known.config.model_copy(update=parts)
    metrics = {name: metric for name, metric in known.metrics.items() if name != "log_likelihood"}
    return dataclasses.replace(known, config=config, metrics=metrics)


def test_what_does_not_exist_says_why(several):
    for parts, words in (
        ({}, "not measured"),
        ({"model": MatchedVAEConfig(noise=0.0)}, "deterministic encoder"),
        ({"prior": SphereConfig()}, "prior without density"),
    ):
        assert code_line(Row(changed("fixed", **parts), "fixed"))["log p(x)"] == words


def test_without_a_network_no_distance_is_missing_by_accident(several):
    known = {"flow_precision": share(0.8), "flow_copies": share(0.1)}
    cells = sample_line(Row(dataclasses.replace(entry("fixed"), metrics=known), "fixed"))
    assert cells["Fréchet, flow"] == "no feature network"
    assert cells["Network"] == "none"


def test_real_data_close_the_table(several):
    cells = null_line([row("fixed"), row("plain")])
    assert cells["Fréchet, flow"] == "12.0"
    assert cells["Near copies, flow"] == "5.0 %"


def test_the_ways_are_told_apart(several):
    words = {slug: way(entry(slug)).words for slug in ("fixed", "learned", "plain")}
    assert words == {"fixed": "fixed", "learned": "learned", "plain": "no prior"}
    assert way(changed("fixed", objective=MatchingConfig())).words == "codes matched to it"


def test_only_what_was_measured_is_listed_autoencoders_included(several):
    rows = matching.rows(table.rows("digits"))
    assert {found.entry.slug for found in rows} == {"fixed", "learned", "plain", "wide"}


# The page


def traces(app, key):
    charts = [item.proto for item in app.get("plotly_chart") if f"-{key}-" in f"{item.proto.id}-"]
    return json.loads(charts[0].spec)["data"] if charts else None


@pytest.mark.slow
def test_the_page_compares_models_with_as_many_units(several, monkeypatch):
    app = open_page("evaluate", model="fixed")
    assert not app.exception
    names = list(app.dataframe[1].value["Model"])
    assert names == ["Autoencoder", "Standard normal", "Mixture of Gaussians"]
    assert list(app.dataframe[2].value["Model"]) == [*names, "Real data"]
    assert [trace["name"] for trace in traces(app, "evaluate_flow_training")] == names
    assert "n = 50" in told(app)
    assert "latent" not in address(app)
    app = open_page("evaluate", model="fixed", latent=5, curve="copies")
    assert list(app.dataframe[1].value["Model"]) == ["Standard normal"]
    (copies,) = traces(app, "evaluate_flow_sampling")
    assert copies["x"] is not None
    assert address(app)["curve"] == "copies"
    # What the open model lacks is measured from here.
    ordered = []
    monkeypatch.setattr(jobs, "start", ordered.append)
    app = open_page("evaluate", model="unmeasured")
    app.button(key="job_evaluate_unmeasured").click().run()
    assert [order.kind for order in ordered] == ["evaluate"]


@pytest.mark.slow
def test_without_measurements_the_page_says_how_to_make_them(three):
    app = open_page("evaluate", model="one-standard")
    assert not app.exception
    assert len(app.dataframe) == 1
    assert "--part matching --part downstream" in told(app)
    assert app.button(key="job_evaluate_one-standard")


def test_of_many_models_the_best_of_each_way_are_drawn(several):
    for k in range(12):
        put(several, f"mog-{k}", matched() | flowing(40.0 - k), latent=2,
            prior={"kind": "mog", "components": k + 4})  # fmt: skip
    shown = matching.rows(table.rows("digits"))
    view = EvaluateView(model="mog-0", compare=["wide"])
    chosen = {row.entry.slug for row in flows._chosen(shown, view)}
    assert {"mog-0", "wide"} <= chosen  # the open one, and the one compared with it
    assert chosen - {"mog-0", "wide"} == {"plain", "fixed", "learned", "mog-11"}
    assert flows._chosen(shown[:10], view) == shown[:10]
