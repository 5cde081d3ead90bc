"""The data classes of the shortlist: picks with their provenance and marks, and projects."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field

from explorer.interfaces import Frozen
from explorer.sections import NAMES, Geometry, is_section, shaped
from explorer.sketch import CurveSketch, PixelSketch

MOST_PICKS = 5000
MOST_NAME, MOST_NOTES, MOST_TAGS = 60, 4000, 12
MOST_FILE_NAME = 60

OWN = "own section"
"""What stands for the model of one's own sample."""

AS_GIVEN = "As given"
_FOREIGN = re.compile(r"[^\w .+()-]+")
"""What is replaced in the name of a file, which goes into pages, charts and files."""

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
    for the same tile of the same view; `page` and `view` record where it was picked. A sample of
    the user's own has a `name`, that of its file; its code is empty, its model has no weights.
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
    name: str = ""

    @property
    def own(self) -> bool:
        """Whether it is the user's own sample as it is, which no model made."""
        return bool(self.name)


def own_source(
    name: str,
    sample: Float[np.ndarray, "*sample"],
    sketch: PixelSketch | CurveSketch,
    data: str,
    library: str,
) -> PickSource:
    """Return the provenance of the user's own sample, as it is: it has no code, and no model.

    Args:
        name: The name of its file.
        sample: The sample, in data units.
        sketch: How it is drawn.
        data: The kind of data it is like.
        library: Version of this library.
    """
    clean = " ".join(_FOREIGN.sub("_", name).split())[-MOST_FILE_NAME:].strip() or "unnamed"
    values = np.ascontiguousarray(sample, "<f4")
    digest = hashlib.sha256(values.tobytes()).hexdigest()
    return PickSource(
        model=Model("", OWN, data, sketch),
        code=np.zeros(0, np.float32),
        sample=values,
        origin=f"own|{clean}|{digest}",
        page="candidates",
        view="",
        library=library,
        name=clean,
    )


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
    def geometry_name(self) -> str:
        """The name of its geometry; one's own section as it is was never decoded."""
        return AS_GIVEN if self.source.own and not self.treatment else NAMES[self.geometry]

    @property
    def shown(self) -> Float[np.ndarray, "*sample"]:
        """Its sample in its geometry."""
        return shaped(self.source.sample[None], self.source.model.sketch, self.geometry)[0]

    @property
    def title(self) -> str:
        """Its display name."""
        return f"Pick {self.number}" + (f" ({self.source.name})" if self.source.own else "")


def usual_treatment(source: PickSource) -> Treatment:
    """Return the treatment of a new pick: sections become Kulfan sections, except one's own."""
    return "kulfan" if is_section(source.model.sketch) and not source.own else ""


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
