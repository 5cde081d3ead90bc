"""A run that one watches: its state, its knobs, its branches, and the model that it becomes."""

import streamlit as st

from explorer import jobs, recording, runs, steering
from explorer.config import LIMITS, Knob, RunConfig
from explorer.errors import JobError, TrainingError
from explorer.jobs import Job
from explorer.runs import Begun
from explorer.steering import Wish
from explorer.ui.address.controls import commit
from explorer.ui.address.views import TrainView
from explorer.ui.components import live_run
from explorer.ui.shell import pages
from explorer.ui.train.form import title_of
from explorer.ui.wording.format import prose

_SECONDS = 1.0
_SHOWN = 12

KNOBS: dict[Knob, str] = {
    "beta": "β, the weight of the KL",
    "free_bits": "Free bits per unit, nats",
    "learning_rate": "Learning rate",
    "prior_learning_rate": "Learning rate of the prior",
}
_STEPS: dict[Knob, float] = {
    "beta": 0.5,
    "free_bits": 0.05,
    "learning_rate": 1e-4,
    "prior_learning_rate": 1e-4,
}


def watch(view: TrainView, *, steers: bool) -> None:
    """Render the run of a view; fall back to none if it is not known.

    Args:
        view: The page's view.
        steers: Whether this visitor may turn it.
    """
    try:
        begun = runs.read(view.run)
    except TrainingError as error:
        view.fall_back("run", "", "is not known here", "showing what can be trained")
        st.caption(prose(str(error)))
        return
    branched = f", branched from {begun.parent} after epoch {begun.epoch}" if begun.parent else ""
    st.markdown(f"**{view.run}**")
    st.caption(f"{title_of(begun.recipe)}{branched}.")
    _state(view.run, steers=steers)
    if steers:
        known = jobs.find(jobs.order_of(view.run))
        if known is not None and known.active:
            _knobs(view.run, begun)
    view.at = live_run(
        f"/api/runs/{view.run}",
        view.at,
        key=f"train_live_{view.run}",
        beside=f"/api/runs/{begun.parent}" if begun.parent else "",
    )
    st.caption(
        "Bound, reconstruction and KL in nats per sample: solid over training batches, dashed "
        "over the validation split, by the weights that are kept"
        + (f"; broad and grey: {begun.parent}" if begun.parent else "")
        + ". Drag the time line to look back."
    )
    if steers:
        _branch(view.run, begun)


@st.fragment(run_every=_SECONDS)
def _state(run: str, *, steers: bool) -> None:
    """Render how far a run is, and what can be done with it."""
    job = jobs.find(jobs.order_of(run))
    if job is None or not job.active:
        _ended(run, job, steers=steers)
        return
    paused = job.last.stage.startswith("paused")
    st.progress(job.share, text=_words(job))
    if not steers:
        return
    with st.container(horizontal=True, gap="small"):
        if paused:
            _order(run, "Go on", "go", ":material/play_arrow:")
        else:
            _order(run, "Pause", "pause", ":material/pause:")
        _order(
            run, "Finish", "finish", ":material/check:",
            "Ends here, measures the best weights so far and keeps the model.",
        )  # fmt: skip
        st.button(
            "Stop", key=f"train_stop_{run}", icon=":material/stop:", on_click=jobs.stop,
            args=(job.order,), help="Can be resumed where it is.",
        )  # fmt: skip


def _ended(run: str, job: Job | None, *, steers: bool) -> None:
    state = "stopped" if job is None else job.last.state
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if runs.published(run).is_dir():
            for page, words, icon in (
                ("generate", "Open this model", ":material/auto_awesome:"),
                ("latent_map", "Its map", ":material/scatter_plot:"),
            ):
                st.page_link(
                    pages.page_path(page), label=words, icon=icon, query_params={"model": run}
                )
        elif state == "failed" and job is not None:
            st.error(prose(f"It failed: {job.last.stage}"), icon=":material/error:")
        else:
            st.markdown("Stopped; everything so far is kept.")
        if steers and not runs.published(run).is_dir():
            st.button(
                "Resume", key=f"train_resume_{run}", on_click=_resume, args=(run,),
                icon=":material/play_arrow:",
            )  # fmt: skip


def _words(job: Job) -> str:
    last = job.last
    if last.state == "waiting":
        return "Starting"
    if last.stage == "waits for another run":
        return "Waits until another run has ended: one trains at a time"
    stage = last.stage[:1].upper() + last.stage[1:]
    return f"{stage} {last.done} of {last.total}" if last.total else stage


def _order(run: str, label: str, order: steering.Order, icon: str, why: str = "") -> None:
    st.button(
        label, key=f"train_{order}_{run}", icon=icon, on_click=_ask, args=(run, Wish(order=order)),
        help=why or None,
    )  # fmt: skip


def _ask(run: str, wish: Wish) -> None:
    try:
        steering.ask(runs.folder_of(run), wish)
    except TrainingError as error:
        st.toast(str(error), icon=":material/error:")


def _resume(run: str) -> None:
    try:
        jobs.start(jobs.order_of(run))
    except (JobError, TrainingError) as error:
        st.toast(str(error), icon=":material/error:")


def offered(recipe: RunConfig) -> dict[Knob, float]:
    """Return the knobs that a run has, each with its value in the recipe."""
    training = recipe.training
    found: dict[Knob, float] = {"learning_rate": training.learning_rate}
    if recipe.prior is None:
        return found
    elbo = recipe.objective.kind == "elbo"
    free = getattr(recipe.objective, "free_bits", None)
    if elbo:
        final = recipe.objective.warmup.beta_at(float(training.epochs))
        found = {"beta": final, "free_bits": float(free or 0), **found}
    if not recipe.prior.fixed:
        found["prior_learning_rate"] = training.prior_learning_rate or training.learning_rate
    return found


def _knobs(run: str, begun: Begun) -> None:
    """Render the knobs, each at its present value."""
    known = offered(begun.recipe)
    turned = {turn.knob: turn.value for turn in steering.kept(runs.folder_of(run))}
    with st.container(border=True):
        with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
            for knob, usual in known.items():
                _knob(run, knob, turned.get(knob, usual))
            if begun.recipe.prior is not None and not begun.recipe.prior.fixed:
                key = f"train_freeze_{run}"
                st.session_state.setdefault(key, bool(turned.get("freeze_prior", 0)))
                st.toggle(
                    "Freeze the prior", key=key, on_change=_turned, args=(run, "freeze_prior", key)
                )
        st.caption(
            "A change is made before the next batch, marked on the curves, and kept with the "
            "model: trained anew from its recipe, it ends with the same weights."
        )


def _knob(run: str, knob: Knob, value: float) -> None:
    key = f"train_{knob}_{run}"
    st.session_state.setdefault(key, float(value))
    low, high = LIMITS[knob]
    st.number_input(
        KNOBS[knob], float(low), float(high), key=key, step=_STEPS[knob], width=200,
        format="%.4f" if "rate" in knob else "%.2f", on_change=_turned, args=(run, knob, key),
    )  # fmt: skip


def _turned(run: str, knob: Knob, key: str) -> None:
    _ask(run, Wish(order="turn", knob=knob, value=float(st.session_state[key])))


def _branch(run: str, begun: Begun) -> None:
    """Render the form that goes on from an earlier state in another way."""
    epochs = recording.states(runs.folder_of(run))
    if not epochs:
        return
    with st.expander("Branch", icon=":material/call_split:"):
        st.caption("Goes on from an earlier epoch with another value, in a run beside this one.")
        known = offered(begun.recipe)
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            epoch = st.selectbox(
                "From epoch", epochs, len(epochs) // 2, key=f"train_from_{run}", width=140
            )
            knob = st.selectbox(
                "With another", list(known), key=f"train_with_{run}", width=260,
                format_func=lambda name: KNOBS[name],
            )  # fmt: skip
            low, high = LIMITS[knob]
            value = st.number_input(
                "Value", float(low), float(high), float(known[knob]), step=_STEPS[knob],
                key=f"train_value_{knob}_{run}", width=140,
                format="%.4f" if "rate" in knob else "%.2f",
            )  # fmt: skip
            pressed = st.button("Branch", key=f"train_branch_{run}", icon=":material/call_split:")
        if pressed:
            _branched(run, epoch, Wish(order="turn", knob=knob, value=value))


def _branched(run: str, epoch: int, wish: Wish) -> None:
    try:
        name = runs.free_name(f"{run}-branch")
        runs.branch(run, epoch, [wish], name)
        jobs.start(jobs.order_of(name))
    except (JobError, TrainingError) as error:
        st.error(prose(str(error)), icon=":material/error:")
        return
    commit(run=name, at=None)
    st.rerun()


def listing(current: str) -> None:
    """Render the other runs as links."""
    others = [name for name in runs.names() if name != current][:_SHOWN]
    if not others:
        return
    st.subheader("Runs", anchor=False)
    for name in others:
        job = jobs.find(jobs.order_of(name))
        state = "done" if runs.published(name).is_dir() else job.last.state if job else "stopped"
        st.page_link(
            pages.page_path("train"), label=f"{name}: {state}", query_params={"run": name},
            icon=":material/model_training:",
        )  # fmt: skip
