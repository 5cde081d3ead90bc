"""The data classes of the shortlist: picks with their provenance and marks, and projects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field

from explorer.interfaces import Frozen
from explorer.sections import Geometry, is_section, shaped
from explorer.sketch import CurveSketch, PixelSketch

MOST_PICKS = 5000
MOST_NAME, MOST_NOTES, MOST_TAGS = 60, 4000, 12

Verdict = Literal["", "keep", "reject"]
VERDICTS: dict[Verdict, str] = {"": "Undecided", "keep": "Kept", "reject": "Rejected"}
"""The one word for each verdict."""

Treatment = Literal["", "smoothed", "kulfan"]
"""The geometry of a pick of a section; nothing means as decoded, as in earlier releases."""
Stars = Annotated[int, Field(ge=0, le=5)]
Tag = Annotated[str, Field(max_length=40)]


class Marks(Frozen):
    """The marks of a pick; fields that are not given stay unchanged."""

    stars: Stars = 0
    verdict: Verdict = ""
    notes: Annotated[str, Field(max_length=MOST_NOTES)] = ""
    tags: Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS)] = ()
    treatment: Treatment = ""


@dataclass(frozen=True)
class Model:
    """The weights a pick came from, and how its samples are drawn without them."""

    hash: str
    slug: str
    data: str
    sketch: PixelSketch | CurveSketch


@dataclass(frozen=True)
class PickSource:
    """The provenance of a pick: everything needed to regenerate it, and the sample itself.

    `code` decodes to `sample` (data units); with an autoregressive decoder the sample decides.
    `component`, `scale` and `seed` record how the code was drawn, if it was; `origin` is the same
    for the same tile of the same view; `page` and `view` record where it was picked.
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
    """A picked design: its provenance and its marks."""

    key: str
    number: int
    created: float
    source: PickSource
    stars: int = 0
    verdict: Verdict = ""
    notes: str = ""
    tags: tuple[str, ...] = ()
    treatment: Treatment = ""
    removed: bool = False
    properties: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def geometry(self) -> Geometry:
        """The geometry in which it is shown, measured and exported."""
        return self.treatment or "decoded"

    @property
    def shown(self) -> Float[np.ndarray, "*sample"]:
        """Its sample in its geometry."""
        return shaped(self.source.sample[None], self.source.model.sketch, self.geometry)[0]

    @property
    def title(self) -> str:
        """Its display name."""
        return f"Pick {self.number}"


def usual_treatment(source: PickSource) -> Treatment:
    """Return the treatment of a new pick: sections become Kulfan sections."""
    return "kulfan" if is_section(source.model.sketch) else ""


@dataclass(frozen=True)
class Project:
    """A named shortlist and its number of picks."""

    id: int
    name: str
    picks: int


@dataclass(frozen=True)
class Change:
    """A change: what was done, when, to how many picks, and whether it was undone."""

    batch: str
    time: float
    words: str
    picks: int
    undone: bool
