"""Strips of frames, computed in one batch, sent once and scrubbed in the browser."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from explorer import drawing
from explorer.inference import Engine
from explorer.interfaces import LatentSpace, Scale, Seed
from explorer.sketch import CurveSketch, PixelSketch

SCALES = tuple(round(0.05 * step, 2) for step in range(41))
"""The frames of a scale strip: 0 to 2 in steps of 0.05."""
_CURVE_LEVELS = 65535


@dataclass(frozen=True)
class Strip:
    """Frames x tiles of decoded samples, and the value of each frame.

    `z` holds their codes, if any; `recipe` the few numbers that specify a strip drawn from a
    prior, so that it can be regenerated without them.
    """

    samples: Float[np.ndarray, "frames tiles *sample"]
    values: tuple[float, ...]
    components: Int[np.ndarray, " tiles"]
    log_density: Float[np.ndarray, "frames tiles"]
    sketch: PixelSketch | CurveSketch
    z: Float[np.ndarray, "frames tiles latent"] | None = None
    recipe: Mapping[str, object] | None = None

    @cached_property
    def panel(self) -> tuple[dict[str, object], bytes]:
        """The strip's header and its samples: pixels as bytes, curves as 16-bit heights.

        Cached, since every run of a page asks for it again.
        """
        frames, tiles = self.samples.shape[:2]
        header: dict[str, object] = {
            "frames": frames,
            "tiles": tiles,
            "component": self.components.tolist(),
            "density": np.round(self.log_density.astype(float), 1).tolist(),
        }
        flat = self.samples.reshape(frames * tiles, *self.samples.shape[2:])
        if isinstance(self.sketch, PixelSketch):
            header |= {
                "kind": "pixels",
                "height": self.sketch.height,
                "width": self.sketch.width,
                "channels": self.sketch.channels,
                "inked": self.sketch.inked,
            }
            return header, drawing.quantise(flat).tobytes()
        low, high = drawing.curve_range(self.sketch)
        # Heights beyond the visible range are kept, up to twice its size on either side.
        least, most = 3 * low - 2 * high, 3 * high - 2 * low
        heights = np.clip((self.sketch.heights(flat) - least) / (most - least), 0, 1)
        header |= {
            "kind": "curve",
            "x": [round(float(x), 5) for x in self.sketch.stations()],
            "low": round(low, 6),
            "high": round(high, 6),
            "least": round(least, 6),
            "most": round(most, 6),
            "closed": self.sketch.closed,
        }
        return header, np.rint(heights * _CURVE_LEVELS).astype("<u2").tobytes()


def pack(header: dict[str, object], body: bytes) -> bytes:
    """Concatenate the header's length (4 bytes), the header as padded JSON, and the raw data."""
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<I", len(text)) + text + body


class Levels(NamedTuple):
    """How a scale sweep treats a hierarchy: which level it scales, and what the others do.

    Args:
        moves: Name of the level whose scale is swept; empty for all of them.
        held: Fixed scale of the other levels.
        lower: Seed of the levels below the top, if different from the top's.
    """

    moves: str = ""
    held: float = 1.0
    lower: int | None = None

    def of(self, space: LatentSpace) -> "Levels":
        """Return the settings that apply to a space; with a single level none do."""
        names = [level.name for level in space.levels]
        if len(names) == 1:
            return Levels()
        return self if self.moves in ("", *names) else self._replace(moves="")

    def scale(self, space: LatentSpace, scale: float) -> Scale:
        """Return the scale of each level when the sweep is at `scale`."""
        if not self.moves:
            return scale
        return tuple(scale if level.name == self.moves else self.held for level in space.levels)

    def seed(self, space: LatentSpace, seed: int) -> Seed:
        """Return the seed of each level."""
        if self.lower is None:
            return seed
        return (seed, *[self.lower] * (len(space.levels) - 1))


ALL_LEVELS = Levels()


def scale_strip(
    engine: Engine,
    *,
    tiles: int = 64,
    seed: int = 0,
    component: int | None = None,
    scales: tuple[float, ...] = SCALES,
    levels: Levels = ALL_LEVELS,
) -> Strip:
    """Draw the same samples at every scale; each tile keeps its component and noise.

    Args:
        engine: The model.
        tiles: Samples in each frame.
        seed: Seed of components and noise.
        component: Sample only this component.
        scales: The scale of each frame.
        levels: Which level the scale applies to, if there are several.
    """
    own, space = levels.of(engine.space), engine.space
    draws = [
        engine.draw(tiles, own.scale(space, scale), own.seed(space, seed), component)
        for scale in scales
    ]
    z = np.concatenate([codes for codes, _ in draws])
    x = engine.decode(z)
    return Strip(
        samples=x.reshape(len(scales), tiles, *x.shape[1:]),
        values=scales,
        components=draws[0][1],
        log_density=engine.log_prior(z).reshape(len(scales), tiles),
        sketch=engine.sketch,
        z=z.reshape(len(scales), tiles, -1),
        recipe={"tiles": tiles, "seed": seed, "component": component, "scales": scales}
        if own == ALL_LEVELS
        else None,
    )


def level_strip(
    engine: Engine,
    z: Float[np.ndarray, " latent"],
    level: str,
    *,
    tiles: int = 16,
    seed: int = 0,
    scales: tuple[float, ...] = SCALES[::2],
) -> Strip:
    """Resample one level of a code, many times and at every scale, keeping the other.

    Args:
        engine: A model of several levels.
        z: The code.
        level: Name of the resampled level.
        tiles: Number of draws.
        seed: Seed of the draws.
        scales: The scale of each frame.

    Raises:
        LevelError: If the model lacks this level.
    """
    drawn = np.stack([engine.resample(z, level, tiles, scale, seed) for scale in scales])
    return grid_strip(engine, drawn, scales)


def grid_strip(
    engine: Engine,
    z: Float[np.ndarray, "frames tiles latent"],
    values: tuple[float, ...],
) -> Strip:
    """Decode frames x tiles of codes, for example of a traversal or a path."""
    frames, tiles, latent = z.shape
    flat = np.ascontiguousarray(z.reshape(-1, latent), np.float32)
    x = engine.decode(flat)
    density = engine.log_prior(flat) if engine.has_prior else np.zeros(len(flat), np.float32)
    return Strip(
        x.reshape(frames, tiles, *x.shape[1:]),
        values,
        np.full(tiles, -1),
        density.reshape(frames, tiles),
        engine.sketch,
        flat.reshape(z.shape),
    )


def traversal_strip(
    engine: Engine,
    centre: Float[np.ndarray, " latent"],
    directions: Float[np.ndarray, "rows latent"],
    values: tuple[float, ...],
) -> Strip:
    """Traverse from a centre along directions, one row each, by multiples of the direction."""
    steps = np.array(values, np.float32)[:, None, None]
    return grid_strip(engine, centre + steps * directions, values)


def difference_strip(one: Strip, other: Strip) -> Strip:
    """Return the element-wise difference of two strips with the same noise."""
    light = isinstance(one.sketch, PixelSketch) and one.sketch.light
    return replace(
        one,
        # Differences of greyscale images are drawn as ink, whatever the images are.
        sketch=one.sketch.model_copy(update={"light": None}) if light else one.sketch,
        samples=np.abs(one.samples - other.samples),
        log_density=np.zeros_like(one.log_density),
        components=np.full_like(one.components, -1),
        z=None,
        recipe=None,
    )


def codes_strip(engine: Engine, z: Float[np.ndarray, "tiles latent"]) -> Strip:
    """Decode codes to a strip of one frame."""
    return grid_strip(engine, z[None], (0.0,))


def samples_strip(
    x: Float[np.ndarray, "tiles *sample"],
    sketch: PixelSketch | CurveSketch,
    log_density: Float[np.ndarray, " tiles"] | None = None,
) -> Strip:
    """Wrap given samples as a strip of one frame."""
    n = len(x)
    density = np.zeros(n, np.float32) if log_density is None else log_density
    return Strip(x[None], (0.0,), np.full(n, -1), density[None], sketch)
