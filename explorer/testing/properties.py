"""Laws of a family of properties."""

import re

import numpy as np
from jaxtyping import Float

from explorer.designs.properties import AbstractProperties, Conditions
from explorer.testing.claims import Sketch, hold

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


def keys_are_plain_words(family: AbstractProperties) -> None:
    """A family has a name, and its properties have keys that can stand in a link."""
    hold(bool(family.name), f"the family {type(family).__name__} needs a name")
    keys = [item.key for item in family.properties(Conditions())]
    hold(bool(keys), f"the family {family.name} has no property")
    hold(
        len(set(keys)) == len(keys), f"the family {family.name} has a key twice: {', '.join(keys)}"
    )
    for key in keys:
        hold(
            _KEY.fullmatch(key) is not None,
            f"the key {key!r} is none: small letters, digits and _",
        )


def properties_are_of_each_sample_alone(
    family: AbstractProperties, sketch: Sketch, x: Float[np.ndarray, "samples *sample"]
) -> None:
    """Every property has one value for each sample, the same in whatever company, and x stays."""
    conditions = Conditions()
    keys = {item.key for item in family.properties(conditions)}
    before = x.copy()
    values = family.measure(x, sketch, conditions)
    hold(
        np.array_equal(x, before, equal_nan=True), f"the family {family.name} changes the samples"
    )
    hold(
        set(values) == keys,
        f"the family {family.name} measures {', '.join(sorted(values))}, and lists "
        f"{', '.join(sorted(keys))}",
    )
    alone = [family.measure(x[row : row + 1], sketch, conditions) for row in range(len(x))]
    empty = family.measure(x[:0], sketch, conditions)
    for key, found in values.items():
        hold(found.shape == (len(x),), f"the property {key} has not one value for each sample")
        hold(empty[key].shape == (0,), f"the property {key} of no sample is no empty array")
        single = np.array([each[key][0] for each in alone])
        hold(
            np.allclose(found, single, rtol=1e-5, atol=1e-6, equal_nan=True),
            f"the property {key} of a sample depends on the samples beside it",
        )
