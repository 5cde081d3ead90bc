"""Properties of the tiles of a strip equal those measured directly."""

import numpy as np
import pytest

from explorer import sections
from explorer.designs.measuring import measure
from explorer.designs.properties import parse
from explorer.strips import StripSpec, scale_strip
from tests.support.addresses import strip_address
from tests.support.api import ask
from tests.support.engines import CURVES, PIXELS, engine_of
from tests.support.sentences import assert_one_sentence

pytestmark = pytest.mark.usefixtures("no_data")


def worth_of(slug, query="", tiles=16):
    engine = engine_of(slug)
    answer = ask(strip_address(engine, "properties", tiles, 3) + query)
    assert (answer.status, answer.kind) == (200, "application/octet-stream")
    header, body = answer.packed
    n = 41 * tiles
    names = [item["key"] for item in header["properties"]]
    assert len(body) == n * (4 * len(names) + 1)
    values = np.frombuffer(body[:-n], "<f4").reshape(len(names), n)
    return header, dict(zip(names, values, strict=True)), np.frombuffer(body[-n:], np.uint8)


@pytest.mark.parametrize(
    ("slug", "limits"),
    [(PIXELS, ""), (PIXELS, "ink>=20,symmetry<=80"), (CURVES, ""), (CURVES, "thickness>=10")],
)
def test_what_tiles_are_worth_is_what_is_measured_of_them(slug, limits):
    engine = engine_of(slug)
    header, values, state = worth_of(slug, f"&limits={limits}")
    samples = scale_strip(engine, StripSpec(tiles=16, seed=3)).samples
    found = measure(samples.reshape(-1, *samples.shape[2:]), engine.sketch)
    assert list(values) == [item.key for item in found.properties]
    for key, value in values.items():
        np.testing.assert_array_equal(value, found.values[key].astype(np.float32))
    np.testing.assert_array_equal(state == 2, found.meets(parse(limits)))
    np.testing.assert_array_equal(state == 0, ~found.valid)
    assert set(np.unique(state)) <= {0, 1, 2}
    assert header["constraints"] == len(parse(limits))
    assert header["curves"] == (slug == CURVES)
    if limits:
        assert {1, 2} <= set(np.unique(state))
        assert all(item["main"] for item in header["properties"] if f"{item['key']}>" in limits)


def test_an_unsound_section_is_told_from_one_that_breaks_a_constraint():
    _, values, state = worth_of(CURVES, "&limits=thickness>=10")
    assert set(np.unique(state)) == {0, 1, 2}
    model = engine_of(CURVES)
    decoded = scale_strip(model, StripSpec(tiles=16, seed=3)).samples.reshape(len(state), -1)
    shape = sections.surfaces(decoded, model.sketch)
    crossed = (shape.upper - shape.lower).min(1) < -sections.CROSSED
    np.testing.assert_array_equal(state == 0, crossed)
    assert (values["least_gap"] >= 0).all()


def test_conditions_change_what_sections_are_worth():
    _, usual, _ = worth_of(CURVES)
    _, other, _ = worth_of(CURVES, "&alpha=0&reynolds=200000")
    np.testing.assert_array_equal(usual["thickness"], other["thickness"])
    if "cl" in usual:
        sound = np.isfinite(usual["cl"]) & np.isfinite(other["cl"])
        assert sound.mean() > 0.5
        assert (usual["cl"] > other["cl"])[sound].mean() > 0.9


@pytest.mark.parametrize(
    "query",
    [
        "limits=ink",
        "limits=ink>20",
        "limits=ink>=x",
        "alpha=99",
        "reynolds=nan",
        "alpha=x",
        "limits=" + "ink>=1," * 13,
    ],
)
def test_constraints_and_conditions_that_are_none_are_absent(query):
    answer = ask(strip_address(engine_of(CURVES), "properties", 4, 3) + f"&{query}")
    assert answer.status == 404
    assert_one_sentence(answer.body.decode())
