"""Three models with numbers."""

import pytest

from tests.support.results import everything, per_sample, put


@pytest.fixture
def three(shelf):
    """Two models whose every sample is known, and one with numbers alone."""
    put(shelf, "one-standard", everything(-21), **per_sample(1))
    put(shelf, "two-mog", everything(-20), prior={"kind": "mog", "components": 3},
        **per_sample(2))  # fmt: skip
    put(shelf, "three-vamp", everything(-22), prior={"kind": "vamp", "components": 4},
        weights=False)  # fmt: skip
    return shelf
