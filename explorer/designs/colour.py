"""Properties of images in colour: cover, lightness, colourfulness, symmetry, contrast, hue."""

import numpy as np
from jaxtyping import Float

from explorer.designs.properties import AbstractProperties, Conditions, Property
from explorer.sketch import CurveSketch, PixelSketch

DISTINCT = 10.0
"""Distance in CIELAB from which a pixel is not of the ground; 2.3 is just noticeable."""

_WHITE = np.array([0.95047, 1.0, 1.08883])
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip
_FAINT = 1.0
"""Mean chroma below which an image has no hue."""


class Colour(AbstractProperties):
    """Cover, lightness, colourfulness, symmetry, contrast and hue of images in colour.

    Lightness, hue and distances are those of CIELAB under D65, values of images those of sRGB.
    The ground is the median colour of the outermost pixels.

    References:
        Colorimetry, part 4: CIE 1976 L*a*b* colour space (ISO/CIE 11664-4:2019).
        Measuring colourfulness in natural images (Hasler and Suesstrunk, 2003), equation 10.
        https://doi.org/10.1117/12.477378
    """

    name = "Colour"

    def fits(self, sketch: PixelSketch | CurveSketch) -> bool:
        """Return whether samples are images in colour."""
        return isinstance(sketch, PixelSketch) and sketch.channels == 3

    def properties(self, conditions: Conditions) -> tuple[Property, ...]:
        """List the properties."""
        return (
            Property("cover", "Cover", "%", 1, main=True,
                     meaning=f"pixels at least {DISTINCT:g} (CIELAB) from the ground’s colour"),
            Property("lightness", "Lightness", "%", 1, main=True, meaning="mean L*"),
            Property("colourfulness", "Colourfulness", "", 1, main=True,
                     meaning="Hasler and Süsstrunk’s M: 15 slight, 45 average, 109 extreme"),
            Property("mirror", "Symmetry", "%", 0, main=True,
                     meaning="correlation with the mirror image"),
            Property("contrast", "Contrast", "%", 1, meaning="standard deviation of L*"),
            Property("hue", "Hue", "°", 0, meaning="mean hue angle, weighted by chroma"),
        )  # fmt: skip

    def measure(
        self,
        x: Float[np.ndarray, "samples 3 height width"],
        sketch: PixelSketch | CurveSketch,
        conditions: Conditions,
    ) -> dict[str, Float[np.ndarray, " samples"]]:
        """Measure all images at once; a uniform one has no symmetry, a grey one no hue."""
        rgb = np.clip(x.astype(np.float64), 0, 1)
        lab = cielab(rgb)
        away = np.linalg.norm(lab - _ground(lab)[:, :, None, None], axis=1)
        return {
            "cover": 100 * (away >= DISTINCT).mean((1, 2)),
            "lightness": lab[:, 0].mean((1, 2)),
            "colourfulness": _colourfulness(255 * rgb),
            "mirror": 100 * _mirror(rgb),
            "contrast": lab[:, 0].std((1, 2)),
            "hue": _hue(lab),
        }


def cielab(
    rgb: Float[np.ndarray, "samples 3 height width"],
) -> Float[np.ndarray, "samples 3 height width"]:
    """Convert sRGB in [0, 1] to L*, a*, b* under D65."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = np.einsum("kc,nchw->nkhw", _TO_XYZ / _WHITE[:, None], linear)
    small = (6 / 29) ** 3
    f = np.where(xyz > small, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def _ground(
    lab: Float[np.ndarray, "samples 3 height width"],
) -> Float[np.ndarray, "samples 3"]:
    sides = [lab[:, :, 0], lab[:, :, -1], lab[:, :, 1:-1, 0], lab[:, :, 1:-1, -1]]
    return np.median(np.concatenate(sides, axis=2), axis=2)


def _colourfulness(
    rgb: Float[np.ndarray, "samples 3 height width"],
) -> Float[np.ndarray, " samples"]:
    red, green, blue = rgb[:, 0], rgb[:, 1], rgb[:, 2]
    opponents = (red - green, (red + green) / 2 - blue)
    spread = np.sqrt(sum(part.var((1, 2)) for part in opponents))
    mean = np.sqrt(sum(part.mean((1, 2)) ** 2 for part in opponents))
    return np.asarray(spread + 0.3 * mean)


def _mirror(rgb: Float[np.ndarray, "samples 3 height width"]) -> Float[np.ndarray, " samples"]:
    """Correlation of an image with its left-right mirror, each channel about its own mean."""
    centred = rgb - rgb.mean((2, 3), keepdims=True)
    own = (centred**2).sum((1, 2, 3))
    both = (centred * centred[:, :, :, ::-1]).sum((1, 2, 3))
    return np.where(own > 1e-9, both / np.maximum(own, 1e-9), np.nan)


def _hue(lab: Float[np.ndarray, "samples 3 height width"]) -> Float[np.ndarray, " samples"]:
    """Angle of the mean of (a*, b*), which weights each pixel by its chroma."""
    a, b = lab[:, 1], lab[:, 2]
    chroma = np.hypot(a, b).mean((1, 2))
    angle = np.degrees(np.arctan2(b.mean((1, 2)), a.mean((1, 2)))) % 360
    return np.where(chroma >= _FAINT, angle, np.nan)
