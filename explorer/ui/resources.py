"""What is expensive and shared; the only file with `st.cache_*`, keyed on slugs and scalars."""

import copy
import hashlib
import io
import json
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import streamlit as st
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from explorer import geodesics, paths, regions, settings
from explorer.checkpoint import (
    ATLAS,
    LIKELIHOOD,
    PREVIEW,
    SNAPSHOTS,
    TRADEOFF,
    Entry,
    catalogue,
    load,
    results_folder,
)
from explorer.data import DataConfig, DataSet
from explorer.designs.candidates import Store
from explorer.designs.geometry import SectionGeometry, is_section
from explorer.designs.properties import Conditions, Constraint, Measured, measure
from explorer.errors import CheckpointError, DataError
from explorer.inference import Engine, Prototypes
from explorer.interfaces import Posterior, noise
from explorer.metrics.likelihood import Likelihood
from explorer.metrics.standing import Yardstick, typicality
from explorer.metrics.surgery import Surgery, elbo_surgery
from explorer.metrics.tradeoff import Tradeoff, read_tradeoff
from explorer.paths import PathKind
from explorer.projection import SPLITS, Atlas, load_atlas, prior_codes
from explorer.regions import Plane
from explorer.sketch import CurveSketch, PixelSketch
from explorer.strips import ALL_LEVELS, Levels, Strip, level_strip, samples_strip, scale_strip
from explorer.ui import palette

ENGINES = 6
STRIPS = 24
SHARE_SCALES = tuple(round(0.1 * step, 1) for step in range(21))
SHARE_SAMPLES = 256


class Standing(NamedTuple):
    """How new and how typical each sample of a strip is, in per cent, among how many codes."""

    novelty: Float[np.ndarray, "frames tiles"]
    typicality: Float[np.ndarray, "frames tiles"]
    held_out: int
    training: int


def entries() -> list[Entry]:
    """List all checkpoints; read again only when a file of theirs has changed."""
    return _entries(_signature())


def engine(entry: Entry) -> Engine:
    """Return the shared engine of a checkpoint; of seven the least recent leaves."""
    return _engine(entry.slug, entry.hash, str(entry.folder), settings.current().device)


def strip(
    opened: Engine,
    tiles: int,
    seed: int,
    component: int | None = None,
    levels: Levels = ALL_LEVELS,
) -> Strip:
    """Return the scale strip of a model."""
    own = levels.of(opened.space)
    return _strip(opened.slug, opened.checkpoint.hash, tiles, seed, component, own, _engine=opened)


def levelled(opened: Engine, z: np.ndarray, level: str, tiles: int, seed: int) -> Strip:
    """Return the strip of a code one of whose levels is drawn anew."""
    code = np.ascontiguousarray(z, "<f4").tobytes()
    return _levelled(opened.slug, opened.checkpoint.hash, code, level, tiles, seed, _engine=opened)


def painted(
    opened: Engine,
    tiles: int,
    scale: float,
    seed: int,
    component: int | None,
    levels: Levels = ALL_LEVELS,
) -> Strip:
    """Return pictures drawn pixel by pixel from a scale strip's codes, as a strip of one frame."""
    own = levels.of(opened.space)
    return _painted(
        opened.slug, opened.checkpoint.hash, tiles, scale, seed, component, own, _engine=opened
    )


def atlas(opened: Engine) -> Atlas | None:
    """Return the atlas of a model, or None where none was built.

    Raises:
        CheckpointError: If it is damaged.
    """
    return _atlas(opened.slug, _identity(opened), _engine=opened)


def prototypes(opened: Engine) -> Prototypes | None:
    """Return the decoded components of a model's prior."""
    return _prototypes(opened.slug, opened.checkpoint.hash, _engine=opened)


def claims(opened: Engine) -> np.ndarray | None:
    """Return for each code of the atlas the component that most probably made it."""
    return _claims(opened.slug, _identity(opened), _engine=opened)


def plane(opened: Engine) -> Plane | None:
    """Return the densities over a model's map and the holes between them."""
    return _plane(opened.slug, _identity(opened), _engine=opened)


def traced(opened: Engine) -> bytes | None:
    """Return contours and holes of a model's map, as the browser wants them."""
    return _traced(opened.slug, _identity(opened), _engine=opened)


def yardstick(opened: Engine) -> Yardstick | None:
    """Return what samples are compared with; None where there is no atlas."""
    return _yardstick(opened.slug, _identity(opened), _engine=opened)


def drawn_density(opened: Engine) -> np.ndarray:
    """Return log p(z) of the atlas's prior samples."""
    return _drawn_density(opened.slug, _identity(opened), _engine=opened)


def held_out_density(opened: Engine, means: bool = False) -> np.ndarray | None:
    """Return log p(z) of test data: of one code drawn for each, or of their posterior means.

    A mean lies nearer to the prior's middle than a drawn code: like is compared with like.
    """
    return _held_out_density(opened.slug, _identity(opened), means, _engine=opened)


def standing(
    opened: Engine,
    tiles: int,
    seed: int,
    component: int | None,
    levels: Levels = ALL_LEVELS,
) -> Standing | None:
    """Return how new and how typical each sample of a scale strip is."""
    own = levels.of(opened.space)
    return _standing(opened.slug, _identity(opened), tiles, seed, component, own, _engine=opened)


def tradeoff(opened: Engine) -> Tradeoff | None:
    """Return the diversity-fidelity curve of a model as far as it was measured."""
    return _tradeoff(opened.slug, _identity(opened), _engine=opened)


def surgery(opened: Engine) -> Surgery | None:
    """Return the parts of a model's KL over the test codes of its atlas, of the top level's."""
    return _surgery(opened.slug, _identity(opened), _engine=opened)


def unit_kl(opened: Engine) -> np.ndarray | None:
    """Return each unit's mean KL in nats over the test data, as it was measured with the card."""
    return _unit_kl(opened.slug, _identity(opened), _engine=opened)


def scored(opened: Engine, x: np.ndarray) -> Likelihood:
    """Return log p(x) and the bound's terms of one sample, with as many codes as on the card."""
    name = hashlib.sha256(np.ascontiguousarray(x, "<f4").tobytes()).hexdigest()
    samples = importance_samples(opened)
    return _scored(opened.slug, opened.checkpoint.hash, name, samples, _engine=opened, _x=x)


def importance_samples(opened: Engine) -> int:
    """Return how many importance samples a model's card was measured with."""
    metric = opened.checkpoint.metrics.get("log_likelihood")
    return min(5000, metric.samples or 500) if metric is not None else 500


def test_likelihood(opened: Engine) -> np.ndarray | None:
    """Return log p(x) of every test sample, as it was measured with the card."""
    try:
        found = opened.checkpoint.arrays(LIKELIHOOD).get("log_likelihood")
    except CheckpointError:
        return None
    return found if found is not None and np.isfinite(found).all() else None


def path(opened: Engine, ends: bytes, kind: PathKind, frames: int, closeness: float) -> np.ndarray:
    """Return the codes of a path between ends, given as the bytes of float32 codes."""
    return _path(opened.slug, _identity(opened), ends, kind, frames, closeness, _engine=opened)


def shortest(
    opened: Engine, ends: bytes, frames: int
) -> tuple[np.ndarray, tuple[geodesics.Geodesic, ...]]:
    """Return the codes of the shortest way between ends in what is decoded, and its legs.

    Raises:
        NoDensityError: If the decoder goes pixel by pixel.
    """
    return _shortest(opened.slug, opened.checkpoint.hash, ends, frames, _engine=opened)


def original(opened: Engine, row: int) -> np.ndarray | None:
    """Return one datum of the atlas as it is in its data set; None where that is not at hand."""
    known, data = atlas(opened), originals(opened)
    if known is None or data is None or row >= len(known.codes):
        return None
    split = data.split(SPLITS[known.split[row]])
    found = np.flatnonzero(split.ids == known.ids[row])
    return split.x[found[:1]] if len(found) else None


def store(path: str) -> Store:
    """Return the open store of candidates in a file.

    Raises:
        StoreError: If it cannot be opened.
    """
    return _store(path)


def worth(
    opened: Engine,
    tiles: int,
    seed: int,
    component: int | None,
    conditions: Conditions,
    levels: Levels = ALL_LEVELS,
) -> Measured:
    """Return the properties of all samples of a scale strip, frame after frame."""
    return _worth(
        opened.slug, opened.checkpoint.hash, tiles, seed, component, levels.of(opened.space),
        conditions.model_dump_json(), _engine=opened,
    )  # fmt: skip


def codes_worth(opened: Engine, z: np.ndarray, conditions: Conditions) -> Measured:
    """Return the properties of what codes decode to."""
    name = hashlib.sha256(np.ascontiguousarray(z, "<f4").tobytes()).hexdigest()
    return _codes_worth(
        opened.slug,
        opened.checkpoint.hash,
        name,
        conditions.model_dump_json(),
        _engine=opened,
        _z=z,
    )


def usual_waviness(opened: Engine) -> float | None:
    """Return the median waviness of decoded held-out sections; None where there are none."""
    return _usual_waviness(opened.slug, _identity(opened), _engine=opened)


def picks_worth(
    name: str, conditions: Conditions, x: np.ndarray, sketch: PixelSketch | CurveSketch
) -> Measured:
    """Return the properties of picks, whose keys and treatments the name stands for."""
    return _picks_worth(name, conditions.model_dump_json(), _x=x, _sketch=sketch)


def shares(
    opened: Engine, constraints: tuple[Constraint, ...], conditions: Conditions
) -> Float[np.ndarray, " scales"]:
    """Return the share of sound designs within constraints at each of `SHARE_SCALES`."""
    found = _pool(
        opened.slug, opened.checkpoint.hash, conditions.model_dump_json(), _engine=opened
    )
    return found.meets(constraints).reshape(len(SHARE_SCALES), -1).mean(1)


def snapshots(opened: Engine) -> dict[str, np.ndarray]:
    """Return the pseudo-inputs kept along training, if any."""
    return _snapshots(opened.slug, opened.checkpoint.hash, _engine=opened)


@st.cache_resource(max_entries=1, show_spinner=False)
def icon() -> Image.Image:
    """Draw the icon of the browser's tab: codes, and the star of a prototype."""
    sheet = Image.new("RGBA", (256, 256))
    pen = ImageDraw.Draw(sheet)
    for x, y, radius in ((60, 80, 26), (190, 60, 22), (70, 200, 22), (205, 195, 28)):
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=palette.CLASSES[0])
    turn = np.arange(10) * np.pi / 5 - np.pi / 2
    reach = np.where(np.arange(10) % 2, 30, 70)
    corners = np.stack([130 + reach * np.cos(turn), 130 + reach * np.sin(turn)], 1)
    pen.polygon([(float(x), float(y)) for x, y in corners], fill=palette.PROTOTYPE)
    return sheet


def preview(entry: Entry, dark: bool) -> bytes | None:
    """Return a card's picture, dark on light or light on dark as the theme is."""
    path = entry.folder / PREVIEW
    return _preview(str(path), path.stat().st_mtime_ns, dark) if path.is_file() else None


def originals(opened: Engine) -> DataSet | None:
    """Return the data set itself where it is at hand; None elsewhere."""
    return data_set(opened.checkpoint.config.data)


def data_set(config: DataConfig) -> DataSet | None:
    """Return a data set where it is at hand; None elsewhere."""
    return _data(config.model_dump_json(), str(settings.current().data), _load=config.load)


def _identity(opened: Engine) -> str:
    """Name a model's weights and what is known of them at present: a job may have found more."""
    digest = opened.checkpoint.hash
    places = (results_folder(digest), opened.checkpoint.folder)
    files = [place / name for place in places for name in (ATLAS, TRADEOFF, LIKELIHOOD)]
    times = (str(file.stat().st_mtime_ns) if file.is_file() else "" for file in files)
    return f"{digest} {' '.join(times)}"


def version(opened: Engine) -> str:
    """Return a short name of what is known of a model at present."""
    return f"{zlib.crc32(_identity(opened).encode()):08x}"


def _signature() -> tuple[tuple[str, int], ...]:
    chosen = settings.current()
    places = (chosen.checkpoints, chosen.user / "checkpoints", chosen.user / "results")
    files = (file for place in places if place.is_dir() for file in place.glob("*/*.[js]*"))
    return tuple(sorted((str(file), file.stat().st_mtime_ns) for file in files))


@st.cache_resource(max_entries=2, show_spinner=False)
def _entries(signature: tuple[tuple[str, int], ...]) -> list[Entry]:
    return catalogue()


@st.cache_resource(max_entries=ENGINES, show_spinner=False, on_release=lambda old: old.release())
def _engine(slug: str, digest: str, folder: str, device: str) -> Engine:
    from pathlib import Path

    return Engine(load(Path(folder)), device)


@st.cache_resource(max_entries=STRIPS, show_spinner=False)
def _strip(
    slug: str,
    digest: str,
    tiles: int,
    seed: int,
    component: int | None,
    levels: Levels,
    _engine: Engine,
) -> Strip:
    return scale_strip(_engine, tiles=tiles, seed=seed, component=component, levels=levels)


@st.cache_resource(max_entries=STRIPS, show_spinner=False)
def _levelled(
    slug: str, digest: str, code: bytes, level: str, tiles: int, seed: int, _engine: Engine
) -> Strip:
    z = np.frombuffer(code, "<f4").astype(np.float32)
    return level_strip(_engine, z, level, tiles=tiles, seed=seed)


@st.cache_resource(max_entries=STRIPS, show_spinner="Drawing pixel by pixel")
def _painted(
    slug: str,
    digest: str,
    tiles: int,
    scale: float,
    seed: int,
    component: int | None,
    levels: Levels,
    _engine: Engine,
) -> Strip:
    space = _engine.space
    z, _ = _engine.draw(tiles, levels.scale(space, scale), levels.seed(space, seed), component)
    return samples_strip(_engine.paint(z, seed), _engine.sketch, _engine.log_prior(z))


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _atlas(slug: str, digest: str, _engine: Engine) -> Atlas | None:
    return load_atlas(_engine.checkpoint)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _prototypes(slug: str, digest: str, _engine: Engine) -> Prototypes | None:
    return _engine.prototypes()


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _claims(slug: str, digest: str, _engine: Engine) -> np.ndarray | None:
    try:
        known = load_atlas(_engine.checkpoint)
    except CheckpointError:
        return None
    components = _engine.components()
    if known is None or components is None or len(components) < 2:
        return None
    return _engine.responsibilities(known.codes)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _snapshots(slug: str, digest: str, _engine: Engine) -> dict[str, np.ndarray]:
    try:
        kept = _engine.checkpoint.arrays(SNAPSHOTS)
    except CheckpointError:
        return {}
    inputs, epochs = kept.get("inputs"), kept.get("epochs")
    if inputs is None or epochs is None or inputs.shape[2:] != _engine.sketch.shape:
        return {}
    return {"inputs": inputs.astype(np.float32), "epochs": epochs}


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _plane(slug: str, digest: str, _engine: Engine) -> Plane | None:
    known = atlas(_engine)
    return None if known is None else regions.plane(_engine, known)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _traced(slug: str, digest: str, _engine: Engine) -> bytes | None:
    found = plane(_engine)
    if found is None:
        return None

    def flat(lines: list[np.ndarray]) -> list[list[float]]:
        return [[round(float(value), 4) for value in line.ravel()] for line in lines]

    how = "exact" if found.exact else "estimated"
    words = (
        f"Holes ({how} here): {100 * found.hole_mass:.1f} ± {100 * found.hole_error:.1f} % of "
        f"{found.samples:,} prior samples fall into them, and {100 * regions.RARE:.0f} % of codes "
        "drawn for held-out data"
    )
    facts = {
        "prior": [flat(lines) for lines in regions.contours(found.x, found.y, found.prior)],
        "aggregated": [
            flat(lines) for lines in regions.contours(found.x, found.y, found.aggregated)
        ],
        "outlines": flat(regions.outlines(found)),
        "holes": [[*(round(float(v), 4) for v in hole.xy), hole.mass] for hole in found.holes],
        "words": words,
        "exact": found.exact,
    }
    return json.dumps(facts).encode()


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _yardstick(slug: str, digest: str, _engine: Engine) -> Yardstick | None:
    known = atlas(_engine)
    if known is None or not (known.split == 0).any() or not (known.split == 2).any():
        return None
    return Yardstick(known.codes[known.split == 0], known.codes[known.split == 2])


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _drawn_density(slug: str, digest: str, _engine: Engine) -> np.ndarray:
    return _engine.log_prior(prior_codes(_engine))


@st.cache_resource(max_entries=2 * ENGINES, show_spinner=False)
def _held_out_density(slug: str, digest: str, means: bool, _engine: Engine) -> np.ndarray | None:
    known = atlas(_engine)
    if known is None or not _engine.has_prior:
        return None
    rows = known.split == SPLITS.index("test")
    if means:
        return known.log_prior[rows]
    if len(_engine.space.levels) > 1:  # below the top a code hangs on the code drawn above it
        try:
            return _engine.checkpoint.arrays(LIKELIHOOD).get("log_prior")
        except CheckpointError:
            return None
    eps = noise(int(rows.sum()), _engine.space.size, 0).numpy()
    return _engine.log_prior(known.codes[rows] + known.scale[rows] * eps)


@st.cache_resource(max_entries=STRIPS, show_spinner=False)
def _standing(
    slug: str,
    digest: str,
    tiles: int,
    seed: int,
    component: int | None,
    levels: Levels,
    _engine: Engine,
) -> Standing | None:
    measure = yardstick(_engine)
    if measure is None:
        return None
    shown = strip(_engine, tiles, seed, component, levels)
    flat = shown.samples.reshape(-1, *shown.samples.shape[2:])
    verdict = measure.judge(_engine.encode(flat).loc)
    form = shown.samples.shape[:2]
    usual = typicality(shown.log_density.ravel(), drawn_density(_engine))
    return Standing(
        verdict.percentile.reshape(form), usual.reshape(form), measure.held_out, measure.training
    )


@st.cache_resource(max_entries=4, show_spinner=False, on_release=lambda old: old.close())
def _store(path: str) -> Store:
    from pathlib import Path

    return Store(Path(path))


@st.cache_resource(max_entries=STRIPS, show_spinner=False)
def _worth(
    slug: str, digest: str, tiles: int, seed: int, component: int | None, levels: Levels,
    conditions: str, _engine: Engine,
) -> Measured:  # fmt: skip
    shown = strip(_engine, tiles, seed, component, levels).samples
    flat = shown.reshape(-1, *shown.shape[2:])
    return measure(flat, _engine.sketch, Conditions.model_validate_json(conditions))


@st.cache_resource(max_entries=32, show_spinner=False)
def _codes_worth(
    slug: str, digest: str, name: str, conditions: str, _engine: Engine, _z: np.ndarray
) -> Measured:
    known = Conditions.model_validate_json(conditions)
    return measure(_engine.decode(_z), _engine.sketch, known)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _usual_waviness(slug: str, digest: str, _engine: Engine) -> float | None:
    known = atlas(_engine)
    if known is None or not is_section(_engine.sketch):
        return None
    x = _engine.decode(known.codes[known.split == SPLITS.index("test")])
    found = SectionGeometry().measure(x, _engine.sketch, Conditions())["waviness"]
    return float(np.median(found))


@st.cache_resource(max_entries=32, show_spinner=False)
def _picks_worth(
    name: str, conditions: str, _x: np.ndarray, _sketch: PixelSketch | CurveSketch
) -> Measured:
    return measure(_x, _sketch, Conditions.model_validate_json(conditions))


@st.cache_resource(max_entries=STRIPS, show_spinner=False)
def _pool(slug: str, digest: str, conditions: str, _engine: Engine) -> Measured:
    samples = [_engine.sample(SHARE_SAMPLES, scale, 0).x for scale in SHARE_SCALES]
    known = Conditions.model_validate_json(conditions)
    return measure(np.concatenate(samples), _engine.sketch, known)


@st.cache_resource(max_entries=32, show_spinner=False)
def _tradeoff(slug: str, identity: str, _engine: Engine) -> Tradeoff | None:
    return read_tradeoff(_engine.checkpoint)


@st.cache_resource(max_entries=16, show_spinner=False)
def _surgery(slug: str, digest: str, _engine: Engine) -> Surgery | None:
    known = atlas(_engine)
    if known is None or not _engine.has_prior:
        return None
    rows = known.split == SPLITS.index("test")
    if rows.sum() < 2:
        return None
    prior, size = _engine.top
    loc, scale = (torch.from_numpy(part[rows, :size]) for part in (known.codes, known.scale))
    return elbo_surgery(Posterior(loc, scale), prior)


@st.cache_resource(max_entries=16, show_spinner=False)
def _unit_kl(slug: str, digest: str, _engine: Engine) -> np.ndarray | None:
    try:
        found = _engine.checkpoint.arrays(LIKELIHOOD).get("kl_per_unit")
    except CheckpointError:
        return None
    sound = found is not None and found.shape == (_engine.space.size,) and np.isfinite(found).all()
    return found if sound else None


@st.cache_resource(max_entries=128, show_spinner=False)
def _scored(
    slug: str, digest: str, name: str, samples: int, _engine: Engine, _x: np.ndarray
) -> Likelihood:
    return _engine.score(_x, samples)


@st.cache_resource(max_entries=32, show_spinner="Looking for a way along the prior")
def _path(
    slug: str,
    digest: str,
    ends: bytes,
    kind: PathKind,
    frames: int,
    closeness: float,
    _engine: Engine,
) -> np.ndarray:
    z = np.frombuffer(ends, "<f4").reshape(-1, _engine.space.size)
    if kind == "straight" or not _engine.has_prior:
        return paths.straight(z, frames)
    loc, scale = _engine.moments()
    if kind == "spherical":
        return paths.spherical(z, frames, loc, scale)
    known = atlas(_engine)
    anchors = None if known is None else known.codes[known.split == SPLITS.index("train")]
    device = _engine.device

    def log_prob(codes: torch.Tensor) -> torch.Tensor:
        return _engine.prior.log_prob(codes.to(device)).cpu()

    return paths.following(z, frames, log_prob, loc, scale, closeness=closeness, anchors=anchors)


@st.cache_resource(max_entries=32, show_spinner="Looking for the shortest way")
def _shortest(
    slug: str, digest: str, ends: bytes, frames: int, _engine: Engine
) -> tuple[np.ndarray, tuple[geodesics.Geodesic, ...]]:
    z = np.frombuffer(ends, "<f4").reshape(-1, _engine.space.size)
    # A copy of its own: double precision, and on the CPU, where small chains are quick.
    model = copy.deepcopy(_engine.checkpoint.model).to("cpu", torch.float64)
    scale = _engine.moments()[1] if _engine.has_prior else z.std(0) + 1e-3
    return geodesics.shortest(z, frames, geodesics.embedding(model), scale)


@st.cache_resource(max_entries=256, show_spinner=False)
def _preview(path: str, changed: int, dark: bool) -> bytes | None:
    try:
        with Image.open(path) as picture:
            grey = ImageOps.grayscale(picture)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    stream = io.BytesIO()
    (ImageOps.invert(grey) if dark else grey).save(stream, "PNG")
    return stream.getvalue()


@st.cache_resource(max_entries=2, show_spinner="Reading the data set")
def _data(config: str, root: str, _load: Callable[..., DataSet]) -> DataSet | None:
    try:
        return _load(settings.current().data)
    except DataError:
        return None
