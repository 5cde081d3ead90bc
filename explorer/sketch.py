"""How one sample of a data set is drawn, so that pages and strips show all data alike."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, model_validator

_Side = Annotated[int, Field(ge=1, le=512)]
_Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
_Numbers = Annotated[tuple[_Number, ...], Field(min_length=2, max_length=4096)]


class PixelSketch(BaseModel):
    """An image with values in [0, 1]: ink on paper, or light if `light` is set or it is in colour.

    Ink is drawn dark on light paper and light on dark; light is shown as it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pixels"] = "pixels"
    height: _Side
    width: _Side
    channels: Literal[1, 3] = 1
    light: Literal[True] | None = None

    def fits(self, other: "PixelSketch | CurveSketch") -> bool:
        """Whether samples have the same shape as another data set's, however they are drawn."""
        return isinstance(other, PixelSketch) and self.shape == other.shape

    @property
    def inked(self) -> bool:
        """Whether values are ink, which is inverted with the theme."""
        return self.channels == 1 and not self.light

    noun: ClassVar[str] = "image"
    """The noun for a sample."""

    def tile_width(self, pixels: int) -> int:
        """Return the minimum width of a tile, given the width `pixels` of an image."""
        return pixels

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample: channels, height, width."""
        return (self.channels, self.height, self.width)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Smallest and largest value of a sample."""
        return (0.0, 1.0)


class CurveSketch(BaseModel):
    """A curve given by its heights at fixed stations; samples are standardised heights.

    The drawn height at station i is `loc[i] + scale[i] * sample[i]`. A curve that passes through
    the origin between two stations (the leading edge of an airfoil) sets `origin_before`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["curve"] = "curve"
    x: _Numbers
    loc: _Numbers
    scale: _Numbers
    origin_before: Annotated[int, Field(ge=0)] | None = None
    closed: bool = False
    x_label: Annotated[str, Field(max_length=40)] = "x"
    y_label: Annotated[str, Field(max_length=40)] = "y"

    @model_validator(mode="after")
    def _one_height_per_station(self) -> "CurveSketch":
        if not len(self.x) == len(self.loc) == len(self.scale):
            raise ValueError("x, loc and scale must have the same length")
        if min(self.scale) <= 0:
            raise ValueError("scale must be positive")
        if self.origin_before is not None and self.origin_before > len(self.x):
            raise ValueError("origin_before must be a station")
        return self

    def fits(self, other: "PixelSketch | CurveSketch") -> bool:
        """Whether samples have the same stations as another data set's."""
        return self == other

    @property
    def inked(self) -> bool:
        """Whether it is drawn in ink, which is inverted with the theme: always."""
        return True

    noun: ClassVar[str] = "curve"
    """The noun for a sample."""

    def tile_width(self, pixels: int) -> int:
        """Return the minimum width of a tile: curves are flat and need more than an image."""
        return max(110, 2 * pixels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample: stations."""
        return (len(self.x),)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Smallest and largest value of a sample: unbounded."""
        return None

    def stations(self) -> Float[np.ndarray, " points"]:
        """The abscissae of the drawn polyline."""
        x = np.asarray(self.x, np.float32)
        return x if self.origin_before is None else np.insert(x, self.origin_before, 0.0)

    def heights(
        self, samples: Float[np.ndarray, "*batch stations"]
    ) -> Float[np.ndarray, "*batch points"]:
        """The ordinates of the drawn polyline, in the units of the axis."""
        y = samples * np.asarray(self.scale, np.float32) + np.asarray(self.loc, np.float32)
        if self.origin_before is not None:
            y = np.insert(y, self.origin_before, 0.0, axis=-1)
        return y.astype(np.float32)


Sketch = Annotated[PixelSketch | CurveSketch, Field(discriminator="kind")]
