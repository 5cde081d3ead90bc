"""Laws of a family of properties."""

import re

import numpy as np
from jaxtyping import Float

from explorer.designs.properties import AbstractProperties, Conditions
from explorer.testing.assertions import Sketch, require

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


def check_keys_are_plain_words(family: AbstractProperties) -> None:
    """A family has a name, and its properties have keys that fit into a link."""
    require(bool(family.name), f"the family {type(family).__name__} needs a name")
    keys = [item.key for item in family.properties(Conditions())]
    require(bool(keys), f"the family {family.name} has no property")
    require(
        len(set(keys)) == len(keys), f"the family {family.name} has a key twice: {', '.join(keys)}"
    )
    for key in keys:
        require(
            _KEY.fullmatch(key) is not None,
            f"the key {key!r} is not made of lowercase letters, digits and _",
        )


def check_properties_are_computed_per_sample(
    family: AbstractProperties, sketch: Sketch, x: Float[np.ndarray, "samples *sample"]
) -> None:
    """Every property has one value per sample, independent of other samples; x is unchanged."""
    conditions = Conditions()
    keys = {item.key for item in family.properties(conditions)}
    before = x.copy()
    values = family.measure(x, sketch, conditions)
    require(
        np.array_equal(x, before, equal_nan=True), f"the family {family.name} changes the samples"
    )
    require(
        set(values) == keys,
        f"the family {family.name} measures {', '.join(sorted(values))}, and lists "
        f"{', '.join(sorted(keys))}",
    )
    alone = [family.measure(x[row : row + 1], sketch, conditions) for row in range(len(x))]
    empty = family.measure(x[:0], sketch, conditions)
    for key, found in values.items():
        require(found.shape == (len(x),), f"the property {key} does not have one value per sample")
        require(
            empty[key].shape == (0,), f"the property {key} of an empty batch is not an empty array"
        )
        single = np.array([each[key][0] for each in alone])
        require(
            np.allclose(found, single, rtol=1e-5, atol=1e-6, equal_nan=True),
            f"the property {key} of a sample depends on the samples beside it",
        )
