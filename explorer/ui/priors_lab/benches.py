"""The lab's views: two-dimensional models side by side, the parts of the ELBO, and training."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import figures, papers, regions
from explorer.figures import Chart
from explorer.inference import Engine
from explorer.naming import DATA, PRIORS
from explorer.papers import Paper
from explorer.strips import StripSpec, grid_strip
from explorer.ui import cache
from explorer.ui.address.controls import choice
from explorer.ui.address.views import PriorsLabView
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.panels import chart, export_menu, pictures, scale_sweep
from explorer.ui.picks import service
from explorer.ui.wording import palette
from explorer.ui.wording.naming import describe

PLANE = 15
"""Codes per side of the decoded plane."""

BENCHES = {
    "planes": "Planes",
    "bound": "Parts of the ELBO",
    "training": "Training",
    "scale": "The scale",
}
TERMS = {
    "reconstruction": ("Reconstruction", palette.CLASSES[0]),
    "information": ("Index-code information", palette.CLASSES[1]),
    "marginal": ("Marginal KL", palette.CLASSES[3]),
}
_FIRST = (
    "standard", "xvae", "xvae-mixture", "mog", "flow", "vamp-data", "vamp-weighted", "vamp",
)  # fmt: skip
_ORDER = [kind for kind in dict.fromkeys((*_FIRST, *PRIORS)) if kind != "none"]


def planar(engine: Engine) -> list[Engine]:
    """Return the two-dimensional models of the open model's data, or of the digits."""
    kinds = [engine.checkpoint.config.data.kind, "digits"]
    for kind in kinds:
        found = [
            entry
            for entry in cache.entries()
            if entry.healthy and entry.data == kind and entry.latent == 2
            and entry.prior in _ORDER
        ]  # fmt: skip
        found.sort(
            key=lambda entry: (
                _ORDER.index(entry.prior),
                entry.model != "vae",
                _components(entry.slug),
                entry.slug,
            )
        )
        if found:
            return [cache.engine(entry) for entry in found]
    return []


def subject(engines: list[Engine]) -> str:
    """Return the display name of the models' data."""
    return DATA[engines[0].checkpoint.config.data.kind]


def one_each(engines: list[Engine]) -> list[Engine]:
    """Keep for each prior, and each way of training under it, the one with most components."""
    kept: dict[tuple[str, str], Engine] = {}
    for engine in engines:
        config = engine.checkpoint.config
        kept[config.prior.kind if config.prior else "", config.model.kind] = engine
    return list(kept.values())


def named(engine: Engine) -> str:
    """Name a model by its prior and number of components."""
    entries = cache.entries()
    entry = next(item for item in entries if item.slug == engine.slug)
    return describe(entry, entries).rpartition(",")[0]


def planes(engines: list[Engine], view: PriorsLabView) -> None:
    """Render each model's plane: densities and holes, or the decoded plane."""
    row = st.container(horizontal=True, gap="medium")
    charts = []
    for engine in engines:
        with row.container(width=450):
            st.markdown(f"**{named(engine)}**")
            found = cache.plane(engine)
            if found is None:
                st.caption("This model has no map yet: build it on the Latent map page.")
            elif view.show == "decoded":
                _decoded(engine, found)
            else:
                charts.append(replace(_density(engine, found), title=named(engine)))
    words = (
        "Shading: prior density. Dashed: contours enclosing 50, 90 and 99 % of the aggregated "
        "posterior. Hatched: holes, where the prior has mass but almost no data are encoded. "
        "The planes are the latent spaces themselves: nothing is projected."
        if view.show == "density"
        else f"{PLANE} × {PLANE} codes over the same window, decoded, including between the data."
    )
    st.caption(words)
    if charts:
        _export(engines, charts, "Prior densities and holes", words, papers.SURGERY)


def bound(engines: list[Engine]) -> None:
    """Render the parts of each model's ELBO over the test data, with errors."""
    rows = [(engine, cache.surgery(engine)) for engine in engines]
    names = [named(engine) for engine, _ in rows]
    charts = []
    with st.container(horizontal=True, gap="small"):
        for term, (label, colour) in TERMS.items():
            figure = go.Figure()
            values, errors = [], []
            for engine, cut in rows:
                metric = engine.checkpoint.metrics.get("reconstruction")
                if term == "reconstruction":
                    values.append(-metric.value if metric else None)
                    errors.append(metric.se if metric else None)
                else:
                    values.append(getattr(cut, term) if cut else None)
                    errors.append(getattr(cut, f"{term}_error") if cut else None)
            figure.add_bar(
                y=names,
                x=values,
                error_x={"array": errors, "thickness": 1.5},
                orientation="h",
                marker={"color": colour},
            )
            with st.container(width=340 if term == "reconstruction" else 262):
                drawn = chart.render(
                    figure,
                    f"lab_{term}",
                    x="nats (lower is better)" if term != "information" else "nats",
                    y={"autorange": "reversed", "visible": term == "reconstruction"},
                    height=80 + 34 * len(rows),
                    title=label if term != "reconstruction" else "−log p(x|z), mean",
                )
            charts.append(drawn)
    cuts = [cut for _, cut in rows if cut is not None]
    if not cuts:
        return
    r, i, m = (TERMS[name][1] for name in ("reconstruction", "information", "marginal"))
    st.latex(
        rf"\text{{ELBO}} = \textcolor{{{r}}}{{\mathbb E\,\log p(x\mid z)}} - "
        rf"\textcolor{{{i}}}{{I_q(n; z)}} - \textcolor{{{m}}}{{\mathrm{{KL}}(q(z)\,\Vert\,p(z))}}"
    )
    saturated = any(cut.saturated for cut in cuts)
    words = (
        f"Over {cuts[0].n:,} test samples, bars are standard errors. The information is at most "
        f"log {cuts[0].n:,} = {np.log(cuts[0].n):.2f} nats"
        + ("; close to that it is saturated." if saturated else ", and is far from it.")
        + " With a fixed encoder, a better prior lowers only the marginal KL between aggregated "
        "posterior and prior; when trained jointly, all three terms change."
    )
    st.caption(words)
    _export(engines, charts, "Parts of the ELBO", words, papers.SURGERY)


def _export(
    engines: Sequence[Engine], charts: Sequence[Chart], what: str, words: str, *others: Paper
) -> None:
    """Render the export menu of the charts on the page."""
    models = [engine.checkpoint for engine in engines]
    figure = figures.of_charts(models, charts, what, words, *others)
    stem = "-".join(what.lower().split())
    export_menu.figures_menu({"": figure}, f"lab-{stem}", "lab_export")


def training(engine: Engine, view: PriorsLabView) -> int | None:
    """Render a replay of the pseudo-inputs during training, as images and on the plane."""
    kept = cache.snapshots(engine)
    if not kept:
        return pictures.replay(engine, view)
    st.markdown(f"**{named(engine)}**")
    epoch = pictures.replay(engine, view)
    inputs, epochs = kept["inputs"], kept["epochs"]
    flat = inputs.reshape(-1, *inputs.shape[2:])
    places = engine.encode(flat).loc.reshape(*inputs.shape[:2], -1)
    here = len(epochs) - 1 if epoch is None else int(np.abs(epochs - epoch).argmin())
    figure = go.Figure()
    found = cache.plane(engine)
    window: dict[str, object] = {}
    if found is not None:
        _dashed(figure, found)
        window = {"range": [float(found.x[0]), float(found.x[-1])]}
    gap = np.full((places.shape[1], 1, 2), np.nan)
    trails = np.concatenate([places[: here + 1].transpose(1, 0, 2), gap], 1).reshape(-1, 2)
    figure.add_scatter(
        x=trails[:, 0], y=trails[:, 1], mode="lines", hoverinfo="skip",
        line={"width": 1, "color": palette.PROTOTYPE}, opacity=0.5, name="path so far",
    )  # fmt: skip
    figure.add_scatter(
        x=places[here, :, 0], y=places[here, :, 1], mode="markers", name=f"epoch {epochs[here]:g}",
        marker={"symbol": "star", "size": 10, "color": palette.PROTOTYPE},
    )  # fmt: skip
    with st.container(width=560):
        drawn = chart.render(
            figure,
            "lab_trails",
            x={"title": "z₁"} | window,
            y={"title": "z₂", "scaleanchor": "x"},
            height=420,
            legend=1.08,
        )
    words = (
        "The pseudo-inputs of every saved epoch, encoded by the final encoder (earlier encoders "
        "were not saved). Dashed: aggregated posterior. Release the slider to move the stars."
    )
    st.caption(words)
    what = f"Paths of the pseudo-inputs to epoch {epochs[here]:g}"
    _export([engine], [drawn], what, words.replace(" Release the slider to move the stars.", ""))
    return epoch


def scales(engines: list[Engine], view: PriorsLabView) -> float:
    """Render the scale on X-VAE beside the standard normal prior, with the same noise."""
    wanted = [
        engine
        for kind in ("xvae", "standard")
        for engine in engines
        if engine.checkpoint.config.prior is not None
        and engine.checkpoint.config.prior.kind == kind
    ]
    if not wanted:
        st.caption("There is no two-dimensional X-VAE and standard normal model here.")
        return view.scale
    spec = StripSpec(tiles=32)
    state = scale_sweep.sweep(
        wanted,
        spec,
        key="lab_scale",
        at=view.scale,
        options=scale_sweep.SweepOptions(tile_width=44, selectable=False),
    )
    scale_sweep.export(wanted, spec, state)
    st.caption(
        "X-VAE samples z = mean + s · sd · noise, with the moments of an autoencoder’s codes; the "
        "standard normal prior z = s · noise. They differ only in coordinates. The models were "
        "trained separately, so the images differ, but the effect of the scale does not."
    )
    return float(state.value)


def _density(engine: Engine, found: regions.Plane) -> Chart:
    figure = go.Figure()
    figure.add_heatmap(
        x=found.x, y=found.y, z=found.prior, showscale=False,
        colorscale=[[0, "rgba(86,130,180,0)"], [1, "rgba(86,130,180,0.85)"]],
        hovertemplate="p(z) = %{z:.3g}<extra></extra>",
    )  # fmt: skip
    _dashed(figure, found)
    gap = np.full((1, 2), np.nan)
    rings = [part for line in regions.outlines(found) for part in (line, gap)]
    if rings:
        # One trace: rings inside rings are cut out only within a single path.
        x, y = np.concatenate(rings).T
        figure.add_scatter(
            x=x, y=y, mode="lines", fill="toself", hoverinfo="skip",
            fillpattern={"shape": "/", "size": 6, "fgcolor": palette.HOLE},
            fillcolor="rgba(0,0,0,0)", line={"color": palette.HOLE, "width": 1},
        )  # fmt: skip
    drawn = chart.render(
        figure,
        f"lab_plane_{engine.slug}",
        x={"title": "z₁", "showgrid": False},
        y={"title": "z₂", "scaleanchor": "x", "showgrid": False},
        height=380,
    )
    st.caption(
        f"{100 * found.hole_mass:.1f} ± {100 * found.hole_error:.1f} % of {found.samples:,} prior "
        f"samples fall into holes (reference: {100 * regions.RARE:.0f} % of posterior samples of "
        "held-out data)."
    )
    return drawn


def _dashed(figure: go.Figure, found: regions.Plane) -> None:
    """Add the contours that enclose 50, 90 and 99 % of the aggregated posterior."""
    for lines in regions.contours(found.x, found.y, found.aggregated):
        for line in lines:
            figure.add_scatter(
                x=line[:, 0], y=line[:, 1], mode="lines", hoverinfo="skip", showlegend=False,
                line={"color": "#8C6D31", "width": 1.6, "dash": "dash"},
            )  # fmt: skip


def _decoded(engine: Engine, found: regions.Plane) -> None:
    xs = np.linspace(found.x[0], found.x[-1], PLANE)
    ys = np.linspace(found.y[-1], found.y[0], PLANE)
    z = np.stack(np.meshgrid(xs, ys), -1).reshape(1, -1, 2).astype(np.float32)
    filmstrip(
        Panel(grid_strip(engine, z, (0.0,)), pick=service.pick_descriptor(engine, z=z[0])),
        key=f"lab_decoded_{engine.slug}",
        grid=Grid(
            captions=[f"z = ({a:.1f}, {b:.1f})".replace("-", "−") for a, b in z[0]],
            tile_width=22,
            columns=PLANE,
            fixed=True,
            noun="code",
            numbered=False,
        ),
    )


def _components(slug: str) -> int:
    entry = next(item for item in cache.entries() if item.slug == slug)
    prior = entry.config.prior if entry.config else None
    return int(getattr(prior, "components", 1))


def require_planar(engine: Engine, view: PriorsLabView) -> list[Engine]:
    """Return the two-dimensional models; stop with a message if there are none."""
    found = planar(engine)
    if not found:
        st.info('There is no two-dimensional model with a prior; train one with `"latent": 2`.')
        view.write()
        st.stop()
    return found


def run(engines: list[Engine], view: PriorsLabView) -> None:
    """Render the selected view."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        choice("View", view, "bench", BENCHES)
        if view.bench == "planes":
            choice("Show", view, "show", {"density": "Densities and holes", "decoded": "Decoded"})
    if view.bench == "planes":
        planes(one_each(engines), view)
    elif view.bench == "bound":
        bound(engines)
    elif view.bench == "training":
        view.epoch = training(engines[-1], view)
    else:
        view.scale = scales(engines, view)
