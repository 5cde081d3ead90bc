"""The catalogue as pages list it: a folder is read when it has changed, and none for too long."""

import threading
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from explorer import settings, slugs
from explorer.checkpoint import (
    CONFIG,
    FINGERPRINT,
    METRICS,
    SAMPLES,
    WEIGHTS,
    Entry,
    catalogue,
    inspect,
    results_folder,
)
from explorer.runtime import verdicts

WAITING = "It takes long to read and is still being read; reload in a few seconds."
"""What is said of a folder for which a page does not wait."""

MOST_SECONDS = 3.0
"""Computing time that a page spends on folders that take long, before the rest is put off."""

_USUAL_SECONDS = 0.25
_FRESH_SECONDS = 2.0
_MOST_KNOWN = 2000
_READ = (CONFIG, WEIGHTS, METRICS, FINGERPRINT, SAMPLES, *verdicts.NAMES)


def entries() -> list[Entry]:
    """List all checkpoints; only folders whose files have changed are read again."""
    return _entries(_signature())


@st.cache_resource(max_entries=2, show_spinner=False)
def _entries(signature: str) -> list[Entry]:
    reader = Reader(_known, MOST_SECONDS)
    found = catalogue(patience=0.0, reader=reader)
    if reader.put_off:
        _known.go_on()
    return found


class _Kept(NamedTuple):
    stamp: str
    results: str
    entry: Entry


class Known:
    """What is known of folders, each with the state of its files at the time.

    It is shared by all visitors, and holds at most so many folders.
    """

    def __init__(self) -> None:
        self.readings = 0
        """How often reading in the background has ended."""
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, _Kept] = OrderedDict()
        self._thread: threading.Thread | None = None

    def get(self, folder: Path, stamp: str) -> Entry | None:
        """Return what is known of a folder, if its files are still the same."""
        with self._lock:
            kept = self._kept.get(folder)
        if kept is None or kept.stamp != stamp or _results_stamp(kept.entry) != kept.results:
            return None
        return kept.entry

    def keep(self, folder: Path, stamp: str, entry: Entry) -> None:
        """Remember a folder, unless its files may change again within one tick of the clock."""
        foreign = entry.model == "onnx" or not slugs.is_slug(folder.name)
        if (foreign and not entry.healthy) or _is_fresh(folder):
            return
        with self._lock:
            self._kept[folder] = _Kept(stamp, _results_stamp(entry), entry)
            self._kept.move_to_end(folder)
            while len(self._kept) > _MOST_KNOWN:
                self._kept.popitem(last=False)

    def go_on(self) -> threading.Thread:
        """Read in the background what a page has put off."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._read_all, daemon=True)
                self._thread.start()
            return self._thread

    def _read_all(self) -> None:
        try:
            catalogue(patience=0.0, reader=Reader(self, None))
        finally:
            with self._lock:
                self._thread = None
                self.readings += 1


class Reader:
    """Inspects folders, from memory where nothing has changed, until its time is used up.

    Args:
        known: What is known already.
        seconds: Computing time, beyond what a folder usually takes, after which folders that are
            not known are put off; None to read them all.
    """

    def __init__(self, known: Known, seconds: float | None) -> None:
        self.put_off = False
        self._known, self._left = known, seconds

    def __call__(self, folder: Path, patience: float | None) -> Entry:
        """Describe a folder as `checkpoint.inspect` does."""
        stamp = _stamp(folder)
        found = self._known.get(folder, stamp)
        if found is not None:
            return found
        if self._left is not None and self._left <= 0:
            self.put_off = True
            return Entry(slugs.printable(folder.name), folder, healthy=False, reason=WAITING)
        # Of this thread: a machine that is busy with other things does not make a folder slow.
        start = time.thread_time()
        entry = inspect(folder, patience)
        if self._left is not None:
            self._left -= max(0.0, time.thread_time() - start - _USUAL_SECONDS)
        if _stamp(folder) == stamp:
            self._known.keep(folder, stamp, entry)
        return entry


_known = Known()


def _signature() -> str:
    """Tell the state of all that the catalogue reads."""
    chosen = settings.current()
    known = [str(_known.readings)]
    for place in (chosen.checkpoints, chosen.user / "checkpoints", chosen.user / "results"):
        known += (f"{folder} {_stamp(folder)}" for folder in _folders(place))
    known += (f"{file} {_state(file)}" for file in sorted(chosen.user.glob("verdicts/*.json")))
    return "\n".join(known)


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(item for item in place.iterdir() if item.is_dir())
    except OSError:
        return []


def _stamp(folder: Path) -> str:
    """Tell the state of the files of a folder that decide what the catalogue says of it."""
    return " ".join(_state(folder / name) for name in ("", *_READ))


def _results_stamp(entry: Entry) -> str:
    return _state(results_folder(entry.hash) / METRICS) if entry.hash else ""


def _state(file: Path) -> str:
    """Tell the state of a file; empty if it cannot be seen, as behind a broken link."""
    try:
        seen = file.stat()
    except OSError:
        return ""
    return f"{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}:{seen.st_ctime_ns}"


def _is_fresh(folder: Path) -> bool:
    """Whether a file has changed so lately, or by its time later, that it may do so unseen."""
    newest = 0.0
    for name in ("", *_READ):
        with suppress(OSError):
            seen = (folder / name).stat()
            newest = max(newest, seen.st_mtime, seen.st_ctime)
    return newest > time.time() - _FRESH_SECONDS
