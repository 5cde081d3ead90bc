"""The thing in hand: one thing on all pages of a model, with what is known of it."""

import numpy as np
import pytest

from explorer.strips import StripSpec
from explorer.ui import cache
from explorer.ui.address import hand as notation
from explorer.ui.panels import hand
from explorer.ui.picks import service
from explorer.ui.shell import given
from tests.support.api import drawn_wish, post
from tests.support.engines import engine_of
from tests.support.pages import address, open_page, press, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

MODEL = "digits-vae-vamp-16"
SAMPLE = "sample:3,5,0.7"
PAGES = ("catalogue", "generate", "latent_map", "traverse", "interpolate", "reconstruct",
         "candidates", "evaluate")  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_one_thing_is_in_hand_on_every_page(page):
    app = open_page(page, model=MODEL, hand=SAMPLE)
    assert not app.exception
    assert "Sample 6 at scale 0.7" in told(app)
    assert address(app)["hand"] == SAMPLE
    found = cache.thing(engine_of(MODEL), SAMPLE)
    assert f"log p(z) {found.log_density:.1f} nats".replace("-", "−") in told(app)
    assert app.button(key="hand_keep")


def test_what_is_said_of_it_is_what_the_page_of_samples_says():
    engine = engine_of(MODEL)
    spec = StripSpec(seed=3)
    frame = cache.strip(engine, spec).values.index(0.7)
    found = cache.thing(engine, SAMPLE)
    assert found.log_density == pytest.approx(
        cache.strip(engine, spec).log_density[frame, 5], 1e-5
    )
    judged = cache.novelty_of(engine, spec, frame, 5)
    assert found.novelty == pytest.approx(float(judged.novelty[0, 0]), abs=0.2)


def test_a_page_without_anything_in_hand_says_how_to_take_something():
    app = open_page("generate", model=MODEL)
    assert "In hand: nothing yet" in told(app)
    assert "hand" not in address(app)


@pytest.mark.parametrize(
    "thing", ["prototypes:9999", "datum:test-3-00000000", "z:AAAA", "holes:99"]
)
def test_a_thing_that_the_model_lacks_is_told_and_put_down(thing):
    app = open_page("generate", model=MODEL, hand=thing)
    assert not app.exception
    assert "thing in hand" in app.warning[0].value
    assert "hand" not in address(app)


def test_it_is_kept_once_however_it_is_kept():
    engine = engine_of(MODEL)
    z = cache.thing(engine, SAMPLE).z
    number = service.keep(engine, notation.read_sample(SAMPLE), z).number
    origin = f"{engine.checkpoint.hash}|drawn|3|all|5|0.7"  # as the browser names a tile
    answer = post(
        "/api/picks",
        {"items": [drawn_wish(MODEL, tile=5, seed=3, scale=0.7, origin=origin)]},
    )
    assert [item["number"] for item in answer.json["saved"]] == [number]
    (pick,) = service.store().picks(1)
    np.testing.assert_allclose(pick.source.code, z, rtol=1e-6)
    assert pick.source.scale == 0.7


def test_the_next_choice_is_the_other_end_of_a_path():
    app = open_page("latent_map", model=MODEL, hand=SAMPLE)
    press(app, "hand_interpolate")
    assert "the other end" in told(app)
    assert app.button(key="hand_interpolate").label == "Cancel"
    app.query_params["hand"] = "prototypes:3"
    app.run()
    assert not app.exception
    assert address(app)["ends"] == f"{SAMPLE}|prototypes:3"
    assert app.title[0].value == "Interpolate"


def test_a_move_opens_its_page_with_the_thing():
    app = open_page("generate", model=MODEL, hand=SAMPLE, seed=3, scale=0.7)
    press(app, "hand_to_traverse")
    assert app.title[0].value == "Traverse"
    assert "From sample 6 at scale 0.7" in told(app)
    press(app, "hand_to_reconstruct")
    assert "Sample 6 at scale 0.7, decoded" in told(app)


def test_another_model_keeps_the_noise_and_the_datum_but_no_code_of_its_own():
    atlas = cache.atlas(engine_of(MODEL))
    for thing, kept in (
        (SAMPLE, True), (notation.datum_text(atlas, 40), True), ("prototypes:3", False),
    ):  # fmt: skip
        app = open_page("traverse", model=MODEL, hand=thing)
        app.selectbox(key="frame_picker").select("digits-vae-xvae-16").run()
        assert not app.exception
        assert (address(app).get("hand") == thing) is kept, thing


def test_a_drawing_is_encoded_anew_by_another_model(monkeypatch):
    first, other = engine_of(MODEL), engine_of("digits-vae-xvae-16")
    state = {}
    monkeypatch.setattr(given.st, "session_state", state)
    x = first.decode(first.draw(1, seed=4)[0])
    place = given.place_of(first, x, "Your drawing")
    assert given.place_of(first, x, "Your drawing") is None, "it is taken once"
    np.testing.assert_array_equal(given.given(place).x, x)
    there = given.seen_by(other, place)
    assert there != place
    np.testing.assert_array_equal(given.given(there).x, x)
    assert given.seen_by(engine_of("airfoils-vae-vamp-8"), there) is None


def test_start_over_forgets_views_and_what_is_in_hand():
    app = open_page("generate", model=MODEL, hand=SAMPLE, seed=3, scale=0.7)
    press(app, "frame_start_over")
    assert address(app) == {"model": MODEL}
    assert "In hand: nothing yet" in told(app)


def test_a_test_sample_is_taken_in_hand_by_its_number():
    app = open_page("reconstruct", model=MODEL)
    assert "hand" not in address(app)
    app.number_input(key="reconstruct_index").set_value(7).run()
    assert address(app)["hand"].startswith("datum:test-")
    assert app.number_input(key="reconstruct_index").value == 7


def test_names_of_codes_are_bounded(monkeypatch):
    state = {}
    monkeypatch.setattr(hand.st, "session_state", state)
    for number in range(100):
        hand.named(np.full(2, number, np.float32), f"Pick {number}")
    assert len(state[hand.NAMED]) == hand.MOST_NAMED
