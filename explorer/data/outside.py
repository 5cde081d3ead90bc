"""Absolute paths that a person named on the command line: the only ones that a page follows.

A recipe that somebody puts into the folder of checkpoints could name any file of this machine; the
app must not show it to whoever opens the page. Commands remember what they were given.
"""

import json
import os
from pathlib import Path

from explorer import settings
from explorer.errors import DataMissingError

NAMED = "named.json"
MOST = 1000
_MOST_BYTES = 2_000_000


def remember(path: Path) -> None:
    """Note a path that was named on the command line; where that fails, pages do without it."""
    known = [item for item in _read() if item != str(path)][-(MOST - 1) :]
    place = settings.current().user / NAMED
    part = place.with_name(f".{NAMED}.{os.getpid()}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps([*known, str(path)], indent=1) + "\n", "utf-8")
        part.replace(place)
    except OSError:
        part.unlink(missing_ok=True)


def require(path: Path, root: Path) -> None:
    """Check that a page may read an absolute path: in the app's own folders, or named before.

    Raises:
        DataMissingError: If it may not.
    """
    chosen = settings.current()
    try:
        there = path.resolve()
        inside = any(
            there.is_relative_to(place.resolve())
            for place in (root, chosen.user, chosen.checkpoints)
        )
    except (OSError, RuntimeError, ValueError):  # a circle of links, or no path at all
        inside = False
    if not inside and str(path) not in _read():
        raise DataMissingError(
            f"{path.name or path} is outside the data directory, and was never named on the "
            "command line here; start the app with `--data` and the folder that holds it."
        )


def _read() -> list[str]:
    place = settings.current().user / NAMED
    try:
        if place.stat().st_size > _MOST_BYTES:
            return []
        found = json.loads(place.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []
