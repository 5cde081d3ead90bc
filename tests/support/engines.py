"""Engines of shipped checkpoints, each opened once for all tests of a process."""

import functools

from explorer import checkpoint, settings
from explorer.inference import Engine

PIXELS, WIDE = "digits-vae-vamp-2", "digits-vae-vamp-16"
CURVES, PLAIN = "airfoils-vae-vamp-8", "digits-ae-2"
"""A map that is the latent space itself, one that is not, wing sections, and no prior."""


@functools.cache
def engine_of(slug):
    return Engine(checkpoint.load(settings.beside("checkpoints") / slug), "cpu")


@functools.cache
def digest_of(slug):
    return engine_of(slug).checkpoint.hash
