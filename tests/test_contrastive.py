"""Contrast brings two views of a sample together; views keep what a character is."""

import math

import pytest
import torch

from explorer.config import ContrastiveConfig
from explorer.contrastive import contrastive_loss, pretrain, view, whiten
from explorer.errors import TrainingError
from explorer.testing.checks import generator
from tests.support.models import small_checkpoint
from tests.support.runs import digits


def test_unrelated_features_lose_what_chance_does():
    torch.manual_seed(0)
    found = [
        float(contrastive_loss(torch.randn(128, 256), torch.randn(128, 256), 0.5))
        for _ in range(5)
    ]
    assert sum(found) / 5 == pytest.approx(math.log(255), abs=0.06)


def test_views_that_agree_lose_little_and_never_find_themselves():
    z = torch.eye(16)
    assert float(contrastive_loss(z, z, 0.05)) < 1e-3
    both = torch.cat([z, z.roll(1, 0)])
    assert float(contrastive_loss(both[:16], both[16:], 0.05)) > 5


def test_a_view_stays_a_picture_and_is_never_mirrored():
    x = torch.zeros(400, 1, 24, 24)
    x[:, :, 4:20, 4:9] = 1  # all ink is on the left
    seen = view(x, generator(1))
    assert seen.shape == x.shape
    assert float(seen.min()) >= 0
    assert float(seen.max()) <= 1
    ink = seen.sum((1, 2, 3))
    columns = torch.arange(24.0)
    centre = (seen.sum((1, 2)) * columns).sum(1) / ink.clamp(min=1e-6)
    assert float((centre[ink > 5] < 12).double().mean()) > 0.9
    assert not torch.equal(seen, view(x, generator(2)))
    assert torch.equal(seen, view(x, generator(1)))


def test_colours_keep_their_channels():
    x = torch.rand(5, 3, 16, 12)
    assert view(x, generator(1), inked=False).shape == x.shape


def test_training_by_contrast_lowers_the_loss_and_whitens():
    opened = small_checkpoint(model="ae", latent=3, hidden=(32,))
    opened.model.requires_grad_(True)
    x, losses = torch.from_numpy(digits().train.x), []
    config = ContrastiveConfig(steps=60, batch=64, learning_rate=3e-3)
    share = pretrain(opened.model, x, config, 1, report=lambda step, loss: losses.append(loss))
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
    assert 0 < share <= 1
    codes = opened.model.posterior(x).loc.detach()
    torch.testing.assert_close(codes.T.cov(correction=0), torch.eye(3), atol=1e-3, rtol=0)


def test_a_code_cannot_be_longer_than_the_features():
    opened = small_checkpoint(model="ae", latent=9, hidden=(8,))
    with pytest.raises(TrainingError, match="widen"):
        whiten(opened.model, torch.from_numpy(digits().train.x))


def test_curves_have_no_views():
    opened = small_checkpoint(model="ae")
    with pytest.raises(TrainingError, match="pictures"):
        pretrain(opened.model, torch.zeros(5, 20), ContrastiveConfig(), 1)
