"""The scale under the finger: one or more models' samples over s = 0 to 2, on one slider."""

import streamlit as st

from explorer import settings
from explorer.inference import Engine
from explorer.publishing import PRIORS
from explorer.ui import resources
from explorer.ui.components import FilmstripState, filmstrip
from explorer.ui.reading import number, percentile, provenance

LABEL = "Scale (temperature)"
LOW, HIGH = "safer, less varied", "more varied, less faithful"


def sweep(
    engines: list[Engine],
    *,
    key: str,
    at: float,
    tiles: int = 64,
    seed: int = 0,
    component: int | None = None,
    tile: int | None = None,
    tile_width: int = 56,
    titles: bool = True,
    columns: int | None = None,
    selectable: bool = True,
) -> FilmstripState:
    """Show the same noise at every scale for each engine; return what was released and chosen."""
    strips = [resources.strip(engine, tiles, seed, _own(engine, component)) for engine in engines]
    if engines[0].sketch.kind == "curve":
        tile_width = 2 * tile_width if columns is None else 3 * tile_width // 2
        columns = columns and columns // 2
    return filmstrip(
        *strips,
        key=key,
        titles=[prior_name(engine) for engine in engines] if titles else (),
        at=at,
        home=1.0,
        label=LABEL,
        low=LOW,
        high=HIGH,
        tile=tile,
        tile_width=tile_width,
        columns=columns,
        selectable=selectable,
    )


def prior_name(engine: Engine) -> str:
    """Name an engine's prior in words."""
    prior = engine.checkpoint.config.prior
    return PRIORS[prior.kind if prior else "none"]


def component_count(engine: Engine) -> int:
    """Count the components of an engine's prior."""
    components = engine.components()
    return 0 if components is None else len(components)


def companions(engine: Engine) -> list[Engine]:
    """Return the engine with X-VAE and the standard prior of the same data and latent size."""
    own = engine.checkpoint.config
    if not engine.has_prior:
        return [engine]
    found = [engine]
    for kind in ("vamp", "xvae", "standard"):
        for entry in resources.entries():
            same = entry.healthy and (entry.data, entry.model, entry.latent, entry.prior) == (
                own.data.kind, own.model.kind, own.model.latent, kind
            )  # fmt: skip
            if same and entry.slug not in {item.slug for item in found}:
                found.append(resources.engine(entry))
                break
    return found[:3]


def sample_facts(
    engine: Engine, tile: int, scale: float, tiles: int, seed: int, component: int | None
) -> None:
    """Tell what one sample is worth: its component, log p(z) and where that stands."""
    strip = resources.strip(engine, tiles, seed, _own(engine, component))
    frame = strip.values.index(scale)
    density = float(strip.log_density[frame, tile])
    words = [
        f"**Sample {tile + 1}** of {prior_name(engine)} at scale {scale:g}",
        f"log p(z) {density:.1f} nats".replace("-", "−"),
    ]
    place = percentile(density, resources.atlas(engine))
    if place:
        words.append(place)
    if component_count(engine) > 1:
        words.append(f"component {int(strip.components[tile])}")
    st.markdown(" · ".join(words))


def measures(engine: Engine) -> None:
    """Show fidelity and diversity at s = 1, each with error, n and the null row."""
    metrics = engine.checkpoint.metrics
    names = (
        ("density", "Fidelity: density"),
        ("precision", "Fidelity: precision"),
        ("coverage", "Diversity: coverage"),
        ("recall", "Diversity: recall"),
        ("vendi", "Diversity: Vendi score"),
    )
    with st.container(horizontal=True, gap="small"):
        for name, label in names:
            metric = metrics.get(name)
            digits = 1 if name == "vendi" else 2
            with st.container(width=170, gap=None):
                if metric is None:
                    st.metric(label, "–", help=provenance(metric))
                    continue
                value, _, error = number(metric, digits).partition(" ± ")
                st.metric(label, value, help=provenance(metric))
                st.caption(f"± {error}, real data {metric.null or 0:.{digits}f}")
    first = metrics.get("density")
    if first is not None:
        st.caption(
            f"{prior_name(engine)} at scale 1, {first.n:,} samples against {first.n:,} test "
            f"samples, "
            "five seeds, k = 5, on whitened principal components. “Real data” puts training "
            "data in the samples’ place."
        )


def no_prior(engine: Engine) -> None:
    """Say why nothing can be drawn, and stop."""
    st.info(
        f"{engine.slug} is a plain autoencoder: it has no prior, so there is nothing to draw "
        f"from. "
        "Choose another model in the sidebar; its codes can be seen on the latent map.",
        icon=":material/info:",
    )
    st.page_link(
        settings.beside("pages") / "latent_map.py",
        label="Open the latent map",
        icon=":material/scatter_plot:",
        query_params={"model": engine.slug},
    )
    st.stop()


def _own(engine: Engine, component: int | None) -> int | None:
    """Return the component where the engine's prior has one of that number."""
    return component if component is not None and component < component_count(engine) > 1 else None
