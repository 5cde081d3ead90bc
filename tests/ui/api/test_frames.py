"""Single frames of a strip are those of the whole strip."""

import numpy as np
import pytest

from explorer import drawing
from explorer.strips import SCALES, StripSpec
from explorer.ui import cache
from explorer.ui.api.address import frames_address, novelty_address, painted_address
from tests.support.api import ask
from tests.support.engines import PIXELS, engine_of

pytestmark = pytest.mark.usefixtures("no_data")

SPEC = StripSpec(tiles=5, seed=3)


@pytest.fixture(scope="module")
def engine():
    return engine_of(PIXELS)


def test_a_frame_is_its_part_of_the_strip(engine):
    _, whole = cache.strip(engine, SPEC).panel
    size = len(whole) // len(SCALES)
    for frame in (0, 17, 40):
        answer = ask(f"{frames_address(engine, SPEC)}&frame={frame}")
        assert answer.kind == "application/octet-stream"
        assert answer.body == whole[frame * size : (frame + 1) * size]


def test_what_is_known_of_a_frame_is_a_row_of_what_is_known_of_the_strip(engine):
    address = novelty_address(engine, SPEC)
    everything, one = ask(address).json, ask(f"{address}&frame=17").json
    for name in ("novelty", "typicality"):
        assert one[name] == everything[name][17:18]
    assert one["heldOut"] == everything["heldOut"]
    found = cache.novelty_of(engine, SPEC, 17, 2)
    assert round(float(found.novelty[0, 0])) == everything["novelty"][17][2]


def test_painted_images_are_drawn_from_the_codes_of_their_frame(engine):
    answer = ask(painted_address(engine, SPEC, 30))
    z, _ = engine.draw(5, SCALES[30], 3)
    assert answer.body == drawing.quantise(engine.paint(z, 3)).tobytes()
    assert set(np.frombuffer(answer.body, np.uint8)) <= {0, 255}
