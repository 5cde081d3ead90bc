"""Where the sample to reconstruct comes from: test data, a drawing, an upload."""

import numpy as np
import streamlit as st

from explorer.data.drawn import (
    MOST_BYTES,
    MOST_PIXELS,
    centred,
    from_strokes,
    from_upload,
)
from explorer.designs.geometry import is_section
from explorer.errors import DataError
from explorer.inference import Engine
from explorer.sketch import CurveSketch
from explorer.ui import cache
from explorer.ui.address.controls import control
from explorer.ui.address.views import ReconstructView
from explorer.ui.components import canvas
from explorer.ui.panels.upload import Given, section

STROKE = 0.085


SOURCES = {"test": "Test data", "draw": "Draw", "upload": "Upload"}


BINARY = ("mnist-static", "mnist", "digits")
"""Data sets whose samples are 0 or 1 when a model is measured on them."""


def sources(engine: Engine) -> dict[str, str]:
    """Name where a sample of this kind can come from."""
    if engine.sketch.kind == "pixels":
        return SOURCES
    kinds = ("test", "upload") if is_section(engine.sketch) else ("test",)
    return {kind: SOURCES[kind] for kind in kinds}


def choose(engine: Engine, view: ReconstructView) -> Given | None:
    """Let the visitor choose, draw or upload a sample; None while there is none."""
    sketch = engine.sketch
    if view.source not in sources(engine):
        view.source = "test"
    if view.source == "test":
        return _test(engine, view)
    if isinstance(sketch, CurveSketch):
        return section(sketch, "reconstruct_section")
    settle = sketch.inked and st.toggle(
        "Crop and centre, as the data are",
        value=True,
        key="reconstruct_centre",
        help="Scales the ink to the size it has in MNIST and centres it by mass.",
    )
    if view.source == "draw":
        strokes = canvas(key="reconstruct_pad", shape=sketch.width / sketch.height, width=STROKE)
        if not strokes:
            st.caption("Draw a digit with the pointer or a finger. It is not part of the link.")
            return None
        x, words = from_strokes(strokes, sketch, STROKE), "Your drawing"
    else:
        file = st.file_uploader(
            "A picture: PNG, JPEG, GIF, BMP or WebP",
            key="reconstruct_file",
            max_upload_size=MOST_BYTES // 10**6,
        )
        if file is None:
            st.caption(
                f"At most {MOST_BYTES // 10**6} MB and {MOST_PIXELS // 10**6} million pixels. "
                + ("Dark ink on light paper is turned round. " if sketch.inked else "")
                + "It is not part of the link."
            )
            return None
        try:
            x, words = from_upload(file.getvalue(), file.name, sketch), "Your picture"
        except DataError as error:
            st.error(str(error), icon=":material/error:")
            return None
    x = centred(x) if settle else x
    if engine.checkpoint.config.data.kind in BINARY:
        x = (x > 0.5).astype(np.float32)
    return Given(x[None].astype(np.float32), words, None)


def _test(engine: Engine, view: ReconstructView) -> Given | None:
    atlas = cache.atlas(engine)
    rows = np.empty(0, np.int64) if atlas is None else np.flatnonzero(atlas.split == 2)
    if atlas is None or not len(rows):
        st.caption("This model has no map yet, so there are no test data to choose from.")
        return None
    view.index = min(view.index, len(rows) - 1)
    control(
        st.number_input,
        "Number",
        view,
        "index",
        min_value=0,
        max_value=len(rows) - 1,
        step=1,
        width=160,
    )
    row = int(rows[view.index])
    x = cache.original(engine, row)
    label = int(atlas.label[row])
    kind = f", class {atlas.classes[label]}" if atlas.classes and label >= 0 else ""
    if x is None:
        st.caption(
            "The data set is not at hand, so this is what the model decodes from the code of a "
            "test datum: a picture it can make. Start the app with `--data` for the datum itself, "
            "or draw one."
        )
        return Given(engine.decode(atlas.codes[row : row + 1]), f"Decoded datum{kind}", row)
    return Given(x, f"Test datum{kind}", row)
