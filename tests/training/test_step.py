"""A step raises the bound, and does to pictures only what it should."""

import dataclasses

import numpy as np
import pytest
import torch

from explorer import checkpoint, training, training_loop
from explorer.augmentation import shifted
from tests.support.runs import digits, log, recipe, weights


def a_run(tmp_path, config, data=None):
    data = data or digits()
    return training_loop.Run(
        config.completed(data.sketch, data.binary), data, tmp_path, torch.device("cpu")
    )


def test_the_average_of_the_weights_is_what_is_published(tmp_path):
    run = a_run(tmp_path, recipe(epochs=3, objective={"warmup": {"kind": "constant"}}))
    for progress in run.epochs():
        if progress.valid_elbo == progress.best:
            best = training_loop._copy(run.average.module.state_dict())
            raw = training_loop._copy(run.network.state_dict())
    run.publish()
    published = weights(tmp_path)
    for name, value in published.items():
        torch.testing.assert_close(value, best[name], rtol=0, atol=0)
    assert any(not torch.equal(published[name], raw[name]) for name in published)


def test_training_raises_the_bound(tmp_path):
    config = recipe(epochs=30, average=0, corruption=0, decay="constant")
    training.train(config, digits(), tmp_path)
    lines = log(tmp_path)
    assert lines[-1]["valid_elbo"] > lines[0]["valid_elbo"] + 5


@pytest.mark.parametrize("shift", [1, 2, 8])
def test_a_shift_moves_pictures_and_keeps_them_pictures(tmp_path, shift):
    run = a_run(tmp_path, recipe(shift=shift))
    x = torch.from_numpy(digits().train.x[:40])
    moved = run._picture(x, torch.Generator().manual_seed(0))
    assert moved.shape == x.shape
    assert set(moved.unique().tolist()) <= {0.0, 1.0}
    assert not torch.equal(moved, run._picture(x, torch.Generator().manual_seed(1)))


def test_a_shift_is_a_shift(tmp_path):
    data = dataclasses.replace(digits(), dynamic=False)
    run = a_run(tmp_path, recipe(shift=1), data)
    x = torch.from_numpy(digits().valid.x)
    moved = run._picture(x, torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    shifts = [(row, column) for row in range(3) for column in range(3)]
    for before, after in zip(padded, moved, strict=True):
        candidates = [before[:, row : row + 8, column : column + 8] for row, column in shifts]
        assert any(torch.equal(after, candidate) for candidate in candidates)


def test_corruption_only_hides(tmp_path):
    run = a_run(tmp_path, recipe(corruption=0.5))
    x = torch.from_numpy(digits().valid.x)
    seen = run._corrupt(x, torch.Generator().manual_seed(0))
    assert seen.shape == x.shape
    assert bool(((seen == x) | (seen == 0)).all())
    share = 1 - float(seen.sum() / x.sum())
    assert share == pytest.approx(0.25, abs=0.05)
    assert a_run(tmp_path, recipe(corruption=0))._corrupt(x, torch.Generator()) is None


def test_normalised_gradients_have_norm_one(tmp_path):
    run = a_run(tmp_path, recipe(normalise_gradients=True, batch=1000))
    run._train_epoch()
    norms = [parameter.grad.norm() for parameter in run.network.parameters()]
    torch.testing.assert_close(torch.stack(norms), torch.ones(len(norms)), rtol=0, atol=1e-3)


def test_a_step_keeps_pseudo_inputs_inside_their_bounds(tmp_path):
    prior = {"kind": "vamp", "components": 20, "mean": 0.0, "spread": 0.5}
    config = recipe(prior=prior, prior_learning_rate=0.5, half=False)
    training.train(config, digits(), tmp_path)
    inputs = checkpoint.load(tmp_path).prior.pseudo_inputs()
    assert float(inputs.min()) >= 0
    assert float(inputs.max()) <= 1


def test_snapshots_of_pseudo_inputs_are_kept(tmp_path):
    training.train(recipe(), digits(), tmp_path)
    found = checkpoint.load(tmp_path).arrays(checkpoint.SNAPSHOTS)
    assert found["epochs"].tolist() == [1, 2, 3, 5, 6]
    assert found["inputs"].shape == (5, 4, 1, 8, 8)
    assert found["inputs"].dtype == np.float16
    assert (tmp_path / checkpoint.SNAPSHOTS).stat().st_size < 150_000


def test_a_prior_without_pseudo_inputs_has_no_snapshots(tmp_path):
    training.train(recipe(prior={"kind": "mog"}, epochs=2), digits(), tmp_path)
    assert not (tmp_path / checkpoint.SNAPSHOTS).exists()


def test_the_average_keeps_up_with_the_first_steps(tmp_path):
    """With its final decay from the first step on, it would be 0.99^30 = 3/4 of the way behind."""
    run = a_run(tmp_path, recipe(epochs=3, average=0.99, learning_rate=3e-3))
    start = training_loop._copy(run.network.state_dict())
    list(run.epochs())

    def apart(one, other):
        return sum(float((one[n].double() - other[n].double()).square().sum()) for n in one) ** 0.5

    now, average = run.network.state_dict(), run.average.module.state_dict()
    assert int(run.average.n_averaged) < 60
    assert 0 < apart(average, now) < 0.3 * apart(start, now)


@pytest.mark.parametrize(("steps", "decay"), [(1, 2 / 11), (90, 0.91), (10_000, 0.95)])
def test_the_decay_of_the_average_grows_to_the_recipe_s(tmp_path, steps, decay):
    run = a_run(tmp_path, recipe(average=0.95))
    run.average.n_averaged.fill_(steps)
    average, weight = torch.zeros(1), torch.ones(1)
    run._take_average([average], [weight], run.average.n_averaged)
    assert float(average) == pytest.approx(1 - decay)


def test_colours_are_shifted_without_a_black_edge():
    x = 0.9 + 0.05 * torch.rand(20, 3, 8, 8)
    moved = shifted(x, 3, torch.Generator().manual_seed(0), inked=False)
    assert float(moved.min()) >= 0.9
    assert float(shifted(x, 3, torch.Generator().manual_seed(0)).min()) == 0
    assert not torch.equal(moved, x)
