"""Reconstruct: one sample through one or more models and back, and what each makes of it."""

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Float

from explorer.data.drawn import (
    MOST_BYTES,
    MOST_PIXELS,
    MOST_SECTION_BYTES,
    centred,
    from_coordinates,
    from_strokes,
    from_upload,
)
from explorer.designs.geometry import is_section
from explorer.errors import DataError
from explorer.inference import Engine
from explorer.projection import nearest, place
from explorer.sketch import CurveSketch, PixelSketch
from explorer.strips import codes_strip, samples_strip
from explorer.ui import cache
from explorer.ui.address.controls import control
from explorer.ui.address.notation import code_text
from explorer.ui.address.views import ReconstructView
from explorer.ui.components import canvas, filmstrip
from explorer.ui.panels import latent_plane
from explorer.ui.panels.scale_sweep import prior_name
from explorer.ui.picks import service
from explorer.ui.prototypes.wall import pictures_of
from explorer.ui.shell import frame
from explorer.ui.wording import palette
from explorer.ui.wording.format import signed

DRAWS = 8
FEW = 20
"""With fewer effective importance samples log p(x) is a loose lower bound."""

STROKE = 0.085
SOURCES = {"test": "Test data", "draw": "Draw", "upload": "Upload"}
BINARY = ("mnist-static", "mnist", "digits")
"""Data sets whose samples are 0 or 1 when a model is measured on them."""


class Given(NamedTuple):
    """The sample to reconstruct, what it is, and its row in the atlas, if it has one."""

    x: Float[np.ndarray, "1 *sample"]
    words: str
    row: int | None


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


def section(sketch: CurveSketch, key: str) -> Given | None:
    """Let the visitor open an airfoil file; None while there is none, or where it is none."""
    file = st.file_uploader(
        "An airfoil: Selig or Lednicer .dat, or CSV", key=key, max_upload_size=1
    )
    if file is None:
        st.caption(
            "Coordinates of one section, trailing edge to trailing edge or surface by surface; at "
            f"most {MOST_SECTION_BYTES // 1024} kB. It is not part of the link."
        )
        return None
    try:
        x = from_coordinates(file.getvalue(), file.name, sketch)
    except DataError as error:
        st.error(str(error), icon=":material/error:")
        return None
    return Given(x[None], "Your section, repanelled", None)


def show(engines: list[Engine], given: Given, view: ReconstructView) -> None:
    """Show the sample, what each model makes of it side by side, and where it errs."""
    pixels = engines[0].sketch.kind == "pixels"
    width = 84 if pixels else 210
    with st.container(horizontal=True, gap="medium"):
        for engine in engines:
            with st.container(key=f"reconstruct_{engine.slug}", width=280 if pixels else 450):
                st.markdown(f"**{prior_name(engine)}, {engine.space.size} units**")
                _through(engine, given, view, width)
    _terms(engines, given)


def _through(engine: Engine, given: Given, view: ReconstructView, width: int) -> None:
    """Show one model's reconstruction, its error, and samples of its posterior decoded."""
    q = engine.encode(given.x)
    mean = engine.decode(q.loc)
    parts, words = [given.x, mean], f"{given.words} · its reconstruction"
    if isinstance(engine.sketch, PixelSketch):
        parts.append(np.abs(given.x - mean))
        words += " · the error"
    filmstrip(
        samples_strip(np.concatenate(parts), engine.sketch),
        keep=[service.keepable(engine, z=np.repeat(q.loc, len(parts), 0))],
        key=f"reconstruct_{engine.slug}_through",
        selectable=False,
        tile_width=width,
        columns=3,
        captions=words.split(" · "),
        name="picture",
        numbered=False,
    )
    st.caption(words)
    if isinstance(engine.sketch, CurveSketch):
        off = engine.sketch.heights(given.x[0]) - engine.sketch.heights(mean[0])
        st.caption(
            f"Root mean square error {100 * float(np.sqrt((off**2).mean())):.2f} % of the "
            f"chord, largest {100 * float(np.abs(off).max()):.2f} %."
        )
    if q.scale is None:
        return
    drawn = engine.posterior_draws(given.x, DRAWS, view.seed)
    filmstrip(
        codes_strip(engine, drawn),
        keep=[service.keepable(engine, z=drawn)],
        key=f"reconstruct_{engine.slug}_draws",
        selectable=False,
        tile_width=28 if width == 84 else 100,
        columns=8,
        name="posterior sample",
    )
    st.caption(f"{DRAWS} samples of its posterior, decoded (seed {view.seed}).")


def posterior(engine: Engine, given: Given) -> None:
    """Plot the posterior beside the prior, unit by unit."""
    q = engine.encode(given.x)
    if q.scale is not None:
        loc, scale = engine.moments()
        mean, spread = (q.loc[0] - loc) / scale, q.scale[0] / scale
        order = np.argsort(spread, kind="stable")
        figure = go.Figure()
        figure.add_scatter(
            x=[str(unit) for unit in order],
            y=mean[order],
            error_y={"array": spread[order], "thickness": 1.5, "width": 0},
            mode="markers",
            marker={"color": palette.CLASSES[0], "size": 6},
            name="posterior",
        )
        figure.update_layout(
            height=230,
            margin=palette.MARGIN,
            xaxis={"title": "unit, most certain first; mean ± spread", "type": "category"},
            yaxis={"title": "spreads of the prior", "zeroline": True},
            showlegend=False,
        )
        st.markdown(f"**Posterior, {prior_name(engine)}**")
        st.plotly_chart(figure, key="reconstruct_posterior", config=palette.BARE)


def place_among_data(engine: Engine, given: Given) -> None:
    """Show the sample's code on the map, and the data whose codes are nearest."""
    q = engine.encode(given.x)
    atlas = cache.atlas(engine)
    if atlas is None:
        return
    st.markdown("**Its place among the data**")
    spot = q.loc if atlas.method == "plane" else place(atlas.codes, atlas.xy, q.loc)
    latent_plane.chart(
        engine,
        atlas,
        key="reconstruct_map",
        shown=("data",),
        colour="label" if atlas.classes else "log_prior",
        marks=[(float(spot[0, 0]), float(spot[0, 1]), "x")],
        height=340,
    )
    if atlas.method != "plane":
        st.caption("It stands at the geometric median of the map places of its 15 nearest codes.")
    rows, distance = nearest(atlas.codes, q.loc[0], 17)
    keep = rows != given.row
    strip, words = pictures_of(engine, rows[keep][:16])
    st.markdown(f"**Data with the nearest codes, {prior_name(engine)}**")
    filmstrip(
        strip,
        key="reconstruct_near",
        selectable=False,
        tile_width=44 if engine.sketch.kind == "pixels" else 110,
        captions=[f"distance {value:.2f}" for value in distance[keep][:16]],
        name="neighbour",
    )
    st.caption(words)
    with st.container(horizontal=True):
        code = code_text(q.loc[0])
        st.page_link(
            frame.page_path("traverse"),
            label="Traverse from its code",
            icon=":material/tune:",
            query_params={"model": engine.slug, "centre": code},
        )
        st.page_link(
            frame.page_path("interpolate"),
            label="Interpolate from its code",
            icon=":material/timeline:",
            query_params={"model": engine.slug, "ends": code},
        )


def refinement(engines: list[Engine], given: Given) -> None:
    """Improve the posterior of this one sample, and show what the shared encoder had left."""
    figure = go.Figure()
    said = []
    with st.container(horizontal=True, gap="small"):
        for index, engine in enumerate(engines):
            if not engine.has_prior:
                continue
            found = engine.refine(given.x)
            bound = found.elbo.numpy()
            name = prior_name(engine)
            figure.add_scatter(
                y=bound, mode="lines", name=name, line={"color": palette.CLASSES[index]}
            )
            said.append(signed(f"{name} {found.rise:+.2f} ± {found.error:.2f} nats"))
            x = engine.decode(found.loc.numpy()[None])
            with st.container(width=150, key=f"reconstruct_refined_{engine.slug}"):
                filmstrip(
                    samples_strip(x, engine.sketch),
                    key=f"reconstruct_{engine.slug}_refined",
                    selectable=False,
                    tile_width=75 if engine.sketch.kind == "pixels" else 140,
                )
                st.caption(f"{name}, refined")
    figure.update_layout(
        height=260,
        margin=palette.MARGIN,
        xaxis={"title": "gradient step on the mean and spread of q"},
        yaxis={"title": "ELBO of this sample, nats"},
        legend={"orientation": "h", "y": 1.15},
    )
    st.plotly_chart(figure, key="reconstruct_gap", config=palette.BARE)
    st.caption(
        f"Gain of the bound: {'; '.join(said)}. At least so much had one encoder for all data "
        "left: the amortisation gap. 60 Adam steps; the bound is judged on 512 codes that did not "
        "guide them, the same at every step."
    )


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


def _terms(engines: list[Engine], given: Given) -> None:
    """Tell the terms of the bound, log p(x), and where that stands among held-out data."""
    scored = [engine for engine in engines if engine.has_prior]
    if not scored:
        st.caption("A plain autoencoder has no likelihood: only the error above can be told.")
        return
    rows, notes = [], []
    for engine in scored:
        found = cache.scored(engine, given.x)
        place = anomaly(engine, float(found.log_likelihood[0]))
        terms = (found.log_likelihood, found.elbo, found.reconstruction, found.kl)
        loose = "≥ " if float(found.effective[0]) < FEW else ""
        told = [f"{float(term[0]):.1f}".replace("-", "−") for term in terms]
        rows.append(
            [
                prior_name(engine),
                f"{loose}{told[0]}",
                *told[1:],
                "–" if place is None else f"{place[0]:.1f} %",
            ]
        )
        notes.append(
            f"{prior_name(engine)}: S = {cache.importance_samples(engine):,}, "
            f"{float(found.effective[0]):.0f} effective"
            + ("" if place is None else f", {place[1]:,} test data")
        )
    head = "| Model | log p(x) | ELBO | log p(x\\|z) | KL | Anomaly percentile |"
    body = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    st.markdown(f"{head}\n| --- | ---: | ---: | ---: | ---: | ---: |\n{body}")
    st.caption(
        "In nats, by importance sampling, seed 0; ≥ marks a loose lower bound, of under "
        f"{FEW} effective samples. The anomaly percentile is the share of test "
        f"data with a higher log p(x), measured in the same way. {'; '.join(notes)}."
    )


def anomaly(engine: Engine, log_likelihood: float) -> tuple[float, int] | None:
    """Return the share of test data, in per cent, that are more probable, and their number."""
    known = cache.test_likelihood(engine)
    if known is None or not len(known):
        return None
    return 100 * float((known > log_likelihood).mean()), len(known)


def stack_when_narrow() -> None:
    """Let what stands beside something else go below it in a narrow window."""
    st.html(
        "<style>.st-key-reconstruct_models { min-width: min(30rem, 100%); }"
        ":has(> .st-key-reconstruct_posterior_pane), :has(> .st-key-reconstruct_place_pane)"
        " { flex: 1 1 24rem !important; }</style>"
    )
