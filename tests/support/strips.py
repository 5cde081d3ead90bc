"""Strips of samples, drawn or by their codes, and what is taken home of them."""

import io
import json

import numpy as np
from PIL import Image

from explorer import exports
from explorer.sketch import PixelSketch
from explorer.strips import Frames, Strip, StripSpec, grid_strip, scale_strip

SIDE = 96


def drawn(engine, frames=5, tiles=6):
    return scale_strip(
        engine, StripSpec(tiles=tiles, seed=3), tuple(0.5 * k for k in range(frames))
    )


def coded(engine, frames=4, tiles=2):
    z = np.random.default_rng(1).normal(size=(frames, tiles, engine.space.size))
    return grid_strip(engine, z.astype(np.float32), tuple(float(k) for k in range(frames)))


def distinct(frames, tiles):
    """Make frames no two of which look alike, which a GIF would merge."""
    x = np.zeros((frames, tiles, 1, 8, 8), np.float32)
    for frame in range(frames):
        x[frame, :, :, frame // 8, frame % 8] = 1
    plain = np.zeros((frames, tiles), np.float32)
    sketch = PixelSketch(height=8, width=8)
    return Strip(Frames.of(x), tuple(map(float, range(frames))), np.full(tiles, -1), plain, sketch)


def opened(content):
    return Image.open(io.BytesIO(content))


def side_of(tiles, one=SIDE):
    return tiles * (one + 2) - 2


# There and back


def taken(engine, strip, tmp_path, **facts):
    path = tmp_path / "strip.json"
    path.write_bytes(exports.manifest(engine, strip, "0.0", **facts))
    return path


# Manifests that are not


def change(path, **changes):
    """Set fields of the JSON, those of its parts by names with a dot, or take them out."""
    facts = json.loads(path.read_text())
    for name, value in changes.items():
        *parents, last = name.split("__")
        place = facts
        for parent in parents:
            place = place[int(parent) if isinstance(place, list) else parent]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    path.write_text(json.dumps(facts))
