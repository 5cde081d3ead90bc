"""Describes to the browser what can be kept, and turns its requests into stored picks."""

import base64
import uuid
from collections.abc import Sequence

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer import __version__, settings
from explorer.designs.candidates import FILE, Store
from explorer.designs.geometry import faults
from explorer.designs.picks import Model, Pick, PickSource, Project, own_source
from explorer.errors import StoreError
from explorer.inference import Engine
from explorer.strips import Strip
from explorer.ui import cache
from explorer.ui.access import identity
from explorer.ui.address.hand import Sample
from explorer.ui.address.places import layer_codes
from explorer.ui.picks.requests import PickRequest

PROJECT = "frame_project"
"""Session key of the project that picks go to."""

KEPT = "frame_kept"
"""Session key of what this page kept last: its turn, and what the browser is told of it."""

MOST_CODES = 400_000


def store(owner: str | None = None) -> Store:
    """Open the candidates of an owner.

    Args:
        owner: Whose; None is the visitor of this page.

    Raises:
        StoreError: If they cannot be opened.
        AccessError: If the visitor has to log in.
    """
    whose = identity.of_page() if owner is None else owner
    return cache.store(str(settings.current().user / FILE)).of(whose)


def current() -> tuple[Project | None, str]:
    """Return the project that picks go to, or the reason why there is none."""
    try:
        known = store().projects()
    except StoreError as error:
        return None, str(error)
    wanted = st.session_state.get(PROJECT)
    found = next((item for item in known if item.id == wanted), None)
    return found or known[-1], ""


def pick_descriptor(
    engine: Engine, strip: Strip | None = None, z: Float[np.ndarray, "tiles latent"] | None = None
) -> dict[str, object] | None:
    """Describe to the browser how to keep tiles; None if they cannot be kept.

    Args:
        engine: The model.
        strip: The strip that shows them, which provides their codes or seed.
        z: Alternatively a code per tile, if the strip shows something derived from them.
    """
    facts: dict[str, object] = {"model": engine.slug, "hash": engine.checkpoint.hash}
    spec = None if strip is None else strip.spec
    if spec is not None and spec.usual:
        return facts | {"kind": "drawn", "seed": spec.seed, "component": spec.component}
    codes = z if strip is None else strip.z
    if codes is None or codes.size > MOST_CODES:
        return None
    text = base64.b64encode(np.ascontiguousarray(codes, "<f4").tobytes()).decode()
    return facts | {"kind": "codes", "latent": codes.shape[-1], "z": text}


def keep(engine: Engine, drawn: Sample | None, z: Float[np.ndarray, " latent"]) -> Pick:
    """Keep one sample in the visitor's current project; the sidebar confirms it.

    A sample that the browser could keep gets the same origin, so that it is kept only once.

    Args:
        engine: The model.
        drawn: How it was drawn from the prior, if it was.
        z: Its code.

    Raises:
        StoreError: If it cannot be kept.
    """
    project, news = current()
    if project is None:
        raise StoreError(news)
    digest = engine.checkpoint.hash
    facts: dict[str, object] = {"key": uuid.uuid4().hex, "model": engine.slug, "hash": digest}
    if drawn is not None and drawn.spec.usual:
        spec = drawn.spec
        which = "all" if spec.component is None else spec.component
        facts["origin"] = f"{digest}|drawn|{spec.seed}|{which}|{drawn.tile}|{drawn.scale:g}"
        facts["drawn"] = {
            "seed": spec.seed,
            "component": spec.component,
            "tile": drawn.tile,
            "scale": drawn.scale,
        }
    else:
        facts["origin"] = origin_of(engine, z)
        facts["z"] = base64.b64encode(np.ascontiguousarray(z, "<f4").tobytes()).decode()
    request = PickRequest.model_validate(facts)
    (pick,) = store().keep(project.id, [(request.key, pick_source(request))])
    turn, _ = st.session_state.get(KEPT, (0, None))
    st.session_state[KEPT] = (turn + 1, confirmed(pick, request.key))
    return pick


def keep_own(
    engine: Engine, given: Sequence[tuple[str, Float[np.ndarray, " stations"]]]
) -> list[Pick]:
    """Keep one's own sections as they are in the visitor's current project.

    Args:
        engine: The model whose samples they are like.
        given: The name of the file of each, and the section as a sample.

    Raises:
        StoreError: If they cannot be kept.
    """
    project, news = current()
    if project is None:
        raise StoreError(news)
    kind = engine.checkpoint.config.data.kind
    items = [
        (uuid.uuid4().hex, own_source(name, x, engine.sketch, kind, __version__))
        for name, x in given
    ]
    picks = store().keep(project.id, items)
    if len(picks) == 1:
        turn, _ = st.session_state.get(KEPT, (0, None))
        st.session_state[KEPT] = (turn + 1, confirmed(picks[0], items[0][0]))
    return picks


def confirmed(pick: Pick, key: str) -> dict[str, object]:
    """Tell the browser what was kept, and what is wrong with it.

    Args:
        pick: The pick.
        key: The key under which the browser asked for it.
    """
    source = pick.source
    (fault,) = faults(source.sample[None], source.model.sketch)
    return {
        "key": key,
        "origin": source.origin,
        "number": pick.number,
        "stored": pick.key,
        "fault": fault,
    }


def pick_source(request: PickRequest) -> PickSource:
    """Build the requested pick: its code is looked up or redrawn, and decoded.

    Raises:
        StoreError: If its model or sample does not exist.
    """
    entry = next((item for item in cache.entries() if item.slug == request.model), None)
    if entry is None or not entry.healthy or entry.hash != request.hash:
        raise StoreError(
            f"The model {request.model[:80]} has changed or is missing; the pick cannot be saved."
        )
    engine = cache.engine(entry)
    code, component = _code(engine, request)
    sample = engine.decode(code[None])[0]
    if not np.isfinite(sample).all():
        raise StoreError("The decoded sample has non-finite values; the pick cannot be saved.")
    return PickSource(
        model=model_of(engine),
        code=code,
        sample=sample,
        origin=request.origin if request.place is None else origin_of(engine, code),
        page=request.page,
        view=request.view,
        library=__version__,
        component=component,
        scale=None if request.drawn is None else request.drawn.scale,
        seed=None if request.drawn is None else request.drawn.seed,
    )


def model_of(engine: Engine) -> Model:
    """Return the model entry of a pick for an engine."""
    opened = engine.checkpoint
    return Model(opened.hash, opened.slug, opened.config.data.kind, engine.sketch)


def origin_of(engine: Engine, code: Float[np.ndarray, " latent"]) -> str:
    """Return the origin of a pick that is identified by its code."""
    text = base64.b64encode(np.ascontiguousarray(code, "<f4").tobytes()).decode()
    return f"{engine.checkpoint.hash}|code|{text}"


def _code(engine: Engine, request: PickRequest) -> tuple[Float[np.ndarray, " latent"], int | None]:
    absent = StoreError("Sample not found for this model; reload the page and pick again.")
    if request.drawn is not None:
        drawn = request.drawn
        components = engine.components()
        if not engine.has_prior or (
            drawn.component is not None
            and (components is None or drawn.component >= len(components))
        ):
            raise absent
        # The first samples of a larger draw equal a smaller one: the tile is the last.
        z, index = engine.draw(drawn.tile + 1, drawn.scale, drawn.seed, drawn.component)
        return z[-1], int(index[-1])
    if request.z is not None:
        try:
            raw = base64.b64decode(request.z, validate=True)
        except ValueError:
            raise absent from None
        code = np.frombuffer(raw[: len(raw) // 4 * 4], "<f4").astype(np.float32)
        if len(raw) != 4 * engine.space.size or not np.isfinite(code).all():
            raise absent
        if np.abs(code).max() > 1e4:
            raise absent
        return code, None
    if request.place is not None:
        layer, _, number = request.place.partition(":")
        plane = cache.plane(engine) if layer == "holes" else None
        points = layer_codes(engine, cache.atlas(engine), layer, plane)
        if points is None or int(number) >= len(points):
            raise absent
        return np.asarray(points[int(number)], np.float32), None
    raise absent
