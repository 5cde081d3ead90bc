"""Built-in properties pass the check for plug-ins; each law fails on a family that breaks it."""

from pathlib import Path

import numpy as np
import pytest

from explorer import testing
from explorer.data import NacaConfig
from explorer.designs.geometry import SectionGeometry
from explorer.designs.ink import Ink
from explorer.designs.properties import AbstractProperties, Property
from explorer.sketch import PixelSketch

PIXELS = PixelSketch(height=8, width=8)


def test_our_properties_pass_the_check_for_plug_ins():
    testing.check_properties(Ink(), PIXELS)
    data = NacaConfig().load(Path())
    testing.check_properties(SectionGeometry(), data.sketch, data.test.x[:6])


class Brightness(AbstractProperties):
    name = "Light"
    key = "brightest"

    def fits(self, sketch):
        return isinstance(sketch, PixelSketch)

    def properties(self, conditions):
        return (Property(self.key, "Brightest value"),)

    def measure(self, x, sketch, conditions):
        return {self.key: x.reshape(len(x), 64).max(1)}


def vandalise(self, x, sketch, conditions):
    x += 1
    return {self.key: x[:, 0, 0, 0]}


BROKEN_PROPERTIES = {
    "nameless": ({"name": ""}, "needs a name"),
    "key": ({"key": "Brightest!"}, "is not made of lowercase letters"),
    "unfitting": ({"fits": lambda self, sketch: False}, "does not fit such samples"),
    "empty": ({"properties": lambda self, conditions: ()}, "has no property"),
    "unlisted": ({"measure": lambda self, x, sketch, conditions: {}}, "measures"),
    "one for all": (
        {"measure": lambda self, x, sketch, conditions: {self.key: np.full(len(x), x.mean())}},
        "depends on the samples beside it",
    ),
    "vandal": (
        {
            "measure": lambda self, x, sketch, conditions: {
                self.key: np.add(x, 1, out=x)[:, 0, 0, 0]
            }
        },
        "changes the samples",
    ),
}


def test_a_family_that_keeps_the_laws_passes():
    testing.check_properties(Brightness(), PIXELS)


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
@pytest.mark.parametrize(
    ("changes", "law"), BROKEN_PROPERTIES.values(), ids=BROKEN_PROPERTIES.keys()
)
def test_a_family_that_breaks_a_law_is_told_which(changes, law):
    with pytest.raises(AssertionError, match=law):
        testing.check_properties(type("Broken", (Brightness,), changes)(), PIXELS)
