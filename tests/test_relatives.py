"""Only models of the same data are compared, nearest relatives first."""

import dataclasses

import pytest

from explorer import checkpoint
from explorer.relatives import relatives
from tests.support.pages import SHIPPED


@pytest.fixture(scope="module")
def shipped():
    return {entry.slug: entry for entry in checkpoint.catalogue(SHIPPED)}


def test_relatives_are_of_the_same_data_and_have_a_prior(shipped):
    among = list(shipped.values())
    for entry in among:
        found = relatives(entry, among)
        assert entry.slug not in {other.slug for other in found}
        assert all(other.data == entry.data and other.healthy for other in found)
        assert not any("none" in (entry.prior, other.prior) for other in found)


def test_the_nearest_relatives_differ_in_the_prior_alone(shipped):
    found = relatives(shipped["digits-vae-vamp-16"], list(shipped.values()))
    own = [(other.model, other.latent) == ("vae", 16) for other in found]
    assert sum(own) == 4
    assert own == sorted(own, reverse=True)
    priors = [other.prior for other in found[4:]]
    assert priors[0] == "vamp"
    alike = [prior == "vamp" for prior in priors]
    assert alike == sorted(alike, reverse=True)


def test_pictures_of_one_size_are_not_the_same_data(shipped):
    one, other = shipped["mnist-static-vae-vamp-40"], shipped["fashion-convvae-vamp-32"]
    assert one.config.sketch.shape == other.config.sketch.shape
    found = [item.slug for item in relatives(one, list(shipped.values()))]
    assert other.slug not in found
    assert "mnist-static-hvae-vamp-80" in found


def test_samples_drawn_in_another_way_are_not_compared(shipped):
    one, other = shipped["digits-vae-vamp-16"], shipped["digits-vae-standard-16"]
    assert relatives(one, [other]) == [other]
    sketch = other.config.sketch.model_copy(update={"light": True})
    moved = dataclasses.replace(other, config=other.config.model_copy(update={"sketch": sketch}))
    assert relatives(one, [moved]) == []
    assert relatives(one, [dataclasses.replace(other, config=None)]) == []
