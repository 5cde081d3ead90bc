"""Cached strips, prototypes and paths."""

import copy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from explorer import geodesics, paths, replay
from explorer.checkpoint import SNAPSHOTS
from explorer.errors import CheckpointError
from explorer.inference import Engine, Prototypes
from explorer.metrics.novelty import typicality
from explorer.paths import PathKind
from explorer.projection import Split, positions
from explorer.replay import Replay
from explorer.sampler import CodeFlow, load
from explorer.strips import (
    Frames,
    Strip,
    StripSpec,
    flow_strip,
    level_strip,
    samples_strip,
    scale_strip,
)
from explorer.ui.cache.atlases import atlas, drawn_density
from explorer.ui.cache.engines import ENGINES, originals
from explorer.ui.cache.per_engine import per_engine
from explorer.ui.cache.references import novelty_reference

STRIPS = 24


@per_engine(ENGINES, measured=True)
def flow(engine: Engine) -> CodeFlow | None:
    """Return the flow on a model's codes; None if none was fitted, or it is damaged."""
    try:
        return load(engine.checkpoint)
    except CheckpointError:
        return None


def strip(engine: Engine, spec: StripSpec) -> Strip:
    """Return the strip of a model: over the scale of its prior, or over the steps of its flow.

    Raises:
        CheckpointError: If it asks for a flow, and none was fitted.
    """
    return _scaled(engine, spec) if spec.flow is None else _flowing(engine, spec)


@per_engine(STRIPS)
def _scaled(engine: Engine, spec: StripSpec) -> Strip:
    return scale_strip(engine, spec.of_model(engine))


@per_engine(STRIPS, measured=True)
def _flowing(engine: Engine, spec: StripSpec) -> Strip:
    found = flow(engine)
    if found is None:
        raise CheckpointError(f"{engine.slug} has no flow on its codes; fit one on Generate.")
    return flow_strip(engine, found, spec)


@per_engine(STRIPS)
def levelled(
    engine: Engine, z: Float[np.ndarray, " latent"], level: str, tiles: int, seed: int
) -> Strip:
    """Return the strip of a code with one level resampled."""
    return level_strip(engine, z, level, tiles=tiles, seed=seed)


@per_engine(STRIPS)
def painted(engine: Engine, spec: StripSpec, scale: float) -> Strip:
    """Return images sampled pixel by pixel from a scale strip's codes, as a strip of one frame.

    They are sampled when they are first asked for.
    """
    own, space = spec.of_model(engine), engine.space
    scales, seeds = own.levels.scale(space, scale), own.levels.seed(space, own.seed)
    z, _ = engine.draw(own.tiles, scales, seeds, own.component, own.time)
    absent = np.empty((len(z), *engine.sketch.shape), np.float32)
    return replace(
        samples_strip(absent, engine.sketch, engine.heights(z)),
        frames=Frames(1, lambda frame: engine.paint(z, own.seed)),
    )


class Novelty(NamedTuple):
    """Novelty and typicality of each sample of a strip, as percentiles of how many codes.

    `whole` says whether all training samples were compared with.
    """

    novelty: Float[np.ndarray, "frames tiles"]
    typicality: Float[np.ndarray, "frames tiles"]
    held_out: int
    training: int
    whole: bool


@per_engine(4 * STRIPS, measured=True)
def novelty(engine: Engine, spec: StripSpec, frame: int | None = None) -> Novelty | None:
    """Return novelty and typicality of each sample of a scale strip, or of one of its frames."""
    reference = novelty_reference(engine)
    if reference is None:
        return None
    shown = strip(engine, spec)
    x = shown.samples if frame is None else shown.frames[frame][None]
    density = shown.log_density if frame is None else shown.log_density[frame : frame + 1]
    verdict = reference.judge(engine.encode(x.reshape(-1, *x.shape[2:])).loc)
    usual = (
        typicality(density.ravel(), drawn_density(engine))
        if engine.has_density
        else np.zeros(density.size)
    )
    return Novelty(
        # To a tenth, so that signs in the browser and words on the page go by the same number.
        verdict.percentile.round(1).reshape(x.shape[:2]),
        usual.reshape(x.shape[:2]),
        reference.held_out,
        reference.training,
        reference.whole,
    )


def novelty_of(engine: Engine, spec: StripSpec, frame: int, tile: int) -> Novelty | None:
    """Return novelty and typicality of one sample of a scale strip; shaped as of one frame."""
    apart = strip(engine, spec).deferred
    found = novelty(engine, spec, frame if apart else None)
    if found is None:
        return None
    row = 0 if apart else frame
    return found._replace(
        novelty=found.novelty[row : row + 1, tile : tile + 1],
        typicality=found.typicality[row : row + 1, tile : tile + 1],
    )


@per_engine(STRIPS, measured=True)
def strip_positions(engine: Engine, spec: StripSpec) -> Float[np.ndarray, "frames tiles 2"] | None:
    """Return where the samples of a scale strip lie on the model's map; None without a map."""
    known, z = atlas(engine), strip(engine, spec).z
    if known is None or z is None:
        return None
    return positions(known, z.reshape(-1, z.shape[2])).reshape(*z.shape[:2], 2)


@per_engine(ENGINES)
def prototypes(engine: Engine) -> Prototypes | None:
    """Return the components of a model's prior, not decoded."""
    return engine.prototypes(decode=False)


@per_engine(ENGINES, spinner="Decoding the components")
def decoded_prototypes(engine: Engine) -> np.ndarray:
    """Return the decoded components of a model's prior."""
    known = prototypes(engine)
    assert known is not None
    return engine.decode(known.loc)


@per_engine(ENGINES)
def snapshots(engine: Engine) -> dict[str, np.ndarray]:
    """Return the snapshots of pseudo-inputs during training, if any."""
    try:
        kept = engine.checkpoint.arrays(SNAPSHOTS)
    except CheckpointError:
        return {}
    inputs, epochs = kept.get("inputs"), kept.get("epochs")
    if inputs is None or epochs is None or inputs.shape[2:] != engine.sketch.shape:
        return {}
    return {"inputs": inputs.astype(np.float32), "epochs": epochs}


@per_engine(32)
def replayed(engine: Engine) -> Replay | None:
    """Return where codes were while they were matched, if that was kept."""
    return replay.read(engine.checkpoint)


def original(engine: Engine, row: int) -> np.ndarray | None:
    """Return one sample of the atlas from its data set; None if it is not there any more."""
    known, data = atlas(engine), originals(engine)
    if known is None or data is None or row >= len(known.codes):
        return None
    split = data.split(Split(known.split[row]).label)
    found = split.find(int(known.ids[row]))
    if found is None:
        return None
    x = split.x[found : found + 1]
    known_to_fit = engine.checkpoint.config.data.fixed or data.numbered_by_content
    return x if known_to_fit or data.dynamic or _encodes_to(engine, x, known.codes[row]) else None


def _encodes_to(engine: Engine, x: np.ndarray, code: np.ndarray) -> bool:
    """Whether a sample known by its position alone still is the one of a code."""
    found = engine.encode(x).loc[0]
    return bool(np.abs(found - code).max() <= 0.01 * (1 + np.abs(code).max()))


@per_engine(32, measured=True, spinner="Searching for a high-density path")
def path(
    engine: Engine,
    z: Float[np.ndarray, "ends latent"],
    kind: PathKind,
    frames: int,
    closeness: float,
) -> Float[np.ndarray, "frames latent"]:
    """Return the codes of a path between endpoints."""
    if kind == "straight" or not engine.has_prior:
        return paths.straight(z, frames)
    loc, scale = engine.moments()
    if kind == "spherical" or not engine.has_density:
        return paths.spherical(z, frames, loc, scale)
    known = atlas(engine)
    anchors = None if known is None else known.codes[known.split == Split.TRAIN]
    device = engine.device

    def log_prob(codes: torch.Tensor) -> torch.Tensor:
        return engine.prior.log_prob(codes.to(device)).cpu()

    return paths.following(z, frames, log_prob, loc, scale, closeness=closeness, anchors=anchors)


@per_engine(32, spinner="Searching for the geodesic")
def shortest(
    engine: Engine, z: Float[np.ndarray, "ends latent"], frames: int
) -> tuple[Float[np.ndarray, "frames latent"], tuple[geodesics.Geodesic, ...]]:
    """Return the codes of the geodesic path through the endpoints, and its legs.

    Raises:
        NoDensityError: If the decoder is autoregressive.
    """
    # A separate copy in double precision, on the CPU, where short chains are fast.
    model = copy.deepcopy(engine.checkpoint.model).to("cpu", torch.float64)
    scale = engine.moments()[1] if engine.has_prior else z.std(0) + 1e-3
    return geodesics.shortest(z, frames, geodesics.embedding(model), scale)
