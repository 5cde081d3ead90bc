"""Colours of classes tell classes apart, in either theme."""

import tomllib

import numpy as np

from explorer import settings
from explorer.ui.wording.palette import CLASSES, MANY_CLASSES

THEME = settings.PACKAGE / "ui" / "entry" / ".streamlit" / "config.toml"


def linear(colours):
    values = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def oklab(colours):
    """Ottosson's OKLab, from his article."""
    to_cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.cbrt(linear(colours) @ np.array(to_cones).T) @ np.array(to_lab).T


def contrast(colours, ground):
    light, dark = (linear(c) @ [0.2126, 0.7152, 0.0722] for c in (colours, [ground]))
    return (np.maximum(light, dark) + 0.05) / (np.minimum(light, dark) + 0.05)


def test_twenty_classes_have_twenty_colours_that_differ():
    assert len({colour.upper() for colour in MANY_CLASSES}) == 20
    assert MANY_CLASSES[:10] == CLASSES
    lab = oklab(MANY_CLASSES)
    apart = np.linalg.norm(lab[:, None] - lab, axis=-1) + 9 * np.eye(20)
    assert apart[:10, :10].min() > 0.07
    assert apart[10:].min() > 0.13


def test_every_class_is_seen_on_either_ground():
    theme = tomllib.loads(THEME.read_text())["theme"]
    for name in ("light", "dark"):
        assert contrast(MANY_CLASSES, theme[name]["backgroundColor"]).min() > 2
