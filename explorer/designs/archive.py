"""Picks as a manifest, and back from one, or from the ZIP around it."""

import base64
import contextlib
import io
import json
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Annotated, NamedTuple

import numpy as np
from jaxtyping import Float
from pydantic import Field, ValidationError

from explorer import drawing, manifests, sections
from explorer.config import first_problem
from explorer.designs import measuring, names, xfoil
from explorer.designs.picks import (
    MOST_FILE_NAME,
    MOST_PICKS,
    Marks,
    Model,
    Pick,
    PickSource,
)
from explorer.designs.properties import Conditions, Measured
from explorer.errors import ExportError
from explorer.inference import Engine
from explorer.manifests import Hash
from explorer.sections import Geometry
from explorer.sketch import CurveSketch

MANIFEST = "manifest.json"
TABLE = "candidates.csv"
MOST_BYTES = 64_000_000
MOST_MEMBERS = 20 * MOST_PICKS + 2
CLOSE = 1 / 255
"""Largest deviation of a rebuilt sample on another machine, as a fraction of its range."""

_WRITERS = ("ezdxf", "matplotlib", "neuralfoil", "numpy", "pillow", "scipy")
_FOLDER = re.compile(
    r"\d{3,5}/(?:picture\.png|code\.npy|section\.(?:dat|csv|svg|dxf)|section-decoded\.dat"
    r"|polar-(?:neuralfoil|xfoil)\.csv)"
)
"""What a folder of an earlier release held."""
_MEMBER = re.compile(
    rf"(?P<stem>{names.STEM})/(?P=stem)(?:{names.ENDINGS})|{_FOLDER.pattern}|[a-z]+\.(?:csv|json)"
)
_Finite = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
_Word = Annotated[str, Field(max_length=40)]
_File = Annotated[str, Field(max_length=120)]
_Points = Annotated[dict[_Word, _Finite | None], Field(max_length=2000)]


class PickEntry(Marks):
    """One pick in a manifest; code and sample are base64 of little-endian float32.

    `model` is the index of its model; if missing, the first model with its hash. A sample of the
    user's own has the `name` of its file, and no code.
    """

    key: str = Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")
    number: int = Field(ge=1, le=10 * MOST_PICKS)
    origin: str = Field(min_length=1, max_length=8000)
    hash: Hash
    model: Annotated[int, Field(ge=0, lt=200)] | None = None
    code: str = Field(max_length=400_000)
    sample: str = Field(max_length=8_000_000)
    component: Annotated[int, Field(ge=0, lt=10_000)] | None = None
    scale: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    labels: Annotated[tuple[int, ...], Field(max_length=64)] | None = None
    page: str = Field("", max_length=40)
    view: str = Field("", max_length=4000)
    library: str = Field(max_length=40)
    name: str = Field("", max_length=MOST_FILE_NAME, pattern=r"^[\w .+()-]*$")
    geometry: Geometry | None = None
    fault: str = Field("", max_length=200, description="Why it is invalid, if it is.")
    properties: dict[_Word, _Finite | None] = Field(default_factory=dict, max_length=100)
    conditions: str = Field("", max_length=1000)
    created: Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)] | None = None
    stem: Annotated[str, Field(pattern=rf"^(?:{names.STEM})?$")] = ""
    xfoil: Annotated[dict[_Word, _Points], Field(max_length=200)] = Field(default_factory=dict)
    files: Annotated[dict[_File, Hash], Field(max_length=100)] = Field(
        default_factory=dict, description="SHA-256 of each file of its folder."
    )


class Returned(NamedTuple):
    """A pick read from an export, with its marks."""

    entry: PickEntry
    source: PickSource

    @property
    def pick(self) -> Pick:
        """The pick, with its marks and what XFoil found."""
        entry = self.entry
        return Pick(
            entry.key, entry.number, entry.created or 0.0, self.source, entry.stars, entry.verdict,
            entry.notes, entry.tags, entry.treatment, properties=self.verified,
        )  # fmt: skip

    @property
    def verified(self) -> dict[str, dict[str, float]]:
        """XFoil's results, by where they are stored."""
        return {
            place: {key: math.nan if value is None else value for key, value in known.items()}
            for place, known in self.entry.xfoil.items()
        }

    @property
    def conditions(self) -> Conditions:
        """The conditions its properties were measured under.

        Raises:
            ExportError: If they cannot be read.
        """
        try:
            return Conditions.model_validate_json(self.entry.conditions or "{}")
        except ValidationError as error:
            raise ExportError(f"its conditions: {first_problem(error)}") from error


class Import(NamedTuple):
    """The result of reading an export: intact picks, and a reason for each broken one.

    `chord` is that of drawings in millimetres, `library` and `software` are the versions of what
    wrote the files; exports of earlier releases lack chord and software.
    """

    project: str
    picks: tuple[Returned, ...]
    broken: tuple[str, ...]
    library: str = ""
    chord: float | None = None
    software: Mapping[str, str] = MappingProxyType({})
    table: str = ""


class Again(NamedTuple):
    """A regenerated pick: whether it is bit-identical, and its largest deviation.

    `away` is a fraction of the range in which samples are drawn; `problem` says why it could not
    be regenerated.
    """

    number: int
    checkpoint: str
    same: bool
    away: float
    problem: str = ""

    @property
    def close(self) -> bool:
        """Whether it is within the tolerance for another machine."""
        return not self.problem and self.away <= CLOSE


def read(content: bytes, name: str) -> Import:
    """Read an export, ZIP or manifest; broken picks are listed, the others read.

    Args:
        content: The file's bytes.
        name: Its name, for messages.

    Raises:
        ExportError: If it is not an export, or exceeds the limits.
    """
    shown = " ".join(name.split())[:80] or "The file"
    facts = manifests.read(unpacked(content, name), shown, "an export of candidates")
    if facts.project is None:
        raise ExportError(
            f"{shown} holds a strip, not candidates; regenerate it with `latent-explorer rebuild`."
        )
    sound, broken = [], []
    for place, given in enumerate(facts.picks or (), 1):
        title = f"Pick {given['number']}" if _numbered(given) else f"Entry {place}"
        try:
            entry = PickEntry.model_validate_json(json.dumps(given))
            sound.append(Returned(entry, _source(entry, facts.models)))
        except ValidationError as error:
            broken.append(f"{title}: {first_problem(error)}")
        except ExportError as error:
            broken.append(f"{title}: {error}")
    return Import(
        facts.project, tuple(sound), tuple(broken), facts.library, facts.chord,
        facts.software or {}, facts.table or "",
    )  # fmt: skip


def rebuild(item: Returned, engine: Engine) -> Again:
    """Decode a pick's code again and compare the result with the exported sample."""
    source, number = item.source, item.entry.number
    assert not source.own, "a sample of the user's own has no code"
    problem = ""
    if len(source.code) != engine.space.size:
        problem = f"its code has {len(source.code)} units, but its model has {engine.space.size}"
    elif source.model.sketch != engine.sketch:
        problem = "its samples differ in shape from its model's"
    if problem:
        return Again(number, source.model.slug, False, math.inf, problem)
    x = engine.decode(source.code[None])[0]
    same = x.tobytes() == source.sample.astype(np.float32).tobytes()
    apart, sketch = np.abs(x - source.sample), source.model.sketch
    if isinstance(sketch, CurveSketch):
        low, high = drawing.curve_range(sketch)
        apart = apart * np.asarray(sketch.scale) / (high - low)
    away = float(apart.max())
    return Again(number, source.model.slug, same, away)


class Written(NamedTuple):
    """What was written of picks: names, the SHA-256 of each file, and that of the table.

    `chord` is that of drawings of sections, in millimetres.
    """

    stems: tuple[str, ...]
    digests: tuple[Mapping[str, str], ...]
    table: str
    chord: float


def manifest(
    project: str,
    picks: Sequence[Pick],
    measured: Sequence[Measured],
    conditions: Conditions,
    library: str,
    written: Written,
) -> bytes:
    """Write the manifest of picks, from which they and their files are rebuilt.

    Args:
        project: Its name.
        picks: The picks.
        measured: For each pick in order, its properties, measured on one sample.
        conditions: The conditions they were measured under.
        library: Version of this library.
        written: What was written of them.
    """
    models: list[Model] = []
    for pick in picks:
        if pick.source.model not in models:
            models.append(pick.source.model)
    entries = [
        _entry(pick, found, models, conditions.model_dump_json()).model_copy(
            update={"stem": stem, "files": dict(files)}
        )
        for pick, found, stem, files in zip(
            picks, measured, written.stems, written.digests, strict=True
        )
    ]
    facts = manifests.Manifest(
        library=library,
        project=project,
        models=tuple(
            manifests.ModelEntry(
                checkpoint=model.slug, hash=model.hash, kind=model.data, sketch=model.sketch
            )
            for model in models
        ),
        picks=tuple(entry.model_dump(mode="json", exclude_defaults=True) for entry in entries),
        chord=written.chord,
        software=software(),
        table=written.table,
    )
    return manifests.write(facts)


def software() -> dict[str, str]:
    """Return the versions of what writes files, here: with others their bytes may differ.

    Networks that are installed as properties add columns to a table; they count as one.
    """
    found = {}
    for name in _WRITERS:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    if networks := measuring.fingerprint():
        found["properties"] = networks
    return found


def _entry(pick: Pick, found: Measured, models: Sequence[Model], conditions: str) -> PickEntry:
    section = sections.is_section(pick.source.model.sketch)
    return PickEntry(
        key=pick.key,
        number=pick.number,
        created=pick.created or None,
        origin=pick.source.origin,
        hash=pick.source.model.hash,
        model=models.index(pick.source.model),
        code=_text(pick.source.code),
        sample=_text(pick.source.sample),
        component=pick.source.component,
        scale=pick.source.scale,
        seed=pick.source.seed,
        labels=pick.source.labels,
        page=pick.source.page,
        view=pick.source.view,
        library=pick.source.library,
        name=pick.source.name,
        stars=pick.stars,
        verdict=pick.verdict,
        notes=pick.notes,
        tags=pick.tags,
        treatment=pick.treatment,
        geometry=pick.geometry if section else None,
        fault=found.faults[0],
        properties={
            key: float(value[0]) if np.isfinite(value[0]) else None
            for key, value in found.values.items()
        },
        conditions=conditions,
        xfoil={
            place: {key: value if math.isfinite(value) else None for key, value in known.items()}
            for place, known in pick.properties.items()
            if place.startswith(xfoil.PLACE)
        },
    )


def _text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()


def unpacked(content: bytes, name: str) -> bytes:
    """Return the manifest of an export, which may be a ZIP file or the manifest itself.

    Raises:
        ExportError: If it is empty, too large, or a ZIP that is not an export.
    """
    shown = " ".join(name.split())[:80] or "The file"
    if not content:
        raise ExportError(f"{shown} is empty; choose an export of candidates.")
    if len(content) > MOST_BYTES:
        raise ExportError(f"{shown} is over {MOST_BYTES // 10**6} MB; import fewer picks at once.")
    if not content.startswith(b"PK"):
        return content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                raise ExportError(
                    f"{shown} has {len(members):,} files; it was not exported by Latent Explorer."
                )
            foreign = [item.filename for item in members if not _MEMBER.fullmatch(item.filename)]
            if foreign:
                member = " ".join(foreign[0].split())[:60]
                raise ExportError(
                    f"{shown} holds “{member}”, which no export contains; export it again."
                )
            # A header may lie about the size: never unpack more than the limit.
            with archive.open(MANIFEST) as stream:
                facts = stream.read(MOST_BYTES + 1)
    except KeyError as error:
        raise ExportError(f"{shown} has no {MANIFEST}; choose an export of candidates.") from error
    except ExportError:
        raise
    except Exception as error:  # every compression method raises its own errors
        raise ExportError(f"{shown} is a damaged ZIP; export it again.") from error
    if len(facts) > MOST_BYTES:
        raise ExportError(
            f"{shown} is too large when unpacked; it was not exported by Latent Explorer."
        )
    return facts


def _numbered(given: object) -> bool:
    number = given.get("number") if isinstance(given, dict) else None
    return isinstance(number, int) and 0 < number <= 10 * MOST_PICKS


def _source(entry: PickEntry, models: Sequence[manifests.ModelEntry]) -> PickSource:
    place = range(len(models)) if entry.model is None else (entry.model,)
    named = [models[k] for k in place if k < len(models) and models[k].hash == entry.hash]
    if not named:
        raise ExportError("its model is missing from the export.")
    found = named[0]
    if found.sketch is None:
        raise ExportError("its model's sketch is missing from the export.")
    model = Model(found.hash, found.checkpoint, found.kind, found.sketch)
    sample = _floats(entry.sample, "sample")
    if len(sample) != math.prod(model.sketch.shape):
        raise ExportError(
            f"its sample has {len(sample)} values, but its model's have "
            f"{math.prod(model.sketch.shape)}."
        )
    if bool(entry.name) != (entry.hash == "" and entry.code == ""):
        raise ExportError("its code is missing, or it has both a file and a model.")
    return PickSource(
        model=model,
        code=np.zeros(0, np.float32) if entry.name else _floats(entry.code, "code"),
        sample=sample.reshape(model.sketch.shape),
        origin=entry.origin,
        page=entry.page,
        view=entry.view,
        library=entry.library,
        component=entry.component,
        scale=entry.scale,
        seed=entry.seed,
        labels=entry.labels,
        name=entry.name,
    )


def _floats(text: str, what: str) -> Float[np.ndarray, " numbers"]:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ExportError(f"its {what} is not base64.") from error
    if not raw or len(raw) % 4:
        raise ExportError(f"its {what} is not a multiple of four bytes long.")
    values = np.frombuffer(raw, "<f4").astype(np.float32)
    if not np.isfinite(values).all() or np.abs(values).max() > 1e6:
        raise ExportError(f"its {what} contains non-finite values.")
    return values
