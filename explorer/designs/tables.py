"""The tables of the store: projects, picks with history and properties, directions, tests."""

import sqlalchemy as sql
from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, MetaData, Table, Text

FIRST_PROJECT = "Shortlist"

TABLES = MetaData()
PROJECT = Table(
    "project",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created", sql.Float, nullable=False),
    Column("owner", Text, nullable=False, server_default=""),
    sql.UniqueConstraint("owner", "name"),
)
MODEL = Table(
    "model",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("sketch", Text, nullable=False),
    sql.UniqueConstraint("hash", "slug", "data", "sketch"),
)
PICK = Table(
    "pick",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("project", ForeignKey("project.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("origin", Text, nullable=False),
    Column("created", sql.Float, nullable=False),
    Column("model", ForeignKey("model.id"), nullable=False),
    Column("code", LargeBinary, nullable=False),
    Column("sample", LargeBinary, nullable=False),
    Column("component", Integer),
    Column("scale", sql.Float),
    Column("seed", Integer),
    Column("labels", Text),
    Column("page", Text, nullable=False),
    Column("view", Text, nullable=False),
    Column("library", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("stars", Integer, nullable=False, default=0),
    Column("verdict", Text, nullable=False, default=""),
    Column("notes", Text, nullable=False, default=""),
    Column("tags", Text, nullable=False, default="[]"),
    Column("treatment", Text, nullable=False, default=""),
    Column("removed", Integer, nullable=False, default=0),
    sql.UniqueConstraint("project", "number"),
    sql.UniqueConstraint("project", "origin"),
)
PROPERTY = Table(
    "property",
    TABLES,
    Column("pick", ForeignKey("pick.id"), primary_key=True),
    Column("conditions", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", sql.Float),
)
EVENT = Table(
    "event",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("batch", Text, nullable=False, index=True),
    Column("project", ForeignKey("project.id"), nullable=False),
    Column("pick", ForeignKey("pick.id"), nullable=False),
    Column("time", sql.Float, nullable=False),
    Column("words", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("undone", Integer, nullable=False, default=0),
)
DIRECTION = Table(
    "direction",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("hash", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    Column("a", Text, nullable=False),
    Column("b", Text, nullable=False),
    Column("n_a", Integer, nullable=False),
    Column("n_b", Integer, nullable=False),
    Column("created", sql.Float, nullable=False),
    Column("removed", Integer, nullable=False, default=0),
)
TRIAL = Table(
    "trial",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("project", ForeignKey("project.id"), nullable=False, index=True),
    Column("created", sql.Float, nullable=False),
    Column("hash", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("answers", Text, nullable=False),
    Column("truth", Text, nullable=False),
)
