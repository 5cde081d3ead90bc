"""The atlas of a checkpoint: a 2-D map of data codes, prior samples and prototypes."""

import io
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped, UInt8
from pydantic import ValidationError

from explorer.checkpoint import ATLAS, Checkpoint
from explorer.data import DataSet, Fingerprint
from explorer.errors import CheckpointError
from explorer.inference import Engine
from explorer.interfaces import joined, noise

VERSION = 2
MOST_CODES = 10_000
PER_SPLIT, MOST_NUMBERS = 3000, 80_000
"""Largest number of codes per split in an atlas, and of values in them."""
PRIOR_SAMPLES = 1000
NEIGHBOURS = 15
Metric = Literal["euclidean", "cosine", "whitened"]
_ROWS = 512
_REACHED = 1000
_FEWEST = 3
"""Fewest points that UMAP can project."""
_OPTIONAL = ("names", "fingerprint")
"""Fields that atlases of before fingerprints lack, and fixed data sets' names."""


class Split(IntEnum):
    """The split a code belongs to, as an atlas stores it."""

    TRAIN = 0
    VALID = 1
    TEST = 2

    @property
    def label(self) -> str:
        """Its name in a data set."""
        return self.name.lower()


class Atlas(NamedTuple):
    """Codes of data with their map positions, and those of prior samples and prototypes.

    `codes` and `scale` are mean and scale of q(z|x); a plain autoencoder has scale 0. `split`
    holds values of `Split`, `ids` the numbers of samples in the data set that `fingerprint`
    identifies, `names` their names, if any; `label` is -1 where unknown. `kl` and
    `reconstruction` are nats per sample (without a likelihood the
    latter is the squared error); `log_prior` is log p(z) at the posterior mean;
    `trust` is the fraction of a code's 15 nearest codes that are among its 15 nearest on the map.
    """

    method: str
    codes: Float[np.ndarray, "codes latent"]
    scale: Float[np.ndarray, "codes latent"]
    xy: Float[np.ndarray, "codes 2"]
    trust: Float[np.ndarray, " codes"]
    split: UInt8[np.ndarray, " codes"]
    ids: Int[np.ndarray, " codes"]
    label: Int[np.ndarray, " codes"]
    kl: Float[np.ndarray, " codes"]
    reconstruction: Float[np.ndarray, " codes"]
    log_prior: Float[np.ndarray, " codes"]
    sample_xy: Float[np.ndarray, "samples 2"]
    prototype_xy: Float[np.ndarray, "components 2"]
    classes: tuple[str, ...]
    hash: str
    names: Shaped[np.ndarray, " codes"] | None = None
    fingerprint: Fingerprint | None = None


def build_atlas(
    opened: Checkpoint,
    data: DataSet,
    *,
    seed: int = 0,
    report: Callable[[str], None] = lambda stage: None,
) -> Atlas:
    """Encode data, and project codes, prior samples and prototypes together.

    A two-dimensional latent space is its own map. Otherwise UMAP projects all of them in one
    embedding, so that the three layers share one plane.

    Args:
        opened: The checkpoint.
        data: Its data set; at most 3,000 training and 3,000 test codes are drawn at random.
        seed: Seed of the selection, the samples and the projection.
        report: Called with the name of each stage.

    References:
        UMAP (McInnes et al., 2018). https://arxiv.org/abs/1802.03426
    """
    report("encoding")
    engine = Engine(opened, "cpu")
    each = min(PER_SPLIT, MOST_NUMBERS // engine.space.size)
    x, split, ids, label, names = _choose(data, each, seed)
    q = engine.encode(x)
    kl, reconstruction = _terms(engine, x, seed)
    points = [q.loc]
    prototypes = None
    if engine.has_prior:
        points.append(engine.draw(PRIOR_SAMPLES, seed=seed)[0])
        prototypes = engine.components()
        if prototypes is not None:
            points.append(prototypes.loc.cpu().numpy())
    everything = np.concatenate(points)
    method = "plane" if everything.shape[1] == 2 else "umap"
    report("latent plane" if method == "plane" else "UMAP")
    plane = everything if method == "plane" else _umap(everything, seed)
    parts = np.split(plane.astype(np.float32), np.cumsum([len(part) for part in points])[:-1])
    parts += [np.empty((0, 2), np.float32)] * (3 - len(parts))
    report("trust")
    return Atlas(
        method=method,
        codes=q.loc,
        scale=np.zeros_like(q.loc) if q.scale is None else q.scale,
        xy=parts[0],
        trust=_trust(q.loc, parts[0]),
        split=split,
        ids=ids,
        label=label,
        kl=kl,
        reconstruction=reconstruction,
        log_prior=engine.heights(q.loc),
        sample_xy=parts[1],
        prototype_xy=parts[2],
        classes=data.classes,
        hash=opened.hash,
        names=names,
        fingerprint=opened.config.data.fingerprint(data),
    )


def save_atlas(atlas: Atlas) -> bytes:
    """Serialise an atlas as an npz file, codes in half precision."""
    arrays = atlas._asdict()
    arrays["codes"] = atlas.codes.astype(np.float16)
    arrays["scale"] = atlas.scale.astype(np.float16)
    arrays["classes"] = np.array(atlas.classes, np.str_) if atlas.classes else np.empty(0, "<U1")
    for name in ("trust", "kl", "reconstruction", "log_prior"):
        arrays[name] = arrays[name].astype(np.float16)
    for name in _OPTIONAL:
        if arrays[name] is None:
            del arrays[name]
    if atlas.fingerprint is not None:
        arrays["fingerprint"] = np.array(atlas.fingerprint.model_dump_json())
    stream = io.BytesIO()
    np.savez_compressed(stream, version=VERSION, **arrays)
    return stream.getvalue()


def load_atlas(opened: Checkpoint) -> Atlas | None:
    """Read the atlas of a checkpoint; None if there is none for exactly these weights.

    Raises:
        CheckpointError: If the file is damaged or not an atlas.
    """
    arrays = opened.arrays(ATLAS)
    return _checked(arrays, opened) if arrays else None


def rows_of(
    atlas: Atlas, split: Split, most: int | None = None, seed: int = 0
) -> Int[np.ndarray, " rows"]:
    """Choose rows of a split at random, in ascending order; all of them without `most`.

    Rows of an atlas keep the order of their source, which may go by class: its first ones are
    no sample of it.
    """
    rows = np.flatnonzero(atlas.split == split)
    return np.sort(np.random.default_rng(seed).permutation(rows)[:most])


def prior_codes(engine: Engine, seed: int = 0) -> Float[np.ndarray, "samples latent"]:
    """Return the codes of the atlas's prior samples, which are stored only as a seed."""
    return engine.draw(PRIOR_SAMPLES, seed=seed)[0]


def codes_drawn(
    atlas: Atlas, rows: Int[np.ndarray, " rows"], seed: int = 0
) -> Float[np.ndarray, "rows latent"]:
    """Draw one code from the posterior of each of the given rows.

    In a hierarchy the bottom is drawn as if the top were at its mean.
    """
    eps = noise(len(rows), atlas.codes.shape[1], seed).numpy()
    return (atlas.codes[rows] + atlas.scale[rows] * eps).astype(np.float32)


def nearest(
    codes: Float[np.ndarray, "codes latent"],
    z: Float[np.ndarray, " latent"],
    k: int,
    metric: Metric = "euclidean",
) -> tuple[Int[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Return the k codes nearest to z, nearest first, and the distances.

    Args:
        codes: Codes of data.
        z: One code.
        k: Number of codes.
        metric: Euclidean; cosine (one minus the cosine, about the codes' mean); or whitened,
            with each unit divided by its standard deviation over the codes.
    """
    if metric == "cosine":
        centre = codes.mean(0)
        a, b = codes - centre, z - centre
        norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b)
        distance = 1 - (a @ b) / np.maximum(norms, 1e-12)
    else:
        unit = np.maximum(codes.std(0), 1e-6) if metric == "whitened" else 1.0
        distance = np.linalg.norm((codes - z) / unit, axis=1)
    order = np.argsort(distance, kind="stable")[:k]
    return order, distance[order]


def place(
    codes: Float[np.ndarray, "codes latent"],
    xy: Float[np.ndarray, "codes 2"],
    z: Float[np.ndarray, "placed latent"],
) -> Float[np.ndarray, "placed 2"]:
    """Place new codes on a map by their nearest neighbours, without the projection.

    The position is the geometric median of the map positions of the 15 nearest codes. Between two
    clusters it falls into the one with more of them, where a mean would fall into the gap.

    Args:
        codes: Codes of the map.
        xy: Their map positions.
        z: New codes.

    References:
        On the point for which the sum of the distances to n given points is minimum (Weiszfeld,
        1937), for the iteration.
    """
    k = min(NEIGHBOURS, len(codes))
    centre = codes.mean(0)  # squares are expanded below, and would cancel far from the origin
    known = torch.from_numpy(np.ascontiguousarray(codes - centre, np.float32))
    wanted = torch.from_numpy(np.ascontiguousarray(z - centre, np.float32))
    square = known.pow(2).sum(1)
    # torch's partial sort takes a seventh of numpy's time here.
    near = [
        torch.addmm(square, rows, known.T, alpha=-2).topk(k, 1, largest=False, sorted=False)[1]
        for rows in wanted.split(_ROWS)
    ]
    chosen = torch.cat(near).numpy() if near else np.empty((0, k), np.int64)
    return geometric_median(xy[chosen].astype(np.float64)).astype(np.float32)


def positions(
    atlas: Atlas, codes: Float[np.ndarray, "codes latent"]
) -> Float[np.ndarray, "codes 2"]:
    """Place codes on an atlas: on the plane of a two-dimensional latent space they stay."""
    if atlas.method == "plane":
        return codes.astype(np.float32)
    return place(atlas.codes, atlas.xy, codes)


def geometric_median(
    points: Float[np.ndarray, "sets points 2"], iterations: int = 120
) -> Float[np.ndarray, "sets 2"]:
    """Find for each set the point with the least sum of distances to its members."""
    plane = points[..., 0] + 1j * points[..., 1]
    centre = np.median(points[..., 0], axis=1) + 1j * np.median(points[..., 1], axis=1)
    reach = np.abs(plane - centre[:, None]).max(1, initial=0)
    going = np.arange(len(points))
    for _ in range(iterations):
        # Each set converges by itself, so that a position does not depend on the others.
        members, here, far = plane[going], centre[going], reach[going]
        weight = 1 / np.maximum(np.abs(members - here[:, None]), 1e-3 * far[:, None] + 1e-12)
        moved = (weight * members).sum(1) / weight.sum(1)
        centre[going] = moved
        going = going[np.abs(moved - here) > 1e-5 * far + 1e-12]
        if not len(going):
            break
    return np.stack([centre.real, centre.imag], 1)


def lift(
    codes: Float[np.ndarray, "codes latent"],
    xy: Float[np.ndarray, "codes 2"],
    places: Float[np.ndarray, "places 2"],
) -> Float[np.ndarray, "places latent"]:
    """Estimate the codes of map positions: the distance-weighted mean of the nearest codes.

    On the plane of a two-dimensional latent space a position is its code.
    """
    if codes.shape[1] == 2 and np.array_equal(codes, xy):
        return places.astype(np.float32)
    k = min(NEIGHBOURS, len(codes))
    away = np.linalg.norm(xy[None] - places[:, None], axis=2)
    near = np.argpartition(away, k - 1, axis=1)[:, :k]
    distance = np.take_along_axis(away, near, 1)
    width = np.maximum(np.median(distance, axis=1, keepdims=True), 1e-9)
    weight = np.exp(-0.5 * (distance / width) ** 2)
    weight /= weight.sum(1, keepdims=True)
    return np.einsum("pk,pkl->pl", weight, codes[near]).astype(np.float32)


def reach(xy: Float[np.ndarray, "codes 2"], seed: int = 0) -> float:
    """Return how near to a code a place of the map has to be for codes to be found there.

    It is the distance within which 99 % of the codes have 15 others, by 1,000 of them at random:
    farther out a mean of the 15 nearest codes says nothing of the place.
    """
    if len(xy) < 2:
        return 0.0
    rows = np.sort(np.random.default_rng(seed).permutation(len(xy))[:_REACHED])
    k = min(NEIGHBOURS + 1, len(xy))  # the nearest is the code itself
    points = torch.from_numpy(np.ascontiguousarray(xy, np.float32))
    away = torch.cdist(points[torch.from_numpy(rows)], points)
    return float(np.percentile(away.kthvalue(k, 1)[0].numpy(), 99))


def _checked(arrays: dict[str, np.ndarray], opened: Checkpoint) -> Atlas | None:
    version = arrays.get("version")
    current = version is not None and version.shape == () and version.tolist() == VERSION
    if set(Atlas._fields) - set(_OPTIONAL) - arrays.keys() or not current:
        raise CheckpointError(
            f"{ATLAS} has a different version; rebuild it with `latent-explorer project "
            f"{opened.slug}`."
        )
    if str(arrays["hash"]) != opened.hash:
        return None
    n = arrays["codes"].shape[0] if arrays["codes"].ndim else -1
    latent = opened.model.space.size
    shapes: dict[str, tuple[int, ...]] = {
        "codes": (n, latent),
        "scale": (n, latent),
        "xy": (n, 2),
    }
    per_code = ("trust", "split", "ids", "label", "kl", "reconstruction", "log_prior")
    shapes |= {name: (n,) for name in per_code}
    wrong = [name for name, shape in shapes.items() if arrays[name].shape != shape]
    wrong += [name for name in ("sample_xy", "prototype_xy") if arrays[name].shape[1:] != (2,)]
    for name in (*shapes, "sample_xy", "prototype_xy"):
        kinds = "iu" if name in ("split", "ids", "label") else "f"
        if arrays[name].dtype.kind not in kinds or not np.isfinite(arrays[name]).all():
            wrong.append(name)
    if arrays["classes"].ndim != 1:
        wrong.append("classes")
    if "names" in arrays and (arrays["names"].shape != (n,) or arrays["names"].dtype.kind != "U"):
        wrong.append("names")
    if not wrong and (arrays["split"] >= len(Split)).any():
        wrong.append("split")
    if not wrong and len(arrays["classes"]) and (arrays["label"] >= len(arrays["classes"])).any():
        wrong.append("label")
    if not wrong and (arrays["scale"] < 0).any():
        wrong.append("scale")
    if wrong or n > MOST_CODES:
        raise CheckpointError(
            f"{ATLAS} is damaged ({wrong[0] if wrong else 'too many codes'}); rebuild it."
        )
    fields: dict[str, Any] = {
        name: value.astype(np.float32) if value.dtype == np.float16 else value
        for name, value in arrays.items()
        if name in Atlas._fields
    }
    if str(arrays["method"]) == "plane":
        fields["codes"] = fields["xy"]  # a position is its code, beyond half precision
    fields["classes"] = tuple(str(name) for name in arrays["classes"])
    if "fingerprint" in arrays:
        try:
            fields["fingerprint"] = Fingerprint.model_validate_json(str(arrays["fingerprint"]))
        except ValidationError as error:
            raise CheckpointError(f"{ATLAS} is damaged (fingerprint); rebuild it.") from error
    return Atlas(**fields | {"method": str(arrays["method"]), "hash": str(arrays["hash"])})


def _choose(
    data: DataSet, each: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    generator = np.random.default_rng(seed)
    xs, splits, ids, labels, names = [], [], [], [], list[np.ndarray]()
    for name in ("train", "test"):
        rows = data.split(name)
        chosen = np.sort(generator.permutation(len(rows))[:each])
        part = rows.take(chosen)
        pictures = part.x
        if data.dynamic and name == "train":
            pictures = (generator.random(pictures.shape, np.float32) < pictures).astype(np.float32)
        xs.append(pictures)
        splits.append(np.full(len(chosen), Split[name.upper()], np.uint8))
        ids.append(part.ids.astype(np.int64 if data.numbered_by_content else np.int32))
        names += [] if part.names is None else [part.names]
        labels.append(np.full(len(chosen), -1) if part.labels is None else part.labels)
    return (
        np.concatenate(xs),
        np.concatenate(splits),
        np.concatenate(ids),
        np.concatenate(labels).astype(np.int16),
        np.concatenate(names) if names else None,
    )


def _terms(engine: Engine, x: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return KL (one code each) and -log p(x|z) at the posterior mean, in nats.

    Where there is no likelihood, the second is the squared error.
    """
    model, kls, errors = engine.checkpoint.model, [], []
    eps = noise(len(x), engine.space.size, seed)
    with torch.inference_mode():
        for start in range(0, len(x), 2000):
            rows = torch.from_numpy(x[start : start + 2000])
            q = model.posterior(rows)
            errors.append(-model.likelihood(q.flat().loc).log_prob(rows))
            if not (engine.has_density and q.scale is not None):
                kls.append(torch.zeros(len(rows)))
                continue
            draws = q.walk(eps[start : start + 2000])
            log_q = torch.stack([drawn.log_prob() for drawn in draws]).sum(0)
            kls.append(log_q - engine.prior.log_prob(joined(draws)))
    return torch.cat(kls).numpy(), torch.cat(errors).numpy()


def _umap(points: np.ndarray, seed: int) -> np.ndarray:
    n = len(points)
    if n < _FEWEST:
        return np.eye(n, 2, dtype=np.float32)  # any two distances are alike

    import umap

    return umap.UMAP(
        n_neighbors=min(NEIGHBOURS, n - 1),
        min_dist=0.1,
        # The spectral layout needs more points than it has dimensions.
        init="spectral" if n > NEIGHBOURS else "random",
        random_state=seed,
        n_jobs=1,
        low_memory=True,
    ).fit_transform(points)


def _trust(codes: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Fraction of the nearest neighbours in latent space that the map preserves."""
    from sklearn.neighbors import NearestNeighbors

    k = min(NEIGHBOURS, len(codes) - 1)
    own = NearestNeighbors(n_neighbors=k).fit(codes).kneighbors(return_distance=False)
    shown = NearestNeighbors(n_neighbors=k).fit(xy).kneighbors(return_distance=False)
    return np.array(
        [len(np.intersect1d(a, b)) / k for a, b in zip(own, shown, strict=True)], np.float32
    )
