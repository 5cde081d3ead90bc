"""A model that is asked about samples: a classifier or regressor as an ONNX graph, described."""

import math
import threading
from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from pydantic import AfterValidator, Field, model_validator

from explorer.designs.properties import AbstractProperties, Conditions, Property
from explorer.errors import DesignError, ExplorerError
from explorer.interfaces import Frozen
from explorer.runtime.sessions import Network
from explorer.runtime.verdicts import Single
from explorer.sketch import CurveSketch, PixelSketch

MOST_OUTPUTS = 200
MOST_CLASSES_LISTED = 24
"""Up to how many classes each has a property of its own, its probability."""

LONGEST_SECONDS = 5.0
"""Time after which a block of samples is given up."""

LEAST = 0.005
"""Probability below which the second class is not told."""

LARGEST = 1e9
"""Magnitude beyond which a value is unknown."""

_MOST_VALUES = 1_000_000


def _one_line(text: str) -> str:
    """Refuse text that is no line: what is printed has to be seen."""
    if not text.isprintable() or text != text.strip():
        raise ValueError("has to be one line of printable characters")
    return text


Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Words = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_one_line)]
Unit = Annotated[str, Field(max_length=20), AfterValidator(_one_line)]
Side = Annotated[int, Field(ge=1, le=4096)]
Bound = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]


class Output(Frozen):
    """One value of the result: of a classifier the probability of a class."""

    key: Key
    label: Words
    unit: Unit = ""
    digits: Annotated[int, Field(ge=0, le=6)] = 2
    better: Literal["more", "less", ""] = ""
    meaning: Annotated[str, Field(max_length=200), AfterValidator(_one_line)] = ""


class Description(Frozen):
    """What a network takes and gives, as written beside it.

    `shape` is that of a sample (channels, height, width; height, width; or stations of a curve),
    and `range` has the values that stand for black and white, as the network was trained. A
    classifier has a property by its own `key`, the class, and one that ends in `_margin`, by how
    much it is ahead of the next; its outputs are probabilities, or logits with `softmax`.
    """

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,32}$")]
    label: Words
    kind: Literal["classifier", "regressor"]
    shape: Annotated[tuple[Side, ...], Field(min_length=1, max_length=3)]
    range: tuple[Bound, Bound] = (0.0, 1.0)
    channels_last: bool = False
    softmax: bool = False
    outputs: Annotated[tuple[Output, ...], Field(min_length=1, max_length=MOST_OUTPUTS)]
    origin: Annotated[str, Field(max_length=200), AfterValidator(_one_line)] = ""

    @model_validator(mode="after")
    def _fields_fit(self) -> "Description":
        low, high = self.range
        if not 1e-6 <= high - low <= 1e6:
            raise ValueError("range needs two numbers, the smaller first")
        if math.prod(self.shape) > _MOST_VALUES:
            raise ValueError(f"shape has over {_MOST_VALUES:,} values")
        if self.kind == "classifier" and len(self.outputs) < 2:
            raise ValueError("a classifier has two outputs or more, one for each class")
        if self.kind == "regressor" and self.softmax:
            raise ValueError("softmax is for a classifier")
        keys = self.keys
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"the key {twice[0]} is given twice")
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all its properties."""
        outputs = tuple(output.key for output in self.outputs)
        if self.kind == "regressor":
            return outputs
        return (self.key, f"{self.key}_margin", *outputs)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; none of a regressor."""
        return tuple(out.label for out in self.outputs) if self.kind == "classifier" else ()

    def takes(self, sketch: PixelSketch | CurveSketch) -> bool:
        """Return whether samples with this sketch have the shape it takes."""
        return _bare(sketch.shape) == _bare(self.shape)

    def single(self, content: bytes) -> Single:
        """Return a graph with what is expected of it."""
        shares = self.kind == "classifier" and not self.softmax
        return Single(content, math.prod(self.shape), len(self.outputs), self.range, shares)


class Judgement(NamedTuple):
    """What a classifier says of samples: probabilities, the class, and by how much it is ahead.

    All are NaN, and the class is negative, where it gives no answer.
    """

    probabilities: Float[np.ndarray, "samples classes"]
    best: np.ndarray
    second: np.ndarray
    margin: Float[np.ndarray, " samples"]


class Asked(AbstractProperties):
    """The properties that an installed network gives; it has passed its probe.

    Args:
        description: What it takes and gives.
        content: The bytes that passed.
        pace: Seconds that a block of 64 samples takes.
    """

    name = "Asked"
    reads = "decoded"

    def __init__(self, description: Description, content: bytes, pace: float = 0.0) -> None:
        self.description, self.pace = description, pace
        self.fault = ""
        self._content: bytes | None = content
        self._network: Network | None = None
        self._lock = threading.Lock()

    def fits(self, sketch: PixelSketch | CurveSketch) -> bool:
        """Return whether it takes samples of this shape, and has not failed."""
        return not self.fault and self.description.takes(sketch)

    def properties(self, conditions: Conditions) -> tuple[Property, ...]:
        """List the properties; the class and its margin come first."""
        return tuple(self._listed())

    def measure(
        self,
        x: Float[np.ndarray, "samples *sample"],
        sketch: PixelSketch | CurveSketch,
        conditions: Conditions,
    ) -> dict[str, Float[np.ndarray, " samples"]]:
        """Ask about all samples; what it cannot tell is NaN, all of it if it fails."""
        raw = self.ask(x)
        if self.description.kind == "regressor":
            return {out.key: raw[:, k] for k, out in enumerate(self.description.outputs)}
        found = judged(raw)
        values = {
            self.description.key: np.where(found.best < 0, np.nan, found.best.astype(float)),
            f"{self.description.key}_margin": 100 * found.margin,
        }
        if len(self.description.outputs) <= MOST_CLASSES_LISTED:
            values |= {
                out.key: 100 * found.probabilities[:, k]
                for k, out in enumerate(self.description.outputs)
            }
        return values

    def judge(self, x: Float[np.ndarray, "samples *sample"]) -> Judgement:
        """Return the classes of samples, with probabilities.

        Raises:
            DesignError: If it is no classifier.
        """
        if self.description.kind != "classifier":
            raise DesignError(f"“{self.description.key}” gives no classes; choose a classifier.")
        return judged(self.ask(x))

    def ask(self, x: Float[np.ndarray, "samples *sample"]) -> Float[np.ndarray, "samples outputs"]:
        """Return the outputs for samples in data units, after softmax; NaN is unknown.

        A failure is kept as its `fault`, and never raised: it has to break no page.
        """
        about = self.description
        unknown = np.full((len(x), len(about.outputs)), np.nan)
        if not len(x) or self.fault:
            return unknown
        low, high = about.range
        given = np.nan_to_num(np.asarray(x, np.float32), posinf=0, neginf=0) * (high - low) + low
        if about.channels_last and given.ndim == 4:
            given = given.transpose(0, 2, 3, 1)
        try:
            raw = self._opened()(given.reshape(len(x), -1))[0]
        except ExplorerError as error:
            self.fault = str(error)
            return unknown
        except Exception as error:
            self.fault = f"It cannot be run ({type(error).__name__}); export it again."
            return unknown
        values = raw.reshape(len(x), -1).astype(np.float64)
        sound = np.isfinite(x).reshape(len(x), -1).all(1)[:, None]
        values = np.where(
            np.isfinite(values) & (np.abs(values) <= LARGEST) & sound, values, np.nan
        )
        return _softmax(values) if about.softmax else values

    def told(self, x: Float[np.ndarray, "samples *sample"]) -> list[str]:
        """Say of each sample what it is, in words; nothing where there is no answer."""
        about = self.description
        if about.kind == "regressor":
            raw = self.ask(x)
            return [
                ", ".join(
                    f"{prop.label} {prop.words(value)}"
                    for prop, value in zip(self._listed(), row, strict=True)
                    if np.isfinite(value)
                )
                for row in raw
            ]
        found, names = self.judge(x), about.classes
        return [
            ""
            if best < 0
            else f"{about.label} {names[best]} ({_percent(row[best])})"
            + (f", then {names[second]} ({_percent(row[second])})" if row[second] >= LEAST else "")
            for best, second, row in zip(
                found.best, found.second, found.probabilities, strict=True
            )
        ]

    def _opened(self) -> Network:
        with self._lock:
            if self._network is None:
                assert self._content is not None
                self._network = Network(
                    self._content, self.description.key, finite=False, longest=LONGEST_SECONDS
                )
                self._content = None
            return self._network

    def _listed(self) -> Iterator[Property]:
        about = self.description
        if about.kind == "regressor":
            for out in about.outputs:
                yield Property(
                    out.key, out.label, out.unit, out.digits, out.better, True, out.meaning
                )
            return
        yield Property(about.key, about.label, "", 0, "", True, _by(about), about.classes)
        yield Property(
            f"{about.key}_margin", f"{about.label} margin", "%", 0, "more", True,
            "probability of the class less that of the next",
        )  # fmt: skip
        if len(about.outputs) <= MOST_CLASSES_LISTED:
            for out in about.outputs:
                yield Property(
                    out.key, f"p({about.label} {out.label})", "%", 1, out.better, False,
                    out.meaning or "probability of this class",
                )  # fmt: skip


def judged(probabilities: Float[np.ndarray, "samples classes"]) -> Judgement:
    """Return the class of each row and its margin; a row with an unknown value has none."""
    known = np.isfinite(probabilities).all(1)
    filled = np.where(known[:, None], probabilities, 0.0)
    order = np.argsort(-filled, axis=1, kind="stable")
    rows = np.arange(len(filled))
    best, second = order[:, 0], order[:, 1]
    margin = np.where(known, filled[rows, best] - filled[rows, second], np.nan)
    return Judgement(
        np.where(known[:, None], probabilities, np.nan),
        np.where(known, best, -1),
        np.where(known, second, -1),
        margin,
    )


def _softmax(logits: Float[np.ndarray, "samples classes"]) -> Float[np.ndarray, "samples classes"]:
    """Return probabilities; a row with an unknown value is unknown."""
    known = np.isfinite(logits).all(1, keepdims=True)
    filled = np.where(known, logits, 0.0)
    powers = np.exp(filled - filled.max(1, keepdims=True))
    return np.where(known, powers / powers.sum(1, keepdims=True), np.nan)


def _bare(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without leading axes of one."""
    kept = list(shape)
    while len(kept) > 1 and kept[0] == 1:
        kept.pop(0)
    return tuple(kept)


def _percent(share: float) -> str:
    """Format a share; none that is not whole is rounded to nothing or to all."""
    percent = 100 * share
    if 0 < percent < 0.5:
        return "under 1 %"
    return "over 99 %" if 99.5 < percent < 100 else f"{percent:.0f} %"


def _by(about: Description) -> str:
    return f"by the classifier {about.key}" + (f" ({about.origin})" if about.origin else "")
