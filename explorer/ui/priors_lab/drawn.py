"""A reference drawn by hand: a sheet, a job of about a minute that can be watched, its model."""

import streamlit as st

from explorer import jobs, matching
from explorer.checkpoint import Entry
from explorer.data.codes import read_codes
from explorer.errors import DataError, JobError, TrainingError
from explorer.inference import Engine
from explorer.jobs import Order
from explorer.ui import cache
from explorer.ui.access import work
from explorer.ui.components.canvas import canvas
from explorer.ui.panels import replayed
from explorer.ui.shell import pages

NAME = "Draw your own"
_PENS = (0.06, 0.14)
_SECONDS = 1.0
_ORDER = "lab_drawn_order"


def sheet(opened: Engine) -> None:
    """Render the sheet, and the match that was started from it."""
    start = _autoencoder(opened)
    if start is None:
        st.info("There is no autoencoder of two units to start from; train one of the kind `ae`.")
        return
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=320):
            strokes = canvas(key="lab_drawn_sheet", shape=1.0, widths=_PENS)
        with st.container(width="stretch"):
            st.markdown(
                "Draw where the codes shall go: a line, some blobs, your initials. The drawing is "
                "sampled as a density, softer where the stroke is wide. Then the codes of an "
                "autoencoder are matched to it, and its decoder learns to follow."
            )
            running = _running()
            pressed = st.button(
                "Match the codes", key="lab_drawn_start", type="primary",
                icon=":material/play_arrow:",
                disabled=not strokes or running is not None or not work.allowed(),
            )  # fmt: skip
            if not work.allowed():
                st.caption(work.CLOSED)
            st.caption("About a minute. The model is kept with your own, as any other.")
    if pressed:
        try:
            name = matching.keep(matching.points_of(strokes))
            wanted = Order(
                kind="match", checkpoint=str(start.folder), hash=start.hash, drawing=name
            )
            jobs.start(wanted)
        except (JobError, TrainingError, OSError) as error:
            st.error(f"The match could not be started: {error}")
            return
        st.session_state[_ORDER] = wanted
        running = wanted
    known: Order | None = st.session_state.get(_ORDER)
    if known is not None:
        _watch(known)
    elif running is not None:
        st.caption("Another match is running; yours can start when it has ended.")


@st.fragment(run_every=_SECONDS)
def _watch(wanted: Order) -> None:
    """Render the state of a match, once a second until it has ended."""
    job = jobs.find(wanted)
    if job is None:
        return
    if job.active:
        st.progress(job.share, text=f"{job.title}: {job.last.stage} {job.last.done}")
        _state(wanted)
        return
    if job.last.state == "done":
        slug = matching.folder_of(wanted.drawing).name
        if any(entry.slug == slug and entry.healthy for entry in cache.entries()):
            _done(slug)
            return
        st.caption("Done; the model is being opened.")
    elif job.last.state == "failed":
        st.error(job.last.stage)
    else:
        st.caption("The match was stopped; start it again from the sheet.")
    st.session_state.pop(_ORDER, None)


def _state(wanted: Order) -> None:
    found = matching.watched(jobs.live_of(wanted))
    if found is None:
        return
    try:
        reference, _ = read_codes(matching.file_of(wanted.drawing), 2)
    except DataError:
        return
    replayed.live(found[0], reference, found[1], found[2], "lab_drawn_live")


def _done(slug: str) -> None:
    entry = next(item for item in cache.entries() if item.slug == slug)
    engine = cache.engine(entry)
    found = cache.replayed(engine)
    st.markdown("**Matched to your drawing**")
    if found is not None and found.codes is not None:
        replayed.player(engine, found, f"lab_drawn_{slug}")
        st.caption(replayed.words(found))
    st.page_link(
        pages.page_path("generate"),
        label="Open this model",
        icon=":material/auto_awesome:",
        query_params={"model": slug},
    )


def _running() -> Order | None:
    """Return the match that is running, of whoever started it: one at a time."""
    found = [job.order for job in jobs.jobs() if job.active and job.order.kind == "match"]
    return found[0] if found else None


def _autoencoder(opened: Engine) -> Entry | None:
    """Return a dense autoencoder of two units of the open model's data, or of the digits."""
    for kind in (opened.checkpoint.config.data.kind, "digits"):
        for entry in cache.entries():
            if (
                entry.healthy
                and (entry.data, entry.model, entry.latent) == (kind, "ae", 2)
                and entry.config is not None
                and entry.config.training.pretraining is None
                and entry.config.training.freeze is None
                and cache.data_set(entry.config.data) is not None
            ):
                return entry
    return None
