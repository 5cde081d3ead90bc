"""What networks of other people return is told, or asked for."""

from collections import namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal

from explorer.errors import ExportError
from explorer.foreign import outputs

MU, LOG_VAR, SIGMA = torch.randn(4, 2), -torch.ones(4, 2), torch.full((4, 2), 0.3)
Named = namedtuple("Named", "mu logvar")


@dataclass
class Output:
    """As a data class of transformers or diffusers."""

    latent_dist: object


@pytest.mark.parametrize(
    ("found", "spread"),
    [
        (MU, None),
        ([MU], None),
        ((MU, LOG_VAR), "log_variance"),
        ((MU, SIGMA), "scale"),
        (Normal(MU, SIGMA), "scale"),
        (Independent(Normal(MU, SIGMA), 1), "scale"),
        (Output(SimpleNamespace(mean=MU, std=SIGMA)), "scale"),
        (SimpleNamespace(embedding=MU, log_covariance=LOG_VAR), "log_variance"),
        ({"embedding": MU, "log_covariance": LOG_VAR}, "log_variance"),
        ({"embedding": MU}, None),
        (Named(MU, LOG_VAR), "log_variance"),
        ({"z_mean": MU, "z_log_var": LOG_VAR, "z": MU}, "log_variance"),
    ],
    ids=lambda given: given if isinstance(given, str) else type(given).__name__,
)
def test_mean_and_spread_are_told_by_name_and_value(found, spread):
    result = outputs.encoded(found)
    assert torch.equal(result.loc, MU)
    assert outputs.settled(result, None) == spread


@pytest.mark.parametrize("found", [(MU, LOG_VAR, MU), None, "text", {}, (MU, torch.zeros(3)), 5])
def test_what_cannot_be_told_is_said_in_words(found):
    with pytest.raises(ExportError, match="cannot be told; return the mean"):
        outputs.encoded(found)


def test_a_spread_that_may_be_either_is_asked_for():
    either = outputs.encoded((MU, 3 * torch.ones(4, 2)))
    with pytest.raises(ExportError, match='say `spread="log_variance"`'):
        outputs.settled(either, None)
    assert outputs.settled(either, "variance") == "variance"


@pytest.mark.parametrize(
    ("found", "logits"),
    [
        (MU, False),
        ((MU, SIGMA), False),
        (Normal(MU, SIGMA), False),
        (Independent(Bernoulli(logits=MU), 1), True),
        ({"reconstruction": MU}, False),
        (SimpleNamespace(sample=MU), False),
    ],
)
def test_decoded_values_are_found(found, logits):
    values, known = outputs.decoded(found)
    assert torch.equal(values, MU)
    assert known == logits


def test_a_whole_model_is_taken_apart_by_its_parts_or_methods():
    parts = SimpleNamespace(encoder=nn.Identity(), decoder=nn.Tanh())
    assert outputs.pair(parts, None) == (parts.encoder, parts.decoder)
    methods = SimpleNamespace(encode=abs, decode=min)
    assert outputs.pair(methods, None) == (abs, min)
    between = SimpleNamespace(
        encoder=abs, decoder=abs, quant_conv=nn.Identity(), encode=min, decode=max
    )
    assert outputs.pair(between, None) == (min, max)
    with pytest.raises(ExportError, match="no encoder and decoder"):
        outputs.pair(nn.Identity(), None)
