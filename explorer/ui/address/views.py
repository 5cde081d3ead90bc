"""One View per page: the state in its address bar, validated on reading, written once per run.

A link holds the whole state of a page. A value that is invalid, or that this model lacks, falls
back, which is told by `fallbacks`.
"""

import re
from typing import Annotated, Any, Literal, TypeVar

import streamlit as st
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
)

from explorer.designs.picks import Stars
from explorer.designs.properties import CONSTRAINTS, FLOW, MOST_FLOW, Conditions
from explorer.errors import DesignError
from explorer.sampler import MOST_STEPS
from explorer.slugs import Slug
from explorer.strips import SCALES, Levels, StripSpec
from explorer.ui.address import fallbacks
from explorer.ui.address.hand import modern, read_sample, sample_text
from explorer.ui.address.notation import DIALS, HAND, MOST_ENDS, PATH, PICK, PLACE

DEFAULT_MODEL = "mnist-static-vae-vamp-40"
MOST_CHARACTERS = 2000
TOUR_STEPS = 4
"""Steps of the tour."""

CURRENT, COMPARED = "frame_model", "frame_compare"
"""Session keys that carry the open models from page to page."""

LAST = "frame_last"
"""Session key of the last address of each page."""

WISHES = (
    ("limits", "frame_limits"),
    ("reynolds", "frame_reynolds"),
    ("alpha", "frame_alpha"),
    ("flow", "frame_flow"),
)
"""Constraints and operating points, and their session keys."""

TIMES = SCALES[:21]
"""Times of a noised prior that can be chosen: 0 to 1 in steps of 0.05."""

_SUPERSEDED, _CHANGING = "frame_superseded", "frame_changing"
"""Session keys: addresses that the browser may still hold, and whether this run changed one."""

_MOST_SUPERSEDED = 4

HELD = "frame_hand"
"""Session key of the thing in hand."""

CARRIED = (*WISHES, ("hand", HELD))
"""Fields carried from page to page, and their session keys."""

Seed = Annotated[int, Field(ge=0, lt=2**31)]

Scale = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
Time = Annotated[
    float,
    Field(ge=0, le=1, allow_inf_nan=False),
    AfterValidator(lambda t: min(TIMES, key=lambda known: abs(known - t))),
]
Reynolds = Annotated[float, Field(ge=1e4, le=1e8, allow_inf_nan=False)]
Alpha = Annotated[float, Field(ge=-10, le=20, allow_inf_nan=False)]
Component = Annotated[int, Field(ge=0, lt=10_000)]

Kind = TypeVar("Kind", bound="View")


def _split(value: object) -> object:
    return tuple(item for item in value.split(",") if item) if isinstance(value, str) else value


def _split_ends(value: object) -> object:
    return tuple(item for item in value.split("|") if item) if isinstance(value, str) else value


def _whole(grammar: re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(rf"^(?:{grammar.pattern})\Z")


Pick = Annotated[str, Field(pattern=_whole(PICK), max_length=1200)]
Line = Annotated[str, Field(pattern=_whole(PATH), max_length=1200)]


def _points(flow: str) -> str:
    """Refuse operating points that do not exist."""
    try:
        return Conditions.parse(flow).text
    except DesignError as error:
        raise ValueError(str(error)) from error


Flow = Annotated[str, Field(pattern=_whole(FLOW), max_length=MOST_FLOW), AfterValidator(_points)]
Limits = Annotated[str, Field(pattern=_whole(CONSTRAINTS), max_length=400)]


def _bounded(hand: str) -> str:
    """Refuse a sample beyond the bounds of its numbers."""
    if hand.startswith("sample:") and read_sample(hand) is None:
        raise ValueError("is out of bounds")
    return hand


Hand = Annotated[str, Field(pattern=_whole(HAND), max_length=1450), AfterValidator(_bounded)]
Place = Annotated[str, Field(pattern=_whole(PLACE), max_length=1450)]


class View(BaseModel):
    """State shared by all pages: the open model, those compared with it, and the thing in hand."""

    model_config = ConfigDict(validate_assignment=True, extra="ignore")

    _filled: dict[str, object] = PrivateAttr(default_factory=dict)

    model: Slug = DEFAULT_MODEL
    compare: Annotated[tuple[Slug, ...], BeforeValidator(_split), Field(max_length=3)] = ()
    hand: Hand = ""
    tour: Annotated[int, Field(ge=1, le=TOUR_STEPS)] | None = None

    @classmethod
    def from_address(cls: type[Kind]) -> Kind:
        """Read the address bar; missing fields come from the models open in this session."""
        query = modern(dict(st.query_params.items()))
        given: dict[str, Any] = {
            name: str(query[name])[:MOST_CHARACTERS] for name in cls.model_fields if name in query
        }
        bare = "model" not in given  # a link with a model is complete
        for name, key in (("model", CURRENT), ("compare", COMPARED), *CARRIED):
            known = st.session_state.get(key)
            if bare and known and name in cls.model_fields and name not in given:
                given[name] = known
        try:
            view = cls.model_validate(given)
        except ValidationError as error:
            wrong = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
            for name in sorted(wrong):
                fallbacks.tell(name, "is invalid", "using the default")
            left = {name: value for name, value in given.items() if name not in wrong}
            view = cls.model_validate(left)
        near = min(SCALES, key=lambda frame: abs(frame - getattr(view, "scale", frame)))
        if abs(near - getattr(view, "scale", near)) > 1e-9:
            view.fall_back("scale", near, "is between two frames", f"showing {near:g}")
        return view

    def fill(self, field: str, value: object) -> None:
        """Set what a link leaves open to what the page chooses for this model; it stays open."""
        setattr(self, field, value)
        self._filled[field] = getattr(self, field)

    def fall_back(self, field: str, value: object, why: str, instead: str) -> None:
        """Replace a value that cannot be shown; if a link asked for it, the page says so.

        Args:
            field: The field.
            value: What it becomes.
            why: What is wrong, as a verb: "is not in this model".
            instead: What is done instead, as a clause: "showing all components".
        """
        fallbacks.tell(field, why, instead)
        if field in modern(dict(st.query_params.items())) or field == "model":
            setattr(self, field, value)
        else:
            self.fill(field, value)

    @property
    def page(self) -> str:
        """The name of the page."""
        return next(name for name, kind in PAGES.items() if isinstance(self, kind))

    def write(self) -> None:
        """Write the view to the address bar unless it is there already; defaults are omitted."""
        address = self.address()
        kept = {field: value for field, value in address.items() if field != "tour"}
        st.session_state[LAST] = st.session_state.get(LAST, {}) | {self.page: kept}
        write_address(address)

    def address(self) -> dict[str, str]:
        """Return the query of the view's link, without defaults."""
        shown = self.model_dump(exclude_defaults=True, exclude_none=True)
        for name, value in self._filled.items():
            if getattr(self, name) == value:
                shown.pop(name, None)
        return {"model": self.model} | {name: address_text(value) for name, value in shown.items()}


def write_address(address: dict[str, str]) -> None:
    """Write an address of the app's own unless it is there already."""
    shown = modern(dict(st.query_params.items()))
    if shown != address:
        superseded = st.session_state.get(_SUPERSEDED, ())
        st.session_state[_SUPERSEDED] = (*superseded, shown)[-_MOST_SUPERSEDED:]
        st.query_params.from_dict(address)
    fallbacks.written(address)


def latest_address() -> dict[str, str]:
    """Return the address that a change starts from; for callbacks.

    What is reported before the browser has seen the last address comes with the one before, and
    would undo the change in between: on a slow machine a report of the focus dropped a search.
    """
    st.session_state[_CHANGING] = True
    shown, last = modern(dict(st.query_params.items())), fallbacks.last_written()
    if last is not None and shown in st.session_state.get(_SUPERSEDED, ()):
        return dict(last)
    st.session_state[_SUPERSEDED] = ()
    return shown


def begin_run() -> None:
    """Forget superseded addresses, unless a change has just been written.

    A run without a change shows what the browser asked for: an older address is that of Back.
    """
    if not st.session_state.pop(_CHANGING, False):
        st.session_state[_SUPERSEDED] = ()


def address_text(value: object) -> str:
    """Format a value for the address."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return ("|" if any("," in str(item) or ":" in str(item) for item in value) else ",").join(
            str(item) for item in value
        )
    return str(value)


class CatalogueView(View):
    """The first page: the open model's samples, and the cards of all models."""

    scale: Scale = 1.0
    seed: Seed = 0
    data: Annotated[str, Field(max_length=40)] = ""
    sort: Annotated[str, Field(pattern="^(name|likelihood|fidelity|diversity|latent)$")] = "name"
    search: Annotated[str, Field(max_length=60)] = ""
    more: bool = False


class Levelled(View):
    """State of pages with a scale for two-level models: which level the scale applies to."""

    level: Literal["", "z2", "z1"] = ""
    held: Scale = 1.0
    lower: Seed | None = None

    @property
    def levels(self) -> Levels:
        """Which level the scale applies to, and what the other does."""
        return Levels(self.level, self.held, self.lower)


class Conditioned(View):
    """State of pages that judge designs: constraints, and the conditions they are judged under."""

    limits: Limits = ""
    reynolds: Reynolds = 1e6
    alpha: Alpha = 4.0
    flow: Flow = ""

    @property
    def conditions(self) -> Conditions:
        """The operating points."""
        return Conditions.parse(self.flow, reynolds=self.reynolds, alpha=self.alpha)


class GenerateView(Levelled, Conditioned):
    """Samples at a scale of the prior, or of a flow on the codes after a step of several."""

    scale: Scale = 1.0
    seed: Seed = 0
    component: Component | None = None
    difference: bool = False
    sampler: Literal["prior", "flow"] = "prior"
    steps: Annotated[int, Field(ge=1, le=MOST_STEPS)] = MOST_STEPS
    at: Annotated[int, Field(ge=0, le=MOST_STEPS)] | None = None
    t: Time | None = None

    @property
    def spec(self) -> StripSpec:
        """The samples on the page."""
        if self.sampler == "flow":
            return StripSpec(seed=self.seed, flow=self.steps, spread=self.scale)
        return StripSpec(seed=self.seed, component=self.component, levels=self.levels, time=self.t)

    @property
    def frame(self) -> float:
        """The value of the frame on display: a scale, or a step of the flow."""
        if self.sampler == "prior":
            return self.scale
        return float(self.steps if self.at is None else min(self.at, self.steps))

    def show(self, frame: float) -> None:
        """Display a frame, by its value."""
        if self.sampler == "prior":
            self.scale = frame
        else:
            self.at = None if frame >= self.steps else int(frame)

    @property
    def tile(self) -> int | None:
        """The number of the sample in hand, if it is one of those on the page."""
        sample = read_sample(self.hand)
        return sample.tile if sample is not None and sample.spec == self.spec else None

    def hold(self, tile: int | None) -> None:
        """Take a sample of the page in hand at the page's scale; None puts it down."""
        if tile is not None:
            self.hand = sample_text(self.spec, tile, self.frame)
        elif self.tile is not None:
            self.hand = ""


class PrototypesView(Levelled):
    """The components of a prior, one of them selected."""

    component: Component | None = None
    scale: Scale = 1.0
    sort: Annotated[str, Field(pattern="^(claimed|weight|number)$")] = "claimed"
    shown: Annotated[str, Field(pattern="^(inputs|decoded)$")] = "inputs"
    epoch: Annotated[int, Field(ge=0, lt=100_000)] | None = None

    @property
    def spec(self) -> StripSpec:
        """Samples of the selected component."""
        return StripSpec(tiles=24, component=self.component, levels=self.levels)


class LatentMapView(View):
    """The map: layers, colours, the selection and the drawn line."""

    layers: Annotated[
        tuple[
            Annotated[
                str,
                Field(
                    pattern="^(data|prior|prototypes|density|aggregated|holes|transport|decision)$"
                ),
            ],
            ...,
        ],
        BeforeValidator(_split),
        Field(max_length=8),
    ] = ("data", "prototypes")
    colour: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")] = "label"
    asked: Annotated[str, Field(pattern="^([a-z][a-z0-9_]{0,39})?$")] = ""
    pick: Pick = ""
    path: Line = ""
    neighbours: Annotated[int, Field(ge=4, le=48)] = 16
    metric: Literal["euclidean", "cosine", "whitened"] = "euclidean"
    only: Pick = ""
    a: Pick = ""
    b: Pick = ""


class TraverseView(View):
    """Latent units and saved directions, traversed from what is in hand, or else from a centre.

    An empty centre is what is in hand, or the mean if that is nothing.
    """

    centre: Place | Literal[""] = ""
    at: Annotated[str, Field(pattern=_whole(DIALS), max_length=480)] = ""
    rows: Annotated[int, Field(ge=4, le=40)] = 8
    dead: bool = False
    level: Literal["", "z2", "z1"] = ""
    seed: Seed = 0

    @property
    def start(self) -> str:
        """The place from which offsets count."""
        return self.centre or self.hand or "mean"


class InterpolateView(View):
    """A path between two to four endpoints, or along a drawn line."""

    ends: Annotated[
        tuple[Place, ...], BeforeValidator(_split_ends), Field(max_length=MOST_ENDS)
    ] = ()
    path: Line = ""
    asked: Annotated[str, Field(pattern="^([a-z][a-z0-9_]{0,39})?$")] = ""
    kind: Literal["straight", "spherical", "following", "geodesic"] = "straight"
    closeness: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0
    frames: Annotated[int, Field(ge=5, le=41)] = 17
    at: Annotated[int, Field(ge=0, lt=41)] = 0


class ReconstructView(View):
    """The reconstruction of one sample; drawings and uploads are not in the link."""

    source: Annotated[str, Field(pattern="^(hand|test|draw|upload)?$")] = ""
    index: Annotated[int, Field(ge=0, lt=1_000_000)] = 0
    seed: Seed = 0
    refine: bool = False


class CandidatesView(Conditioned):
    """The shortlist: which picks are shown, which are compared, and what is plotted."""

    project: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    show: Literal["all", "open", "keep", "reject"] = "all"
    stars: Stars = 0
    tag: Annotated[str, Field(max_length=40)] = ""
    sort: Annotated[str, Field(pattern="^(number|stars|[a-z][a-z0-9_]{0,39})$")] = "number"
    chosen: Annotated[
        tuple[Annotated[int, Field(ge=1, lt=100_000)], ...],
        BeforeValidator(_split),
        Field(max_length=6),
    ] = ()
    at: Annotated[int, Field(ge=1, lt=100_000)] | None = None
    hide: bool = False
    tab: Literal["", "pick", "compare", "polars", "tradeoffs", "find"] = ""
    find: Literal["", "far", "like", "between", "push", "mine"] = ""
    seed: Seed = 0
    x: Annotated[str, Field(pattern="^([a-z][a-z0-9_]{0,39})?$")] = ""
    y: Annotated[str, Field(pattern="^([a-z][a-z0-9_]{0,39})?$")] = ""

    @property
    def pane(self) -> str:
        """What stands beside the cards: what a link of earlier releases asks for is opened."""
        if self.tab:
            return self.tab
        if self.find:
            return "find"
        if self.x or self.y:
            return "tradeoffs"
        return "compare" if len(self.chosen) > 1 else "pick"


class DesignView(Conditioned):
    """Designs that satisfy wishes: what orders them, and how different they are."""

    goal: Annotated[str, Field(pattern="^(-?[a-z][a-z0-9_]{0,39})?$")] = ""
    spread: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.5
    seed: Seed = 0


class PriorsLabView(View):
    """Two-dimensional models side by side, and lessons."""

    bench: Annotated[str, Field(pattern="^(planes|bound|training|scale|reference)$")] = "planes"
    show: Annotated[str, Field(pattern="^(density|decoded)$")] = "density"
    reference: Annotated[str, Field(max_length=60, pattern=r"^[\w ]*$")] = ""
    lesson: Annotated[int, Field(ge=0, le=4)] = 0
    step: Annotated[int, Field(ge=1, le=9)] = 1
    guess: Annotated[int, Field(ge=0, le=9)] | None = None
    epoch: Annotated[int, Field(ge=0, lt=100_000)] | None = None
    scale: Scale = 1.0
    large: bool = False


class EvaluateView(View):
    """All models of a data set side by side, and a paired comparison of two."""

    of: Annotated[str, Field(max_length=40)] = ""
    group: Literal["likelihood", "units", "samples", "alignment"] = "likelihood"
    one: Slug | Literal[""] = ""
    other: Slug | Literal[""] = ""
    diversity: Literal["coverage", "recall", "vendi"] = "coverage"
    latent: Annotated[int, Field(ge=0, le=512)] = 0
    curve: Literal["frechet", "copies", "precision", "recall", "density", "coverage"] = "frechet"


class PicturesView(View):
    """Pictures that come in; what has come in is no part of a link."""


class TrainView(View):
    """Runs of training: the one that is watched, the step that is looked at; or own data."""

    run: Slug | Literal[""] = ""
    data: Slug | Literal[""] = ""
    at: Annotated[int, Field(ge=-1, lt=10**9)] = -1


PAGES: dict[str, type[View]] = {
    "catalogue": CatalogueView,
    "generate": GenerateView,
    "prototypes": PrototypesView,
    "latent_map": LatentMapView,
    "traverse": TraverseView,
    "interpolate": InterpolateView,
    "reconstruct": ReconstructView,
    "design": DesignView,
    "candidates": CandidatesView,
    "priors_lab": PriorsLabView,
    "evaluate": EvaluateView,
    "pictures": PicturesView,
    "train": TrainView,
}
