import streamlit as st

from explorer.ui.address.controls import commit, control
from explorer.ui.address.views import GenerateView
from explorer.ui.generate import sample, tradeoff, validity
from explorer.ui.panels import constraints, levels, scale_sweep
from explorer.ui.shell import frame

view = frame.resolve_models(GenerateView.from_address())
engines = frame.open_models(view)
engine = engines[0]
if not engine.has_prior:
    sample.no_prior(engine)
count = engine.component_count
if view.component is not None and view.component >= count:
    view.component = None

with st.container(horizontal=True, vertical_alignment="bottom"):
    control(
        st.number_input, "Seed", view, "seed", min_value=0, max_value=2**31 - 1, step=1, width=140
    )
    control(
        st.selectbox,
        "Component",
        view,
        "component",
        options=list(range(count)),
        index=None,
        placeholder="All, by weight",
        format_func=lambda k: f"Only component {k}",
        disabled=count < 2,
        help="A VampPrior or mixture samples a component first, then a code around its mean.",
        width=240,
    )
    st.button("Resample", on_click=commit, kwargs={"seed": view.seed + 1})
    sample.presets()
    constraints.control_bounds(engine, view)
    if len(engines) > 1:
        control(st.toggle, "Difference", view, "difference")

levels.choose(engine, view)
sample.wall(engines, view)
scale_sweep.export(engine, view.spec, view.scale)
st.caption(sample.hint(engines, view.difference))
levels.of_sample(engine, view.spec, view.scale, view.tile or 0)
levels.sampled(engine, view.spec, view.scale, key="generate_painted")

validity.share(engine, view)
st.subheader("Fidelity and diversity", anchor=False)
tradeoff.curve(engines, view.scale)
with st.expander("Metrics at scale 1"):
    for item in engines:
        tradeoff.measures(item)

with st.expander("Show the formula"):
    st.latex(
        r"k \sim w,\qquad z = \mu_k + s\,\sigma_k \odot \varepsilon,\quad \varepsilon \sim "
        r"\mathcal N(0, I),\qquad x = \mathbb E[p(x \mid z)]"
    )
    st.markdown(
        "At $s = 1$ this is the prior as trained; at $s = 0$ every sample is the mean of its "
        "component. "
        "$\\log p(z)$ is always taken under the prior as trained."
    )
    levels.formula(engine)

frame.finish(view, engine)
