"""Which checkpoints are of the same data, and how two of them differ on the same samples."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from pydantic import ValidationError
from scipy.special import stdtrit

from explorer.checkpoint import LIKELIHOOD, SCORES, Entry, Metric, read_arrays, results_folder
from explorer.errors import CheckpointError
from explorer.metrics.subject import REPEATS


class DataGroup(NamedTuple):
    """Checkpoints of one data set, and the words that tell it from the others."""

    key: str
    words: str
    entries: tuple[Entry, ...]


def data_groups(entries: Sequence[Entry]) -> dict[str, DataGroup]:
    """Group checkpoints by their data, in the order of the entries.

    Data are the same if their recipes are, up to the seed of the splits, or if the same samples
    are held out. The key is the kind where that says everything, else it ends with a hash.
    """
    keys: list[str] = []
    signs: list[set[str]] = []
    members: list[list[Entry]] = []
    for entry in entries:
        if entry.config is None:
            continue
        own = {_key(entry)} | ({entry.fingerprint.test.digest} if entry.fingerprint else set())
        kin = [place for place, known in enumerate(signs) if known & own]
        if not kin:
            keys.append(_key(entry))
            signs.append(own)
            members.append([entry])
            continue
        first, *others = kin
        signs[first] |= own
        members[first].append(entry)
        for place in reversed(others):  # this entry is what they have in common
            signs[first] |= signs.pop(place)
            members[first] += members.pop(place)
            keys.pop(place)
    words = [_words(found[0]) for found in members]
    return {
        key: DataGroup(key, f"{title} ({key[-4:]})" if words.count(title) > 1 else title,
                       tuple(found))
        for key, title, found in zip(keys, words, members, strict=True)
    }  # fmt: skip


def same_data(one: Entry, other: Entry) -> bool:
    """Return whether two checkpoints are of the same data set."""
    return one.data == other.data and len(data_groups([one, other])) == 1


_DRAWN = ("share", "samples", "squared", "on features")
"""How units begin of what is measured on a few draws of samples or codes."""


class Difference(NamedTuple):
    """Mean of one minus another, its standard error, and the number of samples.

    `paired` says whether it was taken sample by sample, over `n` common test samples; `freedom`
    is the error's degrees of freedom.
    """

    value: float
    error: float
    n: int
    paired: bool
    freedom: float

    @property
    def reach(self) -> float:
        """Half of the 95 % interval, by Student's t: few draws leave the error uncertain."""
        return float(stdtrit(self.freedom, 0.975)) * self.error

    @property
    def significant(self) -> bool:
        """Whether the 95 % interval leaves out no difference."""
        return bool(abs(self.value) > self.reach)


def difference(one: Entry, other: Entry, name: str) -> Difference | None:
    """Compare two models, sample by sample on the test samples they share, else by their errors.

    Models of different data are not compared, nor is a likelihood with a pseudo-likelihood.
    """
    if not same_data(one, other):
        return None
    if (one.pseudo or other.pseudo) and name in SCORES:
        return None
    a, b = arrays(one), arrays(other)
    rows = _shared(one, other, a, b)
    whole = all(len(found.get(name, ())) == len(found.get("rows", "?")) for found in (a, b))
    if rows is not None and whole and len(rows[0]) > 1:
        gap = a[name][rows[0]].astype(np.float64) - b[name][rows[1]].astype(np.float64)
        error = float(gap.std(ddof=1) / np.sqrt(len(gap)))
        return Difference(float(gap.mean()), error, len(gap), True, len(gap) - 1)
    first, second = one.metrics.get(name), other.metrics.get(name)
    if first is None or second is None or first.se is None or second.se is None:
        return None
    error = float(np.hypot(first.se, second.se))
    freedom = _freedom(first, second)
    return Difference(first.value - second.value, error, min(first.n, second.n), False, freedom)


def arrays(entry: Entry) -> dict[str, np.ndarray]:
    """Read the measurements per test sample and per unit; empty if there are none."""
    places = [entry.folder] if not entry.hash else [results_folder(entry.hash), entry.folder]
    for place in places:
        if (place / LIKELIHOOD).is_file():
            try:
                found = read_arrays(place / LIKELIHOOD)
            except CheckpointError:
                return {}
            return {name: value for name, value in found.items() if _sound(name, value)}
    return {}


def _freedom(first: Metric, second: Metric) -> float:
    """Return the degrees of freedom of the error of a difference.

    References:
        The generalization of Student's problem when several different population variances are
        involved (Welch, 1947).
    """
    parts = [(item.se or 0.0) ** 2 for item in (first, second)]
    own = [
        max(1, (REPEATS if item.unit.startswith(_DRAWN) else item.n) - 1)
        for item in (first, second)
    ]
    below = sum(part**2 / free for part, free in zip(parts, own, strict=True))
    return sum(parts) ** 2 / below if below > 0 else float(min(own))


def _words(entry: Entry) -> str:
    assert entry.config is not None
    return entry.config.data.words


def _key(entry: Entry) -> str:
    assert entry.config is not None
    data = entry.config.data
    try:
        if data == type(data)():
            return data.kind
    except ValidationError:  # a path is needed
        pass
    return f"{data.kind}-{hashlib.blake2b(data.identity.encode(), digest_size=4).hexdigest()}"


def _shared(
    one: Entry, other: Entry, a: dict[str, np.ndarray], b: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the places of the common test samples in the arrays of either."""
    if "rows" not in a or "rows" not in b:
        return None
    if _held_out(one, a) == _held_out(other, b) != "":
        return np.intersect1d(a["rows"], b["rows"], return_indices=True)[1:]
    if "ids" in a and "ids" in b and _treatment(one) == _treatment(other):
        return np.intersect1d(a["ids"], b["ids"], return_indices=True)[1:]
    return None


def _held_out(entry: Entry, found: dict[str, np.ndarray]) -> str:
    """Return what identifies the test split that was measured; empty if that is unknown."""
    if entry.config is not None and entry.config.data.fixed:
        return entry.config.data.model_dump_json()
    return str(found["test"]) if "test" in found else ""


def _treatment(entry: Entry) -> object:
    assert entry.config is not None
    sketch, data = entry.config.sketch, entry.config.data
    return sketch and sketch.shape, getattr(data, "binary", None), data.treated


def _sound(name: str, value: np.ndarray) -> bool:
    """Whether an array is usable; only the KL per unit may be NaN, as under a flow."""
    if name == "test":
        return value.ndim == 0 and value.dtype.kind == "U"
    return value.dtype.kind in "fiu" and (
        name in ("kl_per_unit", "log_prior") or bool(np.isfinite(value).all())
    )
