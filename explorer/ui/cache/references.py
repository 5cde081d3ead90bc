"""Cached training codes that samples are compared with."""

import numpy as np
from jaxtyping import Float, Int

from explorer.errors import CheckpointError
from explorer.inference import Engine
from explorer.metrics.novelty import NoveltyReference
from explorer.projection import Split, codes_drawn, rows_of
from explorer.reference import SEQUENTIAL_HELD_OUT, Reference, load_reference, passed
from explorer.ui.cache.atlases import atlas
from explorer.ui.cache.engines import ENGINES, originals
from explorer.ui.cache.per_engine import per_engine

_MOST_HELD_OUT = 1000


@per_engine(ENGINES, measured=True)
def reference(engine: Engine) -> Reference | None:
    """Return what a model's samples are compared with; None if it was not built, or is damaged."""
    try:
        return load_reference(engine.checkpoint)
    except CheckpointError:
        return None


@per_engine(ENGINES, measured=True)
def novelty_reference(engine: Engine) -> NoveltyReference | None:
    """Return the distances that samples are judged by; None without a reference and an atlas.

    Without a reference the training codes of the atlas take its place, which are not all; where
    decoding takes long they are not reconstructed.
    """
    found = reference(engine)
    if found is not None:
        return found.measure()
    known = atlas(engine)
    if known is None:
        return None
    training = rows_of(known, Split.TRAIN)
    costly = engine.sequential or engine.slow
    most = SEQUENTIAL_HELD_OUT // 2 if costly else _MOST_HELD_OUT
    held_out = rows_of(known, Split.TEST, most)
    if not len(training) or not len(held_out):
        return None
    codes, scale = known.codes[training], known.scale[training]
    return NoveltyReference(
        codes if costly else passed(engine, codes),
        passed(engine, codes_drawn(known, held_out)),
        np.sqrt((scale**2).mean(0)) if scale.any() else None,
    )


def training_originals(
    engine: Engine, rows: Int[np.ndarray, " rows"]
) -> list[Float[np.ndarray, "*sample"] | None]:
    """Return the training samples at rows of the reference; None for each not at hand."""
    found, data = reference(engine), originals(engine)
    if found is None or data is None:
        return [None] * len(rows)
    split = engine.checkpoint.config.data.fingerprint(data).train.digest
    return found.originals(data, split, rows)
