"""The page shows what was measured, offers what was not, and keeps its choices in the address."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from explorer import checkpoint, jobs, settings
from explorer.checkpoint import LIKELIHOOD, Metric, results_folder
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate import charts as evaluate_charts
from explorer.ui.evaluate import table
from explorer.ui.wording import palette
from tests.support.pages import address, open_page, told
from tests.support.results import N, entry, everything, nats, per_sample, put

pytestmark = pytest.mark.slow

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
        assert app.selectbox(key="evaluate_of").options == list(known.values())
        rows = table.rows(data)
        listed = list(shown(app)["Model"])
        assert [name for name in listed if "T&W" not in name] == [row.name for row in rows]
        assert len(listed) - len(rows) == len(table.comparable(data, rows))
        assert bool(drawn(app, "evaluate_likelihood")["data"])
        assert ("grey diamonds" in told(app)) == bool(table.comparable(data, rows))


def compared(app):
    """The models of the pair."""
    return tuple(app.selectbox(key=f"evaluate_{name}").value for name in ("one", "other"))


def test_the_data_set_is_that_of_the_open_model_until_another_is_chosen(three):
    put(three, "other", everything(), data="mnist-static")
    app = page(model="other")
    assert app.selectbox(key="evaluate_of").value == "mnist-static"
    assert "of" not in address(app)
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
def test_the_models_of_the_pair_are_chosen_and_what_is_chosen_lands_in_the_address():
    app = page(model="one-standard")
    assert compared(app) == ("two-mog", "one-standard")
    assert "paired" in told(app)
    gap = float((per_sample(2)["elbo"].astype(float) - per_sample(1)["elbo"]).mean())
    assert f"{gap:+.2f}".replace("-", "−") in [item.value for item in app.metric]
    app.selectbox(key="evaluate_other").select("three-vamp").run()
    assert not app.exception
    assert compared(app) == ("two-mog", "three-vamp")
    assert address(app)["other"] == "three-vamp"
    assert "paired" not in told(app).lower()
    assert "+2.00" in [item.value for item in app.metric]
    app.selectbox(key="evaluate_one").select("three-vamp").run()
    assert not app.exception
    assert compared(app) == ("three-vamp", "one-standard")


@pytest.mark.usefixtures("three")
def test_a_difference_is_called_one_beyond_its_95_percent_interval_alone():
    values = per_sample(1)["log_likelihood"]
    for shift, words in ((0.0, "not significant"), (5.0, "significant")):
        noise = np.random.default_rng(3).normal(shift, 1, N)
        facts = {"rows": np.arange(N), "log_likelihood": values + noise}
        np.savez(entry("two-mog").folder / LIKELIHOOD, **facts)
        app = page(model="one-standard", one="two-mog", other="one-standard")
        first = next(item.value for item in app.caption if "paired" in item.value)
        assert first.split("\n")[1] == words


def test_models_of_different_own_files_are_kept_apart(three):
    for name in ("black", "discs"):
        put(three, name, everything(), data={"kind": "files", "path": f"{name}.npy"})
    put(three, "again", everything(), data={"kind": "files", "path": "black.npy", "seed": 3})
    app = page(model="black", of="files", one="black", other="discs")
    assert address(app)["one"] == "black"
    assert address(app)["other"] == "again"
    names = app.selectbox(key="evaluate_of").options
    assert {"Own files: black.npy", "Own files: discs.npy"} <= set(names)
    assert len(shown(app)) == 2
    assert app.selectbox(key="evaluate_other").options == app.selectbox(key="evaluate_one").options


def test_a_pseudo_likelihood_is_named_so_and_ranked_with_none(three):
    files = {"kind": "files", "path": "grey.npy", "split_rule": 1}
    put(three, "grey", everything(-3.0), data=files)
    put(three, "mine", everything(), data=files | {"binary": True})
    app = page(model="grey", of="files")
    assert "pseudo-likelihood" in told(app)
    lines = shown(app).set_index("Model")
    assert "−3.00" not in set(lines.get("log p(x)", ()))
    assert "−3.00 ± 0.25" in set(lines["Pseudo-likelihood"])


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
    assert len(app.warning) == 1
    assert app.warning[0].value.startswith("The link’s ")
    assert not address(app).items() & parameters.items()
    assert len(shown(app)) == 3


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    "parameters", [{"of": "omniglot28"}, {"one": "nobody"}, {"other": "../x"}]
)
def test_what_is_not_there_gives_way_to_what_is(parameters):
    app = page(model="one-standard", **parameters)
    assert app.selectbox(key="evaluate_of").value == "digits"
    assert compared(app) == ("two-mog", "one-standard")
    assert not address(app).items() & parameters.items()


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
    layout = drawn(app, "evaluate_likelihood")["layout"]
    assert len(layout["annotations"]) == 3  # one name a row, which takes no room from the axis
    assert not layout["yaxis"]["showticklabels"]
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
    assert "nats, paired, from K = " in told(app) or "nats, from K = " in told(app)
    assert "there more components did not help" in told(app)


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
