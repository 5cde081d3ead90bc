"""Feature distances equal closed forms; stored networks load again or say why not."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from safetensors.torch import save as serialise
from torch import nn

from explorer import checkpoint
from explorer.errors import CheckpointError, DataError
from explorer.metrics import features
from explorer.metrics.features import (
    FOLDER,
    SIZE,
    FeatureNet,
    feature_distances,
    load_features,
    save_features,
    train_features,
)
from explorer.sketch import CurveSketch
from tests.support.data import digits

SHAPE = (1, 8, 8)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    for name in ("user", "shipped"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path / "user"))
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(tmp_path / "shipped"))


def plain():
    """Make a network whose features are the 64 pixels as they are."""
    network = FeatureNet(SHAPE, 3)
    network.body = nn.Sequential(nn.Flatten())
    return network


def pictures(rows):
    """Fill 64 pixels: the given columns, and zeros."""
    full = torch.zeros(len(rows), SIZE)
    full[:, : rows.shape[1]] = torch.as_tensor(rows, dtype=torch.float32)
    return full.reshape(-1, *SHAPE)


def exactly(n, d, seed, *, mean=0.0, spread=1.0):
    """Draw n rows whose own mean and covariance are exactly those asked for."""
    x = np.random.default_rng(seed).normal(size=(n, d))
    x -= x.mean(0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T
    return mean + spread * x


def normal(n, d=SIZE, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


# Distances


def test_the_frechet_distance_is_that_of_its_closed_form():
    real, fake = exactly(500, 3, 0), exactly(400, 3, 1, mean=1, spread=2)
    found = feature_distances(plain(), pictures(real), pictures(fake))
    torch.testing.assert_close(found.frechet, 6.0, atol=1e-4, rtol=0)


def test_the_frechet_distance_is_symmetric_and_nothing_for_the_same():
    one, other = pictures(normal(300, 5)), pictures(2 * normal(200, 5, 1) + 0.5)
    there = feature_distances(plain(), one, other).frechet
    back = feature_distances(plain(), other, one).frechet
    torch.testing.assert_close(there, back, atol=1e-6, rtol=1e-6)
    assert there > 1
    assert abs(feature_distances(plain(), one, one).frechet) < 1e-6


@pytest.mark.parametrize(("n", "known"), [(500, 4.39), (250, 2 * 4.39)])
def test_under_the_null_the_frechet_distance_hangs_on_n(n, known):
    found = [
        feature_distances(plain(), pictures(normal(n, seed=k)), pictures(normal(n, seed=k + 9)))
        for k in range(4)
    ]
    mean = float(np.mean([each.frechet for each in found]))
    torch.testing.assert_close(mean, known, atol=0, rtol=0.05)


def test_under_the_null_the_kernel_distance_is_nothing():
    found = [
        feature_distances(plain(), pictures(normal(200, 6, k)), pictures(normal(200, 6, k + 99)))
        for k in range(12)
    ]
    values = np.array([each.kernel for each in found])
    assert abs(values.mean()) < 4 * values.std(ddof=1) / math.sqrt(len(values))


def unbiased(x, y):
    """Estimate MMD^2 under (x'y / d + 1)^3 over all pairs of different rows."""

    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    def within(k):
        return (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))

    return within(kernel(x, x)) + within(kernel(y, y)) - 2 * kernel(x, y).mean()


def test_the_kernel_distance_is_the_cubic_one_up_to_its_subsets():
    real, fake = pictures(normal(300, 40)), pictures(1.5 * normal(260, 40, 1) + 0.3)
    expected = unbiased(*(x.flatten(1).double().numpy() for x in (real, fake)))
    found = feature_distances(plain(), real, fake)
    assert abs(found.kernel - expected) < 0.1 * expected


def test_subsets_hang_on_the_seed_alone():
    network, real, fake = plain(), pictures(normal(60, 9)), pictures(normal(60, 9, 1))
    state = torch.random.get_rng_state()
    one, again, other = (feature_distances(network, real, fake, seed=k) for k in (1, 1, 2))
    assert one == again
    assert one.kernel != other.kernel
    assert torch.equal(torch.random.get_rng_state(), state)


def test_networks_give_as_many_features_as_distances_want():
    network = FeatureNet((3, 9, 7), 4)
    found = network(torch.rand(5, 3, 9, 7))
    assert found.shape == (5, SIZE)
    assert network.answer(found).shape == (5, 4)


# Training


def test_a_quick_training_names_digits_far_above_chance():
    network, accuracy = train_features(digits(), steps=120)
    assert accuracy > 0.6
    test = digits().test
    answers = network.answer(network(torch.from_numpy(test.x))).argmax(1).numpy()
    torch.testing.assert_close(accuracy, float((answers == test.labels).mean()))
    assert not any(parameter.requires_grad for parameter in network.parameters())
    real, fake = torch.from_numpy(test.x), torch.from_numpy(digits().valid.x)
    noise = torch.bernoulli(torch.full_like(real, float(real.mean())))
    null, far = (feature_distances(network, real, x).frechet for x in (fake, noise))
    assert far > 5 * null


def test_the_same_seed_trains_the_same_network():
    one, again, other = (train_features(digits(), steps=4, seed=seed)[0] for seed in (1, 1, 2))
    pairs = zip(one.parameters(), again.parameters(), other.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert not torch.equal(one.answer.weight, other.answer.weight)


def unlabelled(split, rows):
    labels = split.labels.copy()
    labels[rows] = -1
    return dataclasses.replace(split, labels=labels)


def test_pictures_without_a_class_are_left_out():
    data = dataclasses.replace(
        digits(),
        train=unlabelled(digits().train, slice(None, 900)),
        test=unlabelled(digits().test, slice(3, None)),
    )
    _, accuracy = train_features(data, steps=3)
    assert any(math.isclose(accuracy, k / 3, abs_tol=1e-6) for k in range(4))


def without_labels(name):
    split = getattr(digits(), name)
    return dataclasses.replace(digits(), **{name: dataclasses.replace(split, labels=None)})


def curves():
    flat = {
        name: dataclasses.replace(getattr(digits(), name), x=getattr(digits(), name).x[:, 0, :, 0])
        for name in ("train", "valid", "test")
    }
    eight = tuple(float(k) for k in range(8))
    return dataclasses.replace(
        digits(), sketch=CurveSketch(x=eight, loc=eight, scale=(1.0,) * 8), **flat
    )


@pytest.mark.parametrize(
    "data",
    [lambda: without_labels("train"), lambda: without_labels("test"), curves],
    ids=["no classes to train on", "no classes to test on", "no pictures"],
)
def test_without_pictures_of_classes_there_are_no_features(data):
    with pytest.raises(DataError, match="images with class labels"):
        train_features(data(), steps=1)


# Keeping


def kept(folder, seed=0, kind="digits"):
    torch.manual_seed(seed)
    network = FeatureNet(SHAPE, 10).requires_grad_(False)
    return network, save_features(network, 0.75, folder, kind)


def test_a_kept_network_comes_back(tmp_path):
    network, path = kept(tmp_path / "shipped")
    assert path == tmp_path / "shipped" / FOLDER / "digits.safetensors"
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    found = load_features("digits", SHAPE, 10)
    assert found.accuracy == 0.75
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(found.network.state_dict()[name], tensor.half().float())
    x = torch.rand(4, *SHAPE)
    torch.testing.assert_close(found.network(x), network(x), atol=2e-3, rtol=2e-3)
    assert not found.network.training
    assert len(found.hash) == 16


def test_a_hash_is_of_the_weights(tmp_path):
    found = []
    for seed in [*[0] * 8, 1]:
        kept(tmp_path / "shipped", seed)
        found.append(load_features("digits", SHAPE, 10).hash)
    assert len(set(found[:8])) == 1
    assert found[8] != found[0]


def test_the_users_own_network_comes_before_the_shipped_one(tmp_path):
    kept(tmp_path / "shipped")
    shipped = load_features("digits", SHAPE, 10).hash
    _, path = kept(tmp_path / "user" / "checkpoints", seed=1)
    assert load_features("digits", SHAPE, 10).hash != shipped
    path.unlink()
    assert load_features("digits", SHAPE, 10).hash == shipped


def test_a_file_of_a_size_that_is_none_of_ours_is_passed_over(tmp_path, monkeypatch):
    _, path = kept(tmp_path / "shipped")
    monkeypatch.setattr(features, "_MOST_BYTES", path.stat().st_size - 1)
    assert load_features("digits", SHAPE, 10) is None


def test_where_none_was_trained_there_is_none(tmp_path):
    kept(tmp_path / "shipped")
    assert load_features("mnist", SHAPE, 10) is None


def tensors():
    return {name: value.half() for name, value in FeatureNet(SHAPE, 10).state_dict().items()}


DAMAGES = {
    "empty": b"",
    "cut short": serialise(tensors(), {"accuracy": "0.5"})[:900],
    "no tensors": b"words, and nothing else",
    "no facts": serialise(tensors()),
    "no accuracy": serialise(tensors(), {"classes": "10"}),
    "an accuracy that is none": serialise(tensors(), {"accuracy": "high"}),
    "a tensor too few": serialise(dict(list(tensors().items())[1:]), {"accuracy": "0.5"}),
    "a tensor too many": serialise(tensors() | {"more": torch.ones(2)}, {"accuracy": "0.5"}),
    "another shape": serialise(
        tensors() | {"answer.weight": torch.ones(3, SIZE)}, {"accuracy": "0.5"}
    ),
}


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_network_is_refused_in_one_sentence(tmp_path, content):
    place = tmp_path / "shipped" / FOLDER
    place.mkdir()
    checkpoint.write(place / "digits.safetensors", content)
    with pytest.raises(CheckpointError) as caught:
        load_features("digits", SHAPE, 10)
    said = str(caught.value)
    assert said.startswith("digits.safetensors cannot be used (")
    assert said.endswith("; train it again.")
    assert len(said.splitlines()) == 1
    assert len(said) < 300


def test_a_network_of_other_pictures_is_refused(tmp_path):
    kept(tmp_path / "shipped")
    for shape, classes in (((1, 28, 28), 10), (SHAPE, 7), ((3, 8, 8), 10)):
        with pytest.raises(CheckpointError, match="train it again"):
            load_features("digits", shape, classes)
