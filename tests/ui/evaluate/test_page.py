"""The Evaluate page: every number with its error, and none that was not measured."""

import csv
import functools
import io
import json
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer import checkpoint, jobs, settings
from explorer.checkpoint import LIKELIHOOD, Metric, results_folder
from explorer.config import RunConfig
from explorer.data import DigitsConfig
from explorer.metrics import evaluate
from explorer.metrics.published import published
from explorer.naming import DATA
from explorer.ui import cache
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate import charts as evaluate_charts
from explorer.ui.evaluate import table
from explorer.ui.wording import palette
from tests.support.models import small_checkpoint
from tests.support.pages import address, open_page, told

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SIDES = {"digits": (8, 8), "frey": (28, 20)}
N = 50


def put(
    shelf, slug, metrics, *, data="digits", prior=None, model="vae", latent=2, weights=True,
    hidden=(8, 8), **arrays,
):  # fmt: skip
    """Put a small untrained model with made-up numbers on the shelf; a plain one has no prior."""
    height, width = SIDES.get(data, (28, 28))
    top = {"top": latent, "bottom": latent + 1} if "hvae" in model else {"latent": latent}
    config = RunConfig.model_validate(
        {
            "data": {"kind": data},
            "model": {"kind": model, "hidden": hidden} | top,
            "prior": None if model == "ae" else prior or {"kind": "standard"},
            "sketch": {"kind": "pixels", "height": height, "width": width},
        }
    )
    torch.manual_seed(0)
    folder = checkpoint.save(*config.build(), config, shelf / slug)
    checkpoint.write_metrics(folder, metrics)
    if arrays:
        np.savez(folder / LIKELIHOOD, **arrays)
    if not weights:
        (folder / checkpoint.WEIGHTS).unlink()
    return folder


def nats(value, se=0.25, *, n=N, samples=500, **more):
    return Metric(value=value, se=se, n=n, samples=samples, seed=0, unit="nats", **more)


def share(value, se=0.004, null=None):
    return Metric(value=value, se=se, n=N, seed=0, unit="share", samples=5 * N, null=null)


def everything(value=-20.0):
    """Make up numbers that lack nothing the page asks for."""
    return {
        "log_likelihood": nats(value),
        "elbo": nats(value - 2),
        "active_units_absolute": Metric(value=2, n=N, unit="of 2 units"),
        "density": share(0.9, null=1.0),
        "coverage": share(0.8, null=0.96),
        "information": Metric(value=1.5, se=0.01, n=N, seed=0, unit="nats"),
    }


def per_sample(seed):
    generator = np.random.default_rng(seed)
    return {
        "rows": np.arange(N, dtype=np.int32),
        "log_likelihood": generator.normal(-20 - seed, 3, N).astype(np.float32),
        "elbo": generator.normal(-22 - seed, 3, N).astype(np.float32),
        "kl_per_unit": np.array([0.5, 3.0], np.float32),
    }


@pytest.fixture
def three(shelf):
    """Two models whose every sample is known, and one with numbers alone."""
    put(shelf, "one-standard", everything(-21), **per_sample(1))
    put(shelf, "two-mog", everything(-20), prior={"kind": "mog", "components": 3},
        **per_sample(2))  # fmt: skip
    put(shelf, "three-vamp", everything(-22), prior={"kind": "vamp", "components": 4},
        weights=False)  # fmt: skip
    return shelf


def entry(slug):
    return next(each for each in cache.entries() if each.slug == slug)


# Rows


def slugs(data="digits"):
    return [row.entry.slug for row in table.rows(data)]


@pytest.mark.usefixtures("three")
def test_models_stand_best_first_with_those_that_are_numbers_alone():
    assert slugs() == ["two-mog", "one-standard", "three-vamp"]
    assert [row.name.endswith(", results only") for row in table.rows("digits")] == [
        False,
        False,
        True,
    ]


def test_only_models_with_a_prior_and_numbers_are_listed(three):
    put(three, "without-numbers", {})
    put(three, "plain", {"reconstruction": nats(-20)}, model="ae")
    put(three, "unscored", {"density": share(0.5)})
    put(three, "elsewhere", everything(), data="mnist")
    (three / "broken").mkdir()
    assert slugs() == ["two-mog", "one-standard", "three-vamp", "unscored"]
    assert slugs("mnist") == ["elsewhere"]
    assert table.data_sets() == [kind for kind in DATA if kind in ("digits", "mnist")]


def test_names_tell_models_apart(shelf):
    put(shelf, "a", everything(), prior={"kind": "vamp", "components": 3})
    assert "K =" not in table.rows("digits")[0].name
    put(shelf, "b", everything(), prior={"kind": "vamp", "components": 5})
    put(shelf, "c", everything(), prior={"kind": "vamp", "components": 5}, latent=4)
    put(shelf, "d", everything())
    put(shelf, "e", everything())
    names = {row.entry.slug: row.name for row in table.rows("digits")}
    assert "(K = 3)" in names["a"]
    assert "(K = 5)" in names["b"]
    assert "K =" not in names["c"]
    assert len(set(names.values())) == len(names)


def test_a_model_is_called_small_where_published_numbers_are_of_a_wider_one(shelf):
    put(shelf, "narrow", everything(), data="mnist-static")
    put(shelf, "wide", everything(), data="mnist-static", hidden=(300, 300))
    put(shelf, "wider", everything(), data="mnist-static", hidden=(500, 500))
    put(shelf, "unpublished", everything())
    names = {row.entry.slug: row.name for row in table.rows("mnist-static")}
    assert names == {
        "narrow": "Standard normal, small VAE, 2 units",
        "wide": "Standard normal, 2 units (wide)",
        "wider": "Standard normal, 2 units (wider)",
    }
    assert table.rows("digits")[0].name == "Standard normal, 2 units"


def test_models_that_share_even_the_number_of_components_have_names_of_their_own(shelf):
    for slug in ("first", "second"):
        put(shelf, slug, everything(), prior={"kind": "vamp", "components": 3})
    assert len({row.name for row in table.rows("digits")}) == 2


# Cells


@pytest.mark.parametrize(
    ("name", "metric", "words"),
    [
        ("log_likelihood", nats(-85.4254, 0.2331), "−85.43 ± 0.23"),
        ("log_likelihood", nats(-85.4254, None), "−85.43"),
        ("elbo", nats(3.0, 0.0004), "3.00 ± 0.0004"),
        ("density", share(0.98765, 0.0123), "0.988 ± 0.012"),
        ("active_units", Metric(value=39, n=9, unit="of 40 units"), "39"),
        ("mmd", Metric(value=-0.00034, n=9, unit="squared"), "−0.0003"),
        ("kernel_distance", Metric(value=-0.001, se=2e-5, n=9, unit="x"), "−0.00 ± 2e−05"),
    ],
)
def test_a_cell_is_a_number_with_its_error(name, metric, words):
    assert table.cell({name: metric}, name) == words


def test_a_number_that_is_not_known_is_a_dash():
    assert table.cell({}, "kl") == "–"


@pytest.mark.parametrize(("share_of_log", "said"), [(0.94, False), (0.96, True), (1.0, True)])
def test_saturated_information_is_said(share_of_log, said):
    metric = Metric(value=share_of_log * math.log(2000), se=0.01, n=2000, unit="nats")
    assert table.cell({"information": metric}, "information").endswith(", saturated") == said
    assert "saturated" not in table.cell({"marginal_kl": metric}, "marginal_kl")


# Tables


@functools.cache
def of_two_levels():
    data = DigitsConfig().load(Path("nowhere"))
    opened = small_checkpoint("standard", model="hvae")
    return evaluate(opened, data, samples=2, limit=20).metrics


def test_every_measure_has_its_place_and_its_name():
    placed = [name for group in table.GROUPS.values() for name in group]
    assert len(placed) == len(set(placed))
    assert set(of_two_levels()) <= set(placed)
    assert set(placed) == set(table.NAMES)
    assert len(set(table.NAMES.values())) == len(table.NAMES)
    assert table.GROUPS.keys() == table.TITLES.keys() == table.EXPLAINED.keys()


@pytest.mark.parametrize("group", table.GROUPS)
def test_a_table_has_a_row_for_each_model_and_no_empty_column(three, group):
    put(three, "unscored", {"precision": share(0.5), "kl": nats(3), "mmd": share(0.1)})
    rows = table.rows("digits")
    laid = table.table(rows, group)
    assert [facts["Model"] for facts in laid] == [row.name for row in rows]
    assert len({tuple(facts) for facts in laid}) == 1
    for name in table.GROUPS[group]:
        known = [name in row.entry.metrics for row in rows]
        assert (table.NAMES[name] in laid[0]) == any(known)
        if any(known):
            shown = [facts[table.NAMES[name]] for facts in laid]
            assert [words != "–" for words in shown] == known


@pytest.mark.usefixtures("three")
def test_a_table_says_n_and_samples():
    first = table.table(table.rows("digits"), "likelihood")[0]
    assert first["log p(x)"] == "−20.00 ± 0.25"
    assert (first["S"], first["n"]) == ("500", str(N))
    assert "S" not in table.table(table.rows("digits"), "samples")[0]


@pytest.mark.usefixtures("three")
def test_the_null_row_is_what_real_data_score():
    rows = table.rows("digits")
    assert table.null_row(rows, "samples") == {
        "Model": "Real data", "Density": "1.000", "Coverage": "0.960",
    }  # fmt: skip
    assert table.null_row(rows, "likelihood") is None
    assert table.null_row(rows, "alignment") is None


def test_the_null_row_is_the_mean_over_models_that_have_one(shelf):
    for slug, null in (("a", 0.4), ("b", 0.5), ("c", None)):
        facts = everything() | {"mmd": share(0.1, null=null)}
        put(shelf, slug, facts, latent={"a": 2, "b": 3, "c": 4}[slug])
    found = table.null_row(table.rows("digits"), "alignment")
    assert found == {"Model": "The prior against itself", "MMD²": "0.4500"}


# CSV


def read(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


@pytest.mark.usefixtures("three")
def test_a_csv_holds_every_measure_of_every_model():
    rows = table.rows("digits")
    found = read(table.as_csv("digits", rows))
    expected = [(row.entry, name) for row in rows for name in row.entry.metrics]
    assert len(found) == len(expected) == 3 * len(everything())
    for line, (each, name) in zip(found, expected, strict=True):
        metric = each.metrics[name]
        assert (line["checkpoint"], line["measure"], line["hash"]) == (each.slug, name, each.hash)
        assert (line["data"], line["model"], line["prior"]) == ("digits", "vae", each.prior)
        assert float(line["value"]) == metric.value
        assert int(line["n"]) == metric.n
        assert line["unit"] == metric.unit
        assert line["source"] == "measured here"
        for column, value in (
            ("standard_error", metric.se),
            ("samples", metric.samples),
            ("seed", metric.seed),
            ("real_against_real", metric.null),
        ):
            assert (float(line[column]) if line[column] else None) == value


@pytest.mark.parametrize("data", ["mnist-static", "mnist", "caltech-silhouettes", "frey"])
def test_a_csv_holds_published_numbers_of_the_models_that_are_there(shelf, data):
    put(shelf, "flat", everything(), data=data)
    found = [line for line in read(table.as_csv(data, table.rows(data)))
             if line["source"] != "measured here"]  # fmt: skip
    known = [row for row in published(data) if row.model == "vae"]
    assert len(found) == len(known) == 2
    for line, row in zip(found, known, strict=True):
        assert float(line["value"]) == row.value
        assert (line["model"], line["prior"], line["samples"]) == ("vae", row.prior, "5000")
        assert line["measure"] == ("bits_per_dimension" if data == "frey" else "log_likelihood")
        assert line["source"] == f"{row.source}, {row.place}"
    put(shelf, "deep", everything(), data=data, model="hvae")
    models = {row.model for row in table.comparable(data, table.rows(data))}
    assert models == {"vae", "hvae"}


def test_other_data_are_compared_with_nothing_published(shelf):
    for data in ("digits", "omniglot28", "fashion"):
        put(shelf, f"own-{data}", everything(), data=data)
        assert table.comparable(data, table.rows(data)) == []
        sources = {line["source"] for line in read(table.as_csv(data, table.rows(data)))}
        assert sources == {"measured here"}


# Differences


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("name", ["log_likelihood", "elbo"])
def test_a_difference_is_taken_sample_by_sample_where_both_are_known(name):
    found = table.difference(entry("one-standard"), entry("two-mog"), name)
    gap = per_sample(1)[name].astype(float) - per_sample(2)[name].astype(float)
    assert (found.n, found.paired) == (N, True)
    np.testing.assert_allclose(found.value, gap.mean(), rtol=1e-12)
    np.testing.assert_allclose(found.error, gap.std(ddof=1) / math.sqrt(N), rtol=1e-12)
    back = table.difference(entry("two-mog"), entry("one-standard"), name)
    assert (back.value, back.error) == (-found.value, found.error)


@pytest.mark.usefixtures("three")
def test_a_difference_of_what_moves_together_is_sharper_sample_by_sample():
    one, other = entry("one-standard"), entry("two-mog")
    values = per_sample(1)["log_likelihood"]
    noise = np.random.default_rng(9).normal(0.5, 0.01, N).astype(np.float32)
    np.savez(other.folder / LIKELIHOOD, rows=np.arange(N), log_likelihood=values - noise)
    found = table.difference(one, other, "log_likelihood")
    assert abs(found.value - 0.5) < 0.01
    assert found.error < 0.003 < math.hypot(0.25, 0.25)


@pytest.mark.usefixtures("three")
def test_a_difference_of_numbers_alone_has_both_errors():
    found = table.difference(entry("one-standard"), entry("three-vamp"), "log_likelihood")
    assert (found.value, found.n, found.paired) == (1.0, N, False)
    np.testing.assert_allclose(found.error, math.hypot(0.25, 0.25))
    density = table.difference(entry("one-standard"), entry("two-mog"), "density")
    assert (density.value, density.paired) == (0.0, False)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    "arrays",
    [
        {"rows": np.arange(N) + 1, "log_likelihood": np.zeros(N)},
        {"rows": np.arange(N - 1), "log_likelihood": np.zeros(N - 1)},
        {"log_likelihood": np.zeros(N)},
    ],
    ids=["other rows", "fewer rows", "rows unsaid"],
)
def test_other_samples_are_not_paired(arrays):
    one, other = entry("one-standard"), entry("two-mog")
    np.savez(other.folder / LIKELIHOOD, **arrays)
    assert not table.difference(one, other, "log_likelihood").paired


@pytest.mark.usefixtures("three")
def test_arrays_that_say_no_rows_and_differ_in_length_are_not_paired():
    one, other = entry("one-standard"), entry("two-mog")
    np.savez(one.folder / LIKELIHOOD, log_likelihood=np.zeros(N))
    np.savez(other.folder / LIKELIHOOD, log_likelihood=np.zeros(N - 1))
    assert not table.difference(one, other, "log_likelihood").paired


@pytest.mark.usefixtures("three")
def test_what_was_not_measured_has_no_difference():
    assert table.difference(entry("one-standard"), entry("two-mog"), "kl") is None
    assert table.difference(entry("one-standard"), entry("two-mog"), "active_units") is None


@pytest.mark.usefixtures("three")
def test_arrays_of_the_user_come_before_those_beside_the_weights():
    one = entry("one-standard")
    np.testing.assert_array_equal(table.arrays(one)["elbo"], per_sample(1)["elbo"])
    results_folder(one.hash).mkdir(parents=True)
    np.savez(results_folder(one.hash) / LIKELIHOOD, elbo=np.ones(3))
    assert table.arrays(one)["elbo"].tolist() == [1, 1, 1]
    assert table.arrays(entry("three-vamp")) == {}


@pytest.mark.usefixtures("three")
def test_damaged_arrays_are_as_good_as_none():
    one = entry("one-standard")
    (one.folder / LIKELIHOOD).write_bytes(b"PK no archive")
    assert table.arrays(one) == {}
    assert not table.difference(one, entry("two-mog"), "elbo").paired


# The page


def page(**parameters):
    app = open_page("evaluate", **parameters)
    assert not app.exception
    assert not app.error
    return app


def drawn(app, key):
    """Return the traces of a chart, or nothing where it is not on the page."""
    charts = [item.proto for item in app.get("plotly_chart") if f"-{key}-" in f"{item.proto.id}-"]
    return json.loads(charts[0].spec) if charts else None


def shown(app):
    return app.dataframe[0].value


def test_the_page_opens_on_every_data_set_that_has_numbers():
    known = table.data_sets()
    assert {"digits", "mnist-static", "airfoils"} <= set(known)
    for data in known:
        app = page(model="digits-vae-vamp-2", of=data)
        assert address(app)["of"] == data
        assert app.selectbox(key="evaluate_of").options == list(
            map(evaluate_charts.data_words, known)
        )
        rows = table.rows(data)
        listed = list(shown(app)["Model"])
        assert [name for name in listed if "Tomczak" not in name] == [row.name for row in rows]
        assert len(listed) - len(rows) == len(table.comparable(data, rows))
        assert bool(drawn(app, "evaluate_likelihood")["data"])
        assert ("grey diamonds" in told(app)) == bool(table.comparable(data, rows))


def test_the_data_set_is_that_of_the_open_model_until_another_is_chosen(three):
    put(three, "other", everything(), data="mnist-static")
    app = page(model="other")
    assert address(app)["of"] == "mnist-static"
    app.selectbox(key="evaluate_of").select("digits").run()
    assert not app.exception
    assert (address(app)["of"], address(app)["model"]) == ("digits", "other")
    assert len(shown(app)) == 3


def test_large_numbers_have_no_decimals():
    large = {"kernel_distance": nats(9_570_489.2, 42_163.0)}
    assert table.cell(large, "kernel_distance") == "9,570,489 ± 42,163"
    assert table.cell({"elbo": nats(-1781.128, 12.7)}, "elbo") == "−1,781.13 ± 12.70"
    assert table.cell({"elbo": nats(9999.999, 0.0004)}, "elbo") == "10,000 ± 0.0004"


@pytest.mark.usefixtures("three")
def test_a_group_of_measures_is_chosen_and_lands_in_the_address():
    app = page(model="one-standard")
    assert "log p(x)" in shown(app)
    assert "group" not in address(app)
    for group in ("units", "samples", "alignment"):
        choice = next(item for item in app.button_group if "Units" in item.options)
        choice.set_value(group).run()
        assert not app.exception
        assert address(app)["group"] == group
        wanted = table.table(table.rows("digits"), group)
        assert list(shown(app).columns) == list(wanted[0])
        assert table.EXPLAINED[group] in told(app)
    app = page(model="one-standard", group="samples")
    assert list(shown(app)["Model"])[-1] == "Real data"
    assert list(shown(app)["Coverage"])[-1] == "0.960"


@pytest.mark.usefixtures("three")
def test_the_models_of_the_pair_are_chosen_and_land_in_the_address():
    app = page(model="one-standard")
    assert (address(app)["one"], address(app)["other"]) == ("two-mog", "one-standard")
    assert "paired" in told(app)
    gap = float((per_sample(2)["elbo"].astype(float) - per_sample(1)["elbo"]).mean())
    assert f"{gap:+.2f}".replace("-", "−") in [item.value for item in app.metric]
    app.selectbox(key="evaluate_other").select("three-vamp").run()
    assert not app.exception
    assert (address(app)["one"], address(app)["other"]) == ("two-mog", "three-vamp")
    assert "paired" not in told(app).lower()
    assert "+2.00" in [item.value for item in app.metric]
    app.selectbox(key="evaluate_one").select("three-vamp").run()
    assert not app.exception
    assert (address(app)["one"], address(app)["other"]) == ("three-vamp", "one-standard")


@pytest.mark.usefixtures("three")
def test_a_difference_is_called_one_beyond_two_errors_alone():
    values = per_sample(1)["log_likelihood"]
    for shift, words in ((0.0, "not significant (within 2 SE)"), (5.0, "significant")):
        noise = np.random.default_rng(3).normal(shift, 1, N)
        facts = {"rows": np.arange(N), "log_likelihood": values + noise}
        np.savez(entry("two-mog").folder / LIKELIHOOD, **facts)
        app = page(model="one-standard", one="two-mog", other="one-standard")
        first = next(item.value for item in app.caption if "paired" in item.value)
        assert first.split("\n")[1] == words


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    "parameters",
    [
        {"group": "beauty"},
        {"diversity": "colour"},
        {"of": "x" * 41},
        {"one": "x" * 81},
        {"other": "x" * 5000},
    ],
    ids=str,
)
def test_a_wrong_value_of_a_link_falls_back_with_a_notice(parameters):
    app = page(model="one-standard", **parameters)
    assert "is invalid" in app.toast[0].value
    assert not address(app).items() & parameters.items()
    assert len(shown(app)) == 3


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    "parameters", [{"of": "omniglot28"}, {"one": "nobody"}, {"other": "../x"}]
)
def test_what_is_not_there_gives_way_to_what_is(parameters):
    app = page(model="one-standard", **parameters)
    found = address(app)
    assert (found["of"], found["one"], found["other"]) == ("digits", "two-mog", "one-standard")


def test_a_model_is_not_compared_with_itself(three):
    app = page(model="one-standard", one="one-standard", other="one-standard")
    assert address(app)["one"] == "one-standard"
    assert address(app)["other"] == "two-mog"
    for slug in ("two-mog", "three-vamp"):
        (three / slug).rename(three / f".{slug}")
    app = page(model="one-standard")
    assert len(shown(app)) == 1
    assert "evaluate_one" not in [item.key for item in app.selectbox]


def test_a_written_view_reads_back_equal(three):
    app = page(model="one-standard", of="digits", group="units", one="three-vamp",
               other="two-mog", diversity="recall")  # fmt: skip
    expected = EvaluateView(model="one-standard", of="digits", group="units", one="three-vamp",
                            other="two-mog", diversity="recall")  # fmt: skip
    assert EvaluateView.model_validate(address(app)) == expected


# What is lacking


def offers(app):
    return [
        item.label for item in app.button if item.label.startswith("Compute missing metrics for")
    ]


def test_what_a_model_lacks_is_offered(three, monkeypatch):
    assert offers(page(model="one-standard")) == []
    put(three, "lacking", {"log_likelihood": nats(-30)}, latent=3)
    put(three, "numbers", {"log_likelihood": nats(-31)}, latent=4, weights=False)
    app = page(model="one-standard")
    name = next(row.name for row in table.rows("digits") if row.entry.slug == "lacking")
    assert offers(app) == [f"Compute missing metrics for {name}"]
    ordered = []
    monkeypatch.setattr(jobs, "start", ordered.append)
    app.button(key="job_evaluate_lacking").click().run()
    assert not app.exception
    (order,) = ordered
    assert (order.kind, order.hash) == ("evaluate", entry("lacking").hash)
    assert Path(order.checkpoint).name == "lacking"


def test_without_the_data_it_says_what_is_needed(three, tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_DATA", str(tmp_path))
    put(three, "lacking", {"log_likelihood": nats(-30)}, data="mnist-static")
    app = page(model="lacking")
    assert offers(app) == []
    assert "the data set, which was not found" in told(app)


def test_numbers_of_a_job_are_shown_as_they_come(three):
    put(three, "lacking", {"log_likelihood": nats(-30)}, latent=3)
    page(model="one-standard")
    folder = results_folder(entry("lacking").hash)
    folder.mkdir(parents=True)
    checkpoint.write_metrics(folder, everything(-19))
    app = page(model="one-standard")
    assert offers(app) == []
    assert table.rows("digits")[0].entry.slug == "lacking"


# Others


def test_published_numbers_stand_beside_models_of_their_data(three):
    app = page(model="one-standard")
    assert drawn(app, "evaluate_likelihood")
    assert all(
        trace["marker"].get("symbol") != "diamond-open"
        for trace in drawn(app, "evaluate_likelihood")["data"]
    )
    assert "published" not in told(app)
    put(three, "static", everything(-86), data="mnist-static")
    app = page(model="static")
    traces = drawn(app, "evaluate_likelihood")["data"]
    found = {trace["x"][0] for trace in traces if trace["marker"].get("symbol") == "diamond-open"}
    assert found == {-88.56, -85.57}
    assert "Tomczak and Welling, 2018, S = 5,000" in told(app)
    places = {trace["x"][-1]: trace["y"][-1] for trace in traces}
    assert places[-88.56] < places[-86] < places[-85.57]


def test_frey_faces_are_compared_in_bits(shelf):
    bits = Metric(value=4.5, se=0.02, n=N, samples=500, unit="bits")
    put(shelf, "frey-small", everything() | {"bits_per_dimension": bits}, data="frey")
    app = page(model="frey-small")
    chart = drawn(app, "evaluate_likelihood")
    assert "bits per dimension" in chart["layout"]["xaxis"]["title"]["text"]
    places = {trace["x"][-1]: trace["y"][-1] for trace in chart["data"]}
    assert places[4.63] < places[4.57] < places[4.5]


@pytest.mark.usefixtures("three")
def test_numbers_without_weights_are_shown_and_called_so():
    app = page(model="one-standard", one="three-vamp")
    assert any(name.endswith(", results only") for name in shown(app)["Model"])
    app = open_page("catalogue", model="one-standard")
    assert not app.exception
    assert "Results only (no weights), on the Evaluate page: three-vamp." in told(app)
    assert not any("Broken" in item.value for item in app.subheader)
    assert "three-vamp" not in [item.key for item in app.button]


@pytest.mark.usefixtures("three")
def test_a_link_to_a_model_without_weights_does_not_call_it_broken():
    app = open_page("generate", model="three-vamp")
    assert not app.exception
    assert address(app)["model"] != "three-vamp"
    assert "broken" not in app.warning[0].value


def test_each_unit_of_each_level_is_drawn(shelf):
    kl = np.array([0.2, 2.0, 0.3, 0.1, 5.0], np.float32)
    put(shelf, "deep", everything(), model="hvae", rows=np.arange(N), kl_per_unit=kl)
    app = page(model="deep")
    traces = drawn(app, "evaluate_units")["data"]
    assert [trace["name"].rsplit(", ")[-1] for trace in traces] == ["z2", "z1"]
    assert evaluate_charts.levels_of(entry("deep")) == {"z2": (0, 2), "z1": (2, 5)}


def test_units_that_were_not_measured_are_said_to_be_so(three):
    app = page(model="one-standard")
    assert drawn(app, "evaluate_units") is not None
    put(three, "unit-less", everything(), data="mnist-static")
    app = page(model="unit-less")
    assert drawn(app, "evaluate_units") is None
    assert "was not measured" in told(app)


def test_what_more_components_buy_is_shown_from_three_on(shelf):
    for count in (2, 8):
        put(shelf, f"k{count}", everything(-20 - 1 / count),
            prior={"kind": "vamp", "components": count})  # fmt: skip
    assert drawn(page(model="k2"), "evaluate_components_elbo") is None
    put(shelf, "k4", everything(-20.2), prior={"kind": "vamp", "components": 4})
    put(shelf, "k16", everything(-20.2), prior={"kind": "vamp", "components": 16}, latent=3)
    app = page(model="k2")
    (trace,) = drawn(app, "evaluate_components_elbo")["data"]
    assert trace["x"] == [2, 4, 8]
    assert "Effect of the number of components K" in [item.value for item in app.subheader]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("diversity", ["coverage", "recall", "vendi"])
def test_likelihood_is_drawn_against_each_kind_of_diversity(diversity):
    app = page(model="one-standard", diversity=diversity)
    words = "Samples of these models were not compared with data."
    if diversity == "coverage":
        assert len(drawn(app, "evaluate_scatter")["data"]) == 3
    assert (words in [item.value for item in app.caption]) == (diversity != "coverage")


def test_without_numbers_the_page_says_how_to_get_them(shelf):
    put(shelf, "silent", {})
    app = page(model="silent")
    assert "latent-explorer evaluate" in app.info[0].value
    assert not app.dataframe


def test_charts_have_the_text_colour_of_the_themes():
    entry = settings.PACKAGE / "ui" / "entry" / ".streamlit" / "config.toml"
    themes = tomllib.loads(entry.read_text())["theme"]
    for name in ("light", "dark"):
        assert palette.text(name == "dark") == themes[name]["textColor"]
