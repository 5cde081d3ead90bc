"""The cards of the catalogue: their selection, order and content."""

import streamlit as st

from explorer.checkpoint import Entry
from explorer.inference import Engine
from explorer.naming import DATA, by_flexibility
from explorer.strips import StripSpec
from explorer.ui import cache
from explorer.ui.address.controls import choice, control
from explorer.ui.address.views import CatalogueView
from explorer.ui.panels import scale_sweep, table
from explorer.ui.shell import frame
from explorer.ui.wording import naming
from explorer.ui.wording.format import facts, provenance

SORTS = {
    "name": "Data set",
    "likelihood": "Log-likelihood",
    "fidelity": "Fidelity (density)",
    "diversity": "Diversity (coverage)",
    "latent": "Latent size",
}
_METRICS = {"likelihood": "log_likelihood", "fidelity": "density", "diversity": "coverage"}


def strip(engine: Engine, view: CatalogueView) -> None:
    """Render samples of the open model's prior beside others, with the same noise."""
    if not engine.has_prior:
        st.info(
            f"{engine.slug} is a plain autoencoder: it has no prior, so it cannot be sampled. Its "
            "codes are on the latent map."
        )
        return
    engines = scale_sweep.companions(engine)
    tiles = 30 if engines[0].sketch.kind == "pixels" else 18
    spec = StripSpec(tiles=tiles, seed=view.seed)
    state = scale_sweep.sweep(
        engines,
        spec,
        key="catalogue_strip",
        at=view.scale,
        options=scale_sweep.SweepOptions(
            columns=5 if len(engines) > 1 else None, selectable=False
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


def toolbar(view: CatalogueView) -> None:
    """Render the choice of models and their order."""
    st.subheader("Models", anchor=False)
    names = {"": "All data", **{name: DATA[name] for name in data_sets()}}
    if view.data not in names:
        view.fall_back("data", "", "has no model", "showing all data")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        choice("Data", view, "data", names)
        control(
            st.selectbox,
            "Sort by",
            view,
            "sort",
            options=list(SORTS),
            format_func=SORTS.get,
            width=240,
        )


def data_sets() -> list[str]:
    """List the data sets of healthy checkpoints."""
    present = {entry.data for entry in cache.entries() if entry.healthy}
    return [name for name in DATA if name in present]


def chosen(view: CatalogueView) -> list[Entry]:
    """Return the healthy checkpoints, filtered and sorted as the view says."""
    entries = [entry for entry in cache.entries() if entry.healthy and entry.data in DATA]
    if view.data:
        entries = [entry for entry in entries if entry.data == view.data]
    own = next((entry.data for entry in entries if entry.slug == view.model), "")
    sets, priors = [own, *DATA], by_flexibility()
    entries.sort(
        key=lambda entry: (sets.index(entry.data), -entry.latent, priors.index(entry.prior))
    )
    if view.sort in _METRICS:
        name = _METRICS[view.sort]
        absent = float("-inf")
        entries.sort(
            key=lambda entry: -(entry.metrics[name].value if name in entry.metrics else absent)
        )
    elif view.sort == "latent":
        entries.sort(key=lambda entry: -entry.latent)
    return entries


def grid(entries: list[Entry], view: CatalogueView) -> None:
    """Render the cards, as many in a row as fit."""
    known = cache.entries()
    with st.container(horizontal=True, gap="small"):
        for entry in entries:
            with st.container(border=True, width=304):
                _card(entry, naming.describe(entry, known), entry.slug == view.model)


def broken() -> None:
    """Render the list of checkpoints that cannot be opened, each with the reason."""
    unopened = [entry for entry in cache.entries() if not entry.healthy]
    known = [entry.slug for entry in unopened if entry.results_only]
    if known:
        st.caption(f"Results only (no weights), on the Evaluate page: {', '.join(sorted(known))}.")
    entries = [entry for entry in unopened if not entry.results_only]
    if not entries:
        return
    st.subheader("Broken checkpoints", anchor=False)
    for entry in entries:
        st.markdown(f"`{entry.slug.replace('`', '')}`")
        st.text(entry.reason)


def _card(entry: Entry, said: str, is_open: bool) -> None:
    picture = cache.preview(entry, st.context.theme.type == "dark")
    if picture is not None:
        st.image(picture, width="stretch", alt=f"Samples of {entry.slug}")
    st.markdown(f"**{said}**  \n:small[{DATA[entry.data]}]")
    names = ("log_likelihood", "pseudo_log_likelihood", "reconstruction")
    score = next((entry.metrics[name] for name in names if name in entry.metrics), None)
    read = "" if entry.config is None else entry.config.data.preparation
    table.render(
        [table.Line(name, (value,)) for name, value in facts(entry).items()],
        note=". ".join(filter(None, (provenance(score), read))),
    )
    st.button(
        "Open" if not is_open else "Open now",
        key=f"catalogue_open_{entry.slug}",
        disabled=is_open,
        on_click=frame.open_model,
        args=(entry.slug,),
        width="stretch",
        help=entry.slug,
    )
