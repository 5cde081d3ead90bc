"""The page Your pictures: what came in is seen as a model will, and leads to Train."""

import pytest

from explorer import incoming, settings
from tests.support.pages import open_page, press, told
from tests.test_incoming import archive, many


@pytest.fixture
def came_in():
    return incoming.unpack(archive(many()), "mine.zip")


def shown(slug):
    app = open_page("pictures")
    app.session_state["pictures_set"] = f"pictures/{slug}/files"
    return app.run()


def test_what_came_in_is_told_and_leads_to_training(came_in):
    app = shown(came_in)
    assert not app.exception
    assert "40 pictures of 20 × 20" in told(app)
    assert "2 classes: cold" in told(app)
    app.number_input(key=f"pictures_side_pictures/{came_in}/files").set_value(16).run()
    assert "40 pictures of 16 × 16" in told(app)
    press(app, "pictures_use")
    assert (incoming.place() / came_in / incoming.DATA).is_file()
    app = open_page("train", data=came_in)
    assert not app.exception
    assert app.selectbox(key="train_data").value == f"Your pictures: {came_in}"
    assert "samples, about a minute" in told(app)


def test_what_cannot_be_read_is_said_in_a_sentence(monkeypatch):
    app = shown("nothing")
    assert not app.exception
    assert app.error[0].value.endswith(".")
    monkeypatch.delenv(settings.VARIABLES["allow_work"])
    app = shown("nothing")
    assert "--allow-work" in app.info[0].value
    assert not app.error
