"""The thing in hand, as a link carries it: written, read, and taken from links of before.

One thing is in hand on all pages of a model: a drawn sample, a datum, a prototype, a point of the
map or a code. `places` resolves it to a code.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from pydantic import ValidationError

from explorer.projection import Atlas, Split
from explorer.strips import StripSpec
from explorer.ui.address.notation import HAND, PICK

DIGITS = 8
"""Digits of a split's fingerprint in a link: two data sets agree in them by chance once in 4e9."""


class Sample(NamedTuple):
    """A tile of a strip at one of its frames: a scale of the prior, or a step of a flow."""

    spec: StripSpec
    tile: int
    scale: float


def sample_text(spec: StripSpec, tile: int, scale: float) -> str:
    """Write a sample: seed, tile, scale, and what is not usual of its component and levels."""
    levels = spec.levels
    if spec.flow is not None:
        at = "" if scale == spec.flow else f"@{scale:g}"
        return f"sample:{spec.seed},{tile},{spec.spread:g},f{spec.flow}{at}"
    text = f"sample:{spec.seed},{tile},{scale:g}"
    if spec.component is not None:
        text += f",k{spec.component}"
    if levels.moves:
        text += f",{levels.moves}@{levels.held:g}"
    text += "" if levels.lower is None else f",l{levels.lower}"
    return text if spec.time is None else f"{text},t{spec.time:g}"


def read_sample(text: str) -> Sample | None:
    """Read a sample; None if the text is of another kind or out of bounds."""
    kind, _, rest = text.partition(":")
    if kind != "sample" or not HAND.fullmatch(text):
        return None
    seed, tile, scale, *further = rest.split(",")
    fields, frame = {"seed": seed}, float(scale)
    for item in further:
        if item.startswith("z"):
            fields["level"], _, fields["held"] = item.partition("@")
        elif item.startswith("f"):
            fields["euler"], _, at = item[1:].partition("@")
            fields["spread"], frame = scale, float(at or fields["euler"])
        else:
            fields[{"k": "component", "l": "lower", "t": "t"}[item[0]]] = item[1:]
    try:
        spec = StripSpec.of(fields)
    except ValidationError:
        return None
    beyond = int(tile) >= spec.tiles or (spec.flow is not None and frame > spec.flow)
    return None if beyond else Sample(spec, int(tile), frame)


def datum_text(atlas: Atlas, row: int) -> str:
    """Write a datum of a map so that it is found on every map of the same data."""
    split = Split(atlas.split[row])
    text = f"datum:{split.label}-{int(atlas.ids[row])}"
    known = _digest(atlas, split)
    return f"{text}-{known}" if known else text


def datum_row(atlas: Atlas, text: str) -> int | None:
    """Find a datum on a map; None if it is not there, or is of other data."""
    kind, _, rest = text.partition(":")
    if kind != "datum" or not HAND.fullmatch(text):
        return None
    name, number, *digest = rest.split("-")
    split = Split[name.upper()]
    known = _digest(atlas, split)
    if digest and known and digest[0] != known:
        return None
    ids = atlas.ids.astype(np.int64) == np.uint64(int(number) % 2**64).astype(np.int64)
    found = np.flatnonzero(ids & (atlas.split == split))
    return int(found[0]) if len(found) else None


def map_pick(atlas: Atlas | None, text: str) -> str:
    """Return the notation of the map for a thing in hand; empty if it is none of its points."""
    if text.startswith("datum:"):
        row = None if atlas is None else datum_row(atlas, text)
        return "" if row is None else f"data:{row}"
    return text if PICK.fullmatch(text) else ""


def from_pick(atlas: Atlas | None, pick: str) -> str:
    """Return the thing in hand for a point of the map; empty for an area or edited points."""
    row = re.fullmatch(r"data:(\d+)", pick)
    if row and atlas is not None and int(row[1]) < len(atlas.ids):
        return datum_text(atlas, int(row[1]))
    return pick if HAND.fullmatch(pick) else ""


def modern(query: Mapping[str, str]) -> dict[str, str]:
    """Return a link's query with what earlier versions called centre, tile or a single pick.

    They are the thing in hand since; a link that has it keeps it.
    """
    fields = dict(query)
    centre, tile, pick = (fields.get(name, "") for name in ("centre", "tile", "pick"))
    found = ""
    if centre and HAND.fullmatch(centre):
        fields.pop("centre")
        found = centre
    if tile:
        fields.pop("tile")
        found = _tile(fields, tile)
    if pick and HAND.fullmatch(pick):
        fields.pop("pick")
        found = pick
    return {"hand": found} | fields if found else fields


def _tile(fields: Mapping[str, str], tile: str) -> str:
    """Write the sample that a link of before names by its tile."""
    level = fields.get("level", "")
    text = f"sample:{fields.get('seed', '0')},{tile},{fields.get('scale', '1')}"
    text += f",k{fields['component']}" if "component" in fields else ""
    text += f",{level}@{fields.get('held', '1')}" if level else ""
    return f"{text},l{fields['lower']}" if "lower" in fields else text


def _digest(atlas: Atlas, split: Split) -> str:
    """Return the first digits of the fingerprint of a split; empty where it is not recorded."""
    if atlas.fingerprint is None:
        return ""
    return str(getattr(atlas.fingerprint, split.label).digest)[:DIGITS]
