"""No two models bear the same words, in whichever list they stand."""

import dataclasses

import pytest

from explorer import checkpoint
from explorer.ui.wording.naming import labels, side_by_side
from tests.support.pages import SHIPPED

SOURCE = "digits-vae-vamp-2"


@pytest.fixture(scope="module")
def shipped():
    return [entry for entry in checkpoint.catalogue(SHIPPED) if entry.healthy]


@pytest.fixture
def twin(shipped):
    """Make a model like a shipped one, of another name and with other settings."""
    source = next(entry for entry in shipped if entry.slug == SOURCE)

    def make(slug, seed=14, **prior):
        config = source.config
        training = config.training.model_copy(update={"seed": seed})
        update = {"training": training, "prior": config.prior.model_copy(update=prior)}
        return dataclasses.replace(source, slug=slug, config=config.model_copy(update=update))

    return make


def names_of(entries):
    """What the sidebar calls them, and what a page calls them side by side."""
    return list(labels(entries).values()), side_by_side(entries)


def test_every_shipped_model_has_words_of_its_own(shipped):
    named = labels(shipped)
    assert len({(entry.data, named[entry.slug]) for entry in shipped}) == len(shipped)
    assert len(set(side_by_side(shipped))) == len(shipped)


def test_two_seeds_are_told_apart_by_their_seeds(twin):
    for names in names_of([twin("one", seed=1), twin("two", seed=2)]):
        assert [" (seed 1)" in names[0], " (seed 2)" in names[1]] == [True, True]


def test_numbers_of_components_come_before_seeds(twin):
    listed, side = names_of([twin("a", 1, components=4), twin("b", 2, components=8)])
    assert listed == ["VampPrior (K = 4), 2 units", "VampPrior (K = 8), 2 units"]
    assert side == ["VampPrior (K = 4)", "VampPrior (K = 8)"]


def test_as_many_facts_as_needed_tell_them_apart(twin):
    entries = [twin("a", 1, components=4), twin("b", 2, components=4), twin("c", 1, components=8)]
    listed, side = names_of(entries)
    assert side == [f"VampPrior (K = {k}, seed {seed})" for k, seed in ((4, 1), (4, 2), (8, 1))]
    assert len(set(listed)) == 3


def test_models_alike_in_all_are_told_apart_by_their_slugs(twin):
    listed, side = names_of([twin("one"), twin("two"), twin("three", 2)])
    assert listed == [f"VampPrior ({slug}), 2 units" for slug in ("one", "two", "three")]
    assert side == ["VampPrior (one)", "VampPrior (two)", "VampPrior (three)"]


def test_sizes_are_told_apart_side_by_side(shipped):
    known = {entry.slug: entry for entry in shipped}
    pair = [known["digits-vae-vamp-16"], known[SOURCE]]
    assert side_by_side(pair) == ["VampPrior (16 units)", "VampPrior (2 units)"]
    assert side_by_side(pair[:1]) == ["VampPrior"]
