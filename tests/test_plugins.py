"""Other packages can plug in priors, models and data; faulty ones are reported in one sentence."""

import json
from typing import ClassVar, Literal

import pytest

from explorer import data, models, plugins, priors
from explorer.config import read_recipe
from explorer.data import AbstractDataConfig, DigitsConfig
from explorer.errors import PluginError, RecipeError
from explorer.interfaces import AbstractModelConfig, AbstractPriorConfig
from explorer.models import VAEConfig
from explorer.priors.mixture import MixturePrior
from tests.support.plugins import ROOT, install, run

PRIORS, MODELS, DATA, PROPERTIES = plugins.GROUPS
OWN_PRIOR = (ROOT / "tests" / "examples" / "own_prior.py").read_text()
LAPLACE = {PRIORS: {"laplace": "own_prior:LaplaceConfig"}}
REGISTRIES = {
    PRIORS: (AbstractPriorConfig, priors.CONFIGS),
    MODELS: (AbstractModelConfig, models.CONFIGS),
    DATA: (AbstractDataConfig, data.CONFIGS),
}

ALL = """
from typing import ClassVar, Literal
from explorer.data import AbstractDataConfig, DataSet, DigitsConfig
from explorer.distributions import DiagonalMixture
from explorer.interfaces import AbstractModelConfig, AbstractPriorConfig
from explorer.models.vae import VAE, VAEConfig
from explorer.priors import VampPrior
from explorer.priors.mixture import LatentMixture, MixtureConfig

class OwnPrior(MixtureConfig):
    title: ClassVar[str] = "Own prior"
    kind: Literal["own-prior"] = "own-prior"

class OwnModel(VAEConfig):
    title: ClassVar[str] = "own VAE"
    kind: Literal["own-model"] = "own-model"

class OwnData(DigitsConfig):
    title: ClassVar[str] = "Own digits"
    kind: Literal["own-data"] = "own-data"
"""
OWN = {
    PRIORS: {"b": "all_of_it:OwnPrior"},
    MODELS: {"c": "all_of_it:OwnModel"},
    DATA: {"a": "all_of_it:OwnData"},
}
NAMES = """
from explorer.config import RunConfig
from explorer.naming import DATA, MODELS, PRIORS, by_flexibility
print(list(PRIORS)[-1], list(MODELS)[-1], list(DATA)[-1], by_flexibility()[-2:])
print(PRIORS["own-prior"], MODELS["own-model"], DATA["own-data"])
recipe = {"data": {"kind": "own-data"}, "model": {"kind": "own-model"},
          "prior": {"kind": "own-prior", "components": 3}}
print(type(RunConfig.model_validate(recipe).prior).__name__)
"""


class Bare(AbstractPriorConfig):
    title: ClassVar[str] = "Bare"

    def build(self, space, sketch):
        return MixturePrior(space.size, 1)


class Taken(Bare):
    kind: Literal["vamp"] = "vamp"


class Absent(Bare):
    kind: Literal["none"] = "none"


class Spaced(Bare):
    kind: Literal["My prior"] = "My prior"


class Long(Bare):
    kind: Literal["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] = "a" * 50


class Free(Bare):
    kind: str = "free"


class Two(Bare):
    kind: Literal["one", "two"] = "one"


class Empty(Bare):
    title: ClassVar[str] = " "
    kind: Literal["empty"] = "empty"


class Unbuilt(AbstractPriorConfig):
    title: ClassVar[str] = "Unbuilt"
    kind: Literal["unbuilt"] = "unbuilt"


class Sizeless(AbstractModelConfig):
    title: ClassVar[str] = "Sizeless"
    kind: Literal["sizeless"] = "sizeless"
    likelihood: str = "bernoulli"
    words: ClassVar[str] = "no layers"

    def build(self, sketch):
        return VAEConfig().build(sketch)


class OwnDigits(DigitsConfig):
    title: ClassVar[str] = "MNIST"
    kind: Literal["mnist"] = "mnist"


BROKEN = {
    "no module": (PRIORS, "nowhere_at_all:Nothing", "cannot be loaded"),
    "no attribute": (PRIORS, f"{__name__}:Nothing", "cannot be loaded"),
    "a module": (PRIORS, __name__, "is not a subclass of AbstractPriorConfig"),
    "another class": (PRIORS, "builtins:dict", "is not a subclass of"),
    "a model for a prior": (PRIORS, "explorer.models:VAEConfig", "AbstractPriorConfig"),
    "a prior for a model": (MODELS, f"{__name__}:Spaced", "AbstractModelConfig"),
    "a prior for data": (DATA, f"{__name__}:Spaced", "AbstractDataConfig"),
    "abstract": (PRIORS, f"{__name__}:Unbuilt", "does not define build"),
    "without kind": (PRIORS, f"{__name__}:Bare", "needs a kind"),
    "free kind": (PRIORS, f"{__name__}:Free", "needs a kind"),
    "two kinds": (PRIORS, f"{__name__}:Two", "needs a kind"),
    "taken": (PRIORS, f"{__name__}:Taken", "the kind “vamp”, which is already taken"),
    "taken data": (DATA, f"{__name__}:OwnDigits", "the kind “mnist”, which is already taken"),
    "reserved": (PRIORS, f"{__name__}:Absent", "the kind “none”, which is already taken"),
    "no plain word": (
        PRIORS,
        f"{__name__}:Spaced",
        "'My prior', which is not a plain lowercase word",
    ),
    "long": (PRIORS, f"{__name__}:Long", "which is not a plain lowercase word"),
    "without title": (PRIORS, f"{__name__}:Empty", "needs a title"),
    "without latent": (MODELS, f"{__name__}:Sizeless", "does not define latent"),
}


@pytest.mark.parametrize(("group", "value", "why"), BROKEN.values(), ids=BROKEN.keys())
def test_what_cannot_be_used_is_named_with_its_package(group, value, why, tmp_path, monkeypatch):
    install(tmp_path, "shaky-tools", {group: {"shaky": value}})
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError, match="“shaky” of the package shaky-tools") as named:
        plugins.kinds(group, *REGISTRIES[group])
    said = str(named.value)
    assert why in said
    assert said.endswith("; fix or uninstall shaky-tools.")
    assert "\n" not in said


def test_two_packages_cannot_share_a_kind(tmp_path, monkeypatch):
    for package in ("first", "second"):
        install(tmp_path, package, LAPLACE, own_prior=OWN_PRIOR)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError, match="the package second has the kind “laplace”, which is"):
        plugins.kinds(PRIORS, *REGISTRIES[PRIORS])


def test_nothing_plugged_in_leaves_what_is_ours():
    for group, (base, own) in REGISTRIES.items():
        assert plugins.kinds(group, base, own) == own


@pytest.mark.slow
@pytest.mark.parametrize("first", ["all_of_it", "explorer.registry", "explorer.checkpoint"])
def test_what_is_plugged_in_may_import_what_lies_below(first, tmp_path):
    install(tmp_path, "own-tools", OWN, all_of_it=ALL)
    ended = run(tmp_path, tmp_path / "user", "-c", f"import {first}\n{NAMES}")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "own-prior own-model own-data ('none', 'own-prior')",
        "Own prior own VAE Own digits",
        "OwnPrior",
    ]


def test_a_recipe_of_a_package_that_is_not_installed_says_so(tmp_path):
    recipe = {"data": {"kind": "digits"}, "model": {"kind": "vae"}, "prior": {"kind": "laplace"}}
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(recipe))
    with pytest.raises(RecipeError, match="'laplace' is not known; use one of 'standard'") as said:
        read_recipe(path)
    assert str(said.value).endswith("or install the package that adds it.")


CLI = "from explorer.cli import main; main()"
BROKEN_PRIOR = {PRIORS: {"laplace": "nowhere_at_all:LaplaceConfig"}}


@pytest.mark.parametrize("words", ["list", "app --no-browser --port 38471"])
@pytest.mark.slow
def test_a_command_ends_in_one_sentence_where_a_plug_in_is_broken(words, tmp_path):
    install(tmp_path, "shaky-tools", BROKEN_PRIOR)
    ended = run(tmp_path, tmp_path / "user", "-c", CLI, *words.split())
    said = ended.stderr.strip()
    assert ended.returncode == 2, said
    assert "\n" not in said
    assert said.endswith("fix or uninstall shaky-tools.")


@pytest.mark.slow
def test_the_doctor_names_a_broken_plug_in_and_goes_on(tmp_path):
    install(tmp_path, "shaky-tools", BROKEN_PRIOR)
    ended = run(tmp_path, tmp_path / "user", "-c", CLI, "doctor")
    assert "fix or uninstall shaky-tools." in " ".join(ended.stdout.split())
    assert "user folder" in ended.stdout
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_the_doctor_lists_plug_ins(tmp_path):
    install(tmp_path, "own-prior", LAPLACE, own_prior=OWN_PRIOR)
    ended = run(tmp_path, tmp_path / "user", "-c", CLI, "doctor")
    assert "laplace (prior) of own-prior" in ended.stdout


SHOWN = """
import sys, warnings
from pathlib import Path
import torch
torch.set_num_threads(1)
from streamlit.testing.v1 import AppTest
from explorer import catalogue, naming, publishing, settings, training
from explorer.config import RunConfig
from explorer.ui.wording import palette

shelf = settings.current().checkpoints
for prior in ("laplace", "standard"):
    config = RunConfig.model_validate({
        "data": {"kind": "digits"}, "model": {"kind": "vae", "latent": 2, "hidden": [16]},
        "prior": {"kind": prior}, "training": {"epochs": 1, "batch": 300},
    })
    data = config.data.load(Path("nowhere"))
    training.train(config, data, shelf / f"digits-vae-{prior}-2")
    publishing.publish(shelf / f"digits-vae-{prior}-2", data, samples=2)
assert [entry.prior for entry in catalogue(shelf) if entry.healthy] == ["laplace", "standard"]
assert palette.PRIORS["laplace"] not in [palette.PRIORS[kind] for kind in palette.PRIORS
                                         if kind != "laplace"]

app = AppTest.from_file(str(settings.PACKAGE / "ui" / "entry" / "app.py"), default_timeout=120)
app.run()
for page in ("catalogue", "generate", "latent_map", "priors_lab", "evaluate"):
    app.query_params["model"] = "digits-vae-laplace-2"
    app.switch_page(str(settings.beside("pages") / f"{page}.py")).run()
    assert not app.exception, (page, app.exception)
    assert not app.error, (page, app.error)
    if page == "catalogue":
        print(*[item.key for item in app.button if item.key.startswith("catalogue_open_")])
        print(any(item.value.startswith("**Laplace") for item in app.markdown))
    if page == "priors_lab":
        print([item.value for item in app.markdown if item.value.startswith("**")][:2])
"""


@pytest.mark.slow
def test_a_plugged_in_prior_is_trained_measured_and_shown_after_the_known_ones(tmp_path):
    places = [tmp_path / name for name in ("packages", "shelf")]
    for place in places:
        place.mkdir()
    install(places[0], "own-prior", LAPLACE, own_prior=OWN_PRIOR)
    begin = f"import os\nos.environ['LATENT_EXPLORER_CHECKPOINTS'] = {str(places[1])!r}\n"
    ended = run(places[0], tmp_path / "user", "-c", begin + SHOWN)
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert ended.stdout.splitlines()[-3:] == [
        "catalogue_open_digits-vae-standard-2 catalogue_open_digits-vae-laplace-2",
        "True",
        "['**Laplace** :blue[· the open model]', '**Standard normal**']",
    ]
