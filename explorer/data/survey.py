"""Which pictures a folder holds, and what else: bounded in depth and number, without circles."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from explorer.data.decoding import SUFFIXES
from explorer.errors import DataError

DEEPEST = 8
"""Levels of folders that are read below the given one."""

_MOST_ENTRIES = 1_000_000
_NAMED = 10
_HIDDEN = ("__MACOSX",)


def survey(folder: Path, links: bool) -> tuple[list[tuple[str, ...]], Counter[str]]:
    """List the pictures below a folder, and count what is passed over.

    Args:
        folder: Where to look, to a depth of `DEEPEST`.
        links: Whether symbolic links are followed; no folder is read twice.

    Returns:
        Paths below the folder, part by part, and how many of what else there is.

    Raises:
        DataError: If a folder cannot be listed, or there is far too much.
    """
    pictures: list[tuple[str, ...]] = []
    passed: Counter[str] = Counter()
    seen: set[Path] = {folder.resolve()}
    waiting: list[tuple[str, ...]] = [()]
    entries = 0
    while waiting:
        parts = waiting.pop()
        try:
            with os.scandir(folder.joinpath(*parts)) as found:
                listed = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            place = folder.joinpath(*parts)
            raise DataError(
                f"{place} cannot be listed ({error.strerror}); check its permissions."
            ) from error
        entries += len(listed)
        if entries > _MOST_ENTRIES:
            raise DataError(f"{folder} holds over {_MOST_ENTRIES:,} files; give a smaller folder.")
        for entry in listed:
            if entry.name.startswith(".") or entry.name in _HIDDEN:
                passed["hidden"] += 1
            elif entry.is_symlink() and not links:
                passed["symbolic links"] += 1
            elif _stat(entry.is_dir):
                _descend(entry, parts, seen, waiting, passed)
            elif not _stat(entry.is_file):
                passed["broken links" if entry.is_symlink() else "special files"] += 1
            elif (suffix := Path(entry.name).suffix.lower()) in SUFFIXES:
                pictures.append((*parts, entry.name))
            else:
                passed[suffix[:20] or "without suffix"] += 1
    return sorted(pictures), passed


def _stat(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except OSError:  # a link to itself
        return False


def _descend(
    entry: os.DirEntry[str],
    parts: tuple[str, ...],
    seen: set[Path],
    waiting: list[tuple[str, ...]],
    passed: Counter[str],
) -> None:
    real = Path(entry.path).resolve()
    if real in seen:
        passed["links to folders already read"] += 1
    elif len(parts) >= DEEPEST:
        passed[f"folders more than {DEEPEST} deep"] += 1
    else:
        seen.add(real)
        waiting.append((*parts, entry.name))


def counted(passed: Counter[str]) -> str:
    """Say how many of what were passed over."""
    shown = [f"{count:,} {what}" for what, count in passed.most_common(_NAMED)]
    more = len(passed) - len(shown)
    return ", ".join(shown) + (f" and {more} more kinds" if more else "")
