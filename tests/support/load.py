"""Tests of load and of chance do a little in the suite, much by `python -m tests.load`."""

import os

VARIABLE = "LATENT_EXPLORER_TEST_LOAD"
FACTOR = int(os.environ.get(VARIABLE, "1"))


def times(n):
    """So many kills, turns or examples, or a multiple of them."""
    return n * FACTOR
