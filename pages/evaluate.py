import streamlit as st

from explorer.ui.address.controls import control
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate import charts, pair, table
from explorer.ui.shell import frame

view = frame.resolve_models(EvaluateView.from_address())
engine = frame.open_models(view)[0]
rows = charts.resolve_data_set(view, engine.checkpoint.config.data.kind)
if not rows:
    st.info("No model has been evaluated yet. Run `latent-explorer evaluate SLUG`.")
    view.write()
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    control(
        st.selectbox,
        "Data set",
        view,
        "of",
        options=table.data_sets(),
        format_func=charts.data_words,
        width=300,
    )
    charts.download(view, rows)
charts.likelihoods(rows, table.comparable(view.of, rows))
control(
    st.segmented_control,
    "Metrics",
    view,
    "group",
    options=list(table.GROUPS),
    format_func=table.TITLES.get,
    required=True,
)
charts.measures(rows, view)
charts.missing(rows)

if len(rows) > 1:
    st.subheader("Two models on the same test samples", anchor=False)
    pair.pair(rows, view)

names = {row.entry.slug: row.name for row in rows}
shown = [row.entry for row in rows if row.entry.slug in (view.model, *view.compare)]
left, right = st.columns(2)
with left:
    st.subheader("KL per latent unit", anchor=False)
    charts.units(shown or [rows[0].entry], names)
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
    charts.against_diversity(rows, view)
charts.over_components(rows)

frame.finish(view, engine)
