"""The bench of references: codes matched to a ring, a spiral or features, by two methods."""

import streamlit as st

from explorer import papers
from explorer.inference import Engine
from explorer.ui import cache
from explorer.ui.address.controls import control
from explorer.ui.address.views import PriorsLabView
from explorer.ui.panels import replayed
from explorer.ui.priors_lab import drawn, lineup
from explorer.ui.wording.naming import distinct_names

FACTS = {
    "Standard normal": "one blob: every class has to share it with its neighbours",
    "Sphere": "a ring, with a hole in the middle that no code may enter",
    "Noised": "the ring with noise on it, as on the way of a diffusion",
    "Mixture of features": "the clumps that a mixture finds in features learned by contrast",
    "Features": "the codes of an encoder that was trained by contrast, without a decoder",
    "Bottleneck": "that encoder behind a layer trained for reconstruction",
    "Moons": "two halves that interlock",
    "Spiral": "a long arm: neighbours along it are alike, across it they need not be",
}
"""What a reference asks of the codes, in a few words."""


def bench(view: PriorsLabView, opened: Engine) -> None:
    """Render the models matched to one reference, replayed side by side."""
    entries = lineup.matched(opened)
    if not entries:
        st.info("No model here was matched to a reference; train one of the kind dmvae.")
        return
    names = list(dict.fromkeys(lineup.reference_words(entry) for entry in entries))
    if view.reference not in (*names, drawn.NAME):
        own = [lineup.reference_words(entry) for entry in entries if entry.slug == opened.slug]
        first = (own or [name for name in names if name == "Sphere"] or names)[0]
        if view.reference:
            view.fall_back("reference", first, "is no reference here", f"showing {first}")
        else:
            view.reference = first
    control(st.pills, "Matched to", view, "reference", options=[*names, drawn.NAME], required=True)
    if view.reference == drawn.NAME:
        drawn.sheet(opened)
        return
    if view.reference in FACTS:
        st.caption(f"{view.reference}: {FACTS[view.reference]}.")
    shown = [entry for entry in entries if lineup.reference_words(entry) == view.reference]
    engines = [cache.engine(entry) for entry in shown]
    found = {engine.slug: replay for engine in engines if (replay := cache.replayed(engine))}
    engines = [engine for engine in engines if engine.slug in found]
    told = dict(zip((one.slug for one in engines), distinct_names(engines), strict=True))
    for engine in engines:
        each = found[engine.slug]
        st.markdown(f"**{told[engine.slug]}**")
        if each.codes is not None:
            replayed.player(engine, each, f"lab_replay_{engine.slug}")
        st.caption(replayed.words(each))
    if engines:
        st.markdown("**Distance from the reference during training**")
        chart = replayed.distance(
            {told[slug]: each for slug, each in found.items()}, "lab_replay_distance"
        )
        words = (
            "Codes of training samples against as many samples of the reference. Dotted: two "
            "samples of the reference from each other; shaded: 95 % of these. Epoch 0 is the "
            "autoencoder before matching."
        )
        st.caption(words)
        what = f"Codes matched to a reference, {view.reference}"
        lineup.export(engines, [chart], what, words, papers.SWAE, papers.DMD)
