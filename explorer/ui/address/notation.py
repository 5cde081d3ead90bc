"""The notation of selections, codes and paths in a link, with bounded sizes."""

import base64
import binascii
import re

import numpy as np
from jaxtyping import Float

MOST_EDITS = 64
MOST_VERTICES = 64
MOST_ENDS = 4

_NUMBER = r"-?[0-9]{1,9}(?:\.[0-9]{1,12})?(?:e[+-]?[0-9])?"
_PAIR = rf"{_NUMBER},{_NUMBER}"
_POINT = r"(?:data|prior|prototypes|holes):[0-9]{1,6}"
_AREA = rf"(?:box:{_PAIR},{_PAIR}|lasso:{_PAIR}(?:,{_PAIR}){{2,{MOST_VERTICES - 1}}})"
_SPOT = rf"spot:{_PAIR}"
_ROWS = rf"[0-9]{{1,6}}(?:,[0-9]{{1,6}}){{0,{MOST_EDITS - 1}}}"

PICK = re.compile(rf"(?:{_SPOT}|(?:{_POINT}|{_AREA})(?:;add:{_ROWS})?(?:;cut:{_ROWS})?)?")
"""A map position; a point of a layer, a box or a lasso, with rows added and cut; or nothing."""

MAP_PLACE = re.compile(rf"{_SPOT}|{_POINT}")
"""A map position, or a point of a layer."""

PATH = re.compile(rf"(?:{_PAIR}(?:,{_PAIR}){{1,{MOST_VERTICES // 2 - 1}}})?")
"""A line on the map with 2 to 32 vertices; or nothing."""

_CODE = r"z:[A-Za-z0-9_-]{2,1400}={0,2}"

CODE = re.compile(_CODE)
"""A code in half precision."""

_SCALE = r"(?:[01](?:\.[0-9]{1,2})?|2(?:\.00?)?)"
_SAMPLE = (
    rf"sample:[0-9]{{1,10}},[0-9]{{1,2}},{_SCALE}"
    rf"(?:,k[0-9]{{1,4}})?(?:,z[12]@{_SCALE})?(?:,l[0-9]{{1,10}})?"
    r"(?:,f[0-9]{1,2}(?:@[0-9]{1,2})?)?(?:,t[01](?:\.[0-9]{1,2})?)?"
)
_DATUM = r"datum:(?:train|valid|test)-[0-9]{1,19}(?:-[0-9a-f]{8})?"

HAND = re.compile(rf"(?:{_SPOT}|{_POINT}|{_SAMPLE}|{_DATUM}|{_CODE})?")
"""The thing in hand: a sample, a datum, a prototype, a point of the map or a code; or nothing.

A sample is `sample:SEED,TILE,SCALE`, then where they are not the usual ones: its component after
`k`, the level that the scale moves with the scale of the other, the seed of the lower level after
`l`, the time of a noised prior after `t`. Of a flow the scale is that of its noise, and its steps
come after `f`, with the step on display where it is not the last. A datum is `datum:SPLIT-NUMBER`,
then the first digits of the split's fingerprint.
"""

PLACE = re.compile(rf"(?:mean|{_SPOT}|{_POINT}|{_AREA}|{_SAMPLE}|{_DATUM}|{_CODE})")
"""One code: the prior mean, a thing that can be in hand, or the mean of a selection."""

_DIAL = r"[0-9]{1,3}:-?[0-9](?:\.[0-9]{1,2})?"
DIALS = re.compile(rf"(?:{_DIAL}(?:,{_DIAL}){{0,39}})?")
"""Latent units with their offsets, in prior standard deviations."""


def code_text(z: Float[np.ndarray, " latent"]) -> str:
    """Encode a code for a link, in half precision."""
    return "z:" + base64.urlsafe_b64encode(z.astype("<f2").tobytes()).decode().rstrip("=")


def exact_text(z: Float[np.ndarray, " latent"]) -> str:
    """Encode a code in single precision, for requests about exactly this code."""
    return base64.urlsafe_b64encode(z.astype("<f4").tobytes()).decode().rstrip("=")


def read_exact(text: str, latent: int) -> Float[np.ndarray, " latent"] | None:
    """Decode a code written by `exact_text`; None if it does not fit."""
    return _read(text, latent, "<f4")


def read_code(text: str, latent: int) -> Float[np.ndarray, " latent"] | None:
    """Decode a code written by `code_text`; None if it does not fit."""
    return _read(text.removeprefix("z:"), latent, "<f2")


def _read(text: str, latent: int, kind: str) -> Float[np.ndarray, " latent"] | None:
    body = text.rstrip("=")
    try:
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(raw) != np.dtype(kind).itemsize * latent:
        return None
    z = np.frombuffer(raw, kind).astype(np.float32)
    return z if np.isfinite(z).all() and np.abs(z).max() < 1e4 else None
