"""The manifest: one JSON format for everything that is exported, from which it is rebuilt.

A manifest holds one strip (a seed or codes) or any number of picks, and names the weights by slug
and content hash. Files of version 1, one format for strips and one for picks, are still read.
"""

import json
import platform
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, ValidationError, model_validator

from explorer.config import first_problem
from explorer.errors import ExportError
from explorer.interfaces import Frozen
from explorer.sections import Geometry
from explorer.sketch import Sketch
from explorer.strips import StripSpec

FORMAT: Literal["latent-explorer manifest"] = "latent-explorer manifest"
VERSION: Literal[2] = 2
STRIP, CANDIDATES = "latent-explorer strip", "latent-explorer candidates"
"""The formats of version 1."""

MOST_MODELS = 200

Slug = Annotated[str, Field(pattern=r"^[^\x00-\x1f/\\.][^\x00-\x1f/\\]{0,254}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{0,64}$")]
_Scale = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
_Value = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
_Row = Annotated[str, Field(max_length=80)]
_Name = Annotated[str, Field(max_length=60)]


class ModelEntry(Frozen):
    """The weights behind an export, and how their samples are drawn.

    `kind` names the data set; `data` is the fingerprint of the data, if known.
    """

    checkpoint: Slug
    hash: Hash
    kind: str = Field("", max_length=40)
    data: str | None = Field(None, max_length=128)
    sketch: Sketch | None = None


class Backend(Frozen):
    """The hardware and software that computed the samples; on others the last bits may differ."""

    torch: _Name
    device: _Name
    machine: _Name

    @classmethod
    def of(cls, device: str) -> "Backend":
        """Describe this machine."""
        return cls(torch=torch.__version__[:60], device=device[:60], machine=platform.machine())


class Drawn(StripSpec):
    """A strip drawn from the prior, fully specified by its seed.

    What a flow draws is stored as codes, since a flow is fitted anew on each machine.
    """

    tiles: int = Field(ge=1, le=4096)
    seed: int = Field(ge=0, lt=2**31)
    scales: Annotated[tuple[_Scale, ...], Field(min_length=1, max_length=512)]
    flow: None = None


class Codes(Frozen):
    """A strip of given codes, as base64 of little-endian float32, frames x tiles x latent."""

    shape: tuple[int, int, int]
    values: Annotated[tuple[_Value, ...], Field(min_length=1, max_length=4096)]
    data: str = Field(max_length=8_000_000)


class Manifest(Frozen):
    """Everything needed to rebuild an export.

    `picks` are validated one by one by the reader, so that a broken one does not affect
    the others.
    """

    format: Literal["latent-explorer manifest"] = FORMAT
    version: Literal[2] = VERSION
    library: str = Field(max_length=40)
    models: Annotated[tuple[ModelEntry, ...], Field(max_length=MOST_MODELS)]
    backend: Backend | None = None
    view: str = Field("", max_length=4000)
    drawn: Drawn | None = None
    codes: Codes | None = None
    frame: int = Field(0, ge=0, description="The selected frame.")
    geometry: Geometry | None = Field(
        None, description="The geometry of a strip's sections; as decoded, if it is not named."
    )
    digest: str = Field("", max_length=64, description="SHA-256 of the strip as 8-bit samples.")
    title: str = Field("", max_length=200, description="What the strip shows.")
    rows: Annotated[tuple[_Row, ...], Field(max_length=512)] = Field(
        (), description="Names of its tiles."
    )
    project: str | None = Field(None, max_length=60)
    picks: Annotated[tuple[Any, ...], Field(max_length=5000)] | None = None
    chord: Annotated[float, Field(ge=1, le=1e5, allow_inf_nan=False)] | None = Field(
        None, description="The chord of drawings of sections, in millimetres."
    )
    software: Annotated[dict[_Name, _Name], Field(max_length=20)] | None = Field(
        None, description="Versions of what wrote the files of picks."
    )
    table: Hash | None = Field(None, description="SHA-256 of the table of picks.")

    @model_validator(mode="after")
    def _one_thing(self) -> "Manifest":
        strips = [part for part in (self.drawn, self.codes) if part is not None]
        one = len(strips) == 1 and len(self.models) == 1 and self.digest
        if self.project is None and not one:
            raise ValueError("a strip needs its model, a digest, and either a seed or codes")
        if self.project is not None and (strips or self.picks is None):
            raise ValueError("a project needs its picks, and no strip")
        return self

    @property
    def model(self) -> ModelEntry:
        """The model of a strip."""
        return self.models[0]


def read(content: bytes, name: str, what: str = "an export of this app") -> Manifest:
    """Validate a manifest of the current or the previous version.

    Args:
        content: The file's bytes.
        name: Its name, for messages.
        what: What it should be, for messages.

    Raises:
        ExportError: If it is not a manifest; the message names the first invalid field.
    """
    try:
        given = json.loads(content)
        if not isinstance(given, dict):
            raise ExportError(f"{name} is not {what}; choose one.")
        return Manifest.model_validate_json(json.dumps(_upgraded(given)))
    except (ValueError, RecursionError) as error:
        reason = first_problem(error) if isinstance(error, ValidationError) else "it is not JSON."
        raise ExportError(f"{name} is not {what}: {reason}") from error


def write(manifest: Manifest) -> bytes:
    """Write a manifest as JSON."""
    facts = manifest.model_dump(mode="json", exclude_none=True)
    if manifest.drawn is not None:  # releases that know of no flow read it, too
        facts["drawn"].pop("spread")
    return (json.dumps(facts, indent=1) + "\n").encode()


def _upgraded(given: dict[str, Any]) -> dict[str, Any]:
    """Convert a manifest of version 1 to the current version."""
    if given.get("version", 1) != 1 or given.get("format", STRIP) not in (STRIP, CANDIDATES):
        return given
    left = {key: value for key, value in given.items() if key not in ("format", "version")}
    if given.get("format") == CANDIDATES:
        models = given.get("models")
        if isinstance(models, list):
            left["models"] = [
                {("kind" if key == "data" else key): value for key, value in model.items()}
                if isinstance(model, dict)
                else model
                for model in models
            ]
        return left
    names = ("checkpoint", "hash")
    model = {key: left.pop(key) for key in names if key in left}
    return left | {"models": [model]}
