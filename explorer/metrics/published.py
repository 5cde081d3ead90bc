"""Published results, each with the protocol it was measured under."""

from typing import NamedTuple


class Published(NamedTuple):
    """One published result: log p(x) in nats, or bits per dimension if `unit` says so."""

    data: str
    model: str
    prior: str
    value: float
    unit: str = "nats"
    samples: int = 5000
    source: str = "Tomczak and Welling, 2018"
    place: str = "table 1"


def _table() -> tuple[Published, ...]:
    grid = {
        ("mnist-static", "nats"): ((-88.56, -85.57), (-86.05, -83.19), (-82.41, -81.09),
                                   (-80.58, -79.78)),
        ("mnist", "nats"): ((-84.50, -82.38), (-82.42, -81.24), (-80.40, -79.75),
                            (-79.70, -78.45)),
        ("caltech-silhouettes", "nats"): ((-123.43, -114.55), (-112.08, -108.28),
                                          (-106.35, -104.22), (-85.51, -86.22)),
        ("frey", "bits per dimension"): ((4.63, 4.57), (4.61, 4.51), (4.49, 4.45), (4.43, 4.38)),
    }  # fmt: skip
    rows = [
        Published(data, model, prior, value, unit)
        for (data, unit), pairs in grid.items()
        for model, pair in zip(("vae", "hvae", "convhvae", "pixelhvae"), pairs, strict=True)
        for prior, value in zip(("standard", "vamp"), pair, strict=True)
    ]
    rows += [
        Published("mnist-static", "hvae", "mog", -85.07, place="table 2"),
        Published("mnist-static", "hvae", "vamp-data", -85.71, place="table 2"),
        Published("mnist", "hvae", "vamp-data", -81.71, place="table 3"),
    ]
    return tuple(rows)


PUBLISHED = _table()
"""Tables 1 to 3 of "VAE with a VampPrior", for the data sets shared with it.

OMNIGLOT is left out: the images here are scaled and split differently.
https://arxiv.org/abs/1705.07120
"""

DIFFERENCES = {
    "mnist": "there the grey test images were made binary by another random draw",
    "frey": "there another random split of the faces was held out",
}
"""In what the test samples of the publications differ from those here, by data set."""


def protocol(data: str) -> str:
    """Return on what the published results of a data set were measured, as a clause."""
    if data in DIFFERENCES:
        return f"by the same protocol, but not on the same test samples: {DIFFERENCES[data]}"
    return "on the same data and protocol"


def published(data: str) -> tuple[Published, ...]:
    """Return the published results with the protocol of a data set here; see `protocol`."""
    return tuple(row for row in PUBLISHED if row.data == data)
