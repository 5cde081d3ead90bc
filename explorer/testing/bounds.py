"""Laws of training: what the bound is, and that it pulls at every parameter."""

import math

import torch
from torch import Tensor, nn

from explorer.interfaces import AbstractModel, AbstractPrior, LatentPrior, Posterior
from explorer.objectives import elbo, unit_kl
from explorer.objectives.elbo import DivergenceName, exact_divergence
from explorer.testing.claims import SKETCH, Sketch, close, fail, generator, hold, random_samples


def gradients_reach(module: nn.Module, *, by_row: bool = False) -> None:
    """Every parameter has a finite gradient that is not zero, or every row of every parameter."""
    for name, parameter in module.named_parameters():
        if parameter.grad is None:
            fail(f"the parameter {name} receives no gradient")
        hold(bool(torch.isfinite(parameter.grad).all()), f"the gradient of {name} is not finite")
        rows = parameter.grad.flatten(1) if parameter.ndim > 1 else parameter.grad[:, None]
        pulled = (rows != 0).any(1)
        hold(
            bool(pulled.all() if by_row else pulled.any()),
            f"{'a row of ' if by_row else ''}the parameter {name} receives a gradient of zero",
        )


def bound_is_the_sum_of_its_terms(
    model: AbstractModel, prior: AbstractPrior, sketch: Sketch = SKETCH
) -> None:
    """The bound is log p(x|z) of the drawn code less its KL, level by level; the loss its mean."""
    p, x = model.latent_prior(prior), random_samples(24, sketch)
    terms = elbo(model, p, x, generator=generator(12))
    q = model.posterior(x)
    z = q.sample(generator(12))
    close(
        terms.reconstruction,
        model.likelihood(z).log_prob(x),
        "the reconstruction is not log p(x|z) of the drawn code",
    )
    if q.below is None:
        units = unit_kl(q, p)
        kl = q.log_prob(z) - p.log_prob(z) if units is None else units.sum(1)
        close(terms.kl, kl, "the KL is not log q(z|x) - log p(z), or its closed form")
    loss = (terms.kl - terms.reconstruction).mean()
    close(terms.loss, loss, "the loss is not the mean of KL less reconstruction")


def sampled_kl(q: Posterior, prior: LatentPrior, n: int = 100_000) -> tuple[Tensor, Tensor]:
    """Estimate KL(q || p) by many codes for each row of q; return it with its standard error."""
    assert q.scale is not None
    rows = Posterior(q.loc.repeat(n, 1), q.scale.repeat(n, 1))
    z = rows.sample(torch.Generator().manual_seed(0))
    each = exact_divergence(rows, prior, z).reshape(n, -1)
    return each.mean(0), each.std(0) / math.sqrt(n)


def closed_form_is_the_mean_of_the_sampled_kl(model: AbstractModel, prior: AbstractPrior) -> None:
    """The KL that training sees is, on average, that of the densities."""
    with torch.no_grad():
        p, x = model.latent_prior(prior), random_samples(4, SKETCH)
        mean, error = sampled_kl(model.posterior(x), p, 20_000)
        kl = torch.stack([elbo(model, p, x, generator=generator(k)).kl for k in range(400)])
    spread = (kl.var(0) / len(kl) + error.square()).sqrt() + 1e-5
    hold(
        bool(((kl.mean(0) - mean).abs() < 4 * spread).all()),
        "the KL of the bound is not, on average, log q(z|x) - log p(z)",
    )


def beta_weighs_only_the_kl(
    model: AbstractModel,
    prior: AbstractPrior,
    divergence: DivergenceName = "exact",
    sketch: Sketch = SKETCH,
) -> None:
    """The weight of the KL changes the loss by the KL, and nothing else."""
    with torch.no_grad():
        p, x = model.latent_prior(prior), random_samples(24, sketch)
        none, one, two = (
            elbo(model, p, x, beta=beta, divergence=divergence, generator=generator(12))
            for beta in (0.0, 1.0, 2.0)
        )
    claim = "beta weighs more than the KL"
    close(none.loss, -none.reconstruction.mean(), claim)
    close(one.loss - none.loss, one.kl.mean(), claim, atol=1e-4, rtol=1e-4)
    close(two.loss - one.loss, one.kl.mean(), claim, atol=1e-4, rtol=1e-4)
    for mine, same in zip(none[:2], two[:2], strict=True):
        close(mine, same, claim)
