"""Spatial codes, of channels x height x width, by their first principal components."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

MOST_COMPONENTS = 128
"""Components of a spatial code by which it is explored, at most."""

FITTED_ON = 2000
"""Codes by which the components are found, at most."""


class SpatialCodes(nn.Module):
    """The way between a spatial code, laid flat, and its principal components.

    Components are orthonormal directions about the mean of the training codes, by variance. What
    a code has beside them is left out, so that decoding gives what they explain.

    Args:
        values: Values of a spatial code.
        components: Number of components.
    """

    mean: Tensor
    basis: Tensor

    def __init__(self, values: int, components: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(values))
        self.register_buffer("basis", torch.eye(values, components))

    @torch.no_grad()
    def fit(self, codes: Float[Tensor, "codes values"]) -> float:
        """Find the components of codes; return the share of their variance that these explain."""
        rows = codes.double().numpy()
        mean = rows.mean(0)
        _, lengths, axes = np.linalg.svd(rows - mean, full_matrices=False)
        count = self.basis.shape[1]
        # A direction has no sign of its own: its largest value is made positive.
        largest = np.abs(axes[:count]).argmax(1)
        signs = np.sign(axes[np.arange(count), largest])
        self.mean.copy_(torch.from_numpy(mean))
        self.basis.copy_(torch.from_numpy((axes[:count] * signs[:, None]).T.copy()))
        variance = lengths**2
        return float(variance[:count].sum() / max(variance.sum(), np.finfo(float).tiny))

    def parts(self, codes: Float[Tensor, "batch values"]) -> Float[Tensor, "batch components"]:
        """Return the components of codes."""
        found: Tensor = (codes - self.mean) @ self.basis
        return found

    def spread(self, scale: Float[Tensor, "batch values"]) -> Float[Tensor, "batch components"]:
        """Return the standard deviations of components of codes with independent ones."""
        found: Tensor = (scale.square() @ self.basis.square()).sqrt()
        return found

    def whole(self, parts: Float[Tensor, "batch components"]) -> Float[Tensor, "batch values"]:
        """Return codes of given components."""
        found: Tensor = self.mean + parts @ self.basis.T
        return found


def components_of(values: int, samples: int, wanted: int = MOST_COMPONENTS) -> int:
    """Return how many components are kept of codes of so many values, found on so many samples."""
    return max(1, min(wanted, MOST_COMPONENTS, values, min(samples, FITTED_ON) - 1))
