"""Pages of the app, opened without a browser."""

from streamlit.testing.v1 import AppTest

from explorer import settings
from explorer.ui import cache
from explorer.ui.address.places import layer_codes

ENTRY = settings.PACKAGE / "ui" / "entry" / "app.py"


def open_page(name, user=None, **parameters):
    """Open a page by a link, and no other before it; perhaps as a user who has logged in."""
    app = AppTest.from_file(ENTRY, default_timeout=120)
    if user is not None:
        app.user = user
    for key, value in parameters.items():
        app.query_params[key] = str(value)
    return app.switch_page(str(settings.beside("pages") / f"{name}.py")).run()


def address(app):
    """What the address bar says."""
    values = dict(app.query_params.items())
    return {name: item if isinstance(item, str) else item[0] for name, item in values.items()}


def told(app):
    """All text of a page."""
    return " ".join(item.value for item in (*app.caption, *app.markdown))


def press(app, key):
    """Press a button by its key."""
    return app.button(key=key).click().run()


def layers_of(engine):
    """Codes of each layer that a model's map has."""
    found = cache.plane(engine)
    atlas = cache.atlas(engine)
    known = {}
    for layer in ("data", "prior", "prototypes", "holes"):
        codes = layer_codes(engine, atlas, layer, found)
        if codes is not None:
            known[layer] = codes
    return known


SHIPPED = settings.beside("checkpoints")
