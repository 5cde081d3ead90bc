"""Built-in priors pass the check for plug-ins; each law fails on a prior that breaks it."""

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Laplace

from explorer import testing
from explorer.interfaces import Components, Draw, noise
from explorer.priors.mixture import LatentMixture
from tests.examples.own_prior import LaplaceConfig, LaplacePrior, LatentLaplace
from tests.support.models import PRIORS, unsettle


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


def test_a_config_whose_kind_is_no_literal_is_told():
    class Config(LaplaceConfig):
        kind: str = "laplace"

    with pytest.raises(AssertionError, match="Config needs a kind that is one literal"):
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
