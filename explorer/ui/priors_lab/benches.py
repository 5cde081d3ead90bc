"""The lab's views: two-dimensional models side by side, the parts of the ELBO, and training."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import papers
from explorer.inference import Engine
from explorer.strips import StripSpec
from explorer.ui import cache
from explorer.ui.address.controls import choice
from explorer.ui.address.views import PriorsLabView
from explorer.ui.panels import chart, pictures, scale_sweep
from explorer.ui.priors_lab import lineup, planes, references
from explorer.ui.wording import palette

BENCHES = {
    "planes": "Planes",
    "bound": "Parts of the ELBO",
    "training": "Training",
    "scale": "The scale",
    "reference": "Reference",
}
TERMS = {
    "reconstruction": ("Reconstruction", palette.CLASSES[0]),
    "information": ("Index-code information", palette.CLASSES[1]),
    "marginal": ("Marginal KL", palette.CLASSES[3]),
}


def bound(engines: list[Engine]) -> None:
    """Render the parts of each model's ELBO over the test data, with errors."""
    rows = [(engine, cache.surgery(engine)) for engine in engines]
    names = [lineup.named(engine) for engine, _ in rows]
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
                error_x={
                    "array": errors,
                    "thickness": 1.5,
                    "color": palette.text(st.context.theme.type == "dark"),
                },
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
    lineup.export(engines, charts, "Parts of the ELBO", words, papers.SURGERY)


def training(engine: Engine, view: PriorsLabView) -> int | None:
    """Render a replay of the pseudo-inputs during training, as images and on the plane."""
    kept = cache.snapshots(engine)
    if not kept:
        return pictures.replay(engine, view)
    st.markdown(f"**{lineup.named(engine)}**")
    epoch = pictures.replay(engine, view)
    inputs, epochs = kept["inputs"], kept["epochs"]
    flat = inputs.reshape(-1, *inputs.shape[2:])
    places = engine.encode(flat).loc.reshape(*inputs.shape[:2], -1)
    here = len(epochs) - 1 if epoch is None else int(np.abs(epochs - epoch).argmin())
    figure = go.Figure()
    found = cache.plane(engine)
    window: dict[str, object] = {}
    if found is not None:
        planes.dashed(figure, found)
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
    lineup.export(
        [engine], [drawn], what, words.replace(" Release the slider to move the stars.", "")
    )
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


def run(engines: list[Engine], view: PriorsLabView, opened: Engine) -> None:
    """Render the selected view."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        choice("View", view, "bench", BENCHES)
        if view.bench == "planes":
            choice("Show", view, "show", {"density": "Densities and holes", "decoded": "Decoded"})
    if view.bench == "planes":
        shown = lineup.one_each(engines, opened.slug)
        shown.sort(key=lambda engine: not lineup.relation(engine, opened))
        planes.planes(shown, view, opened)
    elif view.bench == "bound":
        bound(engines)
    elif view.bench == "training":
        own = next((engine for engine in engines if engine.slug == opened.slug), None)
        replayed = own if own is not None and cache.snapshots(own) else engines[-1]
        view.epoch = training(replayed, view)
    elif view.bench == "reference":
        references.bench(view, opened)
    else:
        view.scale = scales(engines, view)
