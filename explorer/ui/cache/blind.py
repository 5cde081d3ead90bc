"""Cached pairs of a blind test: held-out data beside samples of the prior, alike in form."""

import numpy as np
from jaxtyping import Float

from explorer.designs.trials import Basis
from explorer.inference import Engine
from explorer.metrics.blind import PAIRS, Pairs, pairs
from explorer.metrics.draws import is_binary
from explorer.projection import Split, codes_drawn, rows_of
from explorer.ui.cache.atlases import atlas
from explorer.ui.cache.engines import originals
from explorer.ui.cache.per_engine import per_engine


@per_engine(8, measured=True, spinner="Drawing twenty pairs")
def blind_pairs(engine: Engine, seed: int) -> tuple[Pairs, Basis] | None:
    """Draw the pairs of a blind test, and say what stands for data; None if there are too few.

    Where the data set is not installed, one code of each datum is drawn from its posterior and
    decoded, as samples of the prior are: like is compared with like.
    """
    data, generator = originals(engine), np.random.default_rng([seed, 1])
    if data is not None and len(data.test) >= PAIRS:
        binary = data.dynamic or is_binary(data.test.x[:PAIRS])
        real = data.test.x[generator.choice(len(data.test), PAIRS, replace=False)]
        real = _binarised(real, generator) if data.dynamic else real
        z, _ = engine.draw(PAIRS, seed=seed)
        if engine.sequential:
            return pairs(real, engine.paint(z, seed), seed), "original"
        made = engine.decode(z)
        made = _binarised(made, generator) if binary else made
        return pairs(real, made, seed), "original"
    known = atlas(engine)
    if known is None:
        return None
    rows = rows_of(known, Split.TEST, PAIRS, seed)
    if len(rows) < PAIRS:
        return None
    codes = codes_drawn(known, generator.permutation(rows), seed)
    real, made = engine.decode(codes), engine.decode(engine.draw(PAIRS, seed=seed)[0])
    return pairs(real, made, seed), "decoded"


def _binarised(
    x: Float[np.ndarray, "pairs *sample"], generator: np.random.Generator
) -> Float[np.ndarray, "pairs *sample"]:
    return (generator.random(x.shape, np.float32) < x).astype(np.float32)
