"""The tour moves through real pages by their own addresses, and says what a model lacks."""

import pytest

from explorer.ui import cache
from explorer.ui.address.views import LAST, TOUR_STEPS
from explorer.ui.shell import tour
from tests.support.engines import engine_of
from tests.support.pages import address, open_page, press

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

WHOLE = "digits-vae-vamp-2"
SINGLE = "digits-vae-standard-2"
BARE = "digits-ae-2"


def words(app):
    """What the bar says; nothing if there is none."""
    shown = [item.value for item in app.main.markdown if f" of {TOUR_STEPS} · " in item.value]
    return shown[0] if shown else ""


def onwards(app):
    """Press Next; a page that was switched to is opened by its link, which AppTest cannot keep."""
    app = press(app, "frame_tour_next")
    return open_page(title(app).lower().replace(" ", "_"), **address(app))


def title(app):
    return app.title[0].value


def test_the_steps_last_a_minute_and_have_an_address_each():
    assert len(tour.STEPS) == TOUR_STEPS
    assert 55 <= sum(step.seconds for step in tour.STEPS) <= 65
    for step in tour.STEPS:
        times = [time for time, _ in step.sweep]
        assert times == sorted(times)
        assert all(0 <= at <= 1 and time < step.seconds for time, at in step.sweep)
    assert tour.STEPS[0].sweep[-1][1] == tour.STEPS[0].sweep[0][1] == 0.5  # the prior as trained


def test_next_goes_through_all_pages_and_ends_on_generate():
    app = open_page("generate", model=WHOLE, tour=1)
    seen = []
    for number in range(1, TOUR_STEPS + 1):
        assert not app.exception
        assert words(app).startswith(f"**{number} of {TOUR_STEPS}")
        assert address(app)["tour"] == str(number)
        seen.append(title(app))
        app = onwards(app)
    assert seen == ["Generate", "Prototypes", "Latent map", "Latent map"]
    assert (title(app), address(app)) == ("Generate", {"model": WHOLE})
    assert not words(app)


def test_the_last_step_selects_a_hole_that_there_is():
    app = open_page("latent_map", model=WHOLE, tour=3)
    app = press(app, "frame_tour_next")
    assert cache.plane(engine_of(WHOLE)).holes
    assert address(app)["hand"] == "holes:0"
    assert "hardly any data" in words(app)


def test_the_next_step_opens_by_itself_when_the_time_of_this_one_is_over():
    app = open_page("generate", model=WHOLE, tour=1)
    app.session_state["frame_tour_over"] = 1
    assert title(app.run()) == "Prototypes"
    app = open_page("generate", model=WHOLE, tour=1)
    app.session_state["frame_tour_over"] = 4  # a report that came too late
    app = app.run()
    assert (title(app), address(app)["tour"]) == ("Generate", "1")


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_stop_leaves_the_page_where_it_is(step):
    page = tour.STEPS[step - 1].page
    app = open_page(page, model=WHOLE, tour=step)
    before = address(app)
    assert before.pop("tour") == str(step)
    app = press(app, "frame_tour_stop")
    assert not app.exception
    assert not words(app)
    assert address(app) == before


def test_a_step_that_a_model_lacks_is_skipped_with_a_sentence():
    app = press(open_page("generate", model=SINGLE, tour=1), "frame_tour_next")
    assert title(app) == "Latent map"
    assert "no prototypes" in words(app)
    assert "skipped" in words(app)
    app = open_page("prototypes", model=SINGLE, tour=2)
    assert "is skipped" in words(app)
    assert title(press(app, "frame_tour_next")) == "Latent map"


def test_a_model_without_map_ends_after_its_prototypes(monkeypatch):
    monkeypatch.setattr(cache, "atlas", lambda engine: None)
    app = open_page("prototypes", model=WHOLE, tour=2)
    assert app.button(key="frame_tour_next").label == "Explore yourself"
    app = open_page("latent_map", model=WHOLE, tour=3)
    assert "no map yet" in words(app)
    assert not app.exception


def test_a_plain_autoencoder_is_toured_on_its_map_alone():
    app = open_page("generate", model=BARE, tour=1)
    assert "no prior" in words(app)
    app = onwards(app)
    assert (title(app), address(app)["tour"]) == ("Latent map", "3")
    app = onwards(onwards(app))
    assert title(app) == "Catalogue"
    assert not app.exception


@pytest.mark.parametrize("asked", ["0", "5", "-1", "one", "1" * 100])
def test_a_step_that_there_is_not_is_told(asked):
    app = open_page("generate", model=WHOLE, tour=asked)
    assert not app.exception
    assert not words(app)
    assert "tour" in app.warning[0].value
    assert "tour" not in address(app)


def test_a_link_to_a_step_leads_to_its_page():
    app = open_page("catalogue", model=WHOLE, tour=1)
    assert not app.exception
    assert app.title[0].value == "Generate"
    assert words(app)
    assert address(app)["tour"] == "1"


def test_the_sidebar_leads_out_of_the_tour():
    app = open_page("generate", model=WHOLE, tour=1)
    links = [item.proto.query_string for item in app.sidebar.get("page_link")]
    assert links
    assert not any("tour" in link for link in links)
    assert "tour" not in app.session_state[LAST]["generate"]


def test_the_door_of_the_catalogue_starts_the_tour_of_a_vampprior():
    app = open_page("catalogue", model="airfoils-ae-8")
    door = next(
        item.proto for item in app.main.get("page_link") if item.proto.label == "Take the tour"
    )
    assert door.page == "generate"
    assert door.query_string == "model=mnist-static-vae-vamp-40&tour=1"


def test_the_tour_starts_with_the_models_at_hand():
    known = [entry for entry in cache.entries() if entry.data == "digits"]
    chosen = tour.start(known)["model"]
    assert next(entry.prior for entry in known if entry.slug == chosen) == "vamp"
    assert tour.start([]) == {"tour": "1"}
