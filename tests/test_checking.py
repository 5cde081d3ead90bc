"""Signatures of the package hold in every test: types, shapes and axes that share a name."""

import sys

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from explorer.data.chords import resample
from tests.support import checking

MODULE = """
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from nowhere import Absent


def twice(count: int) -> str:
    return 2 * count


def added(a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    return np.append(a, b) if a[0] < 0 else a + b


def nested(a: Float[np.ndarray, " n"]) -> int:
    def inner(b: Float[np.ndarray, "2 2"]) -> int:
        return b.size

    return inner(a)


@dataclass
class Codes:
    z: Float[np.ndarray, "codes units"]

    def row(self, n: int) -> Float[np.ndarray, " units"]:
        return self.z[n]

    def later(self, a: "Absent") -> "Absent":
        return a

    @property
    def name(self) -> str:
        return self.z
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "many_signatures.py").write_text(MODULE)
    checking.check("many_signatures")
    yield __import__("many_signatures")
    del sys.modules["many_signatures"]


def test_a_call_that_obeys_its_signature_is_let_through(module):
    assert module.added(np.ones(3), np.ones(3)).tolist() == [2, 2, 2]
    assert module.Codes(np.ones((2, 3))).row(1).shape == (3,)
    assert module.Codes(np.ones((2, 3))).later(1) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.twice("2"),
        lambda m: m.twice(2),
        lambda m: m.added(np.ones((3, 1)), np.ones(3)),
        lambda m: m.added(np.ones(3), np.ones(2)),
        lambda m: m.added(-np.ones(3), np.ones(3)),
        lambda m: m.added(np.ones(3, int), np.ones(3, int)),
        lambda m: m.nested(np.ones(4)),
        lambda m: m.Codes(np.ones((2, 3))).row("1"),
        lambda m: m.Codes(np.ones((2, 3))).name,
    ],
    ids=[
        "an argument",
        "what is returned",
        "a shape",
        "two axes of one name",
        "the axis of what is returned",
        "a kind of number",
        "a function within a function",
        "a method",
        "a property",
    ],
)
def test_a_call_that_breaks_its_signature_is_an_error(module, call):
    with pytest.raises(TypeCheckError):
        call(module)


def test_what_a_dataclass_is_made_of_is_checked(module):
    with pytest.raises(TypeCheckError):
        module.Codes(np.ones(3))


def test_the_package_itself_is_checked():
    with pytest.raises(TypeCheckError):
        resample(np.ones((3, 3)))
