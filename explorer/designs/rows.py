"""Conversion of picks to database rows and back."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sql
from pydantic import TypeAdapter
from sqlalchemy import Connection

from explorer.designs.picks import Model, Pick, PickSource, Treatment
from explorer.designs.tables import MODEL, PICK, PROPERTY
from explorer.sketch import CurveSketch, PixelSketch, Sketch

_SKETCH: TypeAdapter[PixelSketch | CurveSketch] = TypeAdapter(Sketch)


def insert(
    connection: Connection,
    project: int,
    number: int,
    key: str,
    source: PickSource,
    treatment: Treatment,
) -> int:
    """Insert a pick, and its model if that is new; return the row id."""
    model = _model_key(connection, source.model)
    done = connection.execute(
        PICK.insert().values(
            key=key,
            project=project,
            number=number,
            origin=source.origin,
            created=time.time(),
            model=model,
            code=np.ascontiguousarray(source.code, "<f4").tobytes(),
            sample=np.ascontiguousarray(source.sample, "<f4").tobytes(),
            component=source.component,
            scale=source.scale,
            seed=source.seed,
            labels=None if source.labels is None else json.dumps(source.labels),
            page=source.page,
            view=source.view,
            library=source.library,
            name=source.name,
            treatment=treatment,
        )
    )
    return first_key(done.inserted_primary_key)


def _model_key(connection: Connection, model: Model) -> int:
    """Find or insert a model: its name, content hash and sketch."""
    facts = {
        "hash": model.hash,
        "slug": model.slug,
        "data": model.data,
        "sketch": model.sketch.model_dump_json(),
    }
    connection.execute(MODEL.insert().prefix_with("OR IGNORE").values(facts))
    return int(connection.execute(sql.select(MODEL.c.id).filter_by(**facts)).scalar_one())


def read(connection: Connection, which: sql.ColumnElement[bool]) -> list[Pick]:
    """Read picks in the order they were kept, with their measured properties."""
    found = connection.execute(
        sql.select(PICK, MODEL.c.hash, MODEL.c.slug, MODEL.c.data, MODEL.c.sketch)
        .join(MODEL, MODEL.c.id == PICK.c.model)
        .where(which)
        .order_by(PICK.c.project, PICK.c.number)
    )
    rows = [{str(name): value for name, value in row.items()} for row in found.mappings()]
    measured: dict[int, dict[str, dict[str, float]]] = {}
    ids = [row["id"] for row in rows]
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        values = connection.execute(sql.select(PROPERTY).where(PROPERTY.c.pick.in_(part)))
        for pick, conditions, key, value in values:
            known = measured.setdefault(pick, {}).setdefault(conditions, {})
            known[key] = np.nan if value is None else value
    models: dict[int, Model] = {}
    return [_pick(row, models, measured.get(row["id"], {})) for row in rows]


def _pick(
    row: Mapping[str, Any],
    models: dict[int, Model],
    measured: dict[str, dict[str, float]],
) -> Pick:
    name = row["model"]
    if name not in models:
        sketch = _SKETCH.validate_json(row["sketch"])
        models[name] = Model(row["hash"], row["slug"], row["data"], sketch)
    model = models[name]
    source = PickSource(
        model=model,
        code=np.frombuffer(row["code"], "<f4").astype(np.float32),
        sample=np.frombuffer(row["sample"], "<f4").astype(np.float32).reshape(model.sketch.shape),
        origin=row["origin"],
        page=row["page"],
        view=row["view"],
        library=row["library"],
        component=row["component"],
        scale=row["scale"],
        seed=row["seed"],
        labels=None if row["labels"] is None else tuple(json.loads(row["labels"])),
        name=row["name"],
    )
    return Pick(
        key=row["key"],
        number=row["number"],
        created=row["created"],
        source=source,
        stars=row["stars"],
        verdict=row["verdict"],
        notes=row["notes"],
        tags=tuple(json.loads(row["tags"])),
        treatment=row["treatment"],
        removed=bool(row["removed"]),
        properties=measured,
    )


def first_key(key: Sequence[int] | None) -> int:
    """Return the id of the inserted row."""
    assert key is not None
    return int(key[0])
