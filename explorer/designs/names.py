"""The name of a pick outside: of its folder, its files, and the section in other programs."""

import re
import unicodedata

MOST = 40
"""Letters that are taken of a project's name."""

STEM = r"[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?-\d{2,5}"
"""The form of every name, as a regular expression."""

ENDINGS = (
    r"\.(?:dat|csv|svg|dxf|png|pdf)|-decoded\.dat|-code\.npy|-(?:neuralfoil|xfoil)\.csv"
    r"|_[A-Za-z0-9._-]{1,60}\.txt"
)
"""How the names of a pick's files go on, likewise."""

_NOTHING_LEFT = "pick"
_LETTERS = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ł": "l",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "ħ": "h",
    }
)


def slug(project: str) -> str:
    """Reduce a project's name to small Latin letters, digits and hyphens.

    Accents are dropped; letters that have no Latin form are left out, and a name without any
    becomes “pick”.
    """
    plain = unicodedata.normalize("NFKD", project.casefold().translate(_LETTERS))
    bare = plain.casefold().encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", bare)[:MOST].strip("-") or _NOTHING_LEFT


def stem(project: str, number: int) -> str:
    """Return the name of a pick of a project, such as `wing-root-07`.

    It differs for each number, and is a file name on every system.
    """
    return f"{slug(project)}-{number:02d}"
