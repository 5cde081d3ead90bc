"""The browser's requests to the shortlist, validated and bounded."""

from typing import Annotated, Any

from pydantic import Field

from explorer.designs.picks import Marks
from explorer.interfaces import Frozen

MOST_AT_ONCE = 64
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
_Count = Annotated[int, Field(ge=0, lt=2**31)]
_Text = Annotated[str, Field(max_length=4000)]


class DrawnTile(Frozen):
    """A tile of a scale strip."""

    seed: _Count
    component: Annotated[int, Field(ge=0, lt=10_000)] | None = None
    tile: Annotated[int, Field(ge=0, lt=4096)]
    scale: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]


class PickRequest(Frozen):
    """A pick request: a drawn tile, a code (base64 of float32), or a point of the map."""

    key: Key
    model: Annotated[str, Field(max_length=80)]
    hash: Annotated[str, Field(max_length=64)]
    origin: Annotated[str, Field(min_length=1, max_length=8000)]
    page: Annotated[str, Field(max_length=40)] = ""
    view: _Text = ""
    project: _Count | None = None
    drawn: DrawnTile | None = None
    z: Annotated[str, Field(max_length=8000)] | None = None
    place: Annotated[str, Field(pattern=r"^(data|prior|prototypes|holes):\d{1,6}$")] | None = None


class PickRequests(Frozen):
    """Picks to keep in one project, each validated separately."""

    project: _Count | None = None
    items: Annotated[list[dict[str, object]], Field(min_length=1, max_length=MOST_AT_ONCE)]


class MarkRequest(Marks):
    """Marks to set on picks; only those that are given are changed."""

    project: _Count
    keys: Annotated[tuple[Key, ...], Field(max_length=5000)]
    removed: bool | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """The marks that are given, named like the arguments of `Store.mark`."""
        given = self.model_fields_set - {"project", "keys"}
        return {name: getattr(self, name) for name in given}
