"""Every term that the app uses as a heading is defined, and every definition is used and short."""

import re

import pytest

from explorer import naming
from explorer.ui.evaluate import table
from explorer.ui.panels import latent_plane
from explorer.ui.reconstruct import typicality
from explorer.ui.wording import glossary
from tests.support.repository import PACKAGE, PAGES

SOURCES = [*(PACKAGE / "ui").rglob("*.py"), *(PACKAGE / "designs").rglob("*.py"),
           PACKAGE / "naming.py", *(PACKAGE / "priors").glob("*.py"), *PAGES,
           *(PACKAGE / "models").glob("*.py")]  # fmt: skip
TEXT = " ".join(
    path.read_text() for path in SOURCES if path.name not in ("glossary.py", "terms_panel.py")
)

HEADINGS = {
    "metrics of Evaluate": table.NAMES.values(),
    "colourings of the map": latent_plane.COLOURS.values(),
    "layers of the map": set(latent_plane.LAYERS.values()) - {"Data"},
    "likelihoods of Reconstruct": typicality.LIKELIHOODS,
    "columns of Reconstruct": ["KL", "Anomaly percentile", "Reconstruction", "Bound"],
    "cards": [
        "log p(x)",
        "Pseudo-likelihood",
        "log p(x|z)",
        "Active units",
        "Fidelity",
        "Diversity",
    ],
    "priors": set(naming.PRIORS.values())
    & {"Standard normal", "VampPrior", "X-VAE", "Mixture of Gaussians", "Flow", "Autoencoder"},
}


@pytest.mark.parametrize("where", HEADINGS)
def test_every_heading_is_defined(where):
    assert [name for name in HEADINGS[where] if glossary.define(name) is None] == []


@pytest.mark.parametrize("name", glossary.TERMS)
def test_a_definition_is_one_or_two_sentences_and_short(name):
    words = glossary.TERMS[name].definition
    assert 20 < len(words) <= glossary.LONGEST
    assert words[0].isupper() or words.startswith(("p(z)", "q(z|x)", "|dx/dt|²", "log "))
    assert words.endswith(".")
    assert len(re.findall(r"[.:;](?=\s|$)", words)) <= 4
    assert not re.search(r"[*_`\[\]<>$]|  ", words)


@pytest.mark.parametrize("name", glossary.TERMS)
def test_every_term_is_used_in_the_app(name):
    term = glossary.TERMS[name]
    forms = (name, *term.forms, *term.labels)
    assert any(
        re.search(rf"(?<![\w-]){re.escape(form)}(?![\w-])", TEXT, re.IGNORECASE) for form in forms
    )


def test_a_form_means_one_term():
    seen: dict[str, str] = {}
    for name, term in glossary.TERMS.items():
        for form in dict.fromkeys(item.casefold() for item in (name, *term.forms, *term.labels)):
            assert seen.setdefault(form, name) == name


def test_a_term_is_found_in_any_form_and_case():
    assert glossary.define("nats") == glossary.define("Nat")
    assert glossary.define("FIDELITY") == glossary.TERMS["Density"].definition
    assert glossary.define("spoon") is None
    assert glossary.help_of("spoon", "n = 5") == "n = 5"
    assert glossary.help_of("spoon") is None
    assert glossary.help_of("KL", "n = 5").endswith("  \nn = 5")
    assert glossary.listed(["spoon", "KL"]).startswith("**KL**: ")


def test_words_with_other_meanings_are_marked_as_labels_only():
    marks = {next(iter(item["labels"])): item for item in glossary.marks()}
    for name in ("Class", "Split", "Flow", "Classifier", "Unit", "Density"):
        assert name not in marks[name]["forms"]
        assert name in marks[name]["labels"]


def test_there_are_at_least_thirty_terms():
    assert len(glossary.TERMS) >= 30
