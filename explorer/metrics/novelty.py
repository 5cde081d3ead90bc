"""How does a sample compare with data? Novelty, anomaly, and typicality under the prior."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, Real

COPIED, FAR = 5.0, 95.0
"""Below the first percentile of held-out data a sample is nearly a copy, above the second far."""

_ROWS = 256
_LEAST_SPREAD = 1e-6


class Axes(NamedTuple):
    """The space in which codes are compared: centred, divided by `scale`, and projected.

    `directions` has orthonormal columns; with fewer than units, the rest of a code is dropped.
    """

    centre: Float[np.ndarray, " latent"]
    scale: Float[np.ndarray, " latent"]
    directions: Float[np.ndarray, "latent parts"]

    @classmethod
    def of(
        cls,
        training: Float[np.ndarray, "training latent"],
        scale: Float[np.ndarray, " latent"] | None = None,
    ) -> "Axes":
        """Divide each unit by `scale`, or by its standard deviation; a constant unit is dropped.

        Args:
            training: Codes of training data.
            scale: Root mean square of the posterior's standard deviation per unit. Units that the
                posterior does not determine then hardly count.
        """
        spread = training.std(0)
        used = spread > _LEAST_SPREAD * np.abs(training).max(0)
        unit = spread if scale is None else np.maximum(scale, _LEAST_SPREAD * spread)
        return cls(
            training.mean(0),
            np.where(used, unit, 1).astype(np.float32),
            np.eye(len(used), dtype=np.float32)[:, used],
        )

    def project(
        self, codes: Float[np.ndarray, "codes latent"]
    ) -> Float[np.ndarray, "codes parts"]:
        """Return the coordinates of codes in this space."""
        return (((codes - self.centre) / self.scale) @ self.directions).astype(np.float32)

    def lift(self, parts: Float[np.ndarray, "codes parts"]) -> Float[np.ndarray, "codes latent"]:
        """Return the codes at given coordinates, with what was dropped at its mean."""
        return (parts @ self.directions.T * self.scale + self.centre).astype(np.float32)


class Verdict(NamedTuple):
    """For each code: its nearest training codes, their distance, and its percentile.

    `distance` is in the units of the reference's axes, by default standard deviations of the
    training codes; `percentile` is the percentage of held-out codes that lie closer to a training
    code than this one does.
    """

    nearest: Int[np.ndarray, "codes k"]
    distance: Float[np.ndarray, " codes"]
    percentile: Float[np.ndarray, " codes"]


class NoveltyReference:
    """Distances from held-out to training codes, as a reference for what is near and far.

    Args:
        training: Codes of training data.
        held_out: Codes of held-out data, processed like the samples to be judged: one
            code drawn for each, decoded, and encoded again.
        scale: As in `Axes.of`.
    """

    def __init__(
        self,
        training: Float[np.ndarray, "training latent"],
        held_out: Float[np.ndarray, "others latent"],
        scale: Float[np.ndarray, " latent"] | None = None,
    ) -> None:
        axes = Axes.of(training, scale)
        self._place(axes, axes.project(training), None)
        self._usual = np.sort(self._search(held_out, 1)[1])

    @classmethod
    def stored(
        cls,
        axes: Axes,
        known: Float[np.ndarray, "training parts"],
        usual: Real[np.ndarray, " others"],
        total: int | None,
    ) -> "NoveltyReference":
        """Restore a reference.

        Args:
            axes: The space of comparison.
            known: Coordinates of the training codes in it.
            usual: Sorted distances of held-out codes.
            total: The number of samples in the training split, if that is known.
        """
        found = cls.__new__(cls)
        found._place(axes, known, total)
        found._usual = usual.astype(np.float64)
        return found

    @property
    def training(self) -> int:
        """The number of training codes searched."""
        return len(self._known)

    @property
    def whole(self) -> bool:
        """Whether these are the codes of the whole training split."""
        return self.training == self.total

    @property
    def held_out(self) -> int:
        """The number of held-out codes behind the percentiles."""
        return len(self._usual)

    def judge(self, codes: Float[np.ndarray, "codes latent"], k: int = 1) -> Verdict:
        """Compare codes with the training codes.

        Args:
            codes: Codes of decoded samples, encoded again, like the held-out ones: a mean of
                p(x|z) is smoother than a real sample, and is encoded elsewhere.
            k: Number of nearest training codes to return.
        """
        nearest, distance = self._search(codes, k)
        below = np.searchsorted(self._usual, distance, side="left")
        return Verdict(nearest, distance, 100 * below / max(len(self._usual), 1))

    def codes(self, rows: Int[np.ndarray, " rows"]) -> Float[np.ndarray, "rows latent"]:
        """Return training codes, as precisely as they are stored."""
        return self.axes.lift(self._known[torch.from_numpy(rows)].numpy())

    def _place(
        self, axes: Axes, known: Float[np.ndarray, "training parts"], total: int | None
    ) -> None:
        self.axes, self.total = axes, total
        self._known = torch.from_numpy(np.ascontiguousarray(known, np.float32))
        self._square = self._known.pow(2).sum(1)

    def _search(
        self, codes: Float[np.ndarray, "codes latent"], k: int
    ) -> tuple[Int[np.ndarray, "codes k"], Float[np.ndarray, " codes"]]:
        rows = torch.from_numpy(self.axes.project(codes))
        k = min(k, len(self._known))
        nearest = torch.empty(len(rows), k, dtype=torch.int64)
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            # Codes are centred, since squares are expanded here.
            away = torch.addmm(self._square, part, self._known.T, alpha=-2)
            found = away.argmin(1, keepdim=True) if k == 1 else away.topk(k, 1, largest=False)[1]
            nearest[start : start + _ROWS] = found
        # Not from the expanded square, which cancels where a code is a copy.
        gap = torch.linalg.vector_norm(rows - self._known[nearest[:, 0]], dim=1)
        return nearest.numpy(), gap.double().numpy()


def anomaly(
    log_likelihood: float, error: float, held_out: Float[np.ndarray, " others"]
) -> tuple[float, float]:
    """Return the percentage of held-out samples that are more likely, and its own error.

    Args:
        log_likelihood: log p(x) in nats, estimated as those of the held-out samples were.
        error: Its standard error.
        held_out: log p(x) of held-out samples.

    Returns:
        The percentage, and its root mean square deviation from those that other draws of the
        importance samples would give.
    """
    known = np.sort(held_out)
    # Evenly spaced quantiles of a standard normal.
    steps = torch.special.ndtri((torch.arange(101, dtype=torch.float64) + 0.5) / 101).numpy()
    below = np.searchsorted(known, log_likelihood + error * np.append(steps, 0), side="right")
    shares = 100 * (1 - below / len(known))
    return float(shares[-1]), float(np.sqrt(((shares[:-1] - shares[-1]) ** 2).mean()))


def typicality(
    log_density: Float[np.ndarray, " codes"], drawn: Float[np.ndarray, " samples"]
) -> Float[np.ndarray, " codes"]:
    """Return the percentage of prior samples that are less typical than each code.

    A sample is typical if its log p(z) is near the mean of log p(z) under the prior: a code at the
    mode has a higher density than any sample, and is not typical at all.

    Args:
        log_density: log p(z) of the codes in nats.
        drawn: log p(z) of samples of the prior.

    References:
        Detecting out-of-distribution inputs to deep generative models using typicality (Nalisnick
        et al., 2019), section 3. https://arxiv.org/abs/1906.02994
    """
    mean = drawn.mean()
    usual = np.sort(np.abs(drawn - mean))
    below = np.searchsorted(usual, np.abs(log_density - mean), side="right")
    return 100 * (1 - below / len(usual))
