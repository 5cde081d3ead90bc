"""The latent map: its layers, its colours, and what is known of a pick."""

from typing import NamedTuple

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from explorer.inference import Engine
from explorer.projection import SPLITS, Atlas, nearest
from explorer.strips import codes_strip
from explorer.ui import palette, resources
from explorer.ui.components import Layer, filmstrip, point_map
from explorer.ui.components.point_map import Column
from explorer.ui.gallery import pictures_of
from explorer.ui.reading import mix
from explorer.ui.routes import layer_codes, thumbnail_address

MEMBERS = 64
COLOURS = {
    "label": "Class",
    "kl": "KL",
    "reconstruction": "Reconstruction error",
    "log_prior": "log p(z)",
    "claimed": "Nearest prototype",
    "trust": "Trust of the projection",
    "split": "Split",
}
LAYERS = {"data": "Data", "prior": "Prior samples", "prototypes": "Prototypes"}


class Selection(NamedTuple):
    """Codes that are picked, what they are called, and their rows in the atlas, if any."""

    z: Float[np.ndarray, "picked latent"]
    words: str
    rows: Int[np.ndarray, " picked"]


def colours(engine: Engine, atlas: Atlas) -> dict[str, str]:
    """Name the colours that this model's map can show."""
    absent = set() if atlas.classes else {"label"}
    absent |= set() if engine.has_prior else {"kl", "log_prior"}
    absent |= set() if resources.claims(engine) is not None else {"claimed"}
    return {name: words for name, words in COLOURS.items() if name not in absent}


def draw(engine: Engine, atlas: Atlas, shown: tuple[str, ...], colour: str, pick: str) -> str:
    """Draw the map and return what is picked."""
    # The map and what is told of a pick stand side by side until the window is narrow.
    st.html("<style>.st-key-latent_map_plane { min-width: min(26rem, 100%); }</style>")
    columns = _columns(engine, atlas)
    layers = [
        Layer(
            "data",
            "Data",
            "dot",
            atlas.xy,
            palette.DATA,
            columns,
            "data" in shown,
            thumbnail_address(engine, "data"),
        ),
        Layer(
            "prior",
            "Prior samples",
            "diamond",
            atlas.sample_xy,
            palette.INK,
            (),
            "prior" in shown,
            thumbnail_address(engine, "prior"),
        ),
    ]
    components = engine.components()
    if components is not None and len(components) > 1:
        layers.append(
            Layer(
                "prototypes",
                "Prototypes",
                "star",
                atlas.prototype_xy,
                palette.INK,
                (),
                "prototypes" in shown,
                thumbnail_address(engine, "prototypes"),
            )
        )
    kind = "its own plane" if atlas.method == "plane" else "projected by UMAP"
    return point_map(
        layers,
        key="latent_map_map",
        colour=colour,
        ramp=palette.RAMP,
        pick=pick,
        axes=atlas.method == "plane",
        smooth=engine.sketch.kind == "curve",
        summary=f"Latent map of {engine.slug}, {kind}: {len(atlas.xy):,} codes of data",
    ).pick


def offers(engine: Engine, layer: str) -> bool:
    """Whether a model's map has such a layer."""
    components = engine.components()
    if layer == "prototypes":
        return components is not None and len(components) > 1
    return layer == "data" or engine.has_prior


def caption(atlas: Atlas) -> str:
    """Say what is seen, and what it is not."""
    train, test = (atlas.split == 0).sum(), (atlas.split == 2).sum()
    where = f"{train:,} training and {test:,} test codes (posterior means)."
    if atlas.method == "plane":
        return f"{where} The latent space has two dimensions: nothing is projected, this is it."
    return (
        f"{where} UMAP keeps neighbourhoods, not distances: gaps and sizes on this map are "
        f"not distances in the model. "
        f"Mean trust {atlas.trust.mean():.2f}: that share of a code’s 15 nearest codes is "
        f"kept among its 15 nearest here."
    )


def select(engine: Engine, atlas: Atlas, pick: str) -> Selection | None:
    """Find the codes of a pick; None where there is none or it is out of range."""
    kind, _, rest = pick.partition(":")
    if kind == "box":
        left, bottom, right, top = (float(value) for value in rest.split(","))
        x, y = atlas.xy[:, 0], atlas.xy[:, 1]
        rows = np.flatnonzero((x >= left) & (x <= right) & (y >= bottom) & (y <= top))
        return Selection(atlas.codes[rows], f"{len(rows):,} codes in the box", rows)
    codes = layer_codes(engine, kind) if kind in LAYERS else None
    if codes is None or not rest or int(rest) >= len(codes):
        return None
    index = int(rest)
    rows = np.array([index]) if kind == "data" else np.empty(0, np.int64)
    name = {"data": "Datum", "prior": "Prior sample", "prototypes": "Prototype"}[kind]
    number = index if kind == "prototypes" else index + 1
    return Selection(codes[index : index + 1], f"{name} {number}", rows)


def tell(engine: Engine, atlas: Atlas, chosen: Selection, neighbours: int) -> None:
    """Show a selection: members decoded, their mean, facts, and the nearest codes of data."""
    n = len(chosen.z)
    st.markdown(f"**{chosen.words}**")
    if n == 0:
        st.caption("No codes of data lie there. Hold Shift and drag over some dots.")
        return
    members = chosen.z
    if n > MEMBERS:
        members = members[np.sort(np.random.default_rng(0).choice(n, MEMBERS, replace=False))]
    filmstrip(
        codes_strip(engine, members),
        key="latent_map_members",
        selectable=False,
        tile_width=40 if n > 1 else 96,
    )
    if n > MEMBERS:
        st.caption(f"{MEMBERS} of them, drawn at random (seed 0), decoded.")
    _facts(engine, atlas, chosen)
    mean = chosen.z.mean(0)
    if n > 1:
        st.markdown("**Their mean, decoded**")
        filmstrip(
            codes_strip(engine, mean[None]), key="latent_map_mean", selectable=False, tile_width=96
        )
    st.markdown(f"**Nearest data to {'their mean' if n > 1 else 'it'}**")
    order, distance = nearest(atlas.codes, mean, neighbours + 1)
    keep = ~np.isin(order, chosen.rows) if n == 1 else np.ones(len(order), bool)
    order, distance = order[keep][:neighbours], distance[keep][:neighbours]
    strip, words = pictures_of(engine, order)
    filmstrip(
        strip,
        key="latent_map_neighbours",
        selectable=False,
        tile_width=40,
        captions=[f"distance {value:.2f}" for value in distance],
        name="neighbour",
    )
    st.caption(f"Euclidean distance of codes, {distance[0]:.2f} to {distance[-1]:.2f}. {words}")


def _facts(engine: Engine, atlas: Atlas, chosen: Selection) -> None:
    rows, words = chosen.rows, []
    if len(rows):
        classes = mix(atlas.label[rows], atlas.classes)
        words += [f"class {classes}"] if classes else []
        words.append(", ".join(sorted({SPLITS[int(split)] for split in atlas.split[rows]})))
        if engine.has_prior:
            words.append(f"KL {atlas.kl[rows].mean():.1f} nats")
        words.append(f"reconstruction error {atlas.reconstruction[rows].mean():.1f} nats")
    if engine.has_prior:
        words.append(f"log p(z) {float(engine.log_prior(chosen.z).mean()):.1f} nats")
    st.caption(" · ".join(words).replace("-", "−") + (" (means)" if len(chosen.z) > 1 else ""))


def _columns(engine: Engine, atlas: Atlas) -> tuple[Column, ...]:
    columns = []
    if atlas.classes:
        labels = atlas.label.astype(np.float32)
        columns.append(
            Column("label", "Class", labels, classes=atlas.classes, palette=palette.CLASSES)
        )
    if engine.has_prior:
        columns.append(Column("log_prior", "log p(z)", atlas.log_prior, "nats"))
        columns.append(Column("kl", "KL", atlas.kl, "nats"))
    columns.append(Column("reconstruction", "Reconstruction error", atlas.reconstruction, "nats"))
    if atlas.method != "plane":
        columns.append(Column("trust", "Trust", atlas.trust, decimals=2))
    columns.append(
        Column(
            "split",
            "Split",
            atlas.split.astype(np.float32),
            classes=SPLITS,
            palette=palette.CLASSES,
        )
    )
    best = resources.claims(engine)
    if best is not None:
        names = [str(k) for k in range(int(best.max()) + 1)]
        columns.append(
            Column(
                "claimed",
                "Nearest prototype",
                best.astype(np.float32),
                classes=names,
                palette=palette.CLASSES,
            )
        )
    return tuple(columns)
