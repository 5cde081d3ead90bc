"""Flow matching between noise and codes: a velocity network, its loss, and its sampler.

Time runs from noise to codes: x_t = t z + (1 - t) e with e from N(0, I), so that t = 0 is noise.
"""

import itertools
import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

EARLIEST, LATEST = 0.02, 0.98
"""Range of t at which a denoised code is asked for; the ends divide by 0."""


class VelocityNet(nn.Module):
    """v(x, t), which estimates E[z - e | x_t = x], by dense layers on x and features of t.

    Args:
        latent: Length of a code.
        width: Units of each hidden layer.
        depth: Number of hidden layers.

    References:
        Flow matching for generative modeling (Lipman et al., 2023), equation 23, with the path
        reversed in name only. https://arxiv.org/abs/2210.02747
    """

    frequencies: Tensor

    def __init__(self, latent: int, width: int = 256, depth: int = 3) -> None:
        super().__init__()
        self.register_buffer("frequencies", math.pi * 2.0 ** torch.arange(6), persistent=False)
        sizes = (latent + 12, *(width,) * depth)
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), nn.SiLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, latent)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(
        self, x: Float[Tensor, "batch latent"], t: Float[Tensor, "batch 1"]
    ) -> Float[Tensor, "batch latent"]:
        """Evaluate the velocity."""
        phase = t * self.frequencies
        out: Tensor = self.head(self.body(torch.cat([x, phase.sin(), phase.cos()], 1)))
        return out

    def denoised(
        self, x: Float[Tensor, "batch latent"], t: Float[Tensor, "batch 1"]
    ) -> Float[Tensor, "batch latent"]:
        """Estimate E[z | x_t = x] = x + (1 - t) v(x, t)."""
        return x + (1 - t) * self(x, t)


def flow_matching_loss(
    net: VelocityNet, z: Float[Tensor, "batch latent"], generator: torch.Generator | None = None
) -> Float[Tensor, ""]:
    """Evaluate E |v(x_t, t) - (z - e)|^2 per unit, t uniform, on codes without their gradient."""
    codes = z.detach()
    x, t, e = noised(codes, generator)
    return (net(x, t) - (codes - e)).pow(2).mean()


def noised(
    z: Float[Tensor, "batch latent"],
    generator: torch.Generator | None = None,
    earliest: float = 0.0,
    latest: float = 1.0,
) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch 1"], Float[Tensor, "batch latent"]]:
    """Draw t uniformly and e from N(0, I); return x_t, t and e."""
    rows = (len(z), 1)
    t = torch.rand(rows, generator=generator, device=z.device, dtype=z.dtype)
    t = earliest + (latest - earliest) * t
    e = torch.randn(z.shape, generator=generator, device=z.device, dtype=z.dtype)
    return t * z + (1 - t) * e, t, e


@torch.no_grad()
def integrate(
    net: VelocityNet, noise: Float[Tensor, "batch latent"], steps: int
) -> Float[Tensor, "times batch latent"]:
    """Follow the velocity from noise to codes in equal Euler steps; return each step's places."""
    x, places = noise, [noise]
    for step in range(steps):
        t = x.new_full((len(x), 1), step / steps)
        x = x + net(x, t) / steps
        places.append(x)
    return torch.stack(places)
