"""The interpolated path: its method, and the codes along it."""

from typing import NamedTuple

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer.geodesics import Geodesic
from explorer.inference import Engine
from explorer.projection import Atlas
from explorer.ui import cache
from explorer.ui.address.places import path_codes, place_code
from explorer.ui.address.views import InterpolateView
from explorer.ui.cache.atlases import holes_of

KINDS = {
    "straight": "Straight",
    "spherical": "Slerp",
    "following": "High-density path",
    "geodesic": "Geodesic",
}


class WalkedPath(NamedTuple):
    """A path: its codes, its endpoints' descriptions, and whether it was drawn on a projection."""

    codes: Float[np.ndarray, "frames latent"]
    ends: list[str]
    estimated: bool
    legs: tuple[Geodesic, ...] = ()


def kinds(engine: Engine) -> list[str]:
    """List the methods a model supports: some decoders have no derivative."""
    return [kind for kind in KINDS if kind != "geodesic" or engine.differentiable]


def walk(engine: Engine, atlas: Atlas, view: InterpolateView) -> WalkedPath | None:
    """Return the path between the link's endpoints; None if fewer than two are found."""
    if view.path:
        codes, _ = path_codes(atlas, view.path, view.frames)
        return WalkedPath(codes, ["start of the line", "end of the line"], atlas.method != "plane")
    found = [place_code(engine, atlas, end, holes_of(engine, end)) for end in view.ends]
    known = [item for item in found if item is not None]
    if len(known) < 2:
        return None
    z = np.stack([item[0] for item in known]).astype(np.float32)
    words = [item[1] for item in known]
    if view.kind == "geodesic":
        codes, legs = cache.shortest(engine, z, view.frames)
        return WalkedPath(codes.astype(np.float32), words, False, legs)
    codes = cache.path(engine, z, view.kind, view.frames, view.closeness)
    return WalkedPath(codes.astype(np.float32), words, False)


def require_path(engine: Engine, atlas: Atlas, view: InterpolateView) -> WalkedPath:
    """Return the path; stop with a message if fewer than two endpoints are known."""
    found = walk(engine, atlas, view)
    if found is None:
        st.caption("Choose at least two endpoints: a data index, a prior sample or a prototype.")
        view.write()
        st.stop()
    return found
