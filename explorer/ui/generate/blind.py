"""Real or made? A blind test of twenty pairs, whose score stands beside density and coverage."""

from typing import TypedDict

import numpy as np
import streamlit as st

from explorer import sections
from explorer.designs import trials
from explorer.designs.trials import Basis, Trial
from explorer.errors import StoreError
from explorer.inference import Engine
from explorer.metrics.blind import Pairs
from explorer.strips import samples_strip
from explorer.ui import cache
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid
from explorer.ui.picks import service
from explorer.ui.wording.format import number, provenance, share_words

_STATE = "generate_blind"
_NOUNS: dict[Basis, str] = {"original": "data", "decoded": "a reconstruction of data"}
_WRONG, _RIGHT = "✗", "✓"


class _Progress(TypedDict):
    """A test that has begun: of which weights, from which seed, with which answers."""

    hash: str
    seed: int
    answers: str


def section(engine: Engine) -> None:
    """Render the blind test of a model, and its score so far."""
    st.subheader("Real or made?", anchor=False)
    _test(engine)


@st.fragment
def _test(engine: Engine) -> None:
    progress: _Progress | None = st.session_state.get(_STATE)
    if progress is None or progress["hash"] != engine.checkpoint.hash:
        _offer(engine)
        return
    found = cache.blind_pairs(engine, progress["seed"])
    if found is None:
        st.caption(
            "A blind test needs twenty held-out samples: install the data set, or build the "
            "latent map of this model."
        )
        return
    drawn, basis = found
    if len(progress["answers"]) < len(drawn.left):
        _ask(engine, drawn, basis, progress)
    else:
        _reveal(engine, drawn, basis, progress["answers"])


def _offer(engine: Engine) -> None:
    known = _known(engine)
    _score(engine, known)
    st.button(
        "Start" if not known else "Twenty more pairs",
        key="generate_blind_start",
        on_click=_begin,
        args=(engine.checkpoint.hash, len(known)),
    )
    st.caption(
        "Twenty pairs of a held-out datum and a sample of the prior at scale 1: say which is "
        "data, with the arrow keys ← and →. Answers are shown at the end: told earlier, they "
        "would teach you the differences while you are being tested. They are stored with your "
        "picks, and nothing is sent anywhere."
    )


def _ask(engine: Engine, drawn: Pairs, basis: Basis, progress: _Progress) -> None:
    at, total = len(progress["answers"]), len(drawn.left)
    st.markdown(f"**Which of these two is {_NOUNS[basis]}?** Pair {at + 1} of {total}")
    if basis == "decoded":
        st.caption(
            "The data set is not installed (start with `--data`), so a reconstruction of a "
            "held-out datum stands for it, which is harder to tell from a sample."
        )
    width = engine.sketch.tile_width(150)
    with st.container(width=2 * width + 40):
        filmstrip(
            samples_strip(drawn.x[at], engine.sketch, geometry=sections.usual(engine.sketch)),
            key="generate_blind_pair",
            grid=Grid(
                tile_width=width, columns=2, noun="picture", numbered=False,
                captions=("left", "right"),
            ),
        )  # fmt: skip
        with st.container(horizontal=True, gap="small"):
            for side, words in (("L", "Left"), ("R", "Right")):
                st.button(
                    words,
                    key=f"generate_blind_{words.lower()}",
                    on_click=_answer,
                    args=(engine, side, at),
                    shortcut=words,
                    width="stretch",
                )
        st.progress(at / total)
        st.button("Stop", key="generate_blind_stop", on_click=_stop, type="tertiary",
                  help="The answers so far are not kept: only whole tests are.")  # fmt: skip


def _reveal(engine: Engine, drawn: Pairs, basis: Basis, answers: str) -> None:
    truth = _sides(drawn)
    right = np.array([said == true for said, true in zip(answers, truth, strict=True)])
    st.markdown(
        f"**{int(right.sum())} of {len(right)}** pairs recognised. In each pair below "
        f"{_NOUNS[basis]} is first; {_RIGHT} where you said so."
    )
    real_first = np.where(
        drawn.left.reshape(-1, *[1] * (drawn.x.ndim - 1)), drawn.x, drawn.x[:, ::-1]
    )
    width = engine.sketch.tile_width(48)
    with st.container(horizontal=True, gap="small"):
        for place, pair in enumerate(real_first):
            with st.container(width=2 * width + 12, gap=None):
                filmstrip(
                    samples_strip(pair, engine.sketch, geometry=sections.usual(engine.sketch)),
                    key=f"generate_blind_shown_{place}",
                    grid=Grid(tile_width=width, columns=2, captions=("data", "sample"),
                              noun="picture", numbered=False),
                )  # fmt: skip
                st.caption(f"{place + 1} {_RIGHT if right[place] else _WRONG}")
    _offer(engine)


def _score(engine: Engine, known: list[Trial]) -> None:
    """Render the score beside density and coverage."""
    pooled = trials.score(known)
    metrics = engine.checkpoint.metrics
    if pooled is None:
        return
    correct, n, interval = pooled
    with st.container(horizontal=True, gap="small"):
        with st.container(width=230, gap=None):
            st.metric("Told apart", f"{100 * interval.share:.0f} %")
            st.caption(
                f"{correct} of {n} pairs, 95 % interval {share_words(interval)}; 50 % is chance"
            )
        for name, label in (("density", "Fidelity: density"), ("coverage", "Diversity: coverage")):
            with st.container(width=190, gap=None):
                metric = metrics.get(name)
                value, _, error = number(metric).partition(" ± ")
                st.metric(label, value, help=provenance(metric))
                st.caption(f"± {error}" if error else "not measured")
    if len({trial.basis for trial in known}) > 1:
        st.caption("Some tests were with originals and some with reconstructions.")


def _known(engine: Engine) -> list[Trial]:
    project, _ = service.current()
    if project is None:
        return []
    try:
        return service.store().trials(project.id, engine.checkpoint.hash)
    except StoreError:
        return []


def _begin(digest: str, seed: int) -> None:
    st.session_state[_STATE] = _Progress(hash=digest, seed=seed, answers="")


def _stop() -> None:
    st.session_state.pop(_STATE, None)


def _answer(engine: Engine, side: str, at: int) -> None:
    """Note one answer; a second press of a key for the same pair is none."""
    progress: _Progress | None = st.session_state.get(_STATE)
    if progress is None or len(progress["answers"]) != at:
        return
    progress["answers"] += side
    found = cache.blind_pairs(engine, progress["seed"])
    if found is None or len(progress["answers"]) < len(found[0].left):
        return
    trial = Trial(
        hash=engine.checkpoint.hash,
        slug=engine.slug,
        basis=found[1],
        seed=progress["seed"],
        answers=progress["answers"],
        truth=_sides(found[0]),
    )
    project, problem = service.current()
    try:
        if project is None:
            raise StoreError(problem)
        service.store().save_trial(project.id, trial)
    except StoreError as error:
        st.toast(str(error), icon=":material/error:")


def _sides(drawn: Pairs) -> str:
    return "".join("L" if left else "R" for left in drawn.left)
