"""Archives of picks, packed, unpacked and altered."""

import base64
import csv
import functools
import io
import json
import zipfile

import numpy as np

from explorer import __version__, packing
from explorer.designs import archive as picks_archive
from explorer.designs.picks import Pick
from explorer.designs.properties import Conditions, Measured
from tests.support.picks import assert_same_made, key_of, made

# Taking home


NOTHING = Measured((), {}, ("",))


def picked(number, given_made, **told):
    return Pick(key_of(number), number, 0.0, given_made, **told)


FLOW = Conditions(alpha=4)
ONE = "a-project-01/a-project-01"
"""How the names of the files of the first pick begin."""


def packed(*picks, measured=None, project="A project", conditions=FLOW, pages=False, **told):
    return packing.pack(
        project, picks, measured or [NOTHING] * len(picks), conditions, __version__, pages=pages,
        **told,
    )  # fmt: skip


def members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def manifest_of(content):
    return json.loads(members(content)[picks_archive.MANIFEST])


def altered(content, change):
    """Take an export's manifest by itself, and change its JSON."""
    facts = manifest_of(content)
    change(facts)
    return json.dumps(facts).encode()


def assert_came_back(found, picks):
    assert found.broken == ()
    for item, pick in zip(found.picks, picks, strict=True):
        assert_same_made(item.source, pick.source)
        for name in ("key", "number", "stars", "verdict", "notes", "tags", "treatment"):
            assert getattr(item.entry, name) == getattr(pick, name)


def table_of(content):
    text = members(content)[picks_archive.TABLE].decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


# Files that are none


def a_zip(*names, method=zipfile.ZIP_DEFLATED, **contents):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"x")
        for name, content in contents.items():
            archive.writestr(f"{name}.json", content)
    return stream.getvalue()


@functools.cache
def sound():
    """An export of three picks."""
    return packed(*(picked(n, made(f"origin {n}"), stars=n) for n in (1, 2, 3)))


def text_of(values):
    return base64.b64encode(np.array(values, "<f4").tobytes()).decode()
