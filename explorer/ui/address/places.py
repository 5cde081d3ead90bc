"""Resolves the notation of a link to codes: a selection, a path endpoint, a drawn line."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from explorer import sampler
from explorer.errors import CheckpointError
from explorer.inference import Engine
from explorer.projection import Atlas, lift, prior_codes
from explorer.regions import Plane, inside
from explorer.ui.address.hand import Sample, datum_row, read_sample
from explorer.ui.address.notation import PICK, read_code

NAMES = {"data": "Data point", "prior": "Prior sample", "prototypes": "Prototype", "holes": "Hole"}


class Selection(NamedTuple):
    """Selected codes, a description, and their rows in the atlas, if any."""

    z: Float[np.ndarray, "picked latent"]
    words: str
    rows: Int[np.ndarray, " picked"]


def select(
    engine: Engine, atlas: Atlas, pick: str, found: Plane | None = None
) -> Selection | None:
    """Return the codes of a selection; None if it is empty or out of range."""
    if not PICK.fullmatch(pick) or not pick:
        return None
    base, *edits = pick.split(";")
    kind, _, rest = base.partition(":")
    if kind in ("prior", "prototypes", "holes"):
        codes = layer_codes(engine, atlas, kind, found)
        if codes is None or int(rest) >= len(codes):
            return None
        index = int(rest)
        return Selection(codes[index : index + 1], f"{NAMES[kind]} {index}", np.empty(0, int))
    numbers = [float(value) for value in rest.split(",")]
    if kind == "spot":
        z = lift(atlas.codes, atlas.xy, np.array([numbers]))
        return Selection(z, "A point on the map", np.empty(0, int))
    if kind == "data":
        rows = {int(rest)} if int(rest) < len(atlas.codes) else set()
    elif kind == "box":
        left, bottom, right, top = numbers
        x, y = atlas.xy[:, 0], atlas.xy[:, 1]
        rows = set(np.flatnonzero((x >= left) & (x <= right) & (y >= bottom) & (y <= top)))
    else:
        rows = set(np.flatnonzero(inside(atlas.xy, np.array(numbers).reshape(-1, 2))))
    for edit in edits:
        how, _, given = edit.partition(":")
        listed = {int(row) for row in given.split(",") if int(row) < len(atlas.codes)}
        rows = rows | listed if how == "add" else rows - listed
    chosen = np.array(sorted(rows), int)
    if kind == "data" and not len(chosen):
        return None
    if kind == "data" and len(chosen) == 1:
        return Selection(atlas.codes[chosen], f"Data point {chosen[0]}", chosen)
    words = {"box": " in the box", "lasso": " in the lasso", "data": " selected"}[kind]
    return Selection(atlas.codes[chosen], f"{len(chosen):,} codes{words}", chosen)


def place_code(
    engine: Engine, atlas: Atlas | None, place: str, found: Plane | None = None
) -> tuple[Float[np.ndarray, " latent"], str] | None:
    """Return a code and its description; None if this model has no such code."""
    if place == "mean":
        if engine.has_prior:
            return engine.moments()[0].astype(np.float32), "Prior mean"
        return (atlas.codes.mean(0), "Mean of the codes") if atlas is not None else None
    if place.startswith("z:"):
        z = read_code(place, engine.space.size)
        return None if z is None else (z, "Custom code")
    if place.startswith("sample:"):
        return _drawn(engine, place)
    if place.startswith("datum:"):
        row = None if atlas is None else datum_row(atlas, place)
        if atlas is None or row is None:
            return None
        return atlas.codes[row], datum_words(atlas, row)
    chosen = select(engine, atlas, place, found) if atlas is not None else None
    if chosen is None or not len(chosen.z):
        return None
    mean = "" if len(chosen.z) == 1 else "Mean of "
    return chosen.z.mean(0), f"{mean}{chosen.words}"


def datum_words(atlas: Atlas, row: int) -> str:
    """Name a datum of a map: its number there, and its class if known."""
    label = int(atlas.label[row])
    kind = f", class {atlas.classes[label]}" if atlas.classes and label >= 0 else ""
    return f"Data point {row}{kind}"


def _drawn(engine: Engine, place: str) -> tuple[Float[np.ndarray, " latent"], str] | None:
    """Draw a sample again; None if this model cannot draw it."""
    sample = read_sample(place)
    if sample is not None and sample.spec.flow is not None:
        return _flowed(engine, sample)
    if sample is None or not engine.has_prior:
        return None
    component, levels = sample.spec.component, sample.spec.levels
    if component is not None and component >= engine.component_count:
        return None
    time = sample.spec.time
    if levels.of(engine.space) != levels or (time is not None and not engine.timed):
        return None
    scale, seed = (
        levels.scale(engine.space, sample.scale),
        levels.seed(engine.space, sample.spec.seed),
    )
    # The first samples of a larger draw equal a smaller one: the tile is the last.
    z, _ = engine.draw(sample.tile + 1, scale, seed, component, time)
    words = f"Sample {sample.tile + 1} at scale {sample.scale:g}"
    return z[-1].astype(np.float32), words if time is None else f"{words}, time {time:g}"


def _flowed(engine: Engine, sample: Sample) -> tuple[Float[np.ndarray, " latent"], str] | None:
    """Draw a sample of a flow again; None if this model has none."""
    steps = sample.spec.flow
    assert steps is not None
    try:
        flow = sampler.load(engine.checkpoint)
    except CheckpointError:
        return None
    if flow is None:
        return None
    places = flow.trajectory(sample.tile + 1, steps, sample.spec.spread, sample.spec.seed)
    words = f"Sample {sample.tile + 1} of the flow, step {sample.scale:g} of {steps}"
    return places[int(sample.scale), -1].numpy(), words


def path_codes(
    atlas: Atlas, path: str, frames: int
) -> tuple[Float[np.ndarray, "frames latent"], Float[np.ndarray, "frames 2"]]:
    """Sample a line drawn on the map at equal steps: its codes, and their positions."""
    vertices = np.array([float(value) for value in path.split(",")]).reshape(-1, 2)
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(vertices, axis=0), axis=1))])
    stops = np.linspace(0, arc[-1], frames)
    places = np.stack([np.interp(stops, arc, vertices[:, axis]) for axis in (0, 1)], 1)
    return lift(atlas.codes, atlas.xy, places), places.astype(np.float32)


def layer_codes(
    engine: Engine, atlas: Atlas | None, layer: str, found: Plane | None = None
) -> Float[np.ndarray, "points latent"] | None:
    """Return the codes of a map layer; None if there is none."""
    if layer == "data":
        return None if atlas is None else atlas.codes
    if layer == "prior" and engine.has_prior:
        return prior_codes(engine)
    if layer == "holes" and found is not None and found.holes:
        return np.stack([hole.z for hole in found.holes]).astype(np.float32)
    components = engine.components()
    if layer == "prototypes" and components is not None:
        return components.loc.cpu().numpy()
    return None
