"""What can be kept on the page goes to the browser; what it kept comes back and is stored."""

import base64
from typing import Annotated, Literal

import numpy as np
import streamlit as st
from jaxtyping import Float
from pydantic import Field

from explorer import __version__, settings
from explorer.designs.candidates import FILE, Store
from explorer.designs.picks import Made, Model, Project
from explorer.designs.tables import FIRST_PROJECT
from explorer.errors import StoreError
from explorer.inference import Engine
from explorer.interfaces import Recipe
from explorer.strips import Strip
from explorer.ui import cache
from explorer.ui.address.notation import layer_codes
from explorer.ui.components import outbox

PROJECT = "frame_project"
"""Session key of the project that picks go to."""

MOST_CODES = 400_000
MOST_AT_ONCE = 64

Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
_Count = Annotated[int, Field(ge=0, lt=2**31)]
_Text = Annotated[str, Field(max_length=4000)]


class Drawn(Recipe):
    """A tile of a scale strip."""

    seed: _Count
    component: Annotated[int, Field(ge=0, lt=10_000)] | None = None
    tile: Annotated[int, Field(ge=0, lt=4096)]
    scale: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]


class Wish(Recipe):
    """A pick as the browser asks for it: drawn, a code (float32 in base64), or a map's point."""

    key: Key
    model: Annotated[str, Field(max_length=80)]
    hash: Annotated[str, Field(max_length=64)]
    origin: Annotated[str, Field(min_length=1, max_length=8000)]
    page: Annotated[str, Field(max_length=40)] = ""
    view: _Text = ""
    project: _Count | None = None
    drawn: Drawn | None = None
    z: Annotated[str, Field(max_length=8000)] | None = None
    place: Annotated[str, Field(pattern=r"^(data|prior|prototypes|holes):\d{1,6}$")] | None = None


class Wishes(Recipe):
    """Picks to be kept in one project, each checked on its own."""

    project: _Count | None = None
    items: Annotated[list[dict[str, object]], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Marks(Recipe):
    """Something said of picks."""

    project: _Count
    keys: Annotated[tuple[Key, ...], Field(max_length=5000)]
    stars: Annotated[int, Field(ge=0, le=5)] | None = None
    verdict: Literal["", "keep", "reject"] | None = None
    removed: bool | None = None


def store() -> Store:
    """Open the user's candidates.

    Raises:
        StoreError: If they cannot be opened.
    """
    return cache.store(str(settings.current().user / FILE))


def current() -> tuple[Project | None, str]:
    """Return the project that picks go to, or why there is none."""
    try:
        known = store().projects()
    except StoreError as error:
        return None, str(error)
    wanted = st.session_state.get(PROJECT)
    found = next((item for item in known if item.id == wanted), None)
    return found or known[-1], ""


def sidebar(listens: bool) -> None:
    """Show the shelf; on it one goes to the candidates."""
    project, news = current()
    wants = outbox(
        key="frame_shelf",
        project=None if project is None else project.id,
        name=FIRST_PROJECT if project is None else project.name,
        count=0 if project is None else project.picks,
        news=news,
        listens=listens,
    )
    if wants and not listens:
        st.switch_page(settings.beside("pages") / "candidates.py")


def keepable(
    engine: Engine, strip: Strip | None = None, z: Float[np.ndarray, "tiles latent"] | None = None
) -> dict[str, object] | None:
    """Describe to the browser how tiles are kept; None where they cannot be.

    Args:
        engine: The model.
        strip: The strip that shows them, by whose codes or seed they are kept.
        z: Or a code for each tile, where the strip shows something else of them.
    """
    facts: dict[str, object] = {"model": engine.slug, "hash": engine.checkpoint.hash}
    if strip is not None and strip.recipe is not None:
        seed, component = strip.recipe["seed"], strip.recipe["component"]
        return facts | {"kind": "drawn", "seed": seed, "component": component}
    codes = z if strip is None else strip.z
    if codes is None or codes.size > MOST_CODES:
        return None
    text = base64.b64encode(np.ascontiguousarray(codes, "<f4").tobytes()).decode()
    return facts | {"kind": "codes", "latent": codes.shape[-1], "z": text}


def made(wish: Wish) -> Made:
    """Make what a wish asks for: its code is found or drawn again, and decoded.

    Raises:
        StoreError: If its model is not here, or there is no such sample.
    """
    entry = next((item for item in cache.entries() if item.slug == wish.model), None)
    if entry is None or not entry.healthy or entry.hash != wish.hash:
        raise StoreError(f"{wish.model[:80]} is not here as it was; the pick cannot be kept.")
    engine = cache.engine(entry)
    code, component = _code(engine, wish)
    sample = engine.decode(code[None])[0]
    if not np.isfinite(sample).all():
        raise StoreError("What the model decodes there is not finite; the pick cannot be kept.")
    return Made(
        model=model_of(engine),
        code=code,
        sample=sample,
        origin=wish.origin if wish.place is None else origin_of(engine, code),
        page=wish.page,
        view=wish.view,
        library=__version__,
        component=component,
        scale=None if wish.drawn is None else wish.drawn.scale,
        seed=None if wish.drawn is None else wish.drawn.seed,
    )


def model_of(engine: Engine) -> Model:
    """Name an engine's weights as picks do."""
    opened = engine.checkpoint
    return Model(opened.hash, opened.slug, opened.config.data.kind, engine.sketch)


def origin_of(engine: Engine, code: Float[np.ndarray, " latent"]) -> str:
    """Name where a code comes from: from itself."""
    text = base64.b64encode(np.ascontiguousarray(code, "<f4").tobytes()).decode()
    return f"{engine.checkpoint.hash}|code|{text}"


def _code(engine: Engine, wish: Wish) -> tuple[Float[np.ndarray, " latent"], int | None]:
    absent = StoreError("There is no such sample of this model; reload the page and pick again.")
    if wish.drawn is not None:
        drawn = wish.drawn
        components = engine.components()
        if not engine.has_prior or (
            drawn.component is not None
            and (components is None or drawn.component >= len(components))
        ):
            raise absent
        # The first samples of a larger draw are those of a smaller one: the tile is the last.
        z, index = engine.draw(drawn.tile + 1, drawn.scale, drawn.seed, drawn.component)
        return z[-1], int(index[-1])
    if wish.z is not None:
        try:
            raw = base64.b64decode(wish.z, validate=True)
        except ValueError:
            raise absent from None
        code = np.frombuffer(raw[: len(raw) // 4 * 4], "<f4").astype(np.float32)
        if len(raw) != 4 * engine.space.size or not np.isfinite(code).all():
            raise absent
        if np.abs(code).max() > 1e4:
            raise absent
        return code, None
    if wish.place is not None:
        layer, _, number = wish.place.partition(":")
        plane = cache.plane(engine) if layer == "holes" else None
        points = layer_codes(engine, cache.atlas(engine), layer, plane)
        if points is None or int(number) >= len(points):
            raise absent
        return np.asarray(points[int(number)], np.float32), None
    raise absent
