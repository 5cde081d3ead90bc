"""The rule for the names of models: what a folder may be called so that every link can name it."""

import os
import re
import shlex
import unicodedata
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from pydantic import Field

from explorer.errors import SlugError

LONGEST = 80
"""Most characters of a slug; a link holds up to four."""

PATTERN = re.compile(
    r"(?!(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z))"
    rf"[A-Za-z0-9](?:[A-Za-z0-9._-]{{0,{LONGEST - 2}}}[A-Za-z0-9_-])?"
)
"""Letters and digits of ASCII, dots, hyphens and underscores, as everywhere in a file system.

It starts with a letter or digit, since other folders are hidden or internal. Names of devices on
Windows are left out with every extension, and a dot at the end, which Windows removes.
"""


def _whole(value: str) -> str:
    return rf"^(?:{value})\Z"


Slug = Annotated[str, Field(pattern=re.compile(_whole(PATTERN.pattern)))]
"""A model's name, validated."""


def is_slug(name: str) -> bool:
    """Return whether a folder's name can be the name of a model."""
    return PATTERN.fullmatch(name) is not None


def name_of(folder: Path | str) -> str:
    """Return the name of a folder however it is given, also as `.` or `..`."""
    return Path(os.path.abspath(folder)).name  # noqa: PTH100 - links are not followed


def why_not(name: str) -> str:
    """Return what is wrong with a name that is no slug, as a clause."""
    if not name:
        return "is empty"
    if len(name) > LONGEST:
        return f"has {len(name)} characters, of which {LONGEST} are allowed"
    if PATTERN.fullmatch(f"a{name}"):
        known = PATTERN.fullmatch(name[0]) is not None
        return "is the name of a device on Windows" if known else "starts with a mark"
    if PATTERN.fullmatch(f"{name}a"):
        return "ends with a dot"
    return "has other characters than the letters a to z, digits, dots, hyphens and underscores"


def require(folder: Path, taken: Collection[str] = ()) -> None:
    """Check that a folder's name can be that of a model, before anything is computed for it.

    Args:
        folder: The folder to be written.
        taken: Names of models that would hide it.

    Raises:
        SlugError: If no link could name it; the message suggests another.
    """
    name = name_of(folder)
    if is_slug(name) and name not in taken:
        return
    why = "is that of a model that ships" if is_slug(name) else why_not(name)
    better = folder.parent / suggest(name, [*taken, *beside(folder)])
    raise SlugError(
        f"“{printable(name)}” cannot be the name of this model: it {why}; "
        f"choose another folder, for example `--out {shlex.quote(str(better))}`."
    )


def beside(folder: Path) -> list[str]:
    """List the names in the folder that holds a folder; none where it cannot be read."""
    try:
        return [item.name for item in folder.parent.iterdir()]
    except OSError:
        return []


def suggest(name: str, taken: Collection[str] = ()) -> str:
    """Return a slug close to a name, and not among those taken.

    Args:
        name: Any name.
        taken: Names in use, of which none is suggested, in whatever case.
    """
    spelled = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    kept = "".join(letter for letter in spelled if not unicodedata.combining(letter))
    slug = re.sub(r"[^A-Za-z0-9._]+", "-", kept)
    slug = re.sub(r"^[^A-Za-z0-9]+", "", slug)[:LONGEST].rstrip(".-_") or "model"
    slug = slug if is_slug(slug) else f"model-{slug}"
    used = {item.lower() for item in taken}
    end = ""
    for number in range(2, len(used) + 3):
        if (slug[: LONGEST - len(end)].rstrip(".-_") + end).lower() not in used:
            break
        end = f"-{number}"
    return slug[: LONGEST - len(end)].rstrip(".-_") + end


def printable(name: str) -> str:
    """Return any folder's name on one line, with what cannot be printed replaced.

    A name on disk may be no valid text, or hold control characters.
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
