import streamlit as st

from explorer.ui.address.controls import control
from explorer.ui.address.views import PrototypesView
from explorer.ui.panels import levels, pictures, scale_sweep
from explorer.ui.prototypes import wall
from explorer.ui.shell import frame, pages

view = frame.resolve_models(PrototypesView.from_address())
engine = frame.open_models(view)[0]
shown = wall.gallery(engine, view.sort)
if shown is None:
    st.info(
        f"The prior of {engine.slug} has at most one component, so it has no prototypes. "
        "Choose a VampPrior or a mixture in the sidebar.",
        icon=":material/info:",
    )
    view.write()
    st.stop()

has_inputs = shown.prototypes.pseudo_inputs is not None
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    words = {"claimed": "Data assigned", "weight": "Weight", "number": "Number"}
    control(
        st.segmented_control,
        "Sort by",
        view,
        "sort",
        options=list(words),
        format_func=words.get,
        required=True,
    )
    words = {"inputs": "Pseudo-inputs", "decoded": "Decoded means"}
    options = list(words) if has_inputs else ["decoded"]
    view.shown = view.shown if has_inputs else "decoded"
    control(
        st.segmented_control,
        "Show",
        view,
        "shown",
        options=options,
        format_func=words.get,
        required=True,
    )

view.component = wall.wall(engine, shown, view.shown, view.component)
st.caption(
    f"{wall.summary(engine, shown)} {wall.brightened(engine, shown, view.shown)}"
    + (
        "A VampPrior is the mixture of the encoder’s posteriors at these learned inputs. "
        if has_inputs
        else "Each image is the decoded mean of one component. "
    )
    + "Click a prototype to see its samples and the data assigned to it."
)

wall.take_along(engine, shown)

if view.component is not None:
    st.subheader(f"Component {view.component}", anchor=False)
    panes = st.container(horizontal=True, gap="large")
    with panes.container(key="prototypes_samples"):
        levels.choose(engine, view)
        options = scale_sweep.SweepOptions(titles=False, selectable=False)
        state = scale_sweep.sweep(
            [engine], view.spec, key="prototypes_strip", at=view.scale, options=options
        )
        view.scale = state.value
        scale_sweep.export(engine, view.spec, view.scale)
        st.markdown("**Data assigned to it**")
        wall.claimed_data(engine, view.component)
    with panes.container(width=380):
        st.markdown("**Posterior standard deviations**")
        wall.spread(engine, shown, view.component)
        st.page_link(
            pages.page_path("latent_map"),
            label="Show on the latent map",
            icon=":material/star:",
            query_params={"model": view.model, "pick": f"prototypes:{view.component}"},
        )

    what = f"The mean of component {view.component}"
    levels.apart(engine, shown.prototypes.loc[view.component], what, key="prototypes_levels")

if has_inputs:
    st.subheader("Training replay", anchor=False)
    view.epoch = pictures.replay(engine, view.epoch)

frame.finish(view, engine)
