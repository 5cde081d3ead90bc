"""Laws of training: the terms of the ELBO, and a gradient for every parameter."""

import math

import torch
from torch import Tensor, nn

from explorer.interfaces import AbstractModel, AbstractPrior, LatentPrior, Posterior
from explorer.objectives import elbo, unit_kl
from explorer.objectives.elbo import DivergenceName, exact_divergence
from explorer.testing.assertions import (
    SKETCH,
    Sketch,
    fail,
    generator,
    random_samples,
    require,
    require_close,
)


def check_every_parameter_receives_a_gradient(module: nn.Module, *, by_row: bool = False) -> None:
    """Every parameter, or every row of every parameter, has a finite nonzero gradient."""
    for name, parameter in module.named_parameters():
        if parameter.grad is None:
            fail(f"the parameter {name} receives no gradient")
        require(
            bool(torch.isfinite(parameter.grad).all()), f"the gradient of {name} is not finite"
        )
        rows = parameter.grad.flatten(1) if parameter.ndim > 1 else parameter.grad[:, None]
        pulled = (rows != 0).any(1)
        require(
            bool(pulled.all() if by_row else pulled.any()),
            f"{'a row of ' if by_row else ''}the parameter {name} receives a gradient of zero",
        )


def check_elbo_is_the_sum_of_its_terms(
    model: AbstractModel, prior: AbstractPrior, sketch: Sketch = SKETCH
) -> None:
    """The ELBO is log p(x|z) minus the KL, level by level; the loss is its negative mean."""
    p, x = model.latent_prior(prior), random_samples(24, sketch)
    terms = elbo(model, p, x, generator=generator(12))
    q = model.posterior(x)
    z = q.sample(generator(12))
    require_close(
        terms.reconstruction,
        model.likelihood(z).log_prob(x),
        "the reconstruction term is not log p(x|z) at the posterior sample",
    )
    if q.below is None:
        units = unit_kl(q, p)
        kl = q.log_prob(z) - p.log_prob(z) if units is None else units.sum(1)
        require_close(terms.kl, kl, "the KL is neither log q(z|x) - log p(z) nor its closed form")
    loss = (terms.kl - terms.reconstruction).mean()
    require_close(
        terms.loss, loss, "the loss is not the mean of the KL minus the reconstruction term"
    )


def sampled_kl(q: Posterior, prior: LatentPrior, n: int = 100_000) -> tuple[Tensor, Tensor]:
    """Estimate KL(q || p) for each row of q by Monte Carlo; return it with its standard error."""
    assert q.scale is not None
    rows = Posterior(q.loc.repeat(n, 1), q.scale.repeat(n, 1))
    z = rows.sample(torch.Generator().manual_seed(0))
    each = exact_divergence(rows, prior, z).reshape(n, -1)
    return each.mean(0), each.std(0) / math.sqrt(n)


def check_closed_form_kl_matches_monte_carlo(model: AbstractModel, prior: AbstractPrior) -> None:
    """The KL term of the ELBO equals, on average, the Monte Carlo estimate from the densities."""
    with torch.no_grad():
        p, x = model.latent_prior(prior), random_samples(4, SKETCH)
        mean, error = sampled_kl(model.posterior(x), p, 20_000)
        kl = torch.stack([elbo(model, p, x, generator=generator(k)).kl for k in range(400)])
    spread = (kl.var(0) / len(kl) + error.square()).sqrt() + 1e-5
    require(
        bool(((kl.mean(0) - mean).abs() < 4 * spread).all()),
        "the KL term does not average to log q(z|x) - log p(z)",
    )


def check_beta_scales_only_the_kl(
    model: AbstractModel,
    prior: AbstractPrior,
    divergence: DivergenceName = "exact",
    sketch: Sketch = SKETCH,
) -> None:
    """Beta multiplies the KL in the loss and changes nothing else."""
    with torch.no_grad():
        p, x = model.latent_prior(prior), random_samples(24, sketch)
        none, one, two = (
            elbo(model, p, x, beta=beta, divergence=divergence, generator=generator(12))
            for beta in (0.0, 1.0, 2.0)
        )
    claim = "beta affects more than the KL"
    require_close(none.loss, -none.reconstruction.mean(), claim)
    require_close(one.loss - none.loss, one.kl.mean(), claim, atol=1e-4, rtol=1e-4)
    require_close(two.loss - one.loss, one.kl.mean(), claim, atol=1e-4, rtol=1e-4)
    for mine, same in zip(none[:2], two[:2], strict=True):
        require_close(mine, same, claim)
