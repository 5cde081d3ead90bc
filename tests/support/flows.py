"""A flow on the codes of a shipped model, fitted in a moment and kept in the test's own folder."""

from explorer import sampler
from tests.support.data import digits
from tests.support.engines import engine_of


def fitted(slug, *, steps=24, batch=32, seed=0):
    opened = engine_of(slug).checkpoint
    return sampler.fit(opened, digits(), steps=steps, batch=batch, seed=seed)
