"""Laws of a model: shapes and posteriors."""

import torch
from torch import Tensor

from explorer.errors import NoDensityError
from explorer.interfaces import AbstractModel
from explorer.testing.assertions import (
    SKETCH,
    Sketch,
    fail,
    generator,
    random_samples,
    require,
    require_close,
)


def check_shapes_are_consistent(model: AbstractModel, sketch: Sketch = SKETCH) -> None:
    """Codes have the size of the latent space, and p(x|z) the shape of a sample, in any batch."""
    x = random_samples(5, sketch)
    size, top = model.space.size, model.top.size
    q = model.posterior(x)
    shapes: dict[str, tuple[Tensor, tuple[int, ...]]] = {
        "posterior(x).loc": (q.loc, (5, top)),
        "top_posterior(x).loc": (model.top_posterior(x).loc, (5, top)),
        "posterior(x).sample()": (q.sample(), (5, size)),
        "posterior(x).flat().loc": (q.flat().loc, (5, size)),
    }
    batches: tuple[tuple[int, ...], ...] = ((5,), (2, 5), ())
    for lead in batches:
        p = model.likelihood(torch.randn(*lead, size, generator=generator(1)))
        where = f"likelihood(z) of {lead} codes"
        require(tuple(p.batch_shape) == lead, f"{where} has the batch {tuple(p.batch_shape)}")
        require(tuple(p.event_shape) == sketch.shape, f"{where} has events {tuple(p.event_shape)}")
        shapes[f"{where}.log_prob(x)"] = (p.log_prob(x[0]), lead)
        shapes[f"{where}.mean"] = (p.mean, (*lead, *sketch.shape))
    for name, (found, expected) in shapes.items():
        require(
            tuple(found.shape) == expected,
            f"{name} has the shape {tuple(found.shape)}, expected {expected}",
        )
    edge = [level.start for level in model.space.levels[1:]] + [size]
    require(
        [level.stop for level in model.space.levels] == edge and model.space.levels[0].start == 0,
        "the levels of a code are not contiguous",
    )


def check_posterior_samples_follow_their_generator(
    model: AbstractModel, sketch: Sketch = SKETCH
) -> None:
    """The generator determines a posterior sample; a plain autoencoder returns its point."""
    for rows in (1, 4, 9):
        q = model.posterior(random_samples(rows, sketch))
        first, again = (q.sample(generator(1)) for _ in range(2))
        require(torch.equal(first, again), "the same generator draws different codes")
        if q.scale is None:
            require(torch.equal(first, q.loc), "a point posterior does not return its point")
            try:
                q.log_prob(q.loc)
            except NoDensityError:
                continue
            fail("a point posterior has a density")
        eps = torch.randn(q.loc.shape, generator=generator(1))
        expected = q.loc + q.scale * eps
        width = q.loc.shape[1]
        require_close(first[:, :width], expected, "a posterior sample is not loc + scale x noise")
