"""Which training data is a sample compared with? Codes of the whole split, in a few bits each."""

import io
import zipfile
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, Real
from pydantic import TypeAdapter, ValidationError

from explorer.checkpoint import REFERENCE, Checkpoint, Metric, Metrics
from explorer.data import DataSet
from explorer.data.dataset import SplitData
from explorer.errors import CheckpointError
from explorer.inference import Engine
from explorer.interfaces import joined, noise
from explorer.metrics.draws import is_binary
from explorer.metrics.novelty import COPIED, FAR, Axes, NoveltyReference

VERSION = 1
MOST_TRAINING, MOST_HELD_OUT = 100_000, 3000
"""Largest number of training codes, and of held-out distances."""

SEQUENTIAL_HELD_OUT = 256
"""Held-out samples for an autoregressive decoder, which takes seconds for each hundred."""

KEPT = 0.95
"""Fraction of the training samples found as copies at full precision that must still be found."""

_STEPS = tuple(round(0.05 * step, 2) for step in range(1, 33))
"""Steps tried, in units of the distance below which a sample is nearly a copy."""

_FEWEST = 100
_BLOCK = 2000
_RATES = TypeAdapter(Metrics)


class Reference(NamedTuple):
    """What samples of a model are compared with.

    A training code is the code of its reconstruction: the sample is encoded, its mean code
    decoded, and the result encoded again, as it is done with a sample that is judged
    (`reconstructed`; with an autoregressive decoder it is the mean code itself).

    `codes` are whole multiples of `step` on `axes`; `ids` are the numbers of the training
    samples, empty for the whole split in its order; `total` is the size of that split and
    `split` its fingerprint. `usual` are the sorted distances of held-out samples. `rates` say
    how often the rule errs, and how often it finds a copy.
    """

    axes: Axes
    codes: Int[np.ndarray, "training parts"]
    step: float
    ids: Int[np.ndarray, " ids"]
    total: int
    split: str
    usual: Real[np.ndarray, " others"]
    rates: Metrics
    reconstructed: bool

    def measure(self) -> NoveltyReference:
        """Return the distances to these codes."""
        known = self.codes * np.float32(self.step)
        return NoveltyReference.stored(self.axes, known, self.usual, self.total)

    def originals(
        self, data: DataSet, split: str, rows: Int[np.ndarray, " rows"]
    ) -> list[Float[np.ndarray, "*sample"] | None]:
        """Find the training samples of some rows, None for each that is no longer there.

        Args:
            data: The data set as it is now.
            split: The fingerprint of its training split.
            rows: Rows of `codes`.
        """
        if data.numbered_by_content:
            found = [data.train.find(int(number)) for number in self.ids[rows]]
        elif split == self.split:
            at = self.ids[rows] if len(self.ids) else None
            found = rows.tolist() if at is None else [data.train.find(int(n)) for n in at]
        else:
            found = [None] * len(rows)
        return [None if row is None else data.train.x[row] for row in found]


def build_reference(
    opened: Checkpoint,
    data: DataSet,
    *,
    seed: int = 0,
    report: Callable[[str], None] = lambda stage: None,
) -> Reference | None:
    """Encode the training split, and find the fewest bits that still tell a copy.

    Codes are divided by the posterior's standard deviation, rotated to their principal
    components and rounded to multiples of one step, the coarsest at which at least 95 % of the
    copies that are found without rounding are found.

    Args:
        opened: The checkpoint.
        data: Its data set.
        seed: Seed of all choices and draws.
        report: Called with the name of each stage.

    Returns:
        The reference, with rates measured on samples it was not built from; None for a model
        without a prior, with too few data, or whose training samples all look alike.
    """
    if opened.prior is None or len(data.train) < 2 or not len(data.test):
        return None
    engine = Engine(opened, "cpu")
    generator = np.random.default_rng(seed)
    chosen = np.sort(generator.permutation(len(data.train))[:MOST_TRAINING])
    rows = data.train.take(chosen)
    report("encoding the training split")
    x = _pictures(rows, data.dynamic, generator)
    q = engine.encode(x)
    spread = np.zeros_like(q.loc) if q.scale is None else q.scale
    report("reconstructing it")
    seen = q.loc if engine.sequential else passed(engine, q.loc)
    most = SEQUENTIAL_HELD_OUT if engine.sequential else MOST_HELD_OUT
    order = generator.permutation(len(data.test))
    usual, fresh = data.test.take(order[:most]), data.test.take(order[most : 2 * most])
    if len(fresh) < min(_FEWEST, len(data.valid)):
        fresh = data.valid.take(generator.permutation(len(data.valid))[:most])
    report("held-out samples")
    held_out = passed(engine, drawn_codes(engine, usual.x, seed))
    some = generator.permutation(len(x))[:most]
    copies = passed(engine, q.loc[some]) if engine.sequential else seen[some]
    report("rounding")
    scale = np.sqrt((spread.astype(np.float64) ** 2).mean(0)).astype(np.float32)
    if not Axes.of(seen, scale).directions.shape[1]:
        return None
    axes, codes, step = _rounded(seen, scale, held_out, copies)
    found = Reference(
        axes=axes,
        codes=codes,
        step=step,
        ids=rows.ids.astype(np.int64)
        if data.numbered_by_content or len(chosen) < len(data.train)
        else np.empty(0, np.int64),
        total=len(data.train),
        split=opened.config.data.fingerprint(data).train.digest,
        usual=np.empty(0, np.float32),
        rates={},
        reconstructed=not engine.sequential,
    )
    found = found._replace(usual=_distances(found, held_out))
    report("rates")
    rule = found.measure()
    judged = {
        "held_out": (rule, passed(engine, drawn_codes(engine, fresh.x, seed + 1)), seed + 1),
        "training": (rule, copies, seed),
        "training_drawn": (rule, passed(engine, drawn_codes(engine, x[some], seed + 2)), seed + 2),
        "noise": (rule, engine.encode(_noise(x, min(most, 1000), generator)).loc, seed),
    }
    rates: Metrics = {}
    for name, (measure, given, drawn_with) in judged.items():
        if not len(given):
            continue
        percentile = measure.judge(given).percentile
        rates[f"{name}_copied"] = _share(percentile < COPIED, drawn_with)
        rates[f"{name}_far"] = _share(percentile > FAR, drawn_with)
    return found._replace(rates=rates)


def passed(
    engine: Engine, codes: Float[np.ndarray, "codes latent"]
) -> Float[np.ndarray, "codes latent"]:
    """Decode codes and encode the results: what is seen of a sample once it is a picture."""
    blocks = [
        engine.encode(engine.decode(codes[start : start + _BLOCK])).loc
        for start in range(0, len(codes), _BLOCK)
    ]
    return np.concatenate(blocks) if blocks else codes


def drawn_codes(
    engine: Engine, x: Float[np.ndarray, "batch *sample"], seed: int
) -> Float[np.ndarray, "batch latent"]:
    """Draw one code of each sample from its posterior, level by level."""
    model, eps = engine.checkpoint.model, noise(len(x), engine.space.size, seed)
    with torch.inference_mode():
        blocks = [
            joined(
                model.posterior(torch.from_numpy(x[start : start + _BLOCK])).walk(
                    eps[start : start + _BLOCK]
                )
            ).numpy()
            for start in range(0, len(x), _BLOCK)
        ]
    return np.concatenate(blocks) if blocks else np.empty((0, engine.space.size), np.float32)


def save_reference(found: Reference, digest: str) -> bytes:
    """Serialise a reference as an npz file of compressed members.

    Args:
        found: The reference.
        digest: Hash of the weights.
    """
    arrays = {
        "version": np.array(VERSION),
        "hash": np.array(digest),
        **found.axes._asdict(),
        # Part by part: neighbours in the file share a distribution.
        "codes": np.ascontiguousarray(found.codes.T),
        "step": np.array(found.step, np.float32),
        "ids": found.ids,
        "total": np.array(found.total),
        "split": np.array(found.split),
        "usual": found.usual,
        "rates": np.array(_RATES.dump_json(found.rates, exclude_none=True).decode()),
        "reconstructed": np.array(found.reconstructed),
    }
    stream = io.BytesIO()
    # Its range coder packs codes of a few levels a tenth smaller than zlib.
    with zipfile.ZipFile(stream, "w") as archive:
        for name, value in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(value), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_LZMA)
    return stream.getvalue()


def load_reference(opened: Checkpoint) -> Reference | None:
    """Read the reference of a checkpoint; None if there is none for exactly these weights.

    Raises:
        CheckpointError: If the file is damaged or not a reference.
    """
    arrays = opened.arrays(REFERENCE)
    return _checked(arrays, opened) if arrays else None


def _checked(arrays: dict[str, np.ndarray], opened: Checkpoint) -> Reference | None:
    again = f"rebuild it with `latent-explorer project {opened.slug}`."
    version = arrays.get("version")
    current = version is not None and version.shape == () and version.tolist() == VERSION
    names = {*Axes._fields, *Reference._fields, "hash"} - {"axes"}
    if names - arrays.keys() or not current:
        raise CheckpointError(f"{REFERENCE} has a different version; {again}")
    if str(arrays["hash"]) != opened.hash:
        return None
    latent = opened.model.space.size
    codes, ids, usual = arrays["codes"], arrays["ids"], arrays["usual"]
    parts, n = codes.shape if codes.ndim == 2 else (-1, -1)
    shapes = {
        "centre": (latent,), "scale": (latent,), "directions": (latent, parts), "step": (),
        "total": (), "reconstructed": (), "rates": (), "split": (), "usual": (usual.size,),
        "ids": (0,) if ids.size == 0 else (n,),
    }  # fmt: skip
    kinds = {"codes": "i", "ids": "iu", "total": "iu", "reconstructed": "b", "rates": "U"}
    kinds |= {"split": "U"} | dict.fromkeys(
        ("centre", "scale", "directions", "step", "usual"), "f"
    )
    wrong = [name for name, shape in shapes.items() if arrays[name].shape != shape]
    wrong += [name for name, kind in kinds.items() if arrays[name].dtype.kind not in kind]
    wrong += [
        name
        for name, kind in kinds.items()
        if kind == "f" and name not in wrong and not np.isfinite(arrays[name]).all()
    ]
    if not 0 < parts <= latent or not 0 < n <= MOST_TRAINING:
        wrong.append("codes")
    if not wrong:
        total = int(arrays["total"])
        wrong += ["total"] * (total < n or (not ids.size and total != n))
        wrong += ["scale"] * bool((arrays["scale"] <= 0).any() or arrays["step"] <= 0)
        sound = 0 < usual.size <= MOST_HELD_OUT and (np.diff(usual) >= 0).all() and usual[0] >= 0
        wrong += ["usual"] * (not sound)
    try:
        rates = _RATES.validate_json(str(arrays["rates"]))
    except ValidationError:
        wrong.append("rates")
    if wrong:
        raise CheckpointError(f"{REFERENCE} is damaged ({wrong[0]}); {again}")
    return Reference(
        axes=Axes(*(arrays[name].astype(np.float32) for name in Axes._fields)),
        codes=codes.T,
        step=float(arrays["step"]),
        ids=ids,
        total=total,
        split=str(arrays["split"]),
        usual=usual.astype(np.float32),
        rates=rates,
        reconstructed=bool(arrays["reconstructed"]),
    )


def _rounded(
    seen: Float[np.ndarray, "training latent"],
    scale: Float[np.ndarray, " latent"],
    held_out: Float[np.ndarray, "others latent"],
    copies: Float[np.ndarray, "copies latent"],
) -> tuple[Axes, Int[np.ndarray, "training parts"], float]:
    """Find the axes and the step of the stored codes."""
    units = Axes.of(seen, scale)
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(units.project(seen).T)))
    values, vectors = values[::-1], (units.directions @ vectors[:, ::-1]).astype(np.float32)
    axes = units._replace(directions=vectors)
    known = axes.project(seen)

    def found(axes: Axes, known: Float[np.ndarray, "training parts"]) -> tuple[float, float]:
        exact = NoveltyReference.stored(axes, known, np.empty(0), len(known))
        near = float(np.percentile(exact.judge(held_out).distance, COPIED))
        return near, float((exact.judge(copies).distance < near).mean())

    near, whole = found(axes, known)
    # Of as many codes as fit into 16 bits; where held-out codes lie on training codes too.
    least = float(np.abs(known).max()) / np.iinfo(np.int16).max
    near = max(near, least)

    def rounded(share: float) -> tuple[Axes, Int[np.ndarray, "training parts"], np.float32]:
        step = np.float32(max(share * near, least))
        # A part that varies by less than rounding moves it says nothing of a copy.
        parts = max(1, int((values > step**2 / 6).sum()))
        codes = np.rint(known[:, :parts] / step).astype(np.int16)
        return axes._replace(directions=vectors[:, :parts]), codes, step

    fine, coarse = 0, len(_STEPS)
    while coarse - fine > 1:
        middle = (fine + coarse) // 2
        few, codes, step = rounded(_STEPS[middle])
        enough = found(few, codes * step)[1] >= KEPT * whole
        fine, coarse = (middle, coarse) if enough else (fine, middle)
    few, codes, step = rounded(_STEPS[fine])
    if np.abs(codes).max() <= np.iinfo(np.int8).max:
        codes = codes.astype(np.int8)
    return few, codes, float(step)


def _distances(
    reference: Reference, codes: Float[np.ndarray, "codes latent"]
) -> Real[np.ndarray, " codes"]:
    """Return the sorted distances of codes, in half precision where they fit."""
    distance = np.sort(reference.measure().judge(codes).distance).astype(np.float32)
    with np.errstate(over="ignore"):  # checked below
        small = distance.astype(np.float16)
    return small if np.isfinite(small).all() and (small > 0).all() else distance


def _share(which: np.ndarray, seed: int) -> Metric:
    n = len(which)
    p = float(which.mean())
    return Metric(value=p, se=(p * (1 - p) / n) ** 0.5, n=n, seed=seed, unit="share")


def _pictures(
    rows: SplitData, dynamic: bool, generator: np.random.Generator
) -> Float[np.ndarray, "rows *sample"]:
    """Return samples as the model is trained on them."""
    if not dynamic:
        return rows.x
    return (generator.random(rows.x.shape, np.float32) < rows.x).astype(np.float32)


def _noise(
    x: Float[np.ndarray, "samples *sample"], n: int, generator: np.random.Generator
) -> Float[np.ndarray, "n *sample"]:
    """Draw white noise: of pixels uniform, or 0 and 1 if the data are; of curves by coordinate."""
    if x.ndim > 2:  # channels, height, width
        drawn = generator.random((n, *x.shape[1:]), np.float32)
        return np.rint(drawn) if is_binary(x) else drawn
    rows = generator.integers(len(x), size=(n, *x.shape[1:]))
    return np.take_along_axis(x, rows, axis=0)
