"""Augmentation of training batches; all randomness comes from a generator."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def shifted(
    x: Float[Tensor, "batch channels height width"],
    reach: int,
    generator: torch.Generator,
    *,
    inked: bool = True,
) -> Float[Tensor, "batch channels height width"]:
    """Shift each image by up to `reach` pixels in either direction.

    Ink is followed by empty paper (0), light and colours by their outermost pixels.
    """
    padded = nn.functional.pad(x, (reach,) * 4, "constant" if inked else "replicate")
    height, width = x.shape[-2:]
    moves = torch.randint(0, 2 * reach + 1, (len(x), 2), generator=generator, device=x.device)
    rows = moves[:, :1] + torch.arange(height, device=x.device)
    columns = moves[:, 1:] + torch.arange(width, device=x.device)
    batch = torch.arange(len(x), device=x.device)[:, None, None]
    moved = padded[batch, :, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2).contiguous()


def hidden(
    x: Float[Tensor, "batch *sample"], most: float, generator: torch.Generator
) -> Float[Tensor, "batch *sample"]:
    """Zero out values: of each sample a different fraction, between 0 and `most`.

    An encoder trained on partial inputs yields a posterior that generalises better.

    References:
        Amortized inference regularization (Shu et al., 2018). https://arxiv.org/abs/1805.08913
    """
    share = torch.rand((len(x),) + (1,) * (x.ndim - 1), generator=generator, device=x.device)
    chance = torch.rand(x.shape, generator=generator, device=x.device)
    return x * (chance >= share * most)
