"""The laws for plug-ins pass on what keeps them, and name what breaks them."""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Independent, Laplace, Normal

from explorer import testing
from explorer.data import DataSet, DigitsConfig, NacaConfig, SplitData
from explorer.designs.geometry import SectionGeometry
from explorer.designs.ink import Ink
from explorer.designs.properties import AbstractProperties, Property
from explorer.interfaces import Components, Draw, noise
from explorer.models import VAE, AutoencoderConfig, VAEConfig
from explorer.priors.mixture import LatentMixture
from explorer.sketch import PixelSketch
from tests.examples.own_prior import LaplaceConfig, LaplacePrior, LatentLaplace
from tests.support.models import AUTOENCODERS, MODELS, PRIORS, unsettle

PIXELS = PixelSketch(height=8, width=8)


def broken_prior(**methods):
    """A Laplace prior whose distribution has some methods replaced."""
    latent = type("Broken", (LatentLaplace,), methods)

    class Prior(LaplacePrior):
        def forward(self, posterior, labels=None):
            return latent(self.loc, self.log_scale.exp())

    class Config(LaplaceConfig):
        def build(self, space, sketch):
            return Prior(space.size)

    return Config()


def unnormalised(self, z):
    return LatentLaplace.log_prob(self, z) + 0.1


def too_wide(self, z):
    return Independent(Laplace(self.loc, 1.2 * self.scale), 1).log_prob(z)


def careless(self, n, *, scale=1.0, seed=0, component=None):
    z = self.loc + scale * self.scale * torch.randn(n, len(self.loc))
    return Draw(z, torch.zeros(n, dtype=torch.int64))


def gaussian(self, n, *, scale=1.0, seed=0, component=None):
    z = self.loc + scale * self.scale * noise(n, len(self.loc), seed)
    return Draw(z, torch.zeros(n, dtype=torch.int64))


def all_at_once(self, n, *, scale=1.0, seed=0, component=None):
    return LatentLaplace.draw(self, n, scale=scale, seed=seed + n)


def always_one(self, n, *, scale=1.0, seed=0, component=None):
    return LatentLaplace.draw(self, n, scale=1.0, seed=seed)


def lenient(self, n, *, scale=1.0, seed=0, component=None):
    first = scale[0] if isinstance(scale, tuple) else scale
    own = (seed or (0,))[0] if isinstance(seed, tuple) else seed
    return LatentLaplace.draw(self, n, scale=first, seed=own)


def lonely(self):
    return Components(torch.zeros(1), self.loc[None], self.scale[None])


BROKEN_PRIORS = {
    "unnormalised": ({"log_prob": unnormalised}, "The density integrates to"),
    "too wide": ({"log_prob": too_wide}, "Samples and density differ by a total variation"),
    "another law": ({"draw": gaussian}, "The density integrates to 0.99"),
    "careless": ({"draw": careless}, "The same seed draws different codes"),
    "all at once": ({"draw": all_at_once}, "is not the beginning of a larger draw"),
    "always one": ({"draw": always_one}, "Codes at scale 0 are not all the same"),
    "lenient": ({"draw": lenient}, "Two values for one level do not raise"),
    "components alone": ({"components": lonely}, "The density integrates to 0.99"),
}


@pytest.mark.parametrize(("methods", "law"), BROKEN_PRIORS.values(), ids=BROKEN_PRIORS.keys())
def test_a_prior_that_breaks_a_law_is_told_which(methods, law):
    with pytest.raises(AssertionError, match=law) as told:
        testing.check_prior(broken_prior(**methods))
    assert str(told.value).split("\n")[0].endswith(".")


class WrongMixture(LatentMixture):
    """A mixture that takes variances for standard deviations when it draws."""

    def draw(self, n, *, scale=1.0, seed=0, component=None):
        drawn = super().draw(n, scale=scale, seed=seed, component=component)
        loc, spread = self.mixture.loc[drawn.component], self.mixture.scale[drawn.component]
        return Draw(loc + spread * (drawn.z - loc), drawn.component)


class Idle(LaplacePrior):
    """A prior with a parameter that nothing depends on."""

    def __init__(self, latent):
        super().__init__(latent)
        self.idle = nn.Parameter(torch.zeros(latent))


class Spread(LaplacePrior):
    """Draws by variances in the place of standard deviations, as one component."""

    def forward(self, posterior, labels=None):
        return WrongMixture(torch.zeros(1), self.loc[None], 0.5 * self.log_scale.exp()[None])


class Restless(LaplacePrior):
    """Has another shape each time it is built."""

    built = 0

    def __init__(self, latent):
        super().__init__(latent)
        Restless.built += 1
        self.register_buffer("extra", torch.zeros(Restless.built))


@pytest.mark.parametrize(
    ("made", "law"),
    [
        (Idle, "idle receives no gradient"),
        (Spread, "Samples and density differ by a total variation"),
        (Restless, "do not have the names and shapes that its recipe builds"),
    ],
)
def test_a_module_that_breaks_a_law_is_told_which(made, law):
    class Config(LaplaceConfig):
        def build(self, space, sketch):
            return made(space.size)

    with pytest.raises(AssertionError, match=law):
        testing.check_prior(Config())


def test_a_config_that_loses_a_field_is_told():
    class Config(LaplaceConfig):
        note: str = "unsaid"

        def model_dump_json(self, **options):
            return super().model_dump_json(exclude={"note"}, **options)

    with pytest.raises(AssertionError, match="config of laplace does not survive a round trip"):
        testing.check_prior(Config(note="mine"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", PRIORS)
def test_our_priors_pass_the_check_for_plug_ins(kind):
    testing.check_prior(PRIORS[kind], prepare=lambda model, prior: unsettle(model, prior, kind))


@pytest.mark.parametrize("name", [*MODELS, *AUTOENCODERS])
def test_our_models_pass_the_check_for_plug_ins(name):
    testing.check_model((MODELS | AUTOENCODERS)[name])


def broken_model(**methods):
    model = type("Broken", (VAE,), methods)

    class Config(VAEConfig):
        title: ClassVar[str] = "broken"

        def build(self, sketch):
            return model(*self.parts(sketch))

    return Config(latent=3, hidden=(16,))


def of_rows(self, z, labels=None):
    return Normal(self.head(self.decoder(z)).mean, 1.0)


def of_its_batch(self, z, labels=None):
    law = VAE.likelihood(self, z)
    shift = z.mean() if z.numel() else z.sum()
    return Independent(Normal(law.mean + shift, 1.0), 3)


def unmoved(self, x, labels=None):
    q = VAE.posterior(self, x)
    return type(q)(q.loc.detach(), q.scale)


BROKEN_MODELS = {
    "rows for samples": ({"likelihood": of_rows}, "has the batch"),
    "of its batch": ({"likelihood": of_its_batch}, "A row is decoded differently"),
    "unmoved": ({"posterior": unmoved}, "loc.weight receives no gradient"),
}


@pytest.mark.parametrize(("methods", "law"), BROKEN_MODELS.values(), ids=BROKEN_MODELS.keys())
def test_a_model_that_breaks_a_law_is_told_which(methods, law):
    with pytest.raises(AssertionError, match=law):
        testing.check_model(broken_model(**methods))


def test_a_config_that_miscounts_its_units_is_told():
    class Config(AutoencoderConfig):
        def build(self, sketch):
            return AutoencoderConfig(latent=5, hidden=(16,)).build(sketch)

    with pytest.raises(AssertionError, match="has 3 latent units, the model 5"):
        testing.check_model(Config(latent=3))


# Data


@pytest.mark.parametrize("config", [DigitsConfig(), NacaConfig()])
def test_our_data_pass_the_check_for_plug_ins(config, tmp_path):
    assert isinstance(testing.check_data(config, tmp_path), DataSet)


def changed(**fields):
    """Digits whose training split has some fields replaced."""

    class Config(DigitsConfig):
        kind: Literal["changed"] = "changed"

        def load(self, root, download=False):
            data = DigitsConfig().load(root)
            known = {"x": data.train.x, "labels": data.train.labels, "ids": data.train.ids}
            new = {name: change(known[name]) for name, change in fields.items()}
            return DataSet(
                SplitData(**known | new), data.valid, data.test, data.sketch, data.classes, True
            )

    return Config()


BROKEN_DATA = {
    "empty": (
        changed(**dict.fromkeys(("x", "labels", "ids"), lambda rows: rows[:0])),
        "The train split is empty",
    ),
    "double": (changed(x=lambda x: x.astype(np.float64)), "The train split is in float64"),
    "flat": (changed(x=lambda x: x[:, 0]), "The train split has samples of the shape"),
    "bright": (changed(x=lambda x: 2 * x), "The train split has values outside 0 to 1"),
    "holes": (changed(x=lambda x: np.where(x > 0.9, np.nan, x)), "not finite"),
    "binary": (changed(x=lambda x: (x > 0.5).astype(np.float32)), "nothing to sample"),
    "no classes": (changed(labels=lambda labels: None), "one label per sample"),
    "beyond": (changed(labels=lambda labels: labels + 1), "a label outside its 10 classes"),
    "twice": (changed(ids=lambda ids: ids * 0), "a source row twice"),
    "unseeded": (
        changed(x=lambda x: np.random.default_rng().permutation(x)),
        "Loading the train split twice gives different samples",
    ),
}


@pytest.mark.parametrize(("config", "law"), BROKEN_DATA.values(), ids=BROKEN_DATA.keys())
def test_data_that_break_a_law_are_told_which(config, law, tmp_path):
    with pytest.raises(AssertionError, match=law):
        testing.check_data(config, tmp_path)


# Properties


def test_our_properties_pass_the_check_for_plug_ins():
    testing.check_properties(Ink(), PIXELS)
    data = NacaConfig().load(Path())
    testing.check_properties(SectionGeometry(), data.sketch, data.test.x[:6])


class Brightness(AbstractProperties):
    name = "Light"
    key = "brightest"

    def fits(self, sketch):
        return isinstance(sketch, PixelSketch)

    def properties(self, conditions):
        return (Property(self.key, "Brightest value"),)

    def measure(self, x, sketch, conditions):
        return {self.key: x.reshape(len(x), 64).max(1)}


def vandalise(self, x, sketch, conditions):
    x += 1
    return {self.key: x[:, 0, 0, 0]}


BROKEN_PROPERTIES = {
    "nameless": ({"name": ""}, "needs a name"),
    "key": ({"key": "Brightest!"}, "is not made of lowercase letters"),
    "unfitting": ({"fits": lambda self, sketch: False}, "does not fit such samples"),
    "empty": ({"properties": lambda self, conditions: ()}, "has no property"),
    "unlisted": ({"measure": lambda self, x, sketch, conditions: {}}, "measures"),
    "one for all": (
        {"measure": lambda self, x, sketch, conditions: {self.key: np.full(len(x), x.mean())}},
        "depends on the samples beside it",
    ),
    "vandal": (
        {
            "measure": lambda self, x, sketch, conditions: {
                self.key: np.add(x, 1, out=x)[:, 0, 0, 0]
            }
        },
        "changes the samples",
    ),
}


def test_a_family_that_keeps_the_laws_passes():
    testing.check_properties(Brightness(), PIXELS)


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
@pytest.mark.parametrize(
    ("changes", "law"), BROKEN_PROPERTIES.values(), ids=BROKEN_PROPERTIES.keys()
)
def test_a_family_that_breaks_a_law_is_told_which(changes, law):
    with pytest.raises(AssertionError, match=law):
        testing.check_properties(type("Broken", (Brightness,), changes)(), PIXELS)
