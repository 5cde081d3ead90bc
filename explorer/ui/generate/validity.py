"""The share of valid designs over the scale, for each prior."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import figures, sections
from explorer.designs.measuring import applicable_properties
from explorer.designs.properties import in_words
from explorer.inference import Engine
from explorer.metrics.proportions import wilson
from explorer.ui import cache
from explorer.ui.address.views import GenerateView
from explorer.ui.panels import chart, export_menu
from explorer.ui.panels.constraints import CROSSED, constraints
from explorer.ui.panels.scale_sweep import companions
from explorer.ui.wording import palette
from explorer.ui.wording.format import plain
from explorer.ui.wording.naming import distinct_names, prior_kind


def share(engine: Engine, view: GenerateView) -> None:
    """Render the share of valid designs that meet the constraints over the scale, per prior."""
    properties = applicable_properties(engine.sketch, view.conditions)
    bounds = constraints(view, properties)
    if not bounds and not sections.is_section(engine.sketch):
        return
    st.subheader("Share of valid designs", anchor=False)
    figure = go.Figure()
    scales, n = np.array(cache.SHARE_SCALES), cache.SHARE_SAMPLES
    shown = companions(engine)
    colours = palette.of_priors([prior_kind(item) for item in shown])
    names = distinct_names(shown)
    for index, (item, name, colour) in enumerate(zip(shown, names, colours, strict=True)):
        found = cache.shares(item, bounds, view.conditions)
        low, high = wilson(found, n)
        figure.add_scatter(
            x=scales,
            y=100 * found,
            error_y={
                "array": 100 * (high - found),
                "arrayminus": 100 * (found - low),
                "thickness": 1,
                "width": 0,
            },
            mode="lines+markers",
            name=name,
            marker={"size": 6, "color": colour, "symbol": ("circle", "diamond", "square")[index]},
            line={"color": colour, "width": 1.5},
            hovertemplate="scale %{x:g}: %{y:.0f} %",
        )
    figure.add_vline(x=view.scale, line={"width": 1, "dash": "dot", "color": "gray"})
    drawn = chart.render(
        figure,
        "generate_share",
        x="Scale (temperature)",
        y={"title": "valid designs, %", "range": [-2, 103]},
        legend=1.16,
    )
    limits_text = " and ".join(in_words(bound, properties) for bound in bounds)
    sound = (
        f"valid (no crossing deeper than {CROSSED})" if sections.is_section(engine.sketch) else ""
    )
    said = " with ".join(part for part in (sound, limits_text) if part)
    told = (
        f"The share of samples that are {said}. Validity is that of the decoded heights, which "
        f"nothing repairs; properties are those of the Kulfan section. {n} samples at "
        "each scale (seed 0), bars are one standard error (Wilson); the dotted line marks the "
        "current scale. Set constraints above to see which prior yields the most valid designs, "
        "and at which scale. At scale 0 a single Gaussian always produces the same design."
    )
    st.caption(told.replace(limits_text, plain(limits_text)) if limits_text else told)
    models = [item.checkpoint for item in shown]
    export_menu.figures_menu(
        {"validity": figures.of_charts(models, [drawn], "Share of valid designs", told)},
        engine.slug,
        "generate_validity",
    )
