"""Strips of frames, computed in one batch, sent once and scrubbed in the browser."""

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated

import numpy as np
from jaxtyping import Float, Int
from pydantic import BeforeValidator, Field

from explorer import drawing, sections
from explorer.inference import Engine
from explorer.interfaces import Frozen, LatentSpace, Scale, Seed
from explorer.sampler import MOST_STEPS, CodeFlow
from explorer.sections import Geometry
from explorer.sketch import CurveSketch, PixelSketch

SCALES = tuple(round(0.05 * step, 2) for step in range(41))
"""The frames of a scale strip: 0 to 2 in steps of 0.05."""
MOST_TILES = 4096

AT_ONCE = 256
"""Most images of a slow model that are decoded before any is shown."""
_CURVE_LEVELS = 65535

UNLIKELY = 9e9
"""What stands for a density beyond numbers, in nats below zero."""


def _plain_digits(value: object) -> object:
    """Accept integers from an address in plain digits only."""
    if isinstance(value, str) and not (value.isascii() and value.isdecimal() and len(value) < 12):
        raise ValueError("must be a whole number")
    return value


_Whole = Annotated[int, BeforeValidator(_plain_digits)]
_Seed = Annotated[_Whole, Field(ge=0, lt=2**31)]
_LevelName = Annotated[str, Field(pattern=r"^[a-z0-9]{0,8}$")]
_HeldScale = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]


class Frames:
    """Decoded samples by frame, each decoded when it is first asked for.

    Args:
        count: Number of frames.
        decode: Returns the samples of one frame, tile by tile.
    """

    def __init__(
        self, count: int, decode: Callable[[int], Float[np.ndarray, "tiles *sample"]]
    ) -> None:
        self._count, self._decode = count, decode
        self._known: dict[int, np.ndarray] = {}
        self._all: Float[np.ndarray, "frames tiles *sample"] | None = None

    @classmethod
    def of(cls, samples: Float[np.ndarray, "frames tiles *sample"]) -> "Frames":
        """Wrap samples that are decoded already."""
        frames = cls(len(samples), samples.__getitem__)
        frames._all = samples
        return frames

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, frame: int) -> Float[np.ndarray, "tiles *sample"]:
        found = self._known.get(frame)
        if found is None:
            found = self._known[frame] = self._decode(frame)
        return found

    def all(self) -> Float[np.ndarray, "frames tiles *sample"]:
        """Return the samples of all frames."""
        if self._all is None:
            self._all = np.stack([self[frame] for frame in range(self._count)])
        return self._all


@dataclass(frozen=True)
class Strip:
    """Frames x tiles of decoded samples, and the value of each frame.

    `z` holds their codes, if any; `spec` the few numbers that specify a strip drawn from a
    prior, so that it can be regenerated without them. The frames of a `deferred` strip take long
    to decode, and are sent one by one. Samples are kept as decoded, and shown in the `geometry`.
    """

    frames: Frames
    values: tuple[float, ...]
    components: Int[np.ndarray, " tiles"]
    log_density: Float[np.ndarray, "frames tiles"]
    sketch: PixelSketch | CurveSketch
    z: Float[np.ndarray, "frames tiles latent"] | None = None
    spec: "StripSpec | None" = None
    deferred: bool = False
    geometry: Geometry = "decoded"

    @property
    def samples(self) -> Float[np.ndarray, "frames tiles *sample"]:
        """The samples of all frames."""
        return self.frames.all()

    def shown(self, frame: int) -> Float[np.ndarray, "tiles *sample"]:
        """Return the samples of one frame in the geometry in which they are shown."""
        return sections.shaped(self.frames[frame], self.sketch, self.geometry)

    @cached_property
    def panel(self) -> tuple[dict[str, object], bytes]:
        """The strip's header and all its samples.

        Cached, since every run of a page asks for it again.
        """
        frames, tiles = self.samples.shape[:2]
        return self.header, self._body(
            self.samples.reshape(frames * tiles, *self.samples.shape[2:])
        )

    @cached_property
    def header(self) -> dict[str, object]:
        """What the browser has to know to paint the samples."""
        header: dict[str, object] = {
            "frames": len(self.frames),
            "tiles": len(self.components),
            "component": self.components.tolist(),
            "density": np.round(_bounded(self.log_density), 1).tolist(),
        }
        if isinstance(self.sketch, PixelSketch):
            return header | {
                "kind": "pixels",
                "height": self.sketch.height,
                "width": self.sketch.width,
                "channels": self.sketch.channels,
                "inked": self.sketch.inked,
            }
        low, high = drawing.curve_range(self.sketch)
        least, most = _bounds(low, high)
        return header | {
            "kind": "curve",
            "x": [round(float(x), 5) for x in self.sketch.stations()],
            "low": round(low, 6),
            "high": round(high, 6),
            "least": round(least, 6),
            "most": round(most, 6),
            "closed": self.sketch.closed,
        }

    def body(self, frame: int) -> bytes:
        """Return the samples of one frame as in `panel`."""
        return self._body(self.frames[frame])

    def _body(self, x: Float[np.ndarray, "samples *sample"]) -> bytes:
        """Write pixels as bytes, curves as 16-bit heights."""
        if isinstance(self.sketch, PixelSketch):
            return drawing.quantise(x).tobytes()
        least, most = _bounds(*drawing.curve_range(self.sketch))
        x = sections.shaped(x, self.sketch, self.geometry)
        heights = np.clip((self.sketch.heights(x) - least) / (most - least), 0, 1)
        return np.rint(heights * _CURVE_LEVELS).astype("<u2").tobytes()


def _bounded(density: Float[np.ndarray, "frames tiles"]) -> Float[np.ndarray, "frames tiles"]:
    """Replace what JSON has no number for: a density that overflows, or is not known."""
    return np.nan_to_num(density.astype(float), nan=-UNLIKELY, posinf=UNLIKELY, neginf=-UNLIKELY)


def _bounds(low: float, high: float) -> tuple[float, float]:
    """Return the range of heights sent: twice its size on either side beyond the visible one."""
    return 3 * low - 2 * high, 3 * high - 2 * low


def pack(header: dict[str, object], body: bytes) -> bytes:
    """Concatenate the header's length (4 bytes), the header as padded JSON, and the raw data."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<I", len(text)) + text + body


@dataclass(frozen=True)
class Levels:
    """How a scale sweep treats a hierarchy: which level it moves, and what the others do.

    Args:
        moves: Name of the level whose scale moves; empty for all of them.
        held: Scale of the levels that do not move.
        lower: Seed of the levels below the top, if it is not the top's.
    """

    moves: _LevelName = ""
    held: _HeldScale = 1.0
    lower: _Seed | None = None

    def of(self, space: LatentSpace) -> "Levels":
        """Return what of this applies to a space: nothing where it has a single level."""
        names = [level.name for level in space.levels]
        if len(names) == 1:
            return Levels()
        return self if self.moves in ("", *names) else replace(self, moves="")

    def scale(self, space: LatentSpace, scale: float) -> Scale:
        """Return the scale of each level where the sweep is at `scale`."""
        if not self.moves:
            return scale
        return tuple(scale if level.name == self.moves else self.held for level in space.levels)

    def seed(self, space: LatentSpace, seed: int) -> Seed:
        """Return the seed of each level."""
        if self.lower is None:
            return seed
        return (seed, *[self.lower] * (len(space.levels) - 1))


ALL_LEVELS = Levels()


class StripSpec(Frozen):
    """The samples of a strip: how many, from which seed and component, and what moves.

    It is the key of a cached strip, its address, the provenance of a pick, and a line of a
    manifest. With a `flow` they are drawn by the flow on the model's codes in so many steps, which
    are the frames, from noise at the scale `spread`; without, by the prior at every scale, and at
    a `time` where the prior is a reference with noise.
    """

    tiles: Annotated[_Whole, Field(ge=1, le=MOST_TILES)] = 64
    seed: _Seed = 0
    component: Annotated[_Whole, Field(ge=0, lt=10_000)] | None = None
    levels: Levels = ALL_LEVELS
    flow: Annotated[_Whole, Field(ge=1, le=MOST_STEPS)] | None = None
    spread: _HeldScale = 1.0
    time: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None

    @property
    def frames(self) -> int:
        """Number of frames of the strip."""
        return len(SCALES) if self.flow is None else self.flow + 1

    @property
    def usual(self) -> bool:
        """Whether seed, component, tile and scale alone say how a sample was drawn."""
        return self.levels == ALL_LEVELS and self.flow is None and self.time is None

    def of_model(self, engine: Engine) -> "StripSpec":
        """Return what of this applies to a model: its levels, and a component of a mixture."""
        if self.flow is not None:  # which knows neither
            return StripSpec(tiles=self.tiles, seed=self.seed, flow=self.flow, spread=self.spread)
        several = engine.component_count > 1
        own = self.component is not None and several and self.component < engine.component_count
        return self.model_copy(
            update={
                "component": self.component if own else None,
                "levels": self.levels.of(engine.space),
                "time": self.time if engine.timed else None,
            }
        )

    def query(self) -> dict[str, str]:
        """Write it as parameters of an address; what is usual is left out."""
        levels = self.levels
        values = {
            "tiles": self.tiles,
            "seed": self.seed,
            "component": self.component,
            "level": levels.moves or None,
            "held": None if levels.held == 1.0 else f"{levels.held:g}",
            "lower": levels.lower,
            "euler": self.flow,
            "spread": None if self.flow is None or self.spread == 1.0 else f"{self.spread:g}",
            "t": None if self.time is None else f"{self.time:g}",
        }
        return {name: str(value) for name, value in values.items() if value is not None}

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "StripSpec":
        """Read it from the parameters of an address.

        Raises:
            pydantic.ValidationError: If one is out of bounds.
        """
        names = {"level": "moves", "held": "held", "lower": "lower"}
        levels = {own: parameters[name] for name, own in names.items() if name in parameters}
        given = {
            "tiles": "tiles",
            "seed": "seed",
            "component": "component",
            "euler": "flow",  # which in an address is what flows past a section
            "spread": "spread",
            "t": "time",
        }
        own = {field: parameters[name] for name, field in given.items() if name in parameters}
        return cls.model_validate(own | {"levels": levels})


def scale_strip(engine: Engine, spec: StripSpec, scales: tuple[float, ...] = SCALES) -> Strip:
    """Draw the same samples at every scale; each tile keeps its component and its noise.

    Args:
        engine: The model.
        spec: The samples.
        scales: The scale of each frame.
    """
    levels, space = spec.levels.of(engine.space), engine.space
    draws = [
        engine.draw(
            spec.tiles,
            levels.scale(space, scale),
            levels.seed(space, spec.seed),
            spec.component,
            spec.time,
        )
        for scale in scales
    ]
    z = np.stack([codes for codes, _ in draws])
    return replace(
        grid_strip(engine, z, scales),
        components=draws[0][1],
        spec=spec.model_copy(update={"levels": levels}),
    )


def flow_strip(engine: Engine, flow: CodeFlow, spec: StripSpec) -> Strip:
    """Draw samples by the flow on a model's codes; each frame is a step from noise to a code.

    Args:
        engine: The model.
        flow: Its flow.
        spec: The samples, and the number of steps.
    """
    assert spec.flow is not None
    z = flow.trajectory(spec.tiles, spec.flow, spec.spread, spec.seed).numpy()
    steps = tuple(float(step) for step in range(spec.flow + 1))
    return replace(grid_strip(engine, z, steps), spec=spec.of_model(engine))


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
    codes = np.ascontiguousarray(z, np.float32)
    flat = codes.reshape(-1, latent)
    density = engine.heights(flat)
    deferred = engine.slow and frames > 1 and len(flat) > AT_ONCE
    if deferred:
        decoded = Frames(frames, lambda frame: engine.decode(codes[frame]))
    else:
        x = engine.decode(flat)
        decoded = Frames.of(x.reshape(frames, tiles, *x.shape[1:]))
    return Strip(
        decoded,
        values,
        np.full(tiles, -1),
        density.reshape(frames, tiles),
        engine.sketch,
        codes,
        deferred=deferred,
        geometry=sections.usual(engine.sketch),
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


def difference(
    one: Float[np.ndarray, "*batch channels height width"],
    other: Float[np.ndarray, "*batch channels height width"],
) -> Float[np.ndarray, "*batch 1 height width"]:
    """Return how far images are apart at each pixel: the root mean square over channels."""
    return np.sqrt(((one - other) ** 2).mean(-3, keepdims=True))


def difference_beside(
    one: Float[np.ndarray, "*batch channels height width"],
    other: Float[np.ndarray, "*batch channels height width"],
    sketch: PixelSketch,
) -> Float[np.ndarray, "*batch channels height width"]:
    """Return the difference as images of the same sketch, dark on the paper of the others."""
    apart = difference(one, other)
    return np.broadcast_to(apart if sketch.inked else 1 - apart, one.shape)


def difference_strip(one: Strip, other: Strip) -> Strip:
    """Return how far the samples of two strips with the same noise are apart.

    Differences of images are drawn as ink, whatever the images are.
    """
    sketch, pixels = one.sketch, isinstance(one.sketch, PixelSketch)
    if isinstance(sketch, PixelSketch):
        sketch = PixelSketch(height=sketch.height, width=sketch.width)

    def apart(frame: int) -> Float[np.ndarray, "tiles *sample"]:
        a, b = one.shown(frame), other.shown(frame)
        return difference(a, b) if pixels else np.abs(a - b)

    return replace(
        one,
        frames=Frames(len(one.frames), apart),
        deferred=one.deferred or other.deferred,
        geometry="decoded",
        sketch=sketch,
        log_density=np.zeros_like(one.log_density),
        components=np.full_like(one.components, -1),
        z=None,
        spec=None,
    )


def codes_strip(engine: Engine, z: Float[np.ndarray, "tiles latent"]) -> Strip:
    """Decode codes to a strip of one frame."""
    return grid_strip(engine, z[None], (0.0,))


def as_row(strip: Strip) -> Strip:
    """Return the frames of a strip of one tile side by side, as a strip of one frame."""
    assert strip.z is not None
    n = len(strip.frames)
    return replace(
        strip,
        frames=Frames.of(strip.samples.swapaxes(0, 1)),
        values=(0.0,),
        components=np.full(n, -1),
        log_density=strip.log_density.T,
        z=strip.z.swapaxes(0, 1),
        spec=None,
        deferred=False,
    )


def samples_strip(
    x: Float[np.ndarray, "tiles *sample"],
    sketch: PixelSketch | CurveSketch,
    log_density: Float[np.ndarray, " tiles"] | None = None,
    geometry: Geometry = "decoded",
) -> Strip:
    """Wrap given samples as a strip of one frame, to be shown as they are or in a geometry."""
    n = len(x)
    density = np.zeros(n, np.float32) if log_density is None else log_density
    return Strip(
        Frames.of(x[None]), (0.0,), np.full(n, -1), density[None], sketch, geometry=geometry
    )
