"""Three lessons: predict, then reveal. Every number in them is read from the models at hand."""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from explorer import regions
from explorer.inference import Engine
from explorer.strips import codes_strip
from explorer.ui import cache
from explorer.ui.address.controls import commit
from explorer.ui.address.places import layer_codes
from explorer.ui.address.views import PriorsLabView
from explorer.ui.components import filmstrip
from explorer.ui.panels import scale_sweep
from explorer.ui.picks import service
from explorer.ui.priors_lab import benches
from explorer.ui.wording.format import signed


class Step(NamedTuple):
    """One step: what is told, what is asked, and what shows whether the guess was right."""

    told: str
    asked: str
    options: tuple[str, ...]
    answer: int
    reveal: Callable[[list[Engine]], None]


class Lesson(NamedTuple):
    """A lesson and its steps."""

    title: str
    steps: tuple[Step, ...]


def run(engines: list[Engine], view: PriorsLabView) -> None:
    """Show the open step of the open lesson."""
    lesson = LESSONS[view.lesson - 1]
    view.step = min(view.step, len(lesson.steps))
    step = lesson.steps[view.step - 1]
    if view.guess is not None and view.guess >= len(step.options):
        view.guess = None
    st.subheader(f"{lesson.title} · {view.step} of {len(lesson.steps)}", anchor=False)
    st.markdown(step.told)
    st.markdown(f"**{step.asked}**")
    key = f"lab_guess_{view.lesson}_{view.step}"
    st.session_state[key] = None if view.guess is None else step.options[view.guess]
    st.radio(
        step.asked,
        step.options,
        index=None,
        key=key,
        on_change=_guess,
        args=(key, step.options),
        label_visibility="collapsed",
    )
    if view.guess is not None:
        right = view.guess == step.answer
        st.markdown(
            f"{':material/check: As you said:' if right else ':material/lightbulb: The answer:'} "
            f"**{step.options[step.answer]}**"
        )
        step.reveal(engines)
    _turn(view, len(lesson.steps))


def _turn(view: PriorsLabView, steps: int) -> None:
    with st.container(horizontal=True):
        st.button(
            "Back",
            on_click=commit,
            kwargs={"step": view.step - 1, "guess": None},
            disabled=view.step == 1,
        )
        if view.step < steps:
            st.button(
                "Next",
                on_click=commit,
                kwargs={"step": view.step + 1, "guess": None},
                type="primary" if view.guess is not None else "secondary",
            )
        elif view.lesson < len(LESSONS):
            st.button(
                f"Next lesson: {LESSONS[view.lesson].title}",
                on_click=commit,
                kwargs={"lesson": view.lesson + 1, "step": 1, "guess": None},
            )
        st.button(
            "To the bench", on_click=commit, kwargs={"lesson": None, "step": None, "guess": None}
        )


def _guess(key: str, options: tuple[str, ...]) -> None:
    chosen = st.session_state[key]
    commit(guess=None if chosen is None else options.index(chosen))


def _of(engines: list[Engine], kind: str) -> Engine | None:
    found = [
        engine
        for engine in engines
        if engine.checkpoint.config.prior is not None
        and engine.checkpoint.config.prior.kind == kind
    ]
    return found[-1] if found else None


def _zero_scale(engines: list[Engine]) -> None:
    shown = [item for item in (_of(engines, "standard"), _of(engines, "vamp")) if item is not None]
    scale_sweep.sweep(shown, key="lesson_zero", at=0.0, tiles=24, selectable=False, tile_width=44)
    st.caption(
        "At s = 0 a standard normal has one place to draw from, its mean. A VampPrior first "
        "chooses a component: it keeps as many pictures as it has components."
    )


def _marginal(engines: list[Engine]) -> None:
    benches.bound(benches.one_each(engines))
    st.markdown(
        "Only the marginal KL has the prior in it: nats paid for drawing codes where the encoder "
        "puts none, and for drawing too few where it puts many. With the encoder as it is, a "
        "better prior lowers that part and no other. These models were each trained with their "
        "prior, so that encoder and decoder settled anew and every bar moves a little."
    )


def _simplest(engines: list[Engine]) -> None:
    rows = []
    for engine in benches.one_each(engines):
        metric = engine.checkpoint.metrics.get("log_likelihood")
        if metric is not None:
            value = f"{metric.value:.2f} ± {metric.se or 0:.2f}"
            rows.append(f"| {benches.named(engine)} | {signed(value)} |")
    st.markdown("| Prior | log p(x), nats |\n| --- | ---: |\n" + "\n".join(rows))
    st.caption(
        "Importance-sampled with S = 500 on 250 test digits; the errors are of the mean over "
        "digits. All models saw the same digits, so differences are surer than the errors say."
    )


def _holes(engines: list[Engine]) -> None:
    for engine in (_of(engines, "xvae"), _of(engines, "standard")):
        if engine is not None:
            found = cache.plane(engine)
            if found is not None:
                st.markdown(
                    f"**{benches.named(engine)}**: {100 * found.hole_mass:.1f} ± "
                    f"{100 * found.hole_error:.1f} % of {found.samples:,} prior samples "
                    f"(codes drawn for held-out data: {100 * regions.RARE:.0f} %)."
                )
    st.caption(
        "A hole is where the aggregated posterior is thinner than at all but one in twenty codes "
        "drawn for held-out data."
    )


def _in_holes(engines: list[Engine]) -> None:
    for engine in (_of(engines, "xvae"), _of(engines, "standard")):
        if engine is None:
            continue
        found = cache.plane(engine)
        codes = None if found is None else layer_codes(engine, None, "holes", found)
        if found is None or codes is None:
            continue
        st.markdown(f"**{benches.named(engine)}: decoded from its holes**")
        filmstrip(
            codes_strip(engine, codes),
            keep=[service.pick_descriptor(engine, z=codes)],
            key=f"lesson_holes_{engine.slug}",
            selectable=False,
            tile_width=64,
            captions=[f"{100 * hole.mass:.1f} % of the prior" for hole in found.holes],
            name="hole",
        )
        atlas, measure = cache.atlas(engine), cache.novelty_reference(engine)
        if atlas is not None and measure is not None:
            far = measure.judge(engine.encode(engine.decode(codes)).loc).percentile
            st.caption(
                "Decoded and encoded again, what lies there is farther from training codes than "
                f"{far.min():.0f} to {far.max():.0f} % of {measure.held_out:,} held-out data, "
                "reconstructed, are."
            )


def _counts(engines: list[Engine]) -> list[Engine]:
    return [
        engine
        for engine in engines
        if engine.checkpoint.config.prior is not None
        and engine.checkpoint.config.prior.kind == "vamp"
    ]


def _components(engines: list[Engine]) -> None:
    shown = _counts(engines)
    benches.planes(shown, PriorsLabView(show="density"))


def _bought(engines: list[Engine]) -> None:
    rows = []
    for engine in _counts(engines):
        metric, cut = engine.checkpoint.metrics.get("elbo"), cache.surgery(engine)
        if metric is None or cut is None:
            continue
        rows.append(
            f"| {scale_sweep.component_count(engine)} "
            f"| {metric.value:.2f} ± {metric.se or 0:.2f} | "
            f"{cut.marginal:.3f} ± {cut.marginal_error:.3f} |".replace("-", "−")
        )
    st.markdown(
        "| K | ELBO, nats | Marginal KL, nats |\n| ---: | ---: | ---: |\n" + "\n".join(rows)
    )
    st.caption(
        "250 test digits, the same for all. In two dimensions sixteen components already cover "
        "the aggregated posterior; every unit more leaves more room to cover."
    )


LESSONS = (
    Lesson(
        "What a prior is for",
        (
            Step(
                "A VAE draws by taking a code from its prior and decoding it. The scale s shrinks "
                "or stretches the noise of that draw; s = 1 is the prior as trained.",
                "At s = 0, how many pictures can a standard normal and a VampPrior make?",
                (
                    "Both one",
                    "The standard normal one, the VampPrior one per component",
                    "Both as many as at s = 1",
                ),
                1,
                _zero_scale,
            ),
            Step(
                "The bound that a VAE is trained on splits into three: how well a code describes "
                "its picture, how much the code tells about which picture it was, and how far all "
                "codes together are from the prior.",
                "Which part does a better prior lower?",
                ("The reconstruction", "The information in the code", "The marginal KL"),
                2,
                _marginal,
            ),
            Step(
                "These priors were trained on the same digits, with the same network and two "
                "units.",
                "How far apart are their log-likelihoods, in two dimensions?",
                (
                    "Several nats: the prior decides all",
                    "A fraction of a nat: with two units the decoder is what limits",
                ),
                1,
                _simplest,
            ),
        ),
    ),
    Lesson(
        "Holes",
        (
            Step(
                "The aggregated posterior q(z) is where the codes of data lie. A hole is a place "
                "where the prior has mass and q(z) hardly any.",
                "Of codes drawn for held-out data 5 % lie in “holes”, as they are defined here. "
                "Which of these two priors puts more of its samples there?",
                ("X-VAE, with one Gaussian from an autoencoder’s codes", "The standard normal"),
                0,
                _holes,
            ),
            Step(
                "The decoder was trained on codes drawn from the posteriors, and on no others.",
                "What does it show in a hole?",
                (
                    "Nothing",
                    "Whatever it extrapolates to: a blend here, a plausible digit there",
                    "Always the nearest training digit",
                ),
                1,
                _in_holes,
            ),
        ),
    ),
    Lesson(
        "What K pseudo-inputs buy",
        (
            Step(
                "A VampPrior is the mixture of the encoder’s posteriors at K learned inputs.",
                "With K = 1 it is one Gaussian. What will the prior look like as K grows?",
                (
                    "It stays round",
                    "It takes the shape of the aggregated posterior",
                    "It fills the plane evenly",
                ),
                1,
                _components,
            ),
            Step(
                "Every component costs an encoding per training step; for MNIST the paper uses "
                "K = 500. Here the four models have K = 1, 4, 16 and 100.",
                "In two dimensions, how much does the marginal KL still fall from K = 16 to 100?",
                (
                    "By as much as from 1 to 16",
                    "By so little that this measurement cannot tell",
                ),
                1,
                _bought,
            ),
        ),
    ),
)
