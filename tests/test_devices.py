"""As many are decoded at a time as fit."""

import pytest

from explorer.devices import at_once
from tests.support.models import small_checkpoint


@pytest.mark.parametrize(
    ("model", "most"),
    [("vae", 2000), ("hvae", 2000), ("convvae", 128), ("convhvae", 128), ("pixelhvae", 128)],
)
def test_convolutions_take_as_many_pictures_as_the_cache_holds(model, most):
    network = small_checkpoint("standard", model=model).model
    assert at_once(network, 2000) == most
    assert at_once(network, 5) == 5
