import streamlit as st

from explorer.ui.address.controls import commit, control
from explorer.ui.address.views import PriorsLabView
from explorer.ui.priors_lab import benches, lessons
from explorer.ui.shell import frame

view = frame.resolve_models(PriorsLabView.from_address())
engine = frame.open_models(view)[0]
engines = benches.planar(engine)
if not engines:
    st.info('There is no two-dimensional model with a prior; train one with `"latent": 2`.')
    view.write()
    st.stop()
if view.large:
    frame.large_type()

with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    for number, lesson in enumerate(lessons.LESSONS, 1):
        st.button(
            f"Lesson {number}: {lesson.title[0].lower()}{lesson.title[1:]}",
            on_click=commit,
            kwargs={"lesson": number, "step": 1, "guess": None},
            type="primary" if view.lesson == number else "secondary",
        )
    control(st.toggle, "Large type", view, "large")

st.caption(
    f"Models with two latent units, trained on {benches.subject(engines)}. The sidebar model "
    "only selects the data set here (if it has such models)."
)
if view.lesson:
    lessons.run(engines, view)
else:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        control(
            st.segmented_control,
            "View",
            view,
            "bench",
            options=list(benches.BENCHES),
            format_func=benches.BENCHES.get,
            required=True,
        )
        if view.bench == "planes":
            words = {"density": "Densities and holes", "decoded": "Decoded"}
            control(
                st.segmented_control,
                "Show",
                view,
                "show",
                options=list(words),
                format_func=words.get,
                required=True,
            )
    if view.bench == "planes":
        benches.planes(benches.one_each(engines), view)
    elif view.bench == "bound":
        benches.bound(engines)
    elif view.bench == "training":
        view.epoch = benches.training(engines[-1], view)
    else:
        view.scale = benches.scales(engines, view)

frame.finish(view, engine)
