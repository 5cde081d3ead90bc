"""The reconstruction of one sample by one or more models."""

import numpy as np
import streamlit as st

from explorer import figures
from explorer.inference import Engine
from explorer.sketch import CurveSketch, PixelSketch
from explorer.strips import codes_strip, difference_beside, samples_strip
from explorer.ui.address.views import ReconstructView
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.panels import export_menu
from explorer.ui.panels.upload import Given
from explorer.ui.picks import service
from explorer.ui.reconstruct.typicality import terms
from explorer.ui.wording.naming import distinct_names

DRAWS = 8


def show(engines: list[Engine], given: Given | None, view: ReconstructView) -> None:
    """Render the sample, each model's reconstruction side by side, and the errors."""
    if given is None:
        st.markdown("**Nothing to reconstruct yet**")
        st.caption("The sample you choose, draw or upload will be reconstructed here.")
        return
    pixels = engines[0].sketch.kind == "pixels"
    with st.container(horizontal=True, gap="medium"):
        for engine, name in zip(engines, distinct_names(engines), strict=True):
            with st.container(key=f"reconstruct_{engine.slug}", width=280 if pixels else 450):
                st.markdown(f"**{name}, {engine.space.size} units**")
                _through(engine, given, view)
    terms(engines, given)
    what = f"Reconstruction of {given.words[:1].lower()}{given.words[1:]}"
    order = "The sample, its reconstruction" + (", and the error" if pixels else "")
    walls = figures.of_samples(
        [engine.checkpoint for engine in engines],
        lambda: [
            figures.Wall(np.concatenate(_parts(engine, given)), engine.sketch, 3, title=name)
            for engine, name in zip(engines, distinct_names(engines), strict=True)
        ],
        what,
        order,
    )
    export_menu.figures_menu(
        {"": walls}, f"{engines[0].slug}-reconstruction", "reconstruct_export"
    )


def _through(engine: Engine, given: Given, view: ReconstructView) -> None:
    """Render one model's reconstruction, its error, and decoded posterior samples."""
    q = engine.encode(given.x)
    parts, words = _parts(engine, given), f"{given.words} · reconstruction"
    mean = parts[1]
    words += " · error" if isinstance(engine.sketch, PixelSketch) else ""
    filmstrip(
        Panel(
            samples_strip(np.concatenate(parts), engine.sketch),
            pick=service.pick_descriptor(engine, z=np.repeat(q.loc, len(parts), 0)),
        ),
        key=f"reconstruct_{engine.slug}_through",
        grid=Grid(
            captions=words.split(" · "),
            tile_width=engine.sketch.tile_width(84),
            columns=3,
            noun="picture",
            numbered=False,
        ),
    )
    st.caption(words)
    if isinstance(engine.sketch, CurveSketch):
        off = engine.sketch.heights(given.x[0]) - engine.sketch.heights(mean[0])
        st.caption(
            f"RMS error {100 * float(np.sqrt((off**2).mean())):.2f} % of the "
            f"chord, maximum {100 * float(np.abs(off).max()):.2f} %, as decoded."
        )
    if q.scale is None:
        return
    drawn = engine.posterior_draws(given.x, DRAWS, view.seed)
    filmstrip(
        Panel(codes_strip(engine, drawn), pick=service.pick_descriptor(engine, z=drawn)),
        key=f"reconstruct_{engine.slug}_draws",
        grid=Grid(tile_width=engine.sketch.tile_width(28), columns=8, noun="posterior sample"),
    )
    st.caption(f"{DRAWS} posterior samples, decoded (seed {view.seed}).")


def _parts(engine: Engine, given: Given) -> list[np.ndarray]:
    """Return the sample, its reconstruction and, of a picture, the error."""
    mean = engine.decode(engine.encode(given.x).loc)
    parts = [given.x, mean]
    if isinstance(engine.sketch, PixelSketch):
        parts.append(difference_beside(given.x, mean, engine.sketch))
    return parts
