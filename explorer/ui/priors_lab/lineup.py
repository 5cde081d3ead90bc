"""Which two-dimensional models the lab compares, and what they are called."""

from collections.abc import Sequence
from pathlib import PurePath

import streamlit as st

from explorer import figures, replay
from explorer.checkpoint import Entry
from explorer.figures import Chart
from explorer.inference import Engine
from explorer.naming import DATA, PRIORS
from explorer.objectives import MatchingConfig
from explorer.papers import Paper
from explorer.ui import cache
from explorer.ui.address.views import PriorsLabView
from explorer.ui.panels import export_menu
from explorer.ui.wording.naming import describe

_FIRST = (
    "standard", "xvae", "xvae-mixture", "mog", "flow", "vamp-data", "vamp-weighted", "vamp",
)  # fmt: skip
_ORDER = [kind for kind in dict.fromkeys((*_FIRST, *PRIORS)) if kind != "none"]


def planar(engine: Engine) -> list[Engine]:
    """Return the two-dimensional models of the open model's data, or of the digits."""
    kinds = [engine.checkpoint.config.data.kind, "digits"]
    for kind in kinds:
        found = [
            entry
            for entry in cache.entries()
            if entry.healthy and entry.data == kind and entry.latent == 2
            and entry.prior in _ORDER
            and ((entry.prior in _FIRST and not _by_score(entry)) or entry.slug == engine.slug)
        ]  # fmt: skip
        found.sort(
            key=lambda entry: (
                _ORDER.index(entry.prior),
                entry.model != "vae",
                _components(entry.slug),
                entry.slug,
            )
        )
        if found:
            return [cache.engine(entry) for entry in found]
    return []


def matched(engine: Engine) -> list[Entry]:
    """Return the two-dimensional models matched to a reference, of the open one's data or digits.

    Those of one reference follow each other, by sliced distance first.
    """
    for kind in (engine.checkpoint.config.data.kind, "digits"):
        found = [
            entry
            for entry in cache.entries()
            if entry.healthy
            and entry.data == kind
            and entry.latent == 2
            and entry.config is not None
            and isinstance(entry.config.objective, MatchingConfig)
            and (entry.folder / replay.FILE).is_file()
        ]
        found.sort(key=lambda entry: (reference_words(entry), _by_score(entry), entry.slug))
        if found:
            return found
    return []


def reference_words(entry: Entry) -> str:
    """Name the reference that a model is matched to."""
    assert entry.config is not None
    path = getattr(entry.config.prior, "path", "")
    return PurePath(path).stem.capitalize() if path else PRIORS[entry.prior]


def _by_score(entry: Entry) -> bool:
    objective = entry.config.objective if entry.config else None
    return isinstance(objective, MatchingConfig) and objective.distance == "score"


def subject(engines: Sequence[Engine]) -> str:
    """Return the display name of the models' data."""
    return DATA[engines[0].checkpoint.config.data.kind]


def one_each(engines: list[Engine], model: str = "") -> list[Engine]:
    """Keep for each prior, and each way of training under it, the one with most components.

    Args:
        engines: Models in the order of their components.
        model: A model that is kept, if it is among them.
    """
    kept: dict[tuple[str, str], Engine] = {}
    for engine in engines:
        config = engine.checkpoint.config
        key = (config.prior.kind if config.prior else "", config.model.kind)
        if key not in kept or kept[key].slug != model:
            kept[key] = engine
    return list(kept.values())


def relation(engine: Engine, opened: Engine) -> str:
    """Say what a model of the lab has to do with the open one: nothing, if the text is empty."""
    if engine.slug == opened.slug:
        return "the open model"
    own, other = engine.checkpoint.config, opened.checkpoint.config
    same = own.prior is not None and other.prior is not None and own.prior.kind == other.prior.kind
    elsewhere = other.data.kind != own.data.kind or opened.space.size != 2
    return "the prior of the open model" if same and elsewhere else ""


def purpose(engines: list[Engine], opened: Engine) -> str:
    """Say which models are shown, and what they have to do with the open one."""
    shown, own = subject(engines), DATA[opened.checkpoint.config.data.kind]
    words = f"Models with two latent units, trained on {shown}."
    if shown != own:
        words = f"No model of {own} has two latent units: these are trained on {shown}."
    return f"{words} What belongs to the open model comes first."


def named(engine: Engine) -> str:
    """Name a model by its prior and number of components."""
    entries = cache.entries()
    entry = next(item for item in entries if item.slug == engine.slug)
    return describe(entry, entries).rpartition(",")[0]


def export(
    engines: Sequence[Engine], charts: Sequence[Chart], what: str, words: str, *others: Paper
) -> None:
    """Render the export menu of the charts on the page."""
    models = [engine.checkpoint for engine in engines]
    figure = figures.of_charts(models, charts, what, words, *others)
    stem = "-".join(what.lower().split())
    export_menu.figures_menu({"": figure}, f"lab-{stem}", "labexport")


def _components(slug: str) -> int:
    entry = next(item for item in cache.entries() if item.slug == slug)
    prior = entry.config.prior if entry.config else None
    return int(getattr(prior, "components", 1))


def require_planar(engine: Engine, view: PriorsLabView) -> list[Engine]:
    """Return the two-dimensional models; stop with a message if there are none."""
    found = planar(engine)
    if not found:
        st.info('There is no two-dimensional model with a prior; train one with `"latent": 2`.')
        view.write()
        st.stop()
    return found
