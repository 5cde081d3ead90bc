"""The three doors of the catalogue: a tour, the open model, and a design."""

import streamlit as st

from explorer.inference import Engine
from explorer.naming import DATA
from explorer.ui import cache
from explorer.ui.shell import sibling, tour
from explorer.ui.shell.pages import page_path
from explorer.ui.wording.naming import labels


def doors(engine: Engine) -> None:
    """Render the doors that there are for the models at hand."""
    known = cache.entries()
    names = labels(known)
    with st.container(horizontal=True, gap="small", key="catalogue_doors"):
        _door(
            "tour",
            "See what a prior does",
            "A minute in which the app moves by itself: the scale, the prototypes, the map, and "
            "a hole in it. Stop whenever you like.",
            "generate",
            "Take the tour",
            ":material/play_circle:",
            tour.start(known),
        )
        _door(
            "model",
            "Explore a model",
            f"{names[engine.slug]}, of {DATA[_data(engine)]}, is open: sample it, walk through "
            "its latent space, or open another below.",
            "generate" if engine.has_prior else "latent_map",
            "Explore it",
            ":material/explore:",
            {"model": engine.slug},
        )
        design = sibling.best_sections()
        if design is not None:
            _door(
                "design",
                "Pick a design",
                "Airfoils: say what a section must meet, get twelve that do, and shape one with a "
                "finger.",
                "design",
                "Find sections",
                ":material/flight:",
                {"model": design.slug},
            )


def _data(engine: Engine) -> str:
    return engine.checkpoint.config.data.kind


def _door(
    name: str,
    title: str,
    words: str,
    page: str,
    label: str,
    icon: str,
    address: dict[str, str],
) -> None:
    with st.container(border=True, key=f"catalogue_door_{name}", gap="xsmall"):
        st.markdown(f"**{title}**  \n:small[{words}]")
        st.page_link(page_path(page), label=label, icon=icon, query_params=address)
