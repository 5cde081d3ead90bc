"""Properties of images as ink on paper: amount, stroke width, symmetry, compactness."""

import numpy as np
from jaxtyping import Float

from explorer.designs.properties import AbstractProperties, Conditions, Property
from explorer.sketch import CurveSketch, PixelSketch

_LEAST = 1e-6


class Ink(AbstractProperties):
    """Ink, stroke width, symmetry and compactness of greyscale images.

    The outline's length is the total variation: by the coarea formula that is the mean length of
    all level lines, so no threshold is needed. A long stroke of width w and length l has the
    area w l and the outline 2 l; twice the area over the outline is its width. Compactness is
    computed with the darkest pixel scaled to 1.

    References:
        An integral formula for total gradient variation (Fleming and Rishel, 1960).
        https://doi.org/10.1007/BF01236935
    """

    name = "Ink"

    def fits(self, sketch: PixelSketch | CurveSketch) -> bool:
        """Return whether samples are greyscale images in ink."""
        return isinstance(sketch, PixelSketch) and sketch.inked

    def properties(self, conditions: Conditions) -> tuple[Property, ...]:
        """List the properties."""
        return (
            Property("ink", "Ink", "%", 1, main=True, meaning="mean grey value"),
            Property("stroke", "Stroke width", "px", 2, main=True,
                     meaning="twice the inked area divided by the outline’s length"),
            Property("symmetry", "Symmetry", "%", 0, main=True,
                     meaning="overlap of the ink with its mirror image"),
            Property("compactness", "Compactness", "%", 1, main=True,
                     meaning="4π × area / outline²; a disc has 100"),
        )  # fmt: skip

    def measure(
        self,
        x: Float[np.ndarray, "samples 1 height width"],
        sketch: PixelSketch | CurveSketch,
        conditions: Conditions,
    ) -> dict[str, Float[np.ndarray, " samples"]]:
        """Measure all images at once; an empty one has ink 0 and no other property."""
        grey = np.clip(x[:, 0].astype(np.float64), 0, 1)
        area = grey.sum((1, 2))
        inked = area > _LEAST
        outline = _outline(grey)
        with np.errstate(divide="ignore", invalid="ignore"):
            stroke = 2 * area / outline
            compact = 400 * np.pi * area * grey.max((1, 2)) / outline**2
        return {
            "ink": 100 * grey.mean((1, 2)),
            "stroke": np.where(inked, stroke, np.nan),
            "symmetry": np.where(inked, 100 * _symmetry(grey, area), np.nan),
            "compactness": np.where(inked, compact, np.nan),
        }


def _outline(grey: Float[np.ndarray, "samples height width"]) -> Float[np.ndarray, " samples"]:
    """Total variation, with each pixel's gradient averaged over its four corners."""
    paper = np.pad(grey, ((0, 0), (1, 1), (1, 1)))
    down, across = np.diff(paper, axis=1), np.diff(paper, axis=2)
    total = np.zeros(len(grey))
    for rows in (slice(None, -1), slice(1, None)):
        for columns in (slice(None, -1), slice(1, None)):
            total += np.hypot(down[:, :, columns], across[:, rows, :]).sum((1, 2)) / 4
    return total


def _symmetry(
    grey: Float[np.ndarray, "samples height width"], area: Float[np.ndarray, " samples"]
) -> Float[np.ndarray, " samples"]:
    """Overlap with the mirror image about the vertical line through the centre of mass."""
    width = grey.shape[2]
    at = np.arange(width)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.nan_to_num((grey.sum(1) * at).sum(1) / area, nan=width / 2)
    # An image mirrored about c is sampled at 2 c - i, in general between two pixels.
    source = 2 * middle[:, None] - at
    low = np.floor(source).astype(int)
    share = (source - low)[:, None, :]
    paper = np.pad(grey, ((0, 0), (0, 0), (width, width)))
    columns = np.clip(low + width, 0, 3 * width - 2)
    rows = np.arange(len(grey))[:, None]
    ahead = paper[rows, :, columns].transpose(0, 2, 1)
    behind = paper[rows, :, columns + 1].transpose(0, 2, 1)
    mirrored = (1 - share) * ahead + share * behind
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.minimum(grey, mirrored).sum((1, 2)) / area
