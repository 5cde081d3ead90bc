"""A table has a row for each model, with n, seed and error."""

import csv
import functools
import io
import math
from pathlib import Path

import pytest

from explorer.checkpoint import Metric
from explorer.data import DigitsConfig
from explorer.metrics import evaluate
from explorer.metrics.published import published
from explorer.naming import DATA
from explorer.ui.evaluate import table
from tests.support.models import small_checkpoint
from tests.support.results import N, everything, nats, put, share

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
    assert list(table.data_sets()) == [kind for kind in DATA if kind in ("digits", "mnist")]


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
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


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


@pytest.mark.parametrize(
    ("source", "short"),
    [("Tomczak and Welling, 2018", "T&W 2018"), ("Kingma, 2014", "K 2014")],
)
def test_a_citation_is_short_in_a_column(source, short):
    assert table.initials(source) == short
