"""README's "Your own model in three lines" does what it says."""

import re

import pytest

import explorer
from explorer import fitting
from tests.foreign.test_export import Encoder, decoder, pictures
from tests.support.repository import ROOT


@pytest.mark.slow
def test_the_three_lines_of_readme_make_a_model_and_a_prior_for_it():
    text = (ROOT / "README.md").read_text("utf-8")
    part = text.split("## Your own model in three lines")[1].split("\n## ")[0]
    code = re.search(r"```python\n(.*?)```", part, re.DOTALL).group(1)
    assert len([line for line in code.splitlines() if line]) == 3
    exec(code, {"encoder": Encoder().eval(), "decoder": decoder(), "x": pictures()})
    mine = explorer.load("mine")
    fitted = explorer.load(fitting.name_of(mine, "mixture"))
    assert mine.config.prior.kind == "standard"
    assert fitted.config.fitted.source_hash == mine.hash
    assert {entry.slug for entry in explorer.catalogue()} >= {mine.slug, fitted.slug}
