"""Laws of a prior as a distribution: its density and its sampler agree."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Normal

from explorer.errors import LevelError, NoDensityError
from explorer.interfaces import LatentPrior
from explorer.testing.assertions import fail, require, require_close

SAMPLES = 200_000
"""Codes drawn to compare a sampler with a density."""

MOST_VARIATION = 0.05
"""Largest total variation between samples and density; about 0.02 is chance."""

Edges = list[Tensor]

_CELLS, _POINTS, _FINE = 24, 10, 30


def cells(prior: LatentPrior) -> Edges:
    """Divide the plane of a two-unit prior into cells that contain all but 1e-8 of the mass.

    The window covers the components or, if there are none, many samples and a margin of a
    quarter of their range on each side.
    """
    parts = prior.components()
    if parts is None:
        z = prior.draw(SAMPLES, seed=9).z.double()
        low, high = z.amin(0), z.amax(0)
        low, high = low - (high - low) / 4, high + (high - low) / 4
    else:
        low = (parts.loc - 6 * parts.scale).amin(0).double()
        high = (parts.loc + 6 * parts.scale).amax(0).double()
    return [
        torch.linspace(float(low[axis]), float(high[axis]), _CELLS + 1, dtype=torch.float64)
        for axis in (0, 1)
    ]


def cell_masses(
    log_density: Callable[[Tensor], Tensor], edges: Edges, points: int = _POINTS
) -> Float[Tensor, "cells cells"]:
    """Integrate a density over each cell by the midpoint rule."""
    step = [float(edge[1] - edge[0]) / points for edge in edges]
    ticks = [
        edge[0] + (torch.arange(_CELLS * points) + 0.5) * width
        for edge, width in zip(edges, step, strict=True)
    ]
    density = log_density(torch.cartesian_prod(*ticks).float()).double().exp()
    fine = density.reshape(_CELLS, points, _CELLS, points) * step[0] * step[1]
    return fine.sum((1, 3))


def total_variation(
    z: Float[Tensor, "samples 2"], masses: Float[Tensor, "cells cells"], edges: Edges
) -> float:
    """Compare samples with the mass of each cell: 0 if they agree, 1 if they are disjoint."""
    counts = torch.histogramdd(z.double(), edges).hist
    shares = counts / len(z)
    return 0.5 * float((shares - masses).abs().sum() + 1 - shares.sum())


def check_density_integrates_to_one(prior: LatentPrior, tolerance: float | None = None) -> None:
    """The density of a prior with two units integrates to one.

    Args:
        prior: The prior.
        tolerance: Largest error; by default 1e-5 for mixtures of Gaussians and 1e-3 for others,
            whose densities may have kinks.
    """
    if _lacks_density(prior):
        return
    smooth = prior.components() is not None
    allowed = tolerance or (1e-5 if smooth else 1e-3)
    points = _POINTS if smooth or tolerance else _FINE
    total = float(cell_masses(prior.log_prob, cells(prior), points).sum())
    require(
        abs(total - 1) <= allowed,
        f"the density integrates to {total:.6f} over the window of its samples, not to one",
    )


def check_samples_agree_with_density(prior: LatentPrior) -> None:
    """The histogram of samples with two units matches the density."""
    if _lacks_density(prior):
        return
    edges = cells(prior)
    masses = cell_masses(prior.log_prob, edges)
    apart = total_variation(prior.draw(SAMPLES, seed=1).z, masses, edges)
    require(
        apart < MOST_VARIATION,
        f"samples and density differ by a total variation of {apart:.3f}, over {MOST_VARIATION}",
    )


def _lacks_density(prior: LatentPrior) -> bool:
    """Whether a prior says that it has no density, and then refuses to give one."""
    if prior.has_density:
        return False
    try:
        prior.log_prob(prior.draw(2).z)
    except NoDensityError:
        pass
    else:
        fail("a prior with `has_density` false gives a density; it should raise a NoDensityError")
    return True


def check_equal_seeds_give_equal_codes(prior: LatentPrior) -> None:
    """The seed determines the draw."""
    first, again, other = prior.draw(50, seed=4), prior.draw(50, seed=4), prior.draw(50, seed=5)
    require(torch.equal(first.z, again.z), "the same seed draws different codes")
    require(
        torch.equal(first.component, again.component), "the same seed draws different components"
    )
    require(not bool((first.z == other.z).any()), "a different seed repeats some numbers")


def check_draws_are_prefix_stable(
    prior: LatentPrior, sizes: tuple[int, ...] = (0, 1, 5, 16, 17, 100)
) -> None:
    """A smaller draw is the beginning of a larger one; to rounding if there are no components."""
    many = prior.draw(211, seed=2, scale=1.3)
    # The rounding of a network's products depends on the number of rows; a mixture has no network.
    rounding = 1e-5 if prior.components() is None else 0.0
    for n in sizes:
        few = prior.draw(n, seed=2, scale=1.3)
        require(few.z.shape == (n, many.z.shape[1]), f"{n} codes have the shape {few.z.shape}")
        claim = f"a draw of {n} codes is not the beginning of a larger draw"
        require_close(few.z, many.z[:n], claim, atol=rounding, rtol=0.0)
        require(torch.equal(few.component, many.component[:n]), claim)


def check_scaling_keeps_component_and_noise(prior: LatentPrior) -> None:
    """A row is mean + scale x sd x noise within one component, the same at every scale."""
    still, once = prior.draw(100, seed=3, scale=0.0), prior.draw(100, seed=3)
    parts = prior.components()
    if parts is None and not prior.varies_at_rest:
        same = still.z[:1].expand_as(still.z)
        require_close(still.z, same, "codes at scale 0 are not all the same", atol=1e-5, rtol=0.0)
        return
    if parts is not None:
        require(
            torch.equal(still.z, parts.loc[still.component]),
            "a code at scale 0 is not its component's mean",
        )
    for scale in (0.25, 0.5, 2.0):
        scaled = prior.draw(100, seed=3, scale=scale)
        require(
            torch.equal(scaled.component, once.component), f"scale {scale} changes the component"
        )
        expected = still.z + scale * (once.z - still.z)
        require_close(scaled.z, expected, f"scale {scale} changes the noise of a row")


def check_variance_grows_with_the_squared_scale(
    prior: LatentPrior, scales: tuple[float, ...] = (0.5, 1.0, 2.0)
) -> None:
    """A component's samples have its mean, and its standard deviation times the scale."""
    parts, n = prior.components(), 50_000
    for component in range(0 if parts is None else len(parts)):
        assert parts is not None
        for scale in scales:
            drawn = prior.draw(n, seed=6, scale=scale, component=component)
            where = f"component {component} at scale {scale}"
            require(
                bool((drawn.component == component).all()),
                f"{where} is drawn from a different one",
            )
            expected = (scale * parts.scale[component].double()).square()
            error = expected * math.sqrt(2 / n)
            require(
                bool(((drawn.z.double().var(0) - expected).abs() < 4 * error).all()),
                f"{where} does not have the variance (scale x standard deviation) squared",
            )
            place = (drawn.z.double().mean(0) - parts.loc[component]).abs()
            require(
                bool((place < 4 * expected.sqrt() / math.sqrt(n)).all()),
                f"{where} is not centred on its mean",
            )


def check_components_are_drawn_by_weight(prior: LatentPrior) -> None:
    """Weights sum to one, and components are drawn in proportion to them."""
    parts = prior.components()
    if parts is None:
        return
    weight = parts.log_weights.double().exp()
    require(abs(float(weight.sum()) - 1) < 1e-6, f"the weights sum to {float(weight.sum()):.6f}")
    shares = prior.draw(SAMPLES, seed=8).component.bincount(minlength=len(weight)) / SAMPLES
    error = (weight * (1 - weight) / SAMPLES).sqrt()
    # A weight of one has no error, and a sum of rounded weights is one to 1e-6.
    require(
        bool(((shares - weight).abs() < 4 * error + 1e-6).all()),
        "components are not drawn in proportion to their weights",
    )


def check_one_level_takes_one_scale_and_one_seed(prior: LatentPrior) -> None:
    """Scale and seed may be tuples with one entry per level; any other length is an error."""
    plain, listed = prior.draw(5, seed=2, scale=0.5), prior.draw(5, seed=(2,), scale=(0.5,))
    require(torch.equal(plain.z, listed.z), "a tuple of one scale differs from that scale")
    wrong: tuple[Callable[[], object], ...] = (
        lambda: prior.draw(5, seed=(1, 2)),
        lambda: prior.draw(5, scale=(1.0, 1.0)),
        lambda: prior.draw(5, seed=()),
    )
    for ask in wrong:
        try:
            ask()
        except LevelError:
            continue
        fail("two values for one level do not raise a LevelError; use `each_level`")


def check_responsibilities_follow_bayes_rule(prior: LatentPrior) -> None:
    """p(k|z) is component k's share of the density at z."""
    z = prior.draw(50, seed=1, scale=1.5).z
    found, parts = prior.responsibilities(z), prior.components()
    if found is None or parts is None:
        both = found is None and parts is None
        require(both, "a prior has both components and responsibilities, or neither")
        return
    each = Normal(parts.loc, parts.scale).log_prob(z[:, None]).sum(2) + parts.log_weights
    claim = "responsibilities do not follow Bayes' rule"
    require_close(found, each.softmax(1), claim, atol=1e-5, rtol=1e-4)
