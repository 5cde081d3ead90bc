"""Picks of a shipped model in a store."""

from explorer import Engine, __version__, load
from explorer.designs.picks import Model, PickSource
from explorer.ui.picks.service import origin_of

AIRFOILS = "airfoils-vae-xvae-8"


def keep(store, slug=AIRFOILS, n=6, seed=0):
    engine = Engine(load(slug), "cpu")
    opened = engine.checkpoint
    model = Model(opened.hash, opened.slug, opened.config.data.kind, engine.sketch)
    drawn = engine.sample(n, 0.7, seed)
    return store.keep(
        1,
        [
            (f"{slug}-{seed}-{row}", PickSource(model, drawn.z[row], drawn.x[row],
             origin_of(engine, drawn.z[row]), "generate", "?seed=0", __version__,
             scale=0.7, seed=seed))
            for row in range(n)
        ],
    )  # fmt: skip
