"""The splits of a user's own files: given ones are kept, and those that lack are dealt."""

from collections import Counter
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from explorer.data.found import Found
from explorer.data.identity import SPLITS, deal
from explorer.data.limits import FEWEST_TO_TRAIN
from explorer.errors import DataError


def split_up(
    found: Found, seed: int, source: Path
) -> tuple[dict[str, Bool[np.ndarray, " samples"]], str]:
    """Keep the splits that are given, and deal those that lack from train, by content.

    Returns:
        The samples of each split, and a sentence on the splits that were given.

    Raises:
        DataError: If there is hardly anything to train on.
    """
    if found.given is None:
        return deal(found.contents, seed), ""
    given = np.array(found.given)
    counts = Counter(found.given)
    place = np.flatnonzero(given == "train")
    if len(place) < FEWEST_TO_TRAIN:
        raise DataError(
            f"{source} has {len(place):,} samples in train; give at least {FEWEST_TO_TRAIN}."
        )
    rows: dict[str, Bool[np.ndarray, " samples"]] = {name: given == name for name in SPLITS}
    lacking = [name for name in ("valid", "test") if not counts[name]]
    if lacking:
        dealt = deal([found.contents[row] for row in place], seed)
        for name in lacking:
            rows[name][place[dealt[name]]] = True
            rows["train"][place[dealt[name]]] = False
    trained = {found.contents[row] for row in np.flatnonzero(rows["train"])}
    again = sum(
        found.contents[row] in trained for row in np.flatnonzero(rows["valid"] | rows["test"])
    )
    kept = ", ".join(f"{name} {counts[name]:,}" for name in SPLITS if counts[name])
    said = f"Splits as given: {kept}"
    if lacking:
        said += f"; {' and '.join(lacking)} dealt from train"
    if again:
        said += f"; {again:,} held-out samples are in train, too"
    return rows, f"{said}."
