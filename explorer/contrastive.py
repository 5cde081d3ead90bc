"""Self-supervised training of an encoder: two views of a sample belong together, no labels."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.config import ContrastiveConfig
from explorer.devices import at_once
from explorer.errors import TrainingError
from explorer.models import VAE, Autoencoder

_PROJECTED = 64
_TURN, _SHEAR, _SHIFT = math.radians(15), 0.2, 0.15
_ZOOM = (0.75, 1.1)
_HIDDEN = 0.15
"""Half the side of the square that is cut out, as a fraction of the picture's."""
_SMALLEST = 1e-4


def contrastive_loss(
    one: Float[Tensor, "batch features"],
    other: Float[Tensor, "batch features"],
    temperature: float,
) -> Float[Tensor, ""]:
    """Evaluate NT-Xent: each view has to find the other of its sample among all of the batch.

    For unrelated features it is about log(2 batch - 1).

    References:
        A simple framework for contrastive learning of visual representations (Chen et al., 2020),
        equation 1. https://arxiv.org/abs/2002.05709
    """
    z = nn.functional.normalize(torch.cat([one, other]), dim=1)
    likeness = z @ z.T / temperature
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    partner = torch.arange(len(z), device=z.device).roll(len(one))
    return nn.functional.cross_entropy(likeness.masked_fill(itself, -math.inf), partner)


def view(
    x: Float[Tensor, "batch channels height width"],
    generator: torch.Generator,
    *,
    inked: bool = True,
) -> Float[Tensor, "batch channels height width"]:
    """Turn, shear, zoom and shift each picture at random, change its strokes, hide a square.

    Nothing is mirrored: a mirrored character is another one. Strokes are thickened or thinned only
    if 0 is empty paper (`inked`).
    """
    n, side = len(x), x.shape[-1]

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, generator=generator, device=x.device)

    angle, zoom, shear = uniform(-_TURN, _TURN), uniform(*_ZOOM), uniform(-_SHEAR, _SHEAR)
    right, down = uniform(-_SHIFT, _SHIFT), uniform(-_SHIFT, _SHIFT)
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    rows = [torch.stack([cos, shear - sin, right], 1), torch.stack([sin, cos, down], 1)]
    grid = nn.functional.affine_grid(torch.stack(rows, 1), list(x.shape), align_corners=False)
    padding = "zeros" if inked else "border"
    seen = nn.functional.grid_sample(x, grid, padding_mode=padding, align_corners=False)
    if inked:
        chance = uniform(0.0, 1.0)[:, None, None, None]
        thick = nn.functional.max_pool2d(seen, 3, 1, 1)
        thin = -nn.functional.max_pool2d(-nn.functional.pad(seen, (0, 1, 0, 1)), 2, 1)
        seen = torch.where(chance < 0.25, thick, torch.where(chance < 0.4, thin, seen))
    reach = max(1, round(_HIDDEN * side))
    centre = torch.rand(2, n, 1, generator=generator, device=x.device)
    near = [
        (torch.arange(length, device=x.device) - length * at).abs() < reach
        for length, at in zip(x.shape[-2:], centre, strict=True)
    ]
    return seen.masked_fill((near[0][:, :, None] & near[1][:, None, :])[:, None], 0.0)


def pretrain(
    model: nn.Module,
    x: Float[Tensor, "samples *sample"],
    config: ContrastiveConfig,
    seed: int,
    *,
    inked: bool = True,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> float:
    """Train a model's encoder by contrast, then make its codes the whitened features.

    Args:
        model: An autoencoder or a VAE of one level; only its encoder and its codes are changed.
        x: The training split.
        config: Steps, batch, temperature, learning rate.
        seed: Seed of the batches and views.
        inked: Whether 0 is empty paper.
        report: Called with the step and the loss.

    Returns:
        The fraction of the features' variance that the codes keep.

    Raises:
        TrainingError: If the model has no encoder of one level, the data are no pictures, or the
            features are fewer than the units of a code.
    """
    if not isinstance(model, VAE | Autoencoder) or x.ndim != 4:
        raise TrainingError(
            "Contrastive pretraining is for pictures and models of one level; "
            "leave out pretraining, or choose the kind ae, vae or dmvae."
        )
    features = model.loc.in_features
    generator = torch.Generator(x.device).manual_seed(seed)
    projector = nn.Sequential(
        nn.Linear(features, features), nn.SiLU(), nn.Linear(features, _PROJECTED)
    ).to(x.device)
    parts = [*model.encoder.parameters(), *projector.parameters()]
    optimiser = torch.optim.AdamW(parts, config.learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
    batch = min(config.batch, len(x))
    for step in range(config.steps):
        rows = torch.randint(len(x), (batch,), generator=generator, device=x.device)
        chosen = x[rows]
        views = torch.cat([view(chosen, generator, inked=inked) for _ in range(2)])
        one, other = projector(model.encoder(views)).chunk(2)
        loss = contrastive_loss(one, other, config.temperature)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        report(step + 1, float(loss.detach()))
    return whiten(model, x)


@torch.no_grad()
def whiten(model: VAE | Autoencoder, x: Float[Tensor, "samples *sample"]) -> float:
    """Set the layer of the codes so that they are the whitened principal components of features.

    Returns:
        The fraction of the features' variance that the codes keep.

    Raises:
        TrainingError: If there are fewer features than units of a code.
    """
    latent, width = model.loc.out_features, model.loc.in_features
    if width < latent:
        raise TrainingError(
            f"{width} features cannot make a code of {latent} units; widen the last hidden layer."
        )
    parts = [model.encoder(rows) for rows in x.split(at_once(model, 2000))]
    features = torch.cat(parts).double()
    mean = features.mean(0)
    covariance = (features - mean).T @ (features - mean) / len(features)
    strength, axes = torch.linalg.eigh(covariance)
    kept = strength[-latent:].flip(0).clamp(min=_SMALLEST * float(strength[-1]))
    weight = axes[:, -latent:].flip(1).T / kept.sqrt()[:, None]
    model.loc.weight.copy_(weight)
    model.loc.bias.copy_(-weight @ mean)
    return float(strength[-latent:].sum() / strength.clamp(min=0).sum())
