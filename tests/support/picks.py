"""Picks and their sources, as tests build and compare them."""

import dataclasses
import functools
import sqlite3
import threading
from contextlib import closing, contextmanager

import numpy as np
from hypothesis import strategies as st

from explorer import checkpoint
from explorer.designs.picks import Model, PickSource
from explorer.sketch import CurveSketch, PixelSketch
from tests.support.engines import CURVES, PIXELS

SKETCH = PixelSketch(height=8, width=8)

LINE = CurveSketch(x=(0.0, 0.5, 1.0), loc=(0.0, 0.0, 0.0), scale=(1.0, 1.0, 1.0))

DIGEST = "ab" * 8

PATIENCE = 120


def model_of(sketch=SKETCH, digest=DIGEST, slug=PIXELS, data="digits"):
    return Model(digest, slug, data, sketch)


def made(origin="here", **facts):
    plain = {
        "model": model_of(),
        "code": np.zeros(2, np.float32),
        "sample": np.zeros(SKETCH.shape, np.float32),
        "page": "generate",
        "view": "?model=one",
        "library": "0.1",
    }
    return PickSource(origin=origin, **plain | facts)


def key_of(number):
    return f"key-{number:08d}"


def some(*numbers):
    return [(key_of(number), made(f"origin {number}")) for number in numbers]


def keys(picks):
    return [pick.key for pick in picks]


def state_of(store, project=1):
    """All that is known of a project's picks, in plain values."""
    return [
        (pick.key, pick.number, pick.stars, pick.verdict, pick.notes, pick.tags, pick.treatment,
         pick.removed)
        for removed in (False, True)
        for pick in store.picks(project, removed)
    ]  # fmt: skip


def assert_same_bits(found, expected):
    assert (found.dtype, found.shape) == (np.float32, expected.shape)
    assert found.tobytes() == np.ascontiguousarray(expected, np.float32).tobytes()


def assert_same_made(found, expected):
    for field in dataclasses.fields(PickSource):
        ours, theirs = getattr(found, field.name), getattr(expected, field.name)
        if field.name in ("code", "sample"):
            assert_same_bits(ours, theirs)
        else:
            assert ours == theirs, field.name


# There and back through the file


FINITE = st.floats(-1e6, 1e6, width=32)

ODD = [0.0, -0.0, 1e-45, -1e-45, 1.1754942e-38, 3.0e-41, 1e6, -1e6, 0.1, 1 / 3]


def numbers(shape):
    n = int(np.prod(shape))
    return st.lists(FINITE, min_size=n, max_size=n).map(
        lambda values: np.array(values, np.float32).reshape(shape)
    )


@functools.cache
def section_sketch():
    return checkpoint.load(CURVES).config.sketch


def drawn_section(seed):
    return np.random.default_rng(seed).normal(0, 0.5, 128).astype(np.float32)


COLOUR = PixelSketch(height=2, width=3, channels=3)

RAMP = np.linspace(0, 1, 64, dtype=np.float32).reshape(SKETCH.shape)

KINDS = [
    (COLOUR, "aa", numbers(COLOUR.shape)),
    (SKETCH, DIGEST, st.just(RAMP)),
    (LINE, "0", numbers(LINE.shape)),
]


@st.composite
def anything(draw, kinds=KINDS):
    """Whatever a pick can be made of; made outside, since the type checker draws lots."""
    sketch, digest, samples = draw(st.sampled_from(kinds))
    return {
        "origin": draw(st.text(min_size=1, max_size=30)),
        "model": (sketch, digest),
        "code": draw(st.integers(1, 5).flatmap(numbers)),
        "sample": draw(samples),
        "page": draw(st.text(max_size=40)),
        "view": draw(st.text(max_size=60)),
        "library": draw(st.text(max_size=40)),
        "component": draw(st.none() | st.integers(0, 9999)),
        "scale": draw(st.none() | st.floats(0, 100)),
        "seed": draw(st.none() | st.integers(0, 2**31 - 1)),
        "labels": draw(st.none() | st.lists(st.integers(-9, 9), max_size=4).map(tuple)),
    }


def made_of(facts):
    return made(**facts | {"model": model_of(*facts["model"], data="data of mine")})


def with_code(*values):
    return {"origin": "o", "model": (SKETCH, DIGEST), "code": np.array(values, np.float32)}


WORDS = st.text(max_size=40)

TOLD = st.fixed_dictionaries(
    {
        "stars": st.integers(0, 5),
        "verdict": st.sampled_from(["", "keep", "reject"]),
        "notes": st.text(max_size=80)
        | st.sampled_from(
            ["'\"\n\r\n\t\\", "\N{BAT}\N{COMBINING ACUTE ACCENT}\u202e\x00\x1b", "="]
        ),
        "tags": st.lists(
            WORDS.map(lambda tag: " ".join(tag.split())).filter(bool), max_size=4, unique=True
        ).map(tuple),
    }
)


# Killed


def assert_whole(path):
    """Check a file as SQLite does, and that each pick was noted."""
    with closing(sqlite3.connect(path)) as bare:
        assert bare.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert bare.execute("PRAGMA foreign_key_check").fetchall() == []
        lost = "SELECT count(*) FROM pick WHERE id NOT IN (SELECT pick FROM event)"
        assert bare.execute(lost).fetchone() == (0,)


# Several at once


@contextmanager
def holding(path, seconds=None, how="IMMEDIATE"):
    """Hold the writer's place from another connection, for a while or until the end."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as holder:
        holder.execute(f"BEGIN {how}")
        timer = threading.Timer(seconds or PATIENCE, holder.execute, ["ROLLBACK"])
        timer.start()
        try:
            yield
        finally:
            if seconds is None:
                timer.cancel()
            timer.join()
