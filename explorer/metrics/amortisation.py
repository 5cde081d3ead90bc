"""The amortisation gap: the ELBO of one sample before and after optimising its posterior."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import NoDensityError
from explorer.interfaces import AbstractModel, LatentPrior, Posterior, joined, noise

STEPS = 60
SAMPLES = 512
GUIDES = 32
_LEARNING_RATE = 0.05


class Refinement(NamedTuple):
    """The ELBO along the steps, in nats, and the final posterior.

    `elbo` has one value more than there were steps, all over the same codes. `rise` is its gain
    and `error` the standard error of that gain, which is far smaller than those of the values.
    `loc` and `scale` describe a whole code; in a hierarchy each level is given the means above it.
    """

    elbo: Float[Tensor, " steps"]
    rise: float
    error: float
    loc: Float[Tensor, " latent"]
    scale: Float[Tensor, " latent"]
    samples: int


def refine(
    model: AbstractModel,
    prior: LatentPrior,
    x: Float[Tensor, "1 *sample"],
    *,
    steps: int = STEPS,
    samples: int = SAMPLES,
    guides: int = GUIDES,
    seed: int = 0,
) -> Refinement:
    """Optimise q(z|x) for one sample by gradient steps on its mean and standard deviation.

    In a hierarchy the top level is optimised, and the encoder supplies the levels below it.

    The rise of the ELBO is the part of the inference gap due to amortisation.

    Args:
        model: A model in evaluation mode; its weights stay fixed.
        prior: Its prior over whole codes.
        x: One sample in data units.
        steps: Gradient steps (Adam, its rate falling to zero).
        samples: Codes that evaluate the ELBO, the same at every step; the gradients use
            other codes, fresh at each.
        guides: Codes per gradient, each with its mirror image.
        seed: Seed of the codes.

    Raises:
        NoDensityError: If the model is a plain autoencoder.

    References:
        Inference suboptimality in variational autoencoders (Cremer et al., 2018), section 3.
        https://arxiv.org/abs/1801.03558
    """
    with torch.no_grad():
        q = model.posterior(x)
    if q.scale is None:
        raise NoDensityError("A plain autoencoder has no posterior to refine.")
    device = q.loc.device
    loc = q.loc[0].clone().requires_grad_()
    log_scale = q.scale[0].log().clone().requires_grad_()
    # With the same few codes at every step the posterior would overfit to them.
    size = model.space.size
    judge = noise(samples, size, seed).to(device)
    guiding = noise(steps * guides, size, seed + 1).to(device).reshape(steps, guides, size)
    optimiser = torch.optim.Adam([loc, log_scale], _LEARNING_RATE)

    def bound(each: Tensor) -> Tensor:
        draws = Posterior(loc[None], log_scale.exp()[None], q.below).walk(each)
        z = joined(draws)
        log_q = torch.stack([drawn.log_prob() for drawn in draws]).sum(0)
        return model.likelihood(z).log_prob(x) + prior.log_prob(z) - log_q

    with torch.no_grad():
        first = bound(judge)
    trail = []
    for step in range(steps + 1):
        with torch.no_grad():
            judged = bound(judge)
        trail.append(judged.mean())
        if step == steps:
            break
        for group in optimiser.param_groups:
            group["lr"] = _LEARNING_RATE * (1 - step / steps)
        optimiser.zero_grad()
        with torch.enable_grad():
            pair = torch.cat([guiding[step], -guiding[step]])
            (-bound(pair).mean()).backward()
        optimiser.step()
    with torch.no_grad():
        whole = Posterior(loc[None], log_scale.exp()[None], q.below).flat()
    gain = judged - first
    assert whole.scale is not None
    return Refinement(
        torch.stack(trail),
        float(gain.mean()),
        float(gain.std() / len(gain) ** 0.5),
        whole.loc[0].detach(),
        whole.scale[0].detach(),
        samples,
    )
