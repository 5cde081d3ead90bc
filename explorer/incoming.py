"""Pictures that come in: an archive or a folder, what a model will see of it, how it is read."""

import io
import shutil
import stat
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from pydantic import ValidationError

from explorer import checkpoint, settings, slugs
from explorer.config import first_problem
from explorer.data import DataSet
from explorer.data.decoding import SUFFIXES, open_picture
from explorer.data.files import OWN, FilesConfig
from explorer.data.identity import SPLITS
from explorer.data.survey import DEEPEST, survey
from explorer.errors import DataError

DATA = "data.json"
"""How a set of pictures is read, beside them."""

MOST_ENTRIES, MOST_BYTES, MOST_PICTURE = 100_000, 2 * 10**9, 50_000_000
SEEN = 40
"""Pictures that are shown as a model will see them."""

USUAL_SIDE, KEPT_SIDE = 32, 64
_LOOKED_AT, _GREY = 60, 12


class Seen(NamedTuple):
    """What was found: how it is read, the data, and sentences that say what was done."""

    config: FilesConfig
    data: DataSet
    sizes: dict[tuple[int, int], int]
    """How many of the pictures looked at have which width and height."""

    @property
    def counts(self) -> dict[str, int]:
        """The number of samples of each split."""
        return {name: len(self.data.split(name)) for name in SPLITS}

    @property
    def classes(self) -> dict[str, int]:
        """The number of training samples of each class."""
        labels = self.data.train.labels
        if labels is None:
            return {}
        count = np.bincount(labels, minlength=len(self.data.classes))
        return dict(zip(self.data.classes, count.tolist(), strict=True))

    @property
    def forty(self) -> np.ndarray:
        """Training samples evenly apart, as the model will see them."""
        n = len(self.data.train)
        return self.data.train.x[np.linspace(0, n - 1, min(SEEN, n)).astype(int)]


def place() -> Path:
    """Return the folder of pictures that came in by a page."""
    return settings.current().user / OWN


def unpack(archive: bytes, name: str) -> str:
    """Unpack an archive's pictures into the user folder; nothing else of it is written.

    Args:
        archive: A ZIP file.
        name: What it is called; the set is called alike.

    Returns:
        The name of the set.

    Raises:
        DataError: If it is no ZIP file, holds links or paths that leave it, or far too much.
    """
    called = PurePosixPath(name).stem
    slug = slugs.suggest(called, [item.name for item in _existing()])
    part = place() / f".{slug}"
    shutil.rmtree(part, ignore_errors=True)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            written = 0
            for entry, parts in _pictures(opened, called):
                target = (part / "files").joinpath(*parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                if target.exists():  # names that differ in what cannot be written
                    target = target.with_stem(f"{target.stem}-{written}")
                written += _copy(opened, entry, target, MOST_BYTES - written, called)
        if not written:
            raise DataError(f"{called} holds no pictures; put PNG or JPEG files into it.")
        part.rename(place() / slug)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise DataError(
            f"{called} is no ZIP file that can be read ({_brief(error)}); pack it anew."
        ) from error
    except OSError as error:
        raise DataError(f"{called} could not be unpacked ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return slug


def look(path: str, root: Path, **changes: object) -> Seen:
    """Read pictures as a model will see them, in a size and colours that fit them.

    Args:
        path: As in a recipe: below the data directory or the user's pictures, or absolute where
            it comes from the command line.
        root: The data directory.
        changes: Fields of `FilesConfig` that are given rather than suggested.

    Raises:
        DataError: If there are too few, or some cannot be read.
    """
    given: dict[str, object] = {"path": path, "skip_broken": True}
    source = _source(path, root)
    sizes: Counter[tuple[int, int]] = Counter()
    if source.is_dir():
        sizes, colourful = _first(source)
        if sizes:
            given |= _fitting(sizes, colourful=colourful)
    try:
        config = FilesConfig.model_validate(given | changes)
    except ValidationError as error:
        raise DataError(f"These pictures cannot be read so: {first_problem(error)}") from error
    data = config.load(root)
    return Seen(config.settled(data), data, dict(sizes.most_common(3)))


def lines(found: Seen) -> list[str]:
    """Say what was found and what was done to it, a sentence each."""
    height, width = found.data.sketch.shape[1:]
    counts = found.counts
    said = [
        f"{sum(counts.values()):,} pictures of {width} × {height}: {counts['train']:,} to train, "
        f"{counts['valid']:,} to validate, {counts['test']:,} to test."
    ]
    if found.sizes:
        sizes = ", ".join(f"{w} × {h}" for w, h in found.sizes)
        said.append(f"Found as {sizes} pixels{'' if len(found.sizes) < 3 else ' and others'}.")
    if classes := found.classes:
        few = ", ".join(f"{name} ({n:,})" for name, n in list(classes.items())[:12])
        said.append(f"{len(classes)} classes: {few}{', …' if len(classes) > 12 else ''}.")
    return [*said, *found.data.notes]


def keep(slug: str, config: FilesConfig) -> None:
    """Keep how a set of pictures is read, so that the page Train offers it."""
    folder = place() / slug
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.write(folder / DATA, (config.model_dump_json() + "\n").encode())


def folders(root: Path) -> list[str]:
    """List the folders of pictures below the data directory, to a depth of two."""
    found = []
    for depth in ("*", "*/*"):
        try:
            listed = sorted(item for item in root.glob(depth) if item.is_dir())
        except OSError:
            continue
        for item in listed:
            inside = item.resolve().is_relative_to(root.resolve())
            if inside and any(child.suffix.lower() in SUFFIXES for child in _few(item)):
                found.append(item.relative_to(root).as_posix())
    return found


def _few(folder: Path) -> Iterator[Path]:
    try:
        for _, child in zip(range(50), folder.iterdir(), strict=False):
            yield child
    except OSError:
        return


def _existing() -> list[Path]:
    try:
        return list(place().iterdir())
    except OSError:
        return []


def _source(path: str, root: Path) -> Path:
    return settings.current().user / path if path.startswith(f"{OWN}/") else root / path


def _pictures(
    opened: zipfile.ZipFile, called: str
) -> Iterator[tuple[zipfile.ZipInfo, tuple[str, ...]]]:
    """Return the pictures of an archive with their paths, each part of which is safe."""
    entries = opened.infolist()
    if len(entries) > MOST_ENTRIES:
        raise DataError(f"{called} holds over {MOST_ENTRIES:,} files; give fewer.")
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise DataError(f"{called} unpacks to over {MOST_BYTES // 10**9} GB; give fewer pictures.")
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in entry.filename:
            raise DataError(f"{called} has paths that lead out of it; pack the folder itself.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise DataError(f"{called} holds symbolic links; pack the pictures themselves.")
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
        if entry.is_dir() or hidden or path.suffix.lower() not in SUFFIXES:
            continue
        if len(path.parts) > DEEPEST:
            raise DataError(f"{called} is over {DEEPEST} folders deep; move the pictures up.")
        stems = [slugs.printable(part)[:120] for part in path.parts]
        stems[-1] = f"{PurePosixPath(stems[-1]).stem[:100]}{path.suffix.lower()}"
        yield entry, tuple(stems)


def _copy(
    opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int, called: str
) -> int:
    """Copy one file, as long as what is told of its size is true."""
    written = 0
    with opened.open(entry) as source, target.open("wb") as sink:
        while block := source.read(1 << 20):
            written += len(block)
            if written > min(left, MOST_PICTURE):
                raise DataError(f"{called} holds a file of over 50 MB; shrink its pictures.")
            sink.write(block)
    return written


def _first(folder: Path) -> tuple[Counter[tuple[int, int]], bool]:
    """Return the sizes of some pictures of a folder, and whether they are in colour."""
    paths, _ = survey(folder, links=False)
    sizes: Counter[tuple[int, int]] = Counter()
    colours = 0
    chosen = paths[:: max(1, len(paths) // _LOOKED_AT)][:_LOOKED_AT]
    for parts in chosen:
        path = folder.joinpath(*parts)
        try:
            with open_picture(path, path) as image:
                sizes[image.size] += 1
                small = np.asarray(image.convert("RGB").resize((16, 16)), np.int16)
        except (DataError, OSError, ValueError):
            continue
        colours += int((small.max(-1) - small.min(-1)).mean() > _GREY)
    return sizes, 2 * colours > sum(sizes.values())


def _fitting(sizes: Counter[tuple[int, int]], *, colourful: bool) -> dict[str, object]:
    """Suggest a size: that of the pictures if all are small and alike, else a usual one."""
    (width, height), _ = sizes.most_common(1)[0]
    if len(sizes) > 1 or max(width, height) > KEPT_SIDE:
        short = USUAL_SIDE / max(width, height)
        width, height = (max(8, round(side * short)) for side in (width, height))
        if abs(width - height) < USUAL_SIDE / 4:
            width = height = USUAL_SIDE
    return {"height": height, "width": width, "channels": 3 if colourful else 1}


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__
