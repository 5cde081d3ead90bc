import streamlit as st

from explorer.ui import comparing, evaluating, frame, scores
from explorer.ui.controls import control
from explorer.ui.views import EvaluateView

view = frame.settle(EvaluateView.from_address())
engine = frame.open_models(view)[0]
rows = evaluating.settle(view, engine.checkpoint.config.data.kind)
if not rows:
    st.info("No model has numbers yet. Measure one with `latent-explorer evaluate SLUG`.")
    view.write()
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    control(
        st.selectbox,
        "Data set",
        view,
        "of",
        options=scores.data_sets(),
        format_func=evaluating.data_words,
        width=300,
    )
    evaluating.download(view, rows)
evaluating.likelihoods(rows, scores.comparable(view.of, rows))
control(
    st.segmented_control,
    "Measures",
    view,
    "group",
    options=list(scores.GROUPS),
    format_func=scores.TITLES.get,
    required=True,
)
evaluating.measures(rows, view)
evaluating.missing(rows)

if len(rows) > 1:
    st.subheader("Two models on the same test samples", anchor=False)
    comparing.pair(rows, view)

names = {row.entry.slug: row.name for row in rows}
shown = [row.entry for row in rows if row.entry.slug in (view.model, *view.compare)]
left, right = st.columns(2)
with left:
    st.subheader("What each unit carries", anchor=False)
    evaluating.units(shown or [rows[0].entry], names)
with right:
    st.subheader("Likelihood and diversity", anchor=False)
    control(
        st.segmented_control,
        "Diversity",
        view,
        "diversity",
        options=["coverage", "recall", "vendi"],
        format_func=str.capitalize,
        required=True,
        label_visibility="collapsed",
    )
    evaluating.against_diversity(rows, view)
evaluating.over_components(rows)

frame.finish(view, engine)
