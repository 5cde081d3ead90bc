"""Changes of a view add up, also where the browser does not know yet of the last one."""

import pytest

from tests.support.pages import address, open_page

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def show(app, query):
    """Let the browser's address be what it was."""
    app.query_params.clear()
    app.query_params.update(query)
    return app


def choose(app, field, value):
    return app.selectbox(key=f"candidates_{field}").set_value(value).run()


@pytest.fixture
def app():
    return open_page("candidates", model="digits-vae-vamp-2")


def test_a_report_that_comes_with_an_old_address_keeps_the_change_in_between(app):
    before = address(app)
    choose(app, "stars", 3)
    choose(show(app, before), "sort", "stars")
    assert address(app) == before | {"stars": "3", "sort": "stars"}


def test_back_takes_the_change_back_for_good(app):
    before = address(app)
    choose(app, "stars", 3)
    show(app, before).run()
    assert address(app) == before
    choose(app, "sort", "stars")
    assert address(app) == before | {"sort": "stars"}


def test_back_is_followed_also_if_its_run_was_interrupted_before_its_end(app):
    before = address(app)
    choose(app, "stars", 3)
    written = app.session_state["frame_written"]
    show(app, before).run()
    app.session_state["frame_written"] = written  # an address is written at the end of a run
    choose(app, "sort", "stars")
    assert address(app) == before | {"sort": "stars"}


def test_a_link_that_is_opened_is_followed_whatever_was_changed_before(app):
    choose(app, "stars", 3)
    show(app, {"model": "digits-vae-vamp-2", "show": "keep"}).run()
    choose(app, "sort", "stars")
    assert address(app) == {"model": "digits-vae-vamp-2", "show": "keep", "sort": "stars"}
