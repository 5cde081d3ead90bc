"""Background jobs: a button that starts one, its progress, and the list in the sidebar."""

from pathlib import Path
from typing import Literal

import streamlit as st

from explorer import fitting, jobs
from explorer.checkpoint import Entry
from explorer.errors import JobError
from explorer.inference import Engine
from explorer.jobs import Job, Order
from explorer.projection import Atlas
from explorer.registry import DataConfig
from explorer.ui import cache
from explorer.ui.access import work
from explorer.ui.address.views import View
from explorer.ui.shell import pages, sibling

_SHOWN = 4
_SECONDS = 1.0


def order(engine: Engine, kind: jobs.Kind, samples: int = 500) -> Order:
    """Return the order for a kind of job on a model's weights."""
    opened = engine.checkpoint
    return Order(kind=kind, checkpoint=str(opened.folder), hash=opened.hash, samples=samples)


def offer(
    engine: Engine,
    kind: jobs.Kind,
    label: str,
    why: str,
    *,
    prior: fitting.Kind | Literal[""] = "",
) -> None:
    """Render a job's button or its progress; without the data set, a note instead.

    Args:
        engine: The model.
        kind: The kind of job.
        label: Label of the button.
        why: What it computes, in one sentence.
        prior: The kind of prior to fit.
    """
    wanted = order(engine, kind).model_copy(update={"prior": prior})
    _offer(wanted, engine.slug, engine.checkpoint.config.data, label, why)


def offer_of(entry: Entry, kind: jobs.Kind, label: str, why: str) -> None:
    """Render the button of a job on a model that need not be open."""
    assert entry.config is not None
    wanted = Order(kind=kind, checkpoint=str(entry.folder), hash=entry.hash)
    _offer(wanted, entry.slug, entry.config.data, label, why)


def _offer(wanted: Order, slug: str, data: DataConfig, label: str, why: str) -> None:
    known = jobs.find(wanted)
    if known is not None and known.active:
        _watch(wanted, slug)
        return
    if wanted.kind in jobs.TRAINING and not work.allowed():
        st.caption(f"{why} {work.CLOSED}")
        return
    if cache.data_set(data) is None:
        st.caption(
            f"{why} Requires the data set, which was not found. Start the app with `--data DIR`, "
            "or set `LATENT_EXPLORER_DATA`."
        )
        return
    if known is not None and known.last.state == "failed":
        st.caption(f"The last run failed: {known.last.stage}")
    again = known is not None and known.last.state == "stopped"
    st.caption(why)
    anew = "Start again" if wanted.kind in jobs.ANEW else "Resume"
    st.button(
        f"{anew}: {label[0].lower()}{label[1:]}" if again else label,
        key=f"job_{wanted.kind}_{slug}",
        on_click=_start,
        args=(wanted,),
        icon=":material/play_arrow:",
    )


def listing() -> None:
    """Render the latest jobs in the sidebar, refreshed while one is active."""
    known = jobs.jobs()[:_SHOWN]
    if not known:
        return
    if any(job.active for job in known):
        _live_list()
    else:
        _list(known)


@st.fragment(run_every=_SECONDS)
def _live_list() -> None:
    known = jobs.jobs()[:_SHOWN]
    _list(known)
    if not any(job.active for job in known):
        st.rerun()


def _list(known: list[Job]) -> None:
    with st.expander("Background jobs", expanded=any(job.active for job in known)):
        for job in known:
            if job.active:
                st.progress(job.share, text=f"{job.title}: {_words(job)}")
                if job.order.kind == "train":
                    st.page_link(
                        pages.page_path("train"), label="Watch", icon=":material/visibility:",
                        query_params={"run": Path(job.order.checkpoint).name},
                    )  # fmt: skip
                st.button(
                    "Stop",
                    disabled=job.order.kind in jobs.TRAINING and not work.allowed(),
                    key=f"job_stop_{job.order.key}",
                    on_click=jobs.stop,
                    args=(job.order,),
                    icon=":material/stop:",
                )
            else:
                st.caption(f"{job.title}: {_words(job)}")


@st.fragment(run_every=_SECONDS)
def _watch(wanted: Order, slug: str) -> None:
    job = jobs.find(wanted)
    if job is None or not job.active:
        st.rerun()
    else:
        st.progress(job.share, text=f"{job.title}: {_words(job)}")
        st.button(
            "Stop",
            key=f"job_halt_{job.order.key}",
            on_click=jobs.stop,
            args=(wanted,),
            icon=":material/stop:",
        )


def _words(job: Job) -> str:
    last = job.last
    if last.state == "running" and last.total:
        return f"{last.stage}, {last.done} of {last.total}"
    if last.state in ("running", "failed") and last.stage:
        return last.stage
    return {
        "waiting": "starting",
        "done": "done",
        "stopped": "stopped"
        if job.order.kind in jobs.ANEW
        else "stopped; results so far are kept",
    }.get(last.state, last.state)


def _start(wanted: Order) -> None:
    try:
        jobs.start(wanted)
    except JobError as error:
        st.toast(str(error), icon=":material/error:")


def require_atlas(engine: Engine, view: View, why: str) -> Atlas:
    """Return a model's map; where there is none, offer to build it and stop.

    Args:
        engine: The model.
        view: The page's view.
        why: What the page needs it for, in a sentence.
    """
    atlas = cache.atlas(engine)
    if atlas is None:
        st.markdown(f"**{why}**")
        offer(engine, "atlas", "Build the map", "Encodes the data and computes a 2-D projection.")
        sibling.with_map(engine, view.page)
        view.write()
        st.stop()
    return atlas
