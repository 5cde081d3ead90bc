"""The colours of the app: a class has the same colour on every page and model."""

from collections.abc import Sequence

from explorer import naming

CLASSES = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#B8A600",
    "#7A5195",
    "#8C6D31",
    "#7F7F7F",
)
"""Okabe and Ito's colours and three more, distinguishable with colour-vision deficiency."""

MANY_CLASSES = (
    *CLASSES,
    "#B400FC",
    "#783C30",
    "#F018CC",
    "#005460",
    "#FC306C",
    "#000CFC",
    "#007800",
    "#9C78FC",
    "#B40060",
    "#6C00CC",
)
"""Twenty colours, for up to as many classes: the same first ten, and those farthest from them.

The others are at least 0.13 from each other and from the first in OKLab, and have a contrast of
over 2 with the ground of either theme.

References:
    A perceptual color space for image processing (Ottosson, 2020).
    https://bottosson.github.io/posts/oklab/
"""

_FIRST = (
    "standard", "vamp", "xvae", "mog", "vamp-data", "vamp-weighted", "flow", "xvae-mixture",
)  # fmt: skip
PRIORS = {
    prior: MANY_CLASSES[k % len(MANY_CLASSES)]
    for k, prior in enumerate(
        kind for kind in dict.fromkeys((*_FIRST, *naming.PRIORS)) if kind != "none"
    )
}
"""A prior has the same colour in every chart that compares priors; plug-ins take the rest."""

DATA = "#5B7A99"
PROTOTYPE = "#E6A700"
HOLE = CLASSES[5]
"""Holes are hatched in it on the map, in the Priors lab and in figures."""
INK = "ink"
"""The theme's text colour, also of diamonds and stars: hues are reserved for classes."""

RAMP = ("#440154", "#46327E", "#365C8D", "#277F8E", "#1FA187", "#4AC16D", "#A0DA39", "#FDE725")
"""Viridis: perceptually uniform, readable in greyscale."""

PAINTS = {
    "#202124": "Black",
    "#9aa0a6": "Grey",
    "#ffffff": "White",
    "#e53935": "Red",
    "#fb8c00": "Orange",
    "#fdd835": "Yellow",
    "#43a047": "Green",
    "#1e88e5": "Blue",
    "#8e24aa": "Purple",
    "#f48fb1": "Pink",
    "#795548": "Brown",
    "#ffcc99": "Peach",
}
"""Colours to draw images in colour with."""

GREYS = {
    "#000000": "Black",
    "#404040": "Dark grey",
    "#808080": "Grey",
    "#c0c0c0": "Light grey",
    "#ffffff": "White",
}
"""Greys to draw photographs with."""


def of_priors(kinds: Sequence[str]) -> list[str]:
    """Return a colour for each prior: its own, or the first few if one occurs twice."""
    if len(set(kinds)) == len(kinds) and all(kind in PRIORS for kind in kinds):
        return [PRIORS[kind] for kind in kinds]
    return [CLASSES[k % len(CLASSES)] for k in range(len(kinds))]


def text(dark: bool) -> str:
    """Return the theme's text colour, for charts whose default labels are paler."""
    return "#E8ECF1" if dark else "#1B2430"


def grey(dark: bool) -> str:
    """Return the grey of published results, readable on either background."""
    return "#A3A3A3" if dark else "#6E6E6E"
