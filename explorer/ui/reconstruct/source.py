"""The source of the sample to reconstruct: test data, a drawing or an upload."""

from typing import cast

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from explorer.data.dataset import binarise
from explorer.data.decoding import NAMES
from explorer.data.drawn import (
    FILLED,
    MOST_BYTES,
    MOST_PIXELS,
    centred,
    from_strokes,
    from_upload,
)
from explorer.data.ink import Tone
from explorer.errors import DataError
from explorer.inference import Engine
from explorer.projection import Atlas, Split
from explorer.sections import is_section
from explorer.sketch import CurveSketch, PixelSketch
from explorer.ui import cache
from explorer.ui.address.controls import choice, commit
from explorer.ui.address.hand import datum_row, datum_text
from explorer.ui.address.views import ReconstructView
from explorer.ui.components import canvas
from explorer.ui.panels import hand
from explorer.ui.panels.held_file import uploader
from explorer.ui.panels.upload import Given, section
from explorer.ui.shell import given, sibling
from explorer.ui.wording import palette

STROKE = 0.085
BRUSHES = (0.05, 0.11, 0.25)

SILHOUETTES = ("caltech-silhouettes",)
"""Data sets that are binary as published; others are sampled once from their grey levels."""

PAINTED = 0
"""Seed of the binary sample that stands in for one that is not at hand, and of binarisation."""

SOURCES = {"hand": "In hand", "test": "Test data", "draw": "Draw", "upload": "Upload"}

TONES: dict[str, str] = {"": "As found", "dark": "Dark", "light": "Light"}
"""Which tone of an upload is ink, and how that is called."""

CENTRED = {"mnist-static": FILLED, "mnist": FILLED, "digits": 1.0}
"""Data sets whose images are cropped and centred, and which share of their side ink fills."""


def sources(engine: Engine, hand: str = "") -> dict[str, str]:
    """List the possible sources of a sample of this kind, and what is in hand."""
    kinds = {"test"} if engine.sketch.kind == "curve" else {"test", "draw", "upload"}
    kinds |= {"upload"} if is_section(engine.sketch) else set()
    kinds |= {"hand"} if hand else set()
    return {kind: words for kind, words in SOURCES.items() if kind in kinds}


def choose(engine: Engine, view: ReconstructView) -> Given | None:
    """Render the choice, drawing or upload of a sample; None until there is one."""
    sketch = engine.sketch
    if view.source == "hand":
        return _held(engine, view)
    if view.source == "test":
        return _test(engine, view)
    if isinstance(sketch, CurveSketch):
        return section(sketch, "reconstruct_section")
    kind = engine.checkpoint.config.data.kind
    centring = kind in CENTRED
    settle = sketch.inked and st.toggle(
        "Crop and centre like the training data" if centring else "Crop and centre",
        value=centring,
        key="reconstruct_centre" if centring else "reconstruct_crop",
        help="Scales the ink as in MNIST and centres it by mass."
        if kind != "digits"
        else "Scales the ink to the full height and centres it by mass.",
    )
    share = CENTRED.get(kind, FILLED) if settle else None
    if view.source == "draw":
        strokes = canvas(
            key="reconstruct_pad" if sketch.inked else "reconstruct_paints",
            shape=sketch.width / sketch.height,
            widths=(STROKE,) if sketch.inked else BRUSHES,
            palette=paints(sketch),
        )
        if not strokes:
            st.caption("Draw with the pointer or a finger. It is not part of the link.")
            return None
        x, words = from_strokes(strokes, sketch), "Your drawing"
        x = x if share is None else centred(x, share)
    else:
        file = uploader(f"An image: {NAMES}", "reconstruct_file", MOST_BYTES // 10**6)
        if file is None:
            st.caption(
                f"At most {MOST_BYTES // 10**6} MB and {MOST_PIXELS // 10**6} million pixels. "
                + "It is not part of the link."
            )
            return None
        try:
            x, words = _read(file.content, file.name, sketch, share), "Your image"
        except DataError as error:
            st.error(str(error), icon=":material/error:")
            return None
    if engine.checkpoint.binary:
        silhouettes = engine.checkpoint.config.data.kind in SILHOUETTES
        x = (x > 0.5).astype(np.float32) if silhouettes else binarise(x, PAINTED)
    return Given(x[None].astype(np.float32), words, None)


def _read(
    content: bytes, name: str, sketch: PixelSketch, share: float | None
) -> Float[np.ndarray, "channels height width"]:
    """Read an upload, say what was done with it, and offer to take the other tone for ink."""
    said = st.empty()
    tone = sketch.inked and st.segmented_control(
        "Ink",
        list(TONES),
        format_func=TONES.__getitem__,
        default="",
        required=True,
        key="reconstruct_tone",
        help="Found by contrast with what most of the border shows.",
    )
    upload = from_upload(content, name, sketch, share, cast("Tone | None", tone or None))
    said.caption(upload.said)
    return upload.x


def paints(sketch: PixelSketch) -> dict[str, str]:
    """Return the colours to draw a sample with, by value; none for ink."""
    if sketch.inked:
        return {}
    return palette.PAINTS if sketch.channels == 3 else palette.GREYS


def _test(engine: Engine, view: ReconstructView) -> Given | None:
    atlas = cache.atlas(engine)
    rows = np.empty(0, np.int64) if atlas is None else np.flatnonzero(atlas.split == Split.TEST)
    if atlas is None or not len(rows):
        st.caption("This model has no map yet, so there are no test samples to choose from.")
        sibling.with_map(engine, "reconstruct")
        return None
    if view.index >= len(rows):
        last = len(rows) - 1
        view.fall_back("index", last, f"is past the last of {len(rows):,}", f"showing {last}")
    held = datum_row(atlas, view.hand)
    if held is not None and held in rows:
        view.fill("index", int(np.searchsorted(rows, held)))
    st.session_state["reconstruct_index"] = view.index
    st.number_input(
        "Number",
        min_value=0,
        max_value=len(rows) - 1,
        step=1,
        width=160,
        key="reconstruct_index",
        on_change=_take_test,
        args=(atlas, rows),
    )
    return _datum(engine, atlas, int(rows[view.index]))


def _take_test(atlas: Atlas, rows: Int[np.ndarray, " rows"]) -> None:
    """Take the chosen test sample in hand; for callbacks."""
    row = int(rows[st.session_state["reconstruct_index"]])
    commit(hand=datum_text(atlas, row), index=None, source="test")


def _held(engine: Engine, view: ReconstructView) -> Given | None:
    """Return what is in hand as a sample: a datum, what was given, or what the model decodes."""
    found = cache.thing(engine, view.hand)
    if found is None:
        st.caption("What is in hand is not in this model.")
        return None
    atlas = cache.atlas(engine)
    if found.row is not None and atlas is not None:
        return _datum(engine, atlas, found.row)
    own = given.given(view.hand)
    if own is not None:
        return Given(own.x, own.words, None)
    return Given(found.x, f"{hand.title(view.hand, found)}, decoded", None, smooth=True)


def _datum(engine: Engine, atlas: Atlas, row: int) -> Given:
    """Return a datum of the map: the original if it is installed, else a stand-in, said so."""
    x = cache.original(engine, row)
    split = Split(atlas.split[row]).label.replace("train", "training")
    label = int(atlas.label[row])
    kind = f", class {atlas.classes[label]}" if atlas.classes and label >= 0 else ""
    name = "" if atlas.names is None else str(atlas.names[row])
    kind = f" {name}{kind}" if name else kind
    if x is None:
        absent = cache.originals(engine) is None
        z = atlas.codes[row : row + 1]
        # Data are sampled from grey levels, so their stand-in is too: a mean, or one cut at half,
        # is more likely than any of them.
        config = engine.checkpoint.config
        binary = engine.checkpoint.binary and config.model.likelihood == "bernoulli"
        what = (
            f"a binary sample of p(x|z) at the code of the original (seed {PAINTED})"
            if binary
            else "itself a reconstruction"
        )
        st.caption(
            f"The data set is not installed, so this input is {what}. "
            "Start with `--data DIR` to use originals, or draw your own."
            if absent
            else f"This sample ({name or 'unnamed'}) is no longer in the data set, so this input "
            f"is {what}."
        )
        x = engine.paint(z, PAINTED) if binary else engine.decode(z)
        return Given(x, f"Decoded {split} sample{kind}", row, smooth=not binary)
    return Given(x, f"{split.capitalize()} sample{kind}", row)


def pane(engine: Engine, view: ReconstructView) -> Given | None:
    """Render where the sample comes from, and return it; None while there is none."""
    offered = sources(engine, view.hand)
    if not view.source:
        view.fill("source", "hand" if view.hand else "test")
    if view.source not in offered:
        why = "is not offered for this kind of data"
        view.fall_back("source", "test", why, "showing test data")
    if len(offered) > 1:
        choice("Sample", view, "source", offered)
    found = choose(engine, view)
    if found is not None and view.source in ("draw", "upload"):
        hand.take_given(engine, view, found.x, found.words)
    return found
