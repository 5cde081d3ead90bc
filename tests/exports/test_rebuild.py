"""What is taken home is rebuilt bit by bit, and what has changed is told."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from explorer import exports, figures, rebuilding
from explorer.errors import ExportError, NoDensityError
from explorer.inference import Engine
from explorer.strips import Frames, Strip, StripSpec, codes_strip, samples_strip, scale_strip
from tests.support.engines import CURVES, PIXELS, engine_of
from tests.support.models import small_checkpoint
from tests.support.strips import change, coded, drawn, taken

pytestmark = pytest.mark.usefixtures("no_data")


# There and back


@pytest.mark.parametrize("make", [drawn, coded])
@pytest.mark.parametrize("slug", [PIXELS, CURVES])
def test_a_strip_is_rebuilt_bit_by_bit(tmp_path, slug, make):
    strip = make(engine_of(slug))
    facts = exports.read_manifest(taken(engine_of(slug), strip, tmp_path, view="?x=1", frame=2))
    assert (facts.model.checkpoint, facts.view, facts.frame) == (slug, "?x=1", 2)
    assert (facts.drawn is None) == (make is coded)
    found = exports.rebuild_strip(facts, "cpu")
    assert found.same
    assert found.strip.panel[1] == strip.panel[1]
    assert found.strip.values == strip.values
    np.testing.assert_array_equal(found.strip.z, strip.z)


@pytest.mark.parametrize("slug", [PIXELS, CURVES])
def test_a_changed_code_is_told(tmp_path, slug):
    facts = exports.read_manifest(taken(engine_of(slug), coded(engine_of(slug)), tmp_path))
    z = np.frombuffer(base64.b64decode(facts.codes.data), "<f4").copy()
    z[0] += 0.5
    data = base64.b64encode(z.tobytes()).decode()
    changed = facts.model_copy(update={"codes": facts.codes.model_copy(update={"data": data})})
    assert not exports.rebuild_strip(changed, "cpu").same


def test_another_seed_or_component_is_told(pixels, tmp_path):
    facts = exports.read_manifest(taken(pixels, drawn(pixels), tmp_path))
    for facts_of in ({"seed": 4}, {"component": 0}, {"scales": (0.1, 0.5, 1.0, 1.5, 2.0)}):
        other = facts.model_copy(update={"drawn": facts.drawn.model_copy(update=facts_of)})
        assert not exports.rebuild_strip(other, "cpu").same


def test_the_same_samples_in_another_form_have_another_digest(pixels):
    strip = drawn(pixels, 2, 6)
    x = strip.samples.reshape(6, 2, *strip.samples.shape[2:])
    plain = np.zeros((6, 2), np.float32)
    other = Strip(Frames.of(x), strip.values * 3, np.full(2, -1), plain, strip.sketch)
    assert other.panel[1] == strip.panel[1]
    assert exports.digest(other) != exports.digest(strip)


def test_one_component_is_rebuilt(pixels, tmp_path):
    strip = scale_strip(pixels, StripSpec(tiles=3, seed=1, component=1), (0.0, 1.0))
    facts = exports.read_manifest(taken(pixels, strip, tmp_path))
    assert facts.drawn.component == 1
    assert exports.rebuild_strip(facts, "cpu").same


def test_codes_of_an_autoencoder_are_rebuilt(tmp_path):
    engine = engine_of("digits-ae-2")
    facts = exports.read_manifest(taken(engine, coded(engine), tmp_path))
    assert exports.rebuild_strip(facts, "cpu").same


def test_a_seed_means_nothing_to_an_autoencoder(pixels, tmp_path):
    plain = engine_of("digits-ae-2").checkpoint
    path = taken(pixels, drawn(pixels), tmp_path)
    change(path, models__0__checkpoint=plain.slug, models__0__hash=plain.hash)
    with pytest.raises(NoDensityError):
        exports.rebuild_strip(exports.read_manifest(path), "cpu")


def test_data_cannot_be_rebuilt(pixels):
    x = np.zeros((2, 1, 8, 8), np.float32)
    with pytest.raises(ExportError, match=r"^These are data[^\n]+\.$"):
        exports.manifest(pixels, samples_strip(x, pixels.sketch), "0.0")


@pytest.mark.parametrize("slug", [PIXELS, CURVES])
def test_its_figure_is_rebuilt_byte_by_byte(tmp_path, slug):
    engine = engine_of(slug)
    strip = drawn(engine)
    facts = {"title": "Six samples", "rows": [f"sample {k}" for k in range(6)]}
    path = taken(engine, strip, tmp_path, frame=2, **facts)
    assert all(part.same for part in rebuilding.rebuild(path, tmp_path / "out", "cpu"))
    figure = figures.of_strip(engine.checkpoint, strip, 2, "Six samples", facts["rows"])
    for kind in ("svg", "pdf"):
        assert (tmp_path / "out" / f"strip.{kind}").read_bytes() == figure.file(kind)


# Uploads


def test_codes_of_one_frame_are_a_strip_that_can_be_taken(tmp_path):
    engine = Engine(small_checkpoint("vamp"), "cpu")
    strip = codes_strip(engine, np.zeros((3, 2), np.float32))
    facts = exports.read_manifest(taken(engine, strip, tmp_path))
    assert facts.codes.shape == (1, 3, 2)
    assert facts.codes.values == (0.0,)


def test_a_strip_of_sections_names_its_geometry_and_one_that_names_none_is_as_decoded(tmp_path):
    engine = engine_of(CURVES)
    strip = scale_strip(engine, StripSpec(tiles=3, seed=1), (0.5, 1.0))
    earlier = replace(strip, geometry="decoded")
    assert exports.digest(strip) != exports.digest(earlier)
    path = tmp_path / "strip.json"
    path.write_bytes(exports.manifest(engine, strip, "0.1"))
    assert json.loads(path.read_text())["geometry"] == "kulfan"
    assert exports.rebuild_strip(exports.read_manifest(path)).same
    path.write_bytes(exports.manifest(engine, earlier, "0.1"))
    facts = json.loads(path.read_text())
    assert facts.pop("geometry") == "decoded"
    path.write_text(json.dumps(facts))
    rebuilt = exports.rebuild_strip(exports.read_manifest(path))
    assert rebuilt.same
    assert rebuilt.strip.shown(0).tobytes() == strip.samples[0].tobytes()
