"""The thing in hand, resolved for a model: its code, its image, and plain facts about it."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from explorer.inference import Engine
from explorer.ui.address.hand import datum_row
from explorer.ui.address.places import place_code
from explorer.ui.cache.atlases import atlas, code_density, held_out_density, holes_of
from explorer.ui.cache.per_engine import per_engine
from explorer.ui.cache.references import novelty_reference
from explorer.ui.cache.strips import original


class Thing(NamedTuple):
    """What is in hand, as one model sees it.

    `x` is its image: of a datum the original, if it is installed, else what the model decodes;
    `row` a datum's row in the atlas; `log_density` log p(z) in nats, and `place` the percentage of
    held-out codes below it; `bound` a lower bound where that is all there is; `novelty` the
    percentage of held-out data that are nearer to a training sample, None for data.
    """

    z: Float[np.ndarray, " latent"]
    x: Float[np.ndarray, "1 *sample"]
    words: str
    row: int | None
    decoded: bool
    log_density: float | None
    place: float | None
    novelty: float | None
    bound: float | None = None


@per_engine(64, measured=True)
def thing(engine: Engine, hand: str) -> Thing | None:
    """Resolve the thing in hand; None if this model has no such thing."""
    known = atlas(engine)
    found = place_code(engine, known, hand, holes_of(engine, hand)) if hand else None
    if found is None:
        return None
    z, words = found
    row = datum_row(known, hand) if known is not None else None
    if row is None and hand.startswith("data:"):
        row = int(hand.removeprefix("data:"))
    own = None if row is None else original(engine, row)
    decoded = engine.decode(z[None])
    density = place = novelty = None
    if engine.has_density:
        rows = () if row is None else (row,)
        density = float(code_density(engine, z[None], rows)[0])
        usual = held_out_density(engine, row is not None)
        if usual is not None and len(usual):
            place = 100 * float((usual < density).mean())
    measure = novelty_reference(engine) if row is None else None
    if measure is not None:
        novelty = float(measure.judge(engine.encode(decoded).loc).percentile[0])
    return Thing(
        z, decoded if own is None else own, words, row, own is None, density, place, novelty,
        float(engine.log_bound(z[None])[0]) if engine.bounded else None,
    )  # fmt: skip
