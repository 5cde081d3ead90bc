"""What a grabbed curve asks of the server, and what it is answered."""

import base64
from urllib.parse import urlencode

import numpy as np
import pytest

from explorer import sections
from explorer.designs import desk, grab
from explorer.designs.grab import Handle
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions, OperatingPoint
from explorer.strips import codes_strip
from explorer.ui import cache
from explorer.ui.address.notation import code_text, read_code
from explorer.ui.api.address import grab_address
from explorer.ui.api.grab import lacking
from tests.support.api import ask, assert_absent
from tests.support.engines import CURVES, PLAIN, engine_of

pytestmark = pytest.mark.usefixtures("no_data")


@pytest.fixture
def wing():
    return engine_of(CURVES)


@pytest.fixture
def z(wing):
    drawn = wing.sample(50, 1.0, 4)
    text = code_text(drawn.z[int(wing.heights(drawn.z).argmax())])
    return read_code(text, wing.space.size)


def asked(wing, code, limits="", conditions=None, **changed):
    query = {"z": code_text(code), "from": code_text(code), "kind": "upper", "at": 24, "to": 9.0}
    query = {name: value for name, value in (query | changed).items() if value is not None}
    return ask(f"{grab_address(wing, conditions or Conditions(), limits)}&{urlencode(query)}")


def test_the_answer_is_of_the_code_it_tells(wing, z):
    conditions = Conditions(alpha=2.0, others=(OperatingPoint(cl=0.8, reynolds=5e5),))
    answer = asked(wing, z, conditions=conditions, settle=1)
    header, body = answer.packed
    found = read_code(header["z"], wing.space.size)
    exact = np.frombuffer(base64.b64decode(header["exact"]), "<f4")
    np.testing.assert_array_equal(found, exact)
    assert body == codes_strip(wing, found[None]).panel[1]
    x = sections.shaped(wing.decode(found[None]), wing.sketch)
    value = float(grab.read(wing, x, Handle("upper", 24))[0])
    assert header["value"] == pytest.approx(value, abs=1e-5)
    assert header["gap"] == pytest.approx(abs(value - 9), abs=1e-5)
    measured = measure(wing.decode(found[None]), wing.sketch, conditions).values
    assert header["values"] == pytest.approx({k: float(v[0]) for k, v in measured.items()})
    assert header["lacks"] == lacking(desk.judge(wing, found[None], conditions, cache.sound(wing)))
    assert answer.headers["cache-control"] == "no-store"


def test_it_keeps_the_wishes_and_the_likely(wing, z):
    far, _ = asked(wing, z, "thickness<=11.5", to=20.0, settle=1).packed
    assert far["gap"] > 1
    assert far["short"]
    assert far["values"]["thickness"] <= 11.52
    code = read_code(far["z"], wing.space.size)
    assert wing.heights(code[None])[0] >= cache.floor_density(wing) - 0.1


WRONG = {
    "z": ["", "z:", "z:AAAA", "A" * 5000, "z:" + "A" * 22 + "!", None],
    "from": ["", "z:AAAA", None],
    "kind": ["", "height", "UPPER", "thickness ", "__class__", None],
    "at": ["-1", "64", "1e3", "٣", "", "9" * 40, None],
    "to": ["", "nan", "inf", "-inf", "1e7", "٣", "0x1", "1" * 500, None],
    "flow": ["x", "a4", ";" * 300, "n99", "a1@1e6;" * 4],
    "reynolds": ["0", "nan", "x", "1e99"],
    "limits": ["x", "thickness>=", "thickness>=1," * 100],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in WRONG.items() for value in values]
)
def test_what_is_malformed_is_not_found(wing, z, field, value):
    assert_absent(asked(wing, z, **{field: value}))


def test_a_wish_that_sections_lack_is_left_out(wing, z):
    header, _ = asked(wing, z, "ink>=3").packed
    assert header["gap"] < 1


def test_pictures_cannot_be_grabbed():
    digits = engine_of("digits-vae-vamp-2")
    assert_absent(asked(digits, np.zeros(2, np.float32)))
    assert_absent(asked(engine_of(PLAIN), np.zeros(2, np.float32), kind="height", at=0))
