"""What can be kept on the page goes to the browser; what it kept comes back and is stored."""

import base64

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer import __version__, settings
from explorer.designs.candidates import FILE, Store
from explorer.designs.picks import Made, Model, Project
from explorer.errors import StoreError
from explorer.inference import Engine
from explorer.strips import Strip
from explorer.ui import cache
from explorer.ui.address.places import layer_codes
from explorer.ui.picks.requests import Wish

PROJECT = "frame_project"
"""Session key of the project that picks go to."""

MOST_CODES = 400_000


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
