"""What a pick is: all that makes it again, and what was said of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float

from explorer.sketch import CurveSketch, PixelSketch

MOST_PICKS = 5000
MOST_NAME, MOST_NOTES, MOST_TAGS = 60, 4000, 12

Verdict = Literal["", "keep", "reject"]
Treatment = Literal["", "smoothed"]


@dataclass(frozen=True)
class Model:
    """The weights that a pick came from, and how their samples are drawn without them."""

    hash: str
    slug: str
    data: str
    sketch: PixelSketch | CurveSketch


@dataclass(frozen=True)
class Made:
    """What a pick is made of: all that makes it again, and the sample itself.

    `code` decodes to `sample` (data units); where a draw is sequential the sample is what counts.
    `component`, `scale` and `seed` say how the code was drawn, where it was; `origin` is the same
    for the same tile of the same view; `page` and `view` are where it was picked.
    """

    model: Model
    code: Float[np.ndarray, " latent"]
    sample: Float[np.ndarray, "*sample"]
    origin: str
    page: str
    view: str
    library: str
    component: int | None = None
    scale: float | None = None
    seed: int | None = None
    labels: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Pick:
    """A picked design: what it is made of, and what was said of it."""

    key: str
    number: int
    created: float
    made: Made
    stars: int = 0
    verdict: Verdict = ""
    notes: str = ""
    tags: tuple[str, ...] = ()
    treatment: Treatment = ""
    removed: bool = False
    properties: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"Pick {self.number}"


@dataclass(frozen=True)
class Project:
    """A named shortlist and how many picks are in it."""

    id: int
    name: str
    picks: int


@dataclass(frozen=True)
class Change:
    """What was done, when, to how many picks, and whether it was undone."""

    batch: str
    time: float
    words: str
    picks: int
    undone: bool
