"""What a network says of every place of a plane: the class and its margin, or the value."""

import time
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8

from explorer.designs.asked import Asked
from explorer.errors import DesignError
from explorer.inference import Engine

FINEST, COARSEST = 192, 48
"""Places along the height of a decision map."""

SECONDS = 3.0
"""About how long a decision map may take; from it follows how fine it is."""

_ALPHAS = 20, 125
"""Opacity where the margin is 0 and where it is 1, of 255."""

_STEADY = 110


class Decision(NamedTuple):
    """A network's answers over a plane, rows from the lowest y on.

    Of a classifier `best` are classes (negative where it has no answer) and `value` margins of 0
    to 1; of a regressor `best` is None and `value` its first output, NaN where it is unknown.
    """

    x: Float[np.ndarray, " columns"]
    y: Float[np.ndarray, " rows"]
    best: Int[np.ndarray, "rows columns"] | None
    value: Float[np.ndarray, "rows columns"]

    @property
    def bounds(self) -> tuple[float, float]:
        """The values between which a regressor's colours run, without two per cent at each end."""
        known = self.value[np.isfinite(self.value)]
        low, high = np.percentile(known, [2, 98]) if len(known) else (0.0, 1.0)
        return float(low), float(high)


def decide(
    engine: Engine,
    family: Asked,
    x: tuple[float, float],
    y: tuple[float, float],
    *,
    finest: int = FINEST,
) -> Decision:
    """Ask about the decoded samples of a plane that is the latent space itself.

    Args:
        engine: A model with two latent units.
        family: The network.
        x: Bounds of the first unit.
        y: Bounds of the second.
        finest: Places along the height at most; fewer if decoding and asking are slow.

    Raises:
        DesignError: If the model has not two units.
    """
    if engine.space.size != 2:
        raise DesignError("A decision map needs a model with two latent units; choose another.")
    started = time.perf_counter()
    first = min(COARSEST, finest)
    found = _over(engine, family, x, y, first)
    taken = max(time.perf_counter() - started, 1e-6)
    side = int(min(first * np.sqrt(SECONDS / taken), finest))
    return found if side <= first else _over(engine, family, x, y, side)


def _over(
    engine: Engine, family: Asked, x: tuple[float, float], y: tuple[float, float], side: int
) -> Decision:
    columns = int(np.clip(round(side * (x[1] - x[0]) / (y[1] - y[0])), 2, 2 * side))
    across, up = (
        np.linspace(low, high, 2 * count + 1)[1::2].astype(np.float32)
        for (low, high), count in ((x, columns), (y, side))
    )
    grid = np.stack(np.meshgrid(across, up), -1).reshape(-1, 2)
    samples = engine.decode(grid)
    shape = (side, columns)
    if family.description.kind == "classifier":
        judged = family.judge(samples)
        return Decision(across, up, judged.best.reshape(shape), judged.margin.reshape(shape))
    return Decision(across, up, None, family.ask(samples)[:, 0].reshape(shape))


def painted(found: Decision, colours: tuple[str, ...]) -> UInt8[np.ndarray, "rows columns 4"]:
    """Return a picture, the highest y first: colours of classes, paler where the margin is small.

    Args:
        found: The answers.
        colours: Of the classes, or a ramp from low to high.
    """
    tones = np.array([[int(tone[k : k + 2], 16) for k in (1, 3, 5)] for tone in colours], float)
    known = np.isfinite(found.value)
    if found.best is not None:
        rgb = tones[np.maximum(found.best, 0) % len(tones)]
        low, high = _ALPHAS
        alpha = low + (high - low) * np.nan_to_num(found.value)
    else:
        least, most = found.bounds
        share = np.nan_to_num((found.value - least) / max(most - least, 1e-9)).clip(0, 1)
        at = share * (len(tones) - 1)
        below = np.minimum(at.astype(int), len(tones) - 2)
        part = (at - below)[..., None]
        rgb = (1 - part) * tones[below] + part * tones[below + 1]
        alpha = np.full(share.shape, float(_STEADY))
    picture = np.concatenate([rgb, np.where(known, alpha, 0)[..., None]], -1)
    return np.rint(picture[::-1]).astype(np.uint8)
