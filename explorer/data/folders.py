"""Samples from a folder of pictures: its splits, its classes, and what was passed over."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from explorer.data.decoding import NAMES, Extent, decode_levels, open_picture, reading
from explorer.data.found import SPLIT_NAMES, Found, Split, Wanted, digest, listed
from explorer.data.levels import Levels, levels_of
from explorer.data.limits import SAMPLES, check_bytes, check_count, check_size
from explorer.data.survey import counted, survey
from explorer.errors import DataError

_NAMED = 10
_LOSSLESS = ("PNG", "BMP", "GIF", "PPM")


class _Picture(NamedTuple):
    """A picture: its path below the folder, part by part, its split and its class, if any."""

    parts: tuple[str, ...]
    split: Split | None
    kind: str | None

    @property
    def name(self) -> str:
        return "/".join(self.parts)


def read_folder(folder: Path, wanted: Wanted) -> Found:
    """Read the pictures of a folder in the order of their names.

    Folders named train, val and test are splits, and other folders are classes; below a class all
    is read into it. Every picture is decoded before the broken ones are named at once.

    Raises:
        DataError: If there are too few, if folders can be read in two ways, or if pictures are
            broken and those are not to be skipped.
    """
    paths, passed = survey(folder, wanted.links)
    pictures, notes = _arranged(paths, folder)
    found = f"; found {counted(passed)}; read are {NAMES}" if passed else ""
    check_count(len(pictures), folder, found if len(pictures) < SAMPLES[0] else "")
    if passed:
        notes.append(f"Passed over {counted(passed)}.")
    return _decoded(folder, pictures, wanted, notes)


def _arranged(paths: Sequence[tuple[str, ...]], folder: Path) -> tuple[list[_Picture], list[str]]:
    """Tell splits from classes by the names of the folders."""
    notes: list[str] = []
    start = _wrapped(paths)
    if start:
        notes.append(f"Read from {'/'.join(paths[0][:start])}/, the only folder.")
    rests = [path[start:] for path in paths]
    tops = _tops(rests, folder)
    splits = {top: SPLIT_NAMES[top.casefold()] for top in tops if top.casefold() in SPLIT_NAMES}
    kinds = set(splits.values())
    whole = len(splits) == len(tops) and "train" in kinds
    if len(kinds) > 1 and not whole:
        others = ", ".join(sorted(tops - splits.keys())[:_NAMED])
        raise DataError(
            f"{folder} has the splits {listed(sorted(splits))} "
            + (f"beside other folders ({others})" if others else "and no train")
            + "; give train, and val and test if you have them, and nothing else."
        )
    if not whole:
        pictures = [_Picture(path, None, rest[0] if tops else None)
                    for path, rest in zip(paths, rests, strict=True)]  # fmt: skip
        inner = {rest[1].casefold() for rest in rests if len(rest) > 2}
        if len(inner) > 1 and inner <= SPLIT_NAMES.keys():
            raise DataError(
                f"{folder} has splits ({listed(sorted(inner))}) inside its classes; "
                "move the classes into train, val and test."
            )
        depth = 2
    else:
        within = {top: [rest[1:] for rest in rests if rest[0] == top] for top in splits}
        sorted_in = {top: bool(_tops(found, folder / top)) for top, found in within.items()}
        if len(set(sorted_in.values())) > 1:
            flat = listed(sorted(top for top, yes in sorted_in.items() if not yes))
            raise DataError(
                f"{folder} has classes in some splits and none in {flat}; "
                "sort all splits into the same folders, or none."
            )
        classed = any(sorted_in.values())
        pictures = [_Picture(path, splits[rest[0]], rest[1] if classed else None)
                    for path, rest in zip(paths, rests, strict=True)]  # fmt: skip
        depth = 3 if classed else 2
    deeper = sum(len(rest) > depth for rest in rests)
    if deeper:
        notes.append(f"{deeper:,} pictures in deeper folders belong to the class above them.")
    return pictures, notes


def _wrapped(paths: Sequence[tuple[str, ...]]) -> int:
    """Count the folders around all others, as archives often have one."""
    start = 0
    while (
        paths
        and all(len(path) > start + 2 for path in paths)
        and len({path[start] for path in paths}) == 1
        and paths[0][start].casefold() not in SPLIT_NAMES
    ):
        start += 1
    return start


def _tops(rests: Sequence[tuple[str, ...]], folder: Path) -> set[str]:
    tops = {rest[0] for rest in rests if len(rest) > 1}
    if tops and any(len(rest) == 1 for rest in rests):
        raise DataError(
            f"{folder} has images both beside and inside its subfolders; "
            "move all of them into subfolders, or none."
        )
    return tops


def _decoded(
    folder: Path, pictures: Sequence[_Picture], wanted: Wanted, notes: list[str]
) -> Found:
    broken: dict[str, str] = {}
    size = wanted.size or _first_size(folder, pictures, broken)
    if size is not None:
        check_bytes(4 * len(pictures) * wanted.channels * math.prod(size), folder)
    shape = size or (1, 1)
    x = np.empty((len(pictures), wanted.channels, *shape), np.float32)
    contents: list[bytes] = []
    good: list[_Picture] = []
    extents: list[Extent] = []
    sizes: Counter[tuple[int, int]] = Counter()
    stacks = 0
    for picture in pictures:
        path = folder.joinpath(*picture.parts)
        if picture.name in broken:
            continue
        try:
            with open_picture(path, path) as image, reading(path):
                content = content_of(image, path)
                stacks += image.format == "TIFF" and getattr(image, "n_frames", 1) > 1
                pixels, extent = decode_levels(image, shape, wanted.channels)
                sizes[image.size] += 1
        except DataError as error:
            broken[picture.name] = str(error).removeprefix(f"{path} ")
            continue
        x[len(good)] = pixels
        extents.append(extent)
        contents.append(content)
        good.append(picture)
    if broken:
        said = _broken_words(broken)
        if not wanted.skip_broken:
            raise DataError(f"{folder}: {said}" if len(broken) > 1 else _alone(folder, broken))
        notes.append(f"Went on without {said.partition(';')[0]}.")
        check_count(len(good), folder, f" and {len(broken):,} broken files")
    levels = _levels(extents, folder, wanted)
    x = x[: len(good)]
    for start in range(0, len(x), 1000):
        x[start : start + 1000] = levels.unit(x[start : start + 1000])
    if len(sizes) > 1:
        notes.append(f"Pictures of {len(sizes):,} sizes are resized to {shape[0]} x {shape[1]}.")
    if stacks:
        notes.append(f"Of {stacks:,} TIFF files with several pages the first is read.")
    depths = Counter(extent.kind for extent in extents)
    if len(depths) > 1:
        notes.append(f"{depths['uint16']:,} of {len(good):,} pictures are of 16 bits: "
                     "all are read on one scale.")  # fmt: skip
    kinds = [picture.kind for picture in good if picture.kind is not None]
    return Found(
        x=x,
        contents=contents,
        names=[picture.name for picture in good],
        classes=np.array(kinds) if kinds else None,
        given=[picture.split for picture in good if picture.split] or None,
        levels=levels,
        notes=notes,
    )


def _first_size(
    folder: Path, pictures: Sequence[_Picture], broken: dict[str, str]
) -> tuple[int, int] | None:
    """Measure the first picture that can be opened; None if none can."""
    for picture in pictures:
        path = folder.joinpath(*picture.parts)
        try:
            with open_picture(path, path) as image, reading(path):
                turned = ImageOps.exif_transpose(image)
                size = turned.height, turned.width
        except DataError as error:
            broken[picture.name] = str(error).removeprefix(f"{path} ")
            continue
        check_size(*size, path)
        return size
    return None


def _alone(folder: Path, broken: dict[str, str]) -> str:
    ((name, reason),) = broken.items()
    return f"{folder / name} {reason.rstrip('.')}, or go on without it by --skip-broken."


def _broken_words(broken: dict[str, str]) -> str:
    names = [f"…{name[-59:]}" if len(name) > 60 else name for name in list(broken)[:_NAMED]]
    more = len(broken) - len(names)
    listed = ", ".join(names) + (f" and {more:,} more" if more else "")
    many = "broken files" if len(broken) > 1 else "one broken file"
    count = f"{len(broken):,} " if len(broken) > 1 else ""
    reason = next(iter(broken.values())).partition(";")[0].rstrip(".")
    return (
        f"{count}{many} ({listed}); the first {reason}; "
        "replace them, or go on without them by --skip-broken."
    )


def _levels(extents: Sequence[Extent], folder: Path, wanted: Wanted) -> Levels:
    """Find one black and one white for the whole folder, in the units of 8 bits."""
    kinds = {extent.kind for extent in extents}
    if "float" in kinds and len(kinds) > 1:
        raise DataError(
            f"{folder} mixes pictures of floats with others; save all of them in one format."
        )
    low, high = min(e.low for e in extents), max(e.high for e in extents)
    if "uint16" not in kinds:
        kind = np.dtype(np.float32 if "float" in kinds else np.uint8)
        return levels_of(kind, low, high, folder, wanted.levels)
    if wanted.levels is not None:
        return levels_of(np.dtype(np.uint8), low, high, folder, wanted.levels)
    wide = round(257 * high)
    kind = np.dtype(np.uint16 if wide <= 65535 else np.int64)
    found = levels_of(kind, float(round(257 * low)), float(wide), folder)
    said = found.said.replace('("white" in', f'("white": {found.white / 257:g} in')
    return Levels(found.black / 257, found.white / 257, found.plain, said)


def content_of(image: Image.Image, path: Path) -> bytes:
    """Hash an image: its pixels if they decode alike everywhere, else the bytes of its file."""
    if image.format not in _LOSSLESS:
        return digest(path.read_bytes())
    deep = image.mode.startswith(("I", "F"))
    pixels = image if deep else image.convert("RGBA")
    return digest(f"{pixels.mode} {pixels.size}".encode() + pixels.tobytes())
