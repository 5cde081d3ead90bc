"""Published numbers are of the data, the model and the prior that they name."""

import pytest

from explorer.metrics.published import DIFFERENCES, PUBLISHED, protocol, published
from explorer.naming import DATA, MODELS, PRIORS

TABLE = {
    "mnist-static": {
        "vae": (-88.56, -85.57), "hvae": (-86.05, -83.19),
        "convhvae": (-82.41, -81.09), "pixelhvae": (-80.58, -79.78),
    },
    "mnist": {
        "vae": (-84.50, -82.38), "hvae": (-82.42, -81.24),
        "convhvae": (-80.40, -79.75), "pixelhvae": (-79.70, -78.45),
    },
    "caltech-silhouettes": {
        "vae": (-123.43, -114.55), "hvae": (-112.08, -108.28),
        "convhvae": (-106.35, -104.22), "pixelhvae": (-85.51, -86.22),
    },
    "frey": {
        "vae": (4.63, 4.57), "hvae": (4.61, 4.51),
        "convhvae": (4.49, 4.45), "pixelhvae": (4.43, 4.38),
    },
}  # fmt: skip

FURTHER = {
    ("mnist-static", "hvae", "mog"): (-85.07, "table 2"),
    ("mnist-static", "hvae", "vamp-data"): (-85.71, "table 2"),
    ("mnist", "hvae", "vamp-data"): (-81.71, "table 3"),
}


def test_published_numbers_are_those_of_the_tables():
    expected = {
        (data, model, prior): (value, "table 1")
        for data, models in TABLE.items()
        for model, pair in models.items()
        for prior, value in zip(("standard", "vamp"), pair, strict=True)
    } | FURTHER
    found = {(row.data, row.model, row.prior): (row.value, row.place) for row in PUBLISHED}
    assert found == expected
    assert len(PUBLISHED) == len(expected)


def test_published_numbers_say_their_unit_and_their_protocol():
    for row in PUBLISHED:
        assert row.unit == ("bits per dimension" if row.data == "frey" else "nats")
        assert row.samples == 5000
        assert "Tomczak" in row.source
        assert row.data in DATA
        assert row.model in MODELS
        assert row.prior in PRIORS


@pytest.mark.parametrize("data", DATA)
def test_published_numbers_stand_beside_their_own_data_alone(data):
    rows = published(data)
    assert {row.data for row in rows} == ({data} if data in TABLE else set())
    assert len(rows) == sum(row.data == data for row in PUBLISHED)


def test_omniglot_of_another_making_is_compared_with_nothing():
    assert published("omniglot28") == published("omniglot") == ()


def test_what_differs_from_the_published_protocol_is_said():
    assert protocol("mnist-static") == "on the same data and protocol"
    for data in ("mnist", "frey"):
        assert published(data)
        assert "not on the same test samples" in protocol(data)
    assert set(DIFFERENCES) <= {item.data for item in PUBLISHED}
