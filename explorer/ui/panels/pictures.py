"""Images of data, and of pseudo-inputs during training."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from explorer import sections
from explorer.inference import Engine
from explorer.metrics.novelty import NoveltyReference
from explorer.projection import Atlas, Split, rows_of
from explorer.sketch import PixelSketch
from explorer.strips import Frames, Strip, samples_strip
from explorer.ui import cache
from explorer.ui.address.views import PriorsLabView, PrototypesView
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Slider
from explorer.ui.shell import sibling
from explorer.ui.wording.format import prose

Replayed = PrototypesView | PriorsLabView

MOST_NAMED = 8
"""Missing samples named in a sentence."""


def contrast(engine: Engine, pictures: Float[np.ndarray, "components *sample"]) -> float:
    """Return the contrast factor that makes faint pseudo-inputs visible."""
    if not isinstance(engine.sketch, PixelSketch):
        return 1.0
    return round(max(1.0, 1 / max(float(np.quantile(pictures, 0.995)), 0.05)), 1)


class Pictured(NamedTuple):
    """Pictures of data, a sentence on them, and whether all are decoded in place of originals."""

    strip: Strip
    words: str
    decoded: bool

    def heading(self, title: str) -> str:
        """Return a heading, in Markdown, that says so where what it promises is decoded."""
        return f"**{title} (decoded from their codes)**" if self.decoded else f"**{title}**"


def pictures_of(engine: Engine, rows: Int[np.ndarray, " chosen"]) -> Pictured:
    """Return data of the atlas as a strip, and what it shows."""
    atlas = cache.atlas(engine)
    assert atlas is not None
    data = cache.originals(engine)
    if data is None:
        x = engine.decode(atlas.codes[rows])
        strip = samples_strip(x, engine.sketch, geometry=sections.usual(engine.sketch))
        words = "the data set is not installed (start with `--data` to see originals)."
        return Pictured(strip, f"Reconstructions: {words}", True)
    found = [cache.original(engine, int(row)) for row in rows]
    missing = [int(row) for row, x in zip(rows, found, strict=True) if x is None]
    decoded = iter(engine.decode(atlas.codes[missing])) if missing else iter(())
    pictures = np.stack([next(decoded) if x is None else x[0] for x in found])
    config = engine.checkpoint.config.data
    unsure = not (config.fixed or data.numbered_by_content)
    how = ", matched by position: this model does not record its data" if unsure else ""
    words = f"Original data{how}.{_absent(atlas, missing)}"
    return Pictured(samples_strip(pictures, engine.sketch), words, len(missing) == len(rows))


def training_pictures(
    engine: Engine, measure: NoveltyReference, rows: Int[np.ndarray, " chosen"]
) -> tuple[Pictured, Float[np.ndarray, "chosen latent"]]:
    """Return training samples found by code, and their codes."""
    if cache.reference(engine) is None:
        atlas = cache.atlas(engine)
        assert atlas is not None
        chosen = rows_of(atlas, Split.TRAIN)[rows]
        return pictures_of(engine, chosen), atlas.codes[chosen]
    codes = measure.codes(rows)
    originals = cache.training_originals(engine, rows)
    decoded = engine.decode(codes)
    pictures = [own if x is None else x for x, own in zip(originals, decoded, strict=True)]
    missing = sum(x is None for x in originals)
    words = "Original data."
    if missing:
        which = "Decoded" if missing == len(rows) else f"Original data; {missing} decoded"
        words = f"{which} from rounded codes: the data set is not at hand as it was in training."
    strip = samples_strip(np.stack(pictures), engine.sketch)
    return Pictured(strip, words, missing == len(rows)), codes


def _absent(atlas: Atlas, rows: Sequence[int]) -> str:
    """Name the samples that are no longer in the data set."""
    if not rows:
        return ""
    names = [
        str(atlas.names[row]) if atlas.names is not None else f"number {atlas.ids[row]}"
        for row in rows[:MOST_NAMED]
    ]
    more = f" and {len(rows) - len(names)} more" if len(rows) > len(names) else ""
    listed = prose(", ".join(names))
    return f" No longer in the data set, and shown as reconstructions: {listed}{more}."


def replay(engine: Engine, view: Replayed) -> int | None:
    """Render the pseudo-inputs during training, if snapshots were kept; return the epoch."""
    kept = cache.snapshots(engine)
    if not kept:
        st.caption("No snapshots were saved during this model’s training.")
        sibling.with_snapshots(engine, "prototypes")
        if view.epoch is not None:
            view.fall_back("epoch", None, "was not saved", "leaving it out")
        return None
    inputs, epochs = kept["inputs"], kept["epochs"]
    if view.epoch is not None and view.epoch not in epochs:
        near = int(epochs[np.abs(epochs - view.epoch).argmin()])
        view.fall_back("epoch", near, "was not saved", f"showing {near:,}")
    epoch = view.epoch
    frames, tiles = inputs.shape[:2]
    strip = Strip(
        Frames.of(contrast(engine, inputs[-1]) * inputs),
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
