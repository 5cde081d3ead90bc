"""The documents are true: code runs, commands exist, tables contain the measured numbers."""

import re
import shlex
import tomllib

import pytest
import torch
from torch import nn
from typer.main import get_command

from explorer import catalogue, checkpoint, cli, plugins, settings

ROOT = settings.PACKAGE.parent
README = (ROOT / "README.md").read_text()
TABLES = (ROOT / "checkpoints" / "README.md").read_text()


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


class OwnEncoder(nn.Module):
    """What a reader of the README has trained."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU())
        self.mean, self.log_var = nn.Linear(16, 2), nn.Linear(16, 2)

    def forward(self, x):
        return self.mean(self.body(x)), self.log_var(self.body(x)) - 2


def own_networks():
    torch.manual_seed(0)
    decoder = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 64), nn.Sigmoid())
    x = torch.bernoulli(torch.rand(100, 1, 8, 8))
    return {"encoder": OwnEncoder(), "decoder": decoder, "x": x}


def test_code_of_the_readme_runs():
    names = own_networks()
    for block in blocks(README, "python"):
        exec(compile(block, "README.md", "exec"), names)
    assert names["sample"].x.shape == (64, 1, 8, 8)
    assert names["prototypes"].pseudo_inputs.shape == (100, 1, 8, 8)
    assert plugins.kind_of(names["WideConfig"]) == "wide"
    own = {entry.slug: entry for entry in catalogue() if entry.slug.startswith("mine")}
    assert {slug: entry.prior for slug, entry in own.items()} == {
        "mine": "standard", "mine-fit-mixture": "xvae-mixture",
    }  # fmt: skip
    assert all(entry.healthy for entry in own.values())


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


MEASURED = {
    path.parent.name: score
    for path in sorted((ROOT / "checkpoints").glob(f"*/{checkpoint.METRICS}"))
    if (score := checkpoint.read_metrics(path.parent).get("log_likelihood")) is not None
}


def test_models_with_a_prior_are_measured():
    scored = [
        item.slug
        for item in catalogue(ROOT / "checkpoints")
        if item.prior != "none"
        and (
            item.config is None or (item.config.prior.has_density and item.config.model.stochastic)
        )
    ]
    assert sorted(MEASURED) == sorted(scored)


@pytest.mark.parametrize("slug", MEASURED)
def test_table_holds_the_measured_likelihood(slug):
    row = next(line for line in TABLES.splitlines() if line.startswith(f"| `{slug}` |"))
    score = MEASURED[slug]
    written = f"{score.value:.2f} ± {score.se:.2f}".replace("-", "−")
    assert f"| {written} | {score.samples:,} | {score.n:,} |" in row


def test_the_readme_shows_how_to_install_and_start():
    text = (ROOT / "README.md").read_text()
    assert "pip install -c constraints.txt" in text
    assert (ROOT / "constraints.txt").is_file()
    verbs = set(get_command(cli.app).commands)
    code = "\n".join(re.findall(r"```.*?```", text, re.DOTALL))
    used = set(re.findall(r"^(?:\$ )?latent-explorer ([a-z]\w*)", code, re.MULTILINE))
    assert used <= verbs
    assert "latent-explorer" in code
    for name in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text):
        assert (ROOT / name).exists(), name
