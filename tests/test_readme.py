"""The documents are true: code runs, commands exist, tables contain the measured numbers."""

import re
import shlex
import tomllib

import pytest
from typer.main import get_command

from explorer import catalogue, cli, plugins, settings

ROOT = settings.PACKAGE.parent
README = (ROOT / "README.md").read_text()
TABLES = (ROOT / "checkpoints" / "README.md").read_text()


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_code_of_the_readme_runs():
    names = {}
    for block in blocks(README, "python"):
        exec(compile(block, "README.md", "exec"), names)
    assert names["sample"].x.shape == (64, 1, 8, 8)
    assert names["prototypes"].pseudo_inputs.shape == (100, 1, 8, 8)
    assert plugins.kind_of(names["WideConfig"]) == "wide"


def test_entry_points_of_the_readme_are_those_that_are_read():
    for block in blocks(README, "toml"):
        for group, named in tomllib.loads(block)["project"]["entry-points"].items():
            assert group in plugins.GROUPS
            assert set(named) == {"wide"}


@pytest.mark.parametrize(
    "line",
    [
        line
        for text in (README, (ROOT / "CONTRIBUTING.md").read_text(), TABLES)
        for block in blocks(text, "sh")
        for line in block.splitlines()
        if line.startswith("latent-explorer")
    ],
)
def test_every_command_that_is_shown_exists(line):
    words = shlex.split(line, comments=True)[1:]
    command = get_command(cli.app)
    if words and words[0] in command.commands:
        command = command.commands[words[0]]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_recipe_of_the_readme_is_one():
    from explorer.config import RunConfig

    for block in blocks(README, "json"):
        assert RunConfig.model_validate_json(block).prior is not None


@pytest.mark.parametrize("picture", re.findall(r"!\[.*?\]\((.*?)\)", README))
def test_picture_of_the_readme_is_there(picture):
    assert (ROOT / picture).is_file()


@pytest.mark.parametrize(
    "entry",
    [entry for entry in catalogue(ROOT / "checkpoints") if entry.prior not in ("none", "")],
    ids=lambda entry: entry.slug,
)
def test_table_holds_the_measured_likelihood(entry):
    row = next(line for line in TABLES.splitlines() if line.startswith(f"| `{entry.slug}` |"))
    score = entry.metrics["log_likelihood"]
    written = f"{score.value:.2f} ± {score.se:.2f}".replace("-", "−")
    assert f"| {written} | {score.samples:,} | {score.n:,} |" in row
