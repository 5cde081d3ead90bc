"""Built-in models pass the check for plug-ins; each law fails on a model that breaks it."""

from typing import ClassVar

import pytest
from torch.distributions import Independent, Normal

from explorer import testing
from explorer.models import VAE, AutoencoderConfig, VAEConfig
from tests.support.models import AUTOENCODERS, MODELS


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
