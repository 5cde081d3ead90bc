"""How does a sample compare with data? Novelty, and typicality under the prior."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

MOST_TRAINING, MOST_HELD_OUT = 5000, 1000
_ROWS = 256
_LEAST_SPREAD = 1e-6


class Verdict(NamedTuple):
    """For each code: its nearest training codes, their distance, and its percentile.

    `distance` is in standard deviations of the training codes; `percentile` is the percentage of
    held-out codes that lie closer to a training code than this one does.
    """

    nearest: Int[np.ndarray, "codes k"]
    distance: Float[np.ndarray, " codes"]
    percentile: Float[np.ndarray, " codes"]


class NoveltyReference:
    """Distances from held-out to training codes, as a reference for what is near and far.

    Args:
        training: Codes of training data, of which at most 5,000 are used.
        held_out: Codes of held-out data, processed like the samples to be judged: one
            code drawn for each, decoded, and encoded again.
    """

    def __init__(
        self,
        training: Float[np.ndarray, "training latent"],
        held_out: Float[np.ndarray, "others latent"],
    ) -> None:
        training = training[:MOST_TRAINING]
        # Centred, since squares are expanded below; a constant unit does not count.
        self._centre, spread = training.mean(0), training.std(0)
        self._used = spread > _LEAST_SPREAD * np.abs(training).max(0)
        self._unit = spread[self._used]
        self._known = self._whiten(training)
        self._square = (self._known**2).sum(1)
        self._usual = np.sort(self._search(held_out, 1)[1])

    @property
    def training(self) -> int:
        """The number of training codes searched."""
        return len(self._known)

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

    def _whiten(self, codes: Float[np.ndarray, "codes latent"]) -> Float[np.ndarray, "codes used"]:
        return ((codes - self._centre)[:, self._used] / self._unit).astype(np.float32)

    def _search(
        self, codes: Float[np.ndarray, "codes latent"], k: int
    ) -> tuple[Int[np.ndarray, "codes k"], Float[np.ndarray, " codes"]]:
        rows = self._whiten(codes)
        k = min(k, len(self._known))
        nearest = np.empty((len(rows), k), np.int64)
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            away = self._square - 2 * part @ self._known.T
            if k == 1:
                nearest[start : start + _ROWS] = away.argmin(1)[:, None]
                continue
            few = np.argpartition(away, k - 1, axis=1)[:, :k]
            order = np.argsort(np.take_along_axis(away, few, 1), axis=1, kind="stable")
            nearest[start : start + _ROWS] = np.take_along_axis(few, order, 1)
        # Not from the expanded square, which cancels where a code is a copy.
        gap = np.linalg.norm(rows - self._known[nearest[:, 0]], axis=1)
        return nearest, gap.astype(np.float64)


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
