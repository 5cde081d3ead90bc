"""The wall of the catalogue: samples of the open model's prior beside others, under one slider."""

import streamlit as st

from explorer.inference import Engine
from explorer.strips import StripSpec
from explorer.ui.address.views import CatalogueView
from explorer.ui.panels import fit_prior, scale_sweep
from explorer.ui.shell import sibling


def wall(engine: Engine, view: CatalogueView) -> None:
    """Render samples of the open model's prior beside others, with the same noise."""
    if not engine.has_prior:
        st.info(
            "This model is a plain autoencoder: it has no prior to sample. Its codes are on the "
            "latent map; Generate samples them by a flow, or fit a prior to them below."
        )
        if not fit_prior.fitted(engine):
            sibling.with_prior(engine, "catalogue")
        return
    engines = scale_sweep.companions(engine)
    tiles, columns = (20, 5) if engines[0].sketch.kind == "pixels" else (12, 6)
    spec = StripSpec(tiles=tiles, seed=view.seed)
    state = scale_sweep.sweep(
        engines,
        spec,
        key="catalogue_strip",
        at=view.scale,
        options=scale_sweep.SweepOptions(
            tile_width=32, columns=columns if len(engines) > 1 else None, selectable=False
        ),
    )
    view.scale = state.value
    scale_sweep.export(engines, spec, state)
    st.caption(
        f"Drag to compare {len(engines)} priors with the same noise. At 1 each prior is as "
        "trained; at 0 every sample is the mean of its component: many images for a VampPrior, "
        "a single one for a Gaussian."
        if len(engines) > 1
        else "Drag: each sample keeps its noise; only the scale changes."
    )
