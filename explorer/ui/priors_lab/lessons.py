"""Four lessons: predict, then reveal. Every number in them is computed from the models."""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from explorer import regions
from explorer.inference import Engine
from explorer.projection import Atlas, Split
from explorer.strips import StripSpec, codes_strip
from explorer.ui import cache
from explorer.ui.address.controls import commit, control
from explorer.ui.address.places import layer_codes
from explorer.ui.address.views import PriorsLabView
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.panels import replayed, scale_sweep, table
from explorer.ui.picks import service
from explorer.ui.priors_lab import benches, lineup, planes
from explorer.ui.wording.format import signed

_NEAR = 5


class Step(NamedTuple):
    """One step: an explanation, a question, and the evidence that answers it."""

    text: str
    question: str
    options: tuple[str, ...]
    answer: int
    reveal: Callable[[list[Engine]], None]


class Lesson(NamedTuple):
    """A lesson and its steps."""

    title: str
    steps: tuple[Step, ...]


def run(engines: list[Engine], view: PriorsLabView) -> None:
    """Render the current step of the current lesson."""
    lesson = LESSONS[view.lesson - 1]
    if view.step > len(lesson.steps):
        last = len(lesson.steps)
        view.fall_back("step", last, "is past the last of this lesson", f"showing {last}")
    step = lesson.steps[view.step - 1]
    if view.guess is not None and view.guess >= len(step.options):
        view.fall_back("guess", None, "is no answer of this question", "leaving it open")
    st.subheader(f"{lesson.title} · {view.step} of {len(lesson.steps)}", anchor=False)
    st.markdown(step.text)
    st.markdown(f"**{step.question}**")
    key = f"lab_guess_{view.lesson}_{view.step}"
    st.session_state[key] = None if view.guess is None else step.options[view.guess]
    st.radio(
        step.question,
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
            f"{':material/check: Correct:' if right else ':material/lightbulb: The answer:'} "
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
                key="priors_lab_next",
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
            "Back to the lab",
            on_click=commit,
            kwargs={"lesson": None, "step": None, "guess": None},
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
    options = scale_sweep.SweepOptions(tile_width=44, selectable=False)
    scale_sweep.sweep(shown, StripSpec(tiles=24), key="lesson_zero", at=0.0, options=options)
    st.caption(
        "At s = 0 a standard normal always yields its mean. A VampPrior first samples a "
        "component, so it yields as many images as it has components."
    )


def _marginal(engines: list[Engine]) -> None:
    benches.bound(lineup.one_each(engines))
    st.markdown(
        "Only the marginal KL involves the prior: it is the cost in nats of any mismatch between "
        "the prior and the codes of the data. With a fixed encoder, a better prior lowers that "
        "part alone. These models were each trained jointly with their prior, so encoder and "
        "decoder adapted and every bar differs a little."
    )


def _simplest(engines: list[Engine]) -> None:
    rows = []
    for engine in lineup.one_each(engines):
        metric = engine.checkpoint.metrics.get("log_likelihood")
        if metric is not None:
            value = f"{metric.value:.2f} ± {metric.se or 0:.2f}"
            rows.append(table.Line(lineup.named(engine), (signed(value),)))
    table.render(rows, ("log p(x), nats",), label="Prior", numbers=True)
    st.caption(
        "Importance-sampled with S = 500 on 250 test digits, ± the standard error of the mean. "
        "All models score the same digits, so differences are more certain than that suggests."
    )


def _holes(engines: list[Engine]) -> None:
    for engine in (_of(engines, "xvae"), _of(engines, "standard")):
        if engine is not None:
            found = cache.plane(engine)
            if found is not None:
                st.markdown(
                    f"**{lineup.named(engine)}**: {100 * found.hole_mass:.1f} ± "
                    f"{100 * found.hole_error:.1f} % of {found.samples:,} prior samples "
                    f"(posterior samples of held-out data: {100 * regions.RARE:.0f} %)."
                )
    st.caption(
        "A hole is where the density of the aggregated posterior is below the 5th percentile of "
        "posterior samples of held-out data."
    )


def _in_holes(engines: list[Engine]) -> None:
    for engine in (_of(engines, "xvae"), _of(engines, "standard")):
        if engine is None:
            continue
        found = cache.plane(engine)
        codes = None if found is None else layer_codes(engine, None, "holes", found)
        if found is None or codes is None:
            continue
        st.markdown(f"**{lineup.named(engine)}: decoded from its holes**")
        filmstrip(
            Panel(codes_strip(engine, codes), pick=service.pick_descriptor(engine, z=codes)),
            key=f"lesson_holes_{engine.slug}",
            grid=Grid(
                captions=[f"{100 * hole.mass:.1f} % of the prior" for hole in found.holes],
                tile_width=64,
                noun="hole",
            ),
        )
        atlas, measure = cache.atlas(engine), cache.novelty_reference(engine)
        if atlas is not None and measure is not None:
            far = measure.judge(engine.encode(engine.decode(codes)).loc).percentile
            st.caption(
                "Decoded and encoded again, these samples are farther from training codes than "
                f"{far.min():.0f} to {far.max():.0f} % of {measure.held_out:,} reconstructed "
                "held-out samples."
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
    planes.planes(shown, PriorsLabView(show="density"))


def _bought(engines: list[Engine]) -> None:
    rows = []
    for engine in _counts(engines):
        metric, cut = engine.checkpoint.metrics.get("elbo"), cache.surgery(engine)
        if metric is None or cut is None:
            continue
        bound = signed(f"{metric.value:.2f} ± {metric.se or 0:.2f}")
        divergence = signed(f"{cut.marginal:.3f} ± {cut.marginal_error:.3f}")
        rows.append(table.Line(str(engine.component_count), (bound, divergence)))
    table.render(rows, ("ELBO, nats", "Marginal KL, nats"), label="K", numbers=True)
    st.caption(
        "250 test digits, the same for all. In two dimensions sixteen components already cover "
        "the aggregated posterior; each further latent unit leaves more volume to cover."
    )


def _matched_to(engine: Engine) -> dict[str, Engine]:
    """Return the models matched by sliced distance, by the name of their reference."""
    found: dict[str, Engine] = {}
    for entry in lineup.matched(engine):
        found.setdefault(lineup.reference_words(entry), cache.engine(entry))
    return found


def _ring(engines: list[Engine]) -> None:
    ring = _matched_to(engines[0]).get("Sphere")
    found = None if ring is None else cache.replayed(ring)
    if ring is None or found is None or found.codes is None:
        st.caption("The model matched to a ring is not here.")
        return
    replayed.player(ring, found, "lesson_ring")
    st.caption(replayed.words(found))


def _kept_apart(engines: list[Engine]) -> None:
    rows = []
    for name, engine in _matched_to(engines[0]).items():
        atlas = cache.atlas(engine)
        share = None if atlas is None else class_share(atlas)
        metric = engine.checkpoint.metrics.get("reconstruction")
        if share is None or metric is None:
            continue
        value = signed(f"{metric.value:.2f} ± {metric.se or 0:.2f}")
        apart = f"{100 * share[0]:.0f} ± {100 * share[1]:.0f} %"
        rows.append((share[0], table.Line(name, (apart, value))))
    rows.sort(key=lambda row: -row[0])
    columns = ("Neighbours of the same class", "log p(x|z), nats")
    table.render([line for _, line in rows], columns, label="Reference", numbers=True)
    st.caption(
        "Of each held-out code the five nearest training codes, and how many of them are of its "
        "class. All models began as the same autoencoder, but for the features and the "
        "bottleneck, which began as their own encoders. Features learned by contrast tell classes "
        "apart when there are many of them; two principal components keep too few."
    )


def class_share(atlas: Atlas) -> tuple[float, float] | None:
    """Return the share of a test code's five nearest training codes that are of its class.

    With its standard error over the test codes; None without classes.
    """
    from sklearn.neighbors import NearestNeighbors

    known = atlas.label >= 0
    train = known & (atlas.split == Split.TRAIN)
    test = known & (atlas.split == Split.TEST)
    if train.sum() < _NEAR or test.sum() < 2:
        return None
    near = NearestNeighbors(n_neighbors=_NEAR).fit(atlas.codes[train])
    rows = near.kneighbors(atlas.codes[test], return_distance=False)
    same = (atlas.label[train][rows] == atlas.label[test][:, None]).mean(1)
    return float(same.mean()), float(same.std(ddof=1) / len(same) ** 0.5)


LESSONS = (
    Lesson(
        "What a prior is for",
        (
            Step(
                "A VAE generates by sampling a code from its prior and decoding it. The scale s "
                "multiplies the noise of that sample; s = 1 is the prior as trained.",
                "At s = 0, how many different images do a standard normal and a VampPrior yield?",
                (
                    "One each",
                    "The standard normal one, the VampPrior one per component",
                    "As many as at s = 1",
                ),
                1,
                _zero_scale,
            ),
            Step(
                "The ELBO that a VAE is trained on splits into three terms: how well a code "
                "describes its image, how much the code reveals about which image it was, and how "
                "far the aggregate of all codes is from the prior.",
                "Which part does a better prior lower?",
                ("The reconstruction", "The information in the code", "The marginal KL"),
                2,
                _marginal,
            ),
            Step(
                "These priors were trained on the same digits, with the same network and two "
                "latent units.",
                "How far apart are their log-likelihoods, in two dimensions?",
                (
                    "Several nats: the prior decides everything",
                    "A fraction of a nat: with two units the decoder is the bottleneck",
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
                "The aggregated posterior q(z) is where the codes of data lie. A hole is a region "
                "where the prior has mass but q(z) has almost none. By definition, 5 % of "
                "posterior samples of held-out data lie in “holes”.",
                "Which of these two priors puts more of its samples there?",
                ("X-VAE, with one Gaussian of an autoencoder’s codes", "The standard normal"),
                0,
                _holes,
            ),
            Step(
                "The decoder was trained only on posterior samples.",
                "What does it produce in a hole?",
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
                "Every component costs one encoding per training step; for MNIST the paper uses "
                "K = 500. Here the four models have K = 1, 4, 16 and 100.",
                "In two dimensions, how much does the marginal KL still fall from K = 16 to 100?",
                (
                    "By as much as from 1 to 16",
                    "By too little to measure here",
                ),
                1,
                _bought,
            ),
        ),
    ),
    Lesson(
        "Choosing a reference",
        (
            Step(
                "A VAE draws every posterior towards the prior. Matching draws only the "
                "**aggregated** posterior, the cloud of all codes, towards a reference, so the "
                "reference may have any shape that can be sampled: a ring, a spiral, features.",
                "An autoencoder's codes are matched to a ring. What do codes between two opposite "
                "sides of the ring decode to?",
                (
                    "To digits as good as those on the ring",
                    "To mixtures that are no digit: no code has to be decoded there",
                    "To the mean of all digits",
                ),
                1,
                _ring,
            ),
            Step(
                "A reference says where codes lie together, not which: that is left to the "
                "encoder, which starts from an autoencoder here.",
                "Which reference keeps the classes apart **worst**, with two units?",
                (
                    "The standard normal",
                    "The spiral",
                    "Features learned by contrast, without labels",
                ),
                2,
                _kept_apart,
            ),
        ),
    ),
)


def menu(view: PriorsLabView) -> None:
    """Render a button per lesson, and the large-type toggle."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        for number, lesson in enumerate(LESSONS, 1):
            st.button(
                f"Lesson {number}: {lesson.title[0].lower()}{lesson.title[1:]}",
                on_click=commit,
                kwargs={"lesson": number, "step": 1, "guess": None},
                type="primary" if view.lesson == number else "secondary",
            )
        control(st.toggle, "Large type", view, "large")
