"""What to train: data, a prior, units and the time one has; the recipe that follows from them."""

import hashlib
from pathlib import Path

import streamlit as st
from pydantic import ValidationError

from explorer import incoming, jobs, runs, settings, suggestions
from explorer.config import MAX_BYTES, RunConfig, first_problem
from explorer.data import DataSet
from explorer.data.files import OWN, FilesConfig
from explorer.data.named import load_shown
from explorer.errors import DataError, ExplorerError, JobError, TrainingError
from explorer.naming import kind_words
from explorer.registry import DATA, DataConfig
from explorer.suggestions import Pace
from explorer.ui import cache
from explorer.ui.address.controls import commit
from explorer.ui.wording.format import prose

PRIORS = {
    "vamp": "VampPrior",
    "standard": "Standard normal",
    "mog": "Mixture of Gaussians",
    "xvae": "X-VAE",
    "none": "None (autoencoder)",
}
PACES: dict[Pace, str] = {
    "minute": "A minute",
    "ten": "Ten minutes",
    "best": "As good as it gets",
}
_UNITS = (2, 8, 16, 40)
_YOURS = "Your pictures: "
_LEFT_OUT = ("files", "naca")
"""Kinds of data that need more than their name."""


def form(wanted: str) -> None:
    """Render the choice of what is trained, and the button that starts it.

    Args:
        wanted: Name of own pictures to begin with; empty for none.
    """
    choices = data_choices()
    own = f"{_YOURS}{wanted}"
    if wanted and own in choices:
        st.session_state.setdefault("train_data", own)
    with st.container(horizontal=True, gap="medium"):
        named = st.selectbox("Data", list(choices), key="train_data", width=260)
        latent = st.segmented_control(
            "Units", _UNITS, key="train_units", default=2, required=True,
            help="Length of a code. With two units the whole latent space can be watched.",
        )  # fmt: skip
        pace = st.segmented_control(
            "Time", list(PACES), key="train_pace", default="minute", required=True,
            format_func=lambda name: PACES[name],
        )  # fmt: skip
    prior = st.segmented_control(
        "Prior", list(PRIORS), key="train_prior", default="vamp", required=True,
        format_func=lambda name: PRIORS[name],
    )  # fmt: skip
    config = choices[named]
    data = loaded(config)
    if data is None:
        return
    source = _source(config, int(latent)) if prior == "xvae" else ""
    if source is None:
        st.info(
            "X-VAE takes its prior from the codes of an autoencoder of the same data with "
            f"{latent} units, and there is none yet: train one first, with the prior "
            "“None (autoencoder)”."
        )
        return
    try:
        text = _suggested(
            config.model_dump_json(), prior, int(latent), pace, source, _config=config
        )
    except ExplorerError as error:
        st.error(prose(str(error)), icon=":material/error:")
        return
    recipe = _edited(text)
    if recipe is None:
        return
    st.caption(
        suggestions.words(recipe, data, pace) if recipe == _parsed(text) else "Your recipe."
    )
    _start(recipe)


def data_choices() -> dict[str, DataConfig]:
    """Name the data that can be trained on: built in, and own pictures that came in."""
    found: dict[str, DataConfig] = {}
    for kind in DATA:
        if kind.model_fields["kind"].default not in _LEFT_OUT:
            config = kind()
            found[config.words] = config
    place = settings.current().user / OWN
    if place.is_dir():
        for item in sorted(place.iterdir()):
            path = item / incoming.DATA
            try:
                config = FilesConfig.model_validate_json(path.read_bytes())
            except (OSError, ValidationError):
                continue
            found[f"{_YOURS}{item.name}"] = config
    return found


def loaded(config: DataConfig) -> DataSet | None:
    """Return data, or say what is missing and return None."""
    data = cache.data_set(config)
    if data is None:
        try:
            load_shown(config, settings.current().data)
        except DataError as error:
            st.info(prose(str(error)))
    return data


def _source(config: DataConfig, latent: int) -> str | None:
    """Return the autoencoder whose codes an X-VAE takes its prior from."""
    for entry in cache.entries():
        known = entry.config
        if (
            entry.healthy
            and known is not None
            and known.model.deterministic
            and known.training.pretraining is None
            and known.training.freeze is None
            and entry.latent == latent
            and known.data.identity == config.identity
        ):
            return entry.slug
    return None


@st.cache_data(max_entries=64, show_spinner="Timing a few batches on this machine")
def _suggested(
    data: str, prior: str, latent: int, pace: Pace, source: str, _config: DataConfig
) -> str:
    known = cache.data_set(_config)
    assert known is not None
    recipe = suggestions.suggest(_config, known, prior, latent, pace, source)
    return recipe.model_dump_json(indent=1, exclude={"sketch", "fitted"})


def _edited(text: str) -> RunConfig | None:
    """Render the recipe, and return it as it stands; None if it is none."""
    with st.expander("The recipe", icon=":material/receipt_long:"):
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        given = st.text_area(
            "Recipe", text, key=f"train_recipe_{digest}", height=380, max_chars=MAX_BYTES,
            label_visibility="collapsed",
        )  # fmt: skip
        st.caption("A JSON file, as `latent-explorer train` takes it. Change what you like.")
    try:
        recipe = _parsed(given)
    except ValidationError as error:
        st.error(prose(f"The recipe is invalid: {first_problem(error)}"), icon=":material/error:")
        return None
    path = Path(recipe.data.path if isinstance(recipe.data, FilesConfig) else "")
    if path.is_absolute() or ".." in path.parts:
        st.error(
            "A recipe given in the browser names built-in data, pictures that came in, or a "
            "folder below the data directory; train others by `latent-explorer train`.",
            icon=":material/error:",
        )
        return None
    return recipe


def _parsed(text: str) -> RunConfig:
    return RunConfig.model_validate_json(text)


def _start(recipe: RunConfig) -> None:
    prior = "" if recipe.prior is None else f"-{recipe.prior.kind}"
    latent = getattr(recipe.model, "latent", "")
    named = recipe.data.called if isinstance(recipe.data, FilesConfig) else recipe.data.kind
    wanted = f"{named}-{recipe.model.kind}{prior}-{latent}-own"
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        name = st.text_input("Name", runs.free_name(wanted), key=f"train_name_{wanted}", width=320)
        pressed = st.button(
            "Start", key="train_start", type="primary", icon=":material/play_arrow:"
        )
    if pressed:
        try:
            runs.begin(recipe, name.strip())
            jobs.start(jobs.order_of(name.strip()))
        except (JobError, TrainingError) as error:
            st.error(prose(str(error)), icon=":material/error:")
            return
        commit(run=name.strip(), at=None)
        st.rerun()


def title_of(recipe: RunConfig) -> str:
    """Say what a run trains, in a few words."""
    prior = "none" if recipe.prior is None else recipe.prior.kind
    return f"{recipe.data.words}: {kind_words(recipe.model.kind, prior)}"
