"""A PixelCNN sees only preceding pixels, and samples from its density."""

import itertools
import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli

from explorer.errors import NoDensityError
from explorer.inference import Engine
from explorer.interfaces import uniforms
from explorer.metrics.draws import draw_data
from explorer.models import PixelCNN, Sequential
from tests.support.models import AUTOENCODERS, MODELS, small_checkpoint, small_pair

CONDITION = 2
SHAPES = {"tall": (4, 3), "wide": (3, 5), "row": (1, 6), "column": (5, 1)}
LAYERS = [1, 2, 4]
every_shape = pytest.mark.parametrize(("height", "width"), SHAPES.values(), ids=SHAPES)
every_depth = pytest.mark.parametrize("layers", LAYERS)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def network(height, width, layers=3, channels=6, seed=0):
    """Make a network at rest with large weights, in doubles, its statistics out of the common."""
    torch.manual_seed(seed)
    made = PixelCNN((1, height, width), CONDITION, channels, layers).double().eval()
    for parameter in made.parameters():
        parameter.copy_(torch.randn_like(parameter) * 2 / math.sqrt(parameter[0].numel()))
    made.masked[0].weight.mul_(3)  # so that pixels hang together
    for norm in made.norms:
        norm.running_mean.normal_(0, 0.5)
        norm.running_var.uniform_(0.2, 1.5)
        norm.weight.uniform_(0.5, 1.5)
        norm.bias.normal_(0.3, 0.5)
    return made.requires_grad_(False)


def condition(*batch, seed=1):
    return torch.randn(*batch, generator=generator(seed), dtype=torch.float64)


def pictures(*shape, seed=2):
    return torch.bernoulli(torch.full(shape, 0.5, dtype=torch.float64), generator=generator(seed))


@torch.no_grad()
def plainly(made, maps, uniform=None):
    """Go through the picture with the whole network at each pixel: the reference of `paint`."""
    height, width = maps.shape[-2:]
    x = maps.new_zeros(len(maps), 1, height, width)
    for row, column in itertools.product(range(height), range(width)):
        chance = made.read(x, maps)[:, 0, row, column].sigmoid()
        drawn = chance if uniform is None else (uniform[:, row, column] < chance).double()
        x[:, 0, row, column] = drawn
    return x


def every_picture(height, width):
    rows = itertools.product([0.0, 1.0], repeat=height * width)
    return torch.tensor(list(rows), dtype=torch.float64).reshape(-1, 1, height, width)


# What a pixel sees


@every_shape
@every_depth
def test_a_pixel_sees_neither_itself_nor_a_later_one(height, width, layers):
    made = network(height, width, layers)
    x = pictures(1, 1, height, width).requires_grad_()
    logits = made.read(x, condition(1, CONDITION, height, width)).flatten()
    for pixel in range(height * width):
        (slope,) = torch.autograd.grad(logits[pixel], x, retain_graph=True)
        assert not bool(slope.flatten()[pixel:].any())


@every_shape
@every_depth
def test_a_pixel_sees_its_neighbours_before_it(height, width, layers):
    """Some unit may be at rest on one picture, so that slopes of several are added."""
    made = network(height, width, layers, channels=12)
    x = pictures(24, 1, height, width).requires_grad_()
    logits = made.read(x, condition(24, CONDITION, height, width))
    for row, column in itertools.product(range(height), range(width)):
        (slopes,) = torch.autograd.grad(logits[:, 0, row, column].sum(), x, retain_graph=True)
        felt = slopes.abs().sum((0, 1))
        for above, aside in ((0, -1), (-1, -1), (-1, 0), (-1, 1)):
            if row + above >= 0 and 0 <= column + aside < width:
                assert float(felt[row + above, column + aside]) > 1e-6


def test_deeper_layers_see_farther_back():
    reach = []
    for layers in (1, 2, 3):
        made = network(7, 7, layers, channels=12)
        x = pictures(24, 1, 7, 7).requires_grad_()
        logits = made.read(x, condition(24, CONDITION, 7, 7))
        (slopes,) = torch.autograd.grad(logits[:, 0, 6, 3].sum(), x)
        seen = slopes.abs().sum((0, 1)).sum(1).nonzero()
        reach.append(6 - int(seen.min()))
    assert reach == [1, 2, 3]


@every_depth
def test_no_mask_hides_the_condition(layers):
    made = network(4, 4, layers, channels=12)
    x = pictures(24, 1, 4, 4)
    maps = condition(24, CONDITION, 4, 4).requires_grad_()
    logits = made.read(x, maps)
    for row, column in itertools.product(range(4), range(4)):
        (slopes,) = torch.autograd.grad(logits[:, 0, row, column].sum(), maps, retain_graph=True)
        felt = slopes.abs().sum(0)
        for below, aside in itertools.product((-1, 0, 1), (-1, 0, 1)):
            if 0 <= row + below < 4 and 0 <= column + aside < 4:
                assert bool((felt[:, row + below, column + aside] > 1e-6).all())


def test_hidden_taps_of_a_kernel_count_for_nothing():
    made = network(4, 4)
    x, maps = pictures(3, 1, 4, 4), condition(3, CONDITION, 4, 4)
    expected = made.read(x, maps)
    for number, layer in enumerate(made.masked):
        layer.weight[:, :, 2] = 99
        layer.weight[:, :, 1, 2] = 99
        if not number:
            layer.weight[:, :, 1, 1] = 99
    assert torch.equal(made.read(x, maps), expected)
    torch.testing.assert_close(made.paint(maps), plainly(made, maps))


# A density


@pytest.mark.parametrize(("height", "width"), [(2, 3), (3, 3), (1, 5), (4, 1)])
@every_depth
def test_probabilities_of_all_pictures_sum_to_one(height, width, layers):
    made = network(height, width, layers)
    maps = condition(3, CONDITION, height, width)
    log_prob = made(maps).log_prob(every_picture(height, width)[:, None])
    assert log_prob.shape == (2 ** (height * width), 3)
    torch.testing.assert_close(log_prob.exp().sum(0), torch.ones(3).double())
    assert bool((log_prob.exp().amax(0) > 3 / len(log_prob)).all())


def test_the_density_is_the_product_of_what_each_pixel_is_given():
    made, shape = network(3, 4), (5, 1, 3, 4)
    x, maps = pictures(*shape), condition(5, CONDITION, 3, 4)
    logits = made.read(x, maps)
    expected = torch.zeros(5, dtype=torch.float64)
    for row, column in itertools.product(range(3), range(4)):
        known = torch.zeros(shape, dtype=torch.float64)
        before = row * 4 + column
        known.flatten(1)[:, :before] = x.flatten(1)[:, :before]
        chance = made.read(known, maps)[:, 0, row, column].sigmoid()
        torch.testing.assert_close(logits[:, 0, row, column].sigmoid(), chance)
        own = x[:, 0, row, column]
        expected += (own * chance + (1 - own) * (1 - chance)).log()
    torch.testing.assert_close(made(maps).log_prob(x), expected)


def test_densities_are_broadcast_over_samples_and_batch():
    made = network(3, 4)
    x, maps = pictures(4, 1, 3, 4), condition(6, 4, CONDITION, 3, 4)
    p = made(maps)
    assert (p.batch_shape, p.event_shape) == ((6, 4), (1, 3, 4))
    found = p.log_prob(x)
    assert found.shape == (6, 4)
    for sample, row in itertools.product(range(6), range(4)):
        alone = made(maps[sample, row]).log_prob(x[row])
        torch.testing.assert_close(found[sample, row], alone)
    torch.testing.assert_close(p.log_prob(x[0]), made(maps).log_prob(x[:1].expand(6, 4, 1, 3, 4)))
    many = made(maps[0, 0]).log_prob(x)
    torch.testing.assert_close(many, torch.stack([made(maps[0, 0]).log_prob(one) for one in x]))


def test_the_density_stays_finite_where_the_network_is_sure():
    made = network(3, 3)
    made.logits.weight.mul_(1e6)
    maps = condition(5, CONDITION, 3, 3).requires_grad_()
    density = made(maps).log_prob(pictures(5, 1, 3, 3))
    density.sum().backward()
    assert bool(torch.isfinite(density).all())
    assert bool(torch.isfinite(maps.grad).all())
    assert float(density.detach().min()) < -100


# Painting


@every_shape
@every_depth
def test_painting_is_the_plain_loop(height, width, layers):
    made = network(height, width, layers)
    maps = condition(9, CONDITION, height, width)
    uniform = torch.rand(9, height, width, generator=generator(3), dtype=torch.float64)
    painted = made.paint(maps, uniform)
    assert painted.shape == (9, 1, height, width)
    assert torch.equal(painted, plainly(made, maps, uniform))
    assert set(painted.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(made(maps).paint(uniform), painted)


@every_shape
@every_depth
def test_the_mean_goes_on_from_probabilities(height, width, layers):
    made = network(height, width, layers)
    maps = condition(2, 3, CONDITION, height, width)
    expected = plainly(made, maps.reshape(6, CONDITION, height, width))
    torch.testing.assert_close(made(maps).mean, expected.reshape(2, 3, 1, height, width))
    torch.testing.assert_close(made(maps[0, 1]).mean, expected[1])


def test_painting_draws_as_often_as_the_density_says():
    n = 20_000
    made, maps = network(2, 2, seed=7), condition(2, CONDITION, 2, 2)
    torch.manual_seed(0)
    drawn = made(maps).sample((n,))
    assert drawn.shape == (n, 2, 1, 2, 2)
    known = every_picture(2, 2)
    probability = made(maps).log_prob(known[:, None]).exp()
    same = (drawn[:, None] == known[None, :, None]).all(-1).all(-1).all(-1)
    share = same.double().mean(0)
    error = (probability * (1 - probability) / n).sqrt()
    assert bool(((share - probability).abs() < 4.5 * error + 1e-9).all())
    pixels = drawn.mean(0)
    independent = torch.stack(
        [Bernoulli(pixels[row]).log_prob(known).sum((1, 2, 3)).exp() for row in range(2)], 1
    )
    assert float((independent - probability).abs().max()) > 0.05


@pytest.mark.parametrize("shape", [(), (3,), (2, 5)])
@pytest.mark.parametrize("batch", [(), (4,), (2, 3)])
def test_pictures_are_drawn_in_the_asked_shape(shape, batch):
    p = network(3, 2)(condition(*batch, CONDITION, 3, 2))
    assert isinstance(p, Sequential)
    assert p.sample(shape).shape == (*shape, *batch, 1, 3, 2)
    assert p.log_prob(p.sample(shape)).shape == (*shape, *batch)


def test_a_picture_is_painted_alike_in_every_company():
    made, maps = network(4, 4), condition(7, CONDITION, 4, 4)
    uniform = torch.rand(7, 4, 4, generator=generator(3), dtype=torch.float64)
    whole = made.paint(maps, uniform)
    for row in range(7):
        assert torch.equal(made.paint(maps[row : row + 1], uniform[row : row + 1])[0], whole[row])


# The engine


@pytest.fixture(scope="module")
def engine():
    return Engine(small_checkpoint("mog", model="pixelhvae"), "cpu")


def codes(engine, n=200):
    return np.random.default_rng(0).normal(size=(n, engine.space.size)).astype(np.float32)


def test_an_engine_decodes_pixel_by_pixel_without_chance(engine):
    z = codes(engine, 5)
    torch.manual_seed(0)
    first = engine.decode(z)
    torch.manual_seed(1)
    assert np.array_equal(engine.decode(z), first)
    p = engine.checkpoint.model.likelihood(torch.from_numpy(z))
    expected = plainly(deepcopy(p.network).double(), p.maps.double()).numpy()
    np.testing.assert_allclose(first, expected, atol=1e-5)
    assert 0 < first.min() < first.max() < 1


@pytest.mark.parametrize("name", MODELS)
def test_an_engine_paints_binary_pictures_by_seed_and_in_every_batch(name):
    engine = Engine(small_checkpoint("mog", model=name), "cpu")
    assert engine.sequential == (name == "pixelhvae")
    z = codes(engine)
    painted = engine.paint(z, seed=3)
    assert painted.shape == (200, 1, 8, 8)
    assert painted.dtype == np.float32
    assert set(np.unique(painted)) == {0.0, 1.0}
    assert np.array_equal(engine.paint(z, seed=3), painted)
    assert (engine.paint(z, seed=4) != painted).any()
    for n in (0, 1, 7, 193):
        assert np.array_equal(engine.paint(z[:n], seed=3), painted[:n])
    small = Engine(small_checkpoint("mog", model=name), "cpu", block=16)
    assert (small.paint(z[:50], seed=3) != painted[:50]).mean() < 1e-3


@pytest.mark.parametrize("name", ["hvae", "pixelhvae"])
def test_what_an_engine_paints_has_the_law_of_the_likelihood(name):
    n = 1500
    engine = Engine(small_checkpoint("mog", model=name), "cpu")
    z = codes(engine, 1)
    painted = torch.from_numpy(engine.paint(np.repeat(z, n, 0), seed=1))
    uniform = uniforms(64 * n, 1).float().reshape(n, 8, 8)
    p = engine.checkpoint.model.likelihood(torch.from_numpy(z).expand(n, -1))
    if name == "pixelhvae":
        assert (painted != p.paint(uniform)).float().mean() < 1e-3
    else:
        assert (painted != (uniform[:, None] < p.mean)).float().mean() < 1e-3
    chance = painted.mean(0)
    torch.manual_seed(2)
    drawn = p.sample()
    error = (2 * chance * (1 - chance) / n).sqrt() + 1e-6
    assert bool(((drawn.mean(0) - chance).abs() < 4.5 * error + 2 / n).all())
    surprise, usual = -p.log_prob(painted), -p.log_prob(drawn)
    gap = float(surprise.mean() - usual.mean())
    assert abs(gap) < 4 * math.sqrt(float(surprise.var() + usual.var()) / n)


def test_an_engine_paints_no_shades():
    grey = Engine(small_checkpoint("mog", likelihood="gaussian"), "cpu")
    with pytest.raises(NoDensityError, match="does not model binary pixels"):
        grey.paint(codes(grey, 2))


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_an_autoencoder_paints_too(name):
    engine = Engine(small_checkpoint(None, model=name), "cpu")
    assert not engine.sequential
    assert set(np.unique(engine.paint(codes(engine, 20)))) == {0.0, 1.0}


def test_data_are_drawn_pixel_by_pixel():
    model, prior = small_pair("mog", model="pixelhvae")
    with torch.no_grad():
        joint = model.latent_prior(prior)
        drawn = draw_data(model, joint, 40, 3, binary=True)
        z = joint.draw(40, seed=3).z
        uniform = torch.rand(40, 8, 8, generator=generator(3))
        expected = model.likelihood(z).paint(uniform)
    assert np.array_equal(drawn, expected.numpy())
