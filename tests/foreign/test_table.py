"""The tables in CONTRIBUTING of what a foreign model, and a fitted prior, give are true."""

import re
import time
from dataclasses import replace

import pytest

from explorer import checkpoint, fitting
from explorer.fitting import learning, writing
from explorer.fitting.codes import codes_of
from explorer.inference import Engine
from tests.support.pages import open_page, told
from tests.support.repository import ROOT

COLUMNS = {
    "With a spread and a likelihood": "gaussian",
    "Encoder of points": "points",
    "`mse`, no likelihood": "error",
}
ENCODERS = {"Encoder with a spread": "gaussian", "Encoder of points": "points"}

LACKS = {
    "no KL": lambda engine: not engine.divergent,
    "no log p(x)": lambda engine: not engine.scored,
    "no ELBO": lambda engine: not engine.scored,
    "squared error": lambda engine: not engine.has_likelihood,
    "no geodesic": lambda engine: not engine.differentiable,
    "no path speed": lambda engine: not engine.differentiable,
    "no *Refine*": lambda engine: not engine.refinable,
    "no log p(z)": lambda engine: not engine.has_density and not engine.bounded,
    "a bound on log p(z)": lambda engine: engine.bounded,
}
"""What may be missing, and how it is told."""

SHOWN = {
    "Catalogue": (), "Latent map": ("no KL", "squared error"), "Interpolate": ("no geodesic",),
    "Reconstruct": ("no ELBO", "no log p(x)", "no *Refine*"),
    "Evaluate": ("no path speed", "no log p(x)", "no KL", "squared error"),
}  # fmt: skip
"""What each page would show of these, by the first name of its row."""

PRIOR = ("no log p(z)", "a bound on log p(z)", "no KL", "no log p(x)")


def table(first):
    """Read the table whose first heading is given: headings, and rows of cells."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    lines = text[text.index(f"| {first} |") :].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return cells[0], cells[2:]


def said(cell):
    """Split a cell into what is missing; "all" is nothing."""
    parts = {part.strip() for part in re.split(r"[,;]", cell)}
    return parts - {"all", "once a prior is fitted"}


@pytest.mark.slow
@pytest.mark.parametrize("heading", COLUMNS)
def test_what_a_foreign_model_cannot_give_is_in_the_table(shelf, heading):
    engine = Engine(checkpoint.load(COLUMNS[heading]), "cpu")
    headings, rows = table("Page")
    column = headings.index(heading)
    assert {row[0].split(",")[0] for row in rows} == set(SHOWN)
    for row in rows:
        missing = {name for name in SHOWN[row[0].split(",")[0]] if LACKS[name](engine)}
        assert said(row[column]) == missing, row[0]


def test_the_table_names_every_page_of_a_model():
    named = {name.strip() for row in table("Page")[1] for name in row[0].split(",")}
    assert named == {
        "Catalogue", "Generate", "Prototypes", "Latent map", "Traverse", "Interpolate",
        "Reconstruct", "Design", "Candidates", "Priors lab", "Evaluate",
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("page", "slug", "why"),
    [
        ("interpolate", "gaussian", "no derivatives. There is no geodesic"),
        ("reconstruct", "gaussian", "no derivatives. A posterior cannot be refined"),
        ("reconstruct", "error", "so there is no log p(x)"),
    ],
)
def test_a_page_says_why_something_is_missing(shelf, page, slug, why):
    app = open_page(page, model=slug, **({"source": "test"} if page == "reconstruct" else {}))
    assert why in " ".join(told(app).split())


@pytest.mark.slow
@pytest.mark.parametrize("heading", ENCODERS)
def test_what_a_fitted_prior_gives_is_in_the_table(shelf, heading, monkeypatch):
    monkeypatch.setattr(learning, "STEPS", 2)
    opened = checkpoint.load(ENCODERS[heading])
    codes = codes_of(opened, opened.config.data.load(shelf), 14)
    headings, rows = table("Prior fitted")
    cells = {
        kind.strip(" `"): row[headings.index(heading)]
        for row in rows
        for kind in row[0].split(",")
    }
    assert set(cells) == set(fitting.KINDS)
    for kind, cell in cells.items():
        if heading == "Encoder of points" and kind == "vamp":
            assert cell == "not offered"
            assert fitting.why_not(opened.config, kind)
            continue
        until = time.monotonic() + 60
        found = writing.fitted(codes, kind, opened, 14, until, lambda *_: None)
        config = opened.config.model_copy(update={"prior": found[0]})
        engine = Engine(replace(opened, config=config, prior=found[1].eval()), "cpu")
        assert said(cell) == {name for name in PRIOR if LACKS[name](engine)}, kind
