"""Images of data, and of pseudo-inputs during training."""

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from explorer.inference import Engine
from explorer.projection import Split
from explorer.sketch import PixelSketch
from explorer.strips import Strip, samples_strip
from explorer.ui import cache
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Slider


def contrast(engine: Engine, pictures: Float[np.ndarray, "components *sample"]) -> float:
    """Return the contrast factor that makes faint pseudo-inputs visible."""
    if not isinstance(engine.sketch, PixelSketch):
        return 1.0
    return round(max(1.0, 1 / max(float(np.quantile(pictures, 0.995)), 0.05)), 1)


def pictures_of(engine: Engine, rows: Int[np.ndarray, " chosen"]) -> tuple[Strip, str]:
    """Return data of the atlas as a strip, and a sentence on what it shows."""
    atlas = cache.atlas(engine)
    assert atlas is not None
    data = cache.originals(engine)
    if data is None:
        x = engine.decode(atlas.codes[rows])
        return samples_strip(
            x, engine.sketch
        ), "Reconstructions: the data set is not installed (start with `--data` to see originals)."
    found = []
    for row in rows:
        split = data.split(Split(atlas.split[row]).label)
        found.append(split.x[np.flatnonzero(split.ids == atlas.ids[row])[0]])
    return samples_strip(np.stack(found), engine.sketch), "Original data."


def replay(engine: Engine, epoch: int | None) -> int | None:
    """Render the pseudo-inputs during training, if snapshots were kept; return the epoch."""
    kept = cache.snapshots(engine)
    if not kept:
        st.caption("No snapshots were saved during this model’s training.")
        return epoch
    inputs, epochs = kept["inputs"], kept["epochs"]
    frames, tiles = inputs.shape[:2]
    strip = Strip(
        contrast(engine, inputs[-1]) * inputs,
        tuple(float(epoch) for epoch in epochs),
        np.arange(tiles),
        np.zeros((frames, tiles), np.float32),
        engine.sketch,
    )
    state = filmstrip(
        strip,
        key="prototypes_replay",
        at=float(epochs[-1] if epoch is None else epoch),
        slider=Slider(label="Epoch", low="first saved", high="trained", decimals=0),
        grid=Grid(tile_width=engine.sketch.tile_width(44), noun="pseudo-input"),
    )
    return None if state.value == epochs[-1] else int(state.value)
