"""Networks that were installed as properties: added, listed and removed in the user's folder."""

import hashlib
import shutil
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from explorer import settings
from explorer.checkpoint import write
from explorer.config import first_problem, one_line
from explorer.designs.asked import Asked, Description
from explorer.errors import CheckpointError, DesignError, ExplorerError
from explorer.runtime import verdicts

FOLDER = "properties"
DESCRIPTION = "property.json"
MOST_INSTALLED = 32
MOST_BYTES = 100_000_000
_MOST_DESCRIBED = 200_000
_PICKLED = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".bin", ".joblib", ".h5", ".keras")
_EXAMPLE = (
    '{"key": "digit", "label": "Digit", "kind": "classifier", "shape": [1, 28, 28], '
    '"softmax": true, "outputs": [{"key": "digit_0", "label": "0"}, ...]}'
)


class Installed(NamedTuple):
    """An installed network: its family of properties, or in one sentence why it is off."""

    key: str
    description: Description | None
    family: Asked | None
    reason: str
    digest: str


class _Signature(NamedTuple):
    """By which a folder is known not to have changed."""

    files: tuple[tuple[int, int, int], ...]


_LOCK = threading.Lock()
_KNOWN: dict[Path, tuple[_Signature, Installed]] = {}


def folder() -> Path:
    """Return where networks are installed."""
    return settings.current().user / FOLDER


def listed(taken: Collection[str] = ()) -> tuple[Installed, ...]:
    """List the installed networks by key; none is run that has not passed its probe.

    What has not been probed under this runtime yet is, in the background, and is off until then.

    Args:
        taken: Keys that others have.
    """
    place = folder()
    try:
        names = sorted(item.name for item in place.iterdir() if not item.name.startswith("."))
    except OSError:
        return ()
    found: list[Installed] = []
    held = set(taken)
    for name in names[:MOST_INSTALLED]:
        item = _remembered(place / name)
        if item.description is not None and (twice := held & {*item.description.keys}):
            why = f"The key “{min(twice)}” is taken; rename it in its JSON and add it again."
            item = item._replace(family=None, reason=why)
        elif item.description is not None:
            held |= {*item.description.keys}
        if item.family is not None and item.family.fault:
            item = item._replace(family=None, reason=item.family.fault)
        found.append(item)
    return tuple(found)


def fingerprint(taken: Collection[str] = ()) -> str:
    """Return a hash of all networks that are on, by which results with them are cached."""
    on = "".join(item.digest for item in listed(taken) if item.family is not None)
    return hashlib.sha256(on.encode()).hexdigest()[:12] if on else ""


def add(sources: Sequence[Path], taken: Collection[str], *, replace: bool = False) -> Installed:
    """Install a network and its description, once it has passed its probe.

    Args:
        sources: A folder that holds both, or the two files.
        taken: Keys that it may not have.
        replace: Whether one of the same key is replaced.

    Raises:
        DesignError: If it cannot be installed; the message says why.
        CheckpointError: If the packages that run graphs are missing.
    """
    verdicts.require()
    network, described = _pair(sources)
    try:
        text = verdicts.read_file(described, _MOST_DESCRIBED)
        content = verdicts.read_file(network, MOST_BYTES)
    except CheckpointError as error:
        raise DesignError(str(error)) from error
    description = _described(text, described.name)
    target = folder() / description.key
    others = [item for item in listed(taken) if item.key != description.key]
    if target.exists() and not replace:
        raise DesignError(
            f"There is a property “{description.key}” already; remove it, or say `--replace`."
        )
    if len(others) >= MOST_INSTALLED:
        raise DesignError(f"{MOST_INSTALLED} networks are installed; remove one first.")
    held = set(taken) | {
        key for item in others if item.description is not None for key in item.description.keys
    }
    if twice := held & {*description.keys}:
        raise DesignError(f"The key “{min(twice)}” is taken; choose another in {described.name}.")
    found = verdicts.verdict(description.single(content))
    if not found.passed:
        raise DesignError(found.reason)
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    write(part / verdicts.NETWORK, content)
    write(part / DESCRIPTION, description.model_dump_json(indent=1).encode())
    if target.exists():
        _away(target)
    part.rename(target)
    return _remembered(target)


def remove(key: str) -> None:
    """Remove an installed network.

    Raises:
        DesignError: If there is none of that key.
    """
    target = folder() / key
    if key not in {item.key for item in listed()} or target.parent != folder():
        known = ", ".join(item.key for item in listed()) or "none"
        raise DesignError(
            f"There is no property “{one_line(key, 60)}”; installed are: {one_line(known)}."
        )
    _away(target)


def _away(target: Path) -> None:
    if target.is_symlink() or not target.is_dir():
        target.unlink()
    else:
        shutil.rmtree(target)


def _pair(sources: Sequence[Path]) -> tuple[Path, Path]:
    """Find the graph and its description."""
    if len(sources) == 1 and sources[0].is_dir():
        inside = sorted(item for item in sources[0].iterdir() if not item.name.startswith("."))
        where = str(sources[0])
    else:
        inside, where = list(sources), " and ".join(path.name for path in sources)
        missing = next((path for path in inside if not path.exists()), None)
        if missing is not None:
            raise DesignError(f"{one_line(str(missing))} does not exist; check the path.")
    graphs = [path for path in inside if path.suffix.lower() == ".onnx"]
    texts = [path for path in inside if path.suffix.lower() == ".json"]
    graphs = [path for path in graphs if path.name == verdicts.NETWORK] or graphs
    texts = [path for path in texts if path.name == DESCRIPTION] or texts
    pickled = next((path for path in inside if path.name.lower().endswith(_PICKLED)), None)
    if not graphs and pickled is not None:
        raise DesignError(
            f"{one_line(pickled.name, 80)} holds weights that may run any code when opened; "
            "open it in the script it comes from, and write it by `torch.onnx.export` there."
        )
    if len(graphs) != 1 or len(texts) != 1:
        raise DesignError(
            f"{one_line(where)} has {len(graphs)} ONNX files and {len(texts)} JSON files; give "
            f"{verdicts.NETWORK} and {DESCRIPTION}, for example {_EXAMPLE}."
        )
    return graphs[0], texts[0]


def _described(text: bytes, name: str) -> Description:
    try:
        return Description.model_validate_json(text)
    except ValidationError as error:
        raise DesignError(f"{one_line(name, 80)}: {first_problem(error)}") from error


def _remembered(place: Path) -> Installed:
    """Return what a folder holds, read anew only if its files have changed."""
    try:
        paths = (place, place / verdicts.NETWORK, place / DESCRIPTION)
        stats = [path.lstat() for path in paths]
        signature = _Signature(tuple((s.st_ino, s.st_size, s.st_mtime_ns) for s in stats))
    except OSError:
        return _off(place, "It lacks one of its two files; remove it and add it again.")
    with _LOCK:
        known = _KNOWN.get(place)
    if known is not None and known[0] == signature:
        return known[1]
    found, settled = _read(place)
    if settled:
        with _LOCK:
            _KNOWN[place] = (signature, found)
    return found


def _read(place: Path) -> tuple[Installed, bool]:
    """Read a folder, and say whether that is final: a probe that still runs is not."""
    if place.is_symlink():
        return _off(place, "It is a link; remove it and add the files."), True
    try:
        verdicts.require()
        content = verdicts.read_file(place / verdicts.NETWORK, MOST_BYTES)
        description = _described(
            verdicts.read_file(place / DESCRIPTION, _MOST_DESCRIBED), DESCRIPTION
        )
    except ExplorerError as error:
        return _off(place, str(error)), True
    if description.key != place.name:
        return _off(place, "Its folder was renamed; remove it and add it again."), True
    graph = description.single(content)
    digest = graph.key
    found = verdicts.soon(graph, 0.0)
    if found is None:
        why = "It is being tried in a process of its own; reload in a few seconds."
        return Installed(place.name, description, None, why, digest), False
    if not found.passed:
        return Installed(place.name, description, None, found.reason, digest), True
    family = Asked(description, content, found.pace)
    told = hashlib.sha256(description.model_dump_json().encode()).hexdigest()
    return Installed(place.name, description, family, "", digest + told), True


def _off(place: Path, reason: str) -> Installed:
    return Installed(one_line(place.name, 60), None, None, reason, "")
