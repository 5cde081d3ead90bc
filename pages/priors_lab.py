import streamlit as st

from explorer.ui import frame, lab, lessons
from explorer.ui.controls import commit, control
from explorer.ui.views import PriorsLabView

view = frame.settle(PriorsLabView.from_address())
engine = frame.open_models(view)[0]
engines = lab.planar(engine)
if not engines:
    st.info('No two-dimensional model with a prior is here; train one with `"latent": 2`.')
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
    f"Models with two latent units, trained on {lab.subject(engines)}. The model in the sidebar "
    "only chooses the data, where there are such models of them."
)
if view.lesson:
    lessons.run(engines, view)
else:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        control(
            st.segmented_control,
            "Bench",
            view,
            "bench",
            options=list(lab.BENCHES),
            format_func=lab.BENCHES.get,
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
        lab.planes(lab.one_each(engines), view)
    elif view.bench == "bound":
        lab.bound(engines)
    elif view.bench == "training":
        view.epoch = lab.training(engines[-1], view)
    else:
        view.scale = lab.scales(engines, view)

frame.finish(view, engine)
