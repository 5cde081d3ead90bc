"""Takes a screenshot of every page: `python -m tests.browser.screenshots FOLDER`.

With `--readme` it takes those of README. They show decoded samples, never a data set.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from explorer import Engine, load
from explorer.designs.candidates import FILE, Store
from explorer.designs.picks import Model, PickSource
from tests.support.serving import CHROMIUM, FLAGS, serve, settled

VIEWS = {
    "catalogue": ("catalogue", "filmstrip"),
    "generate": ("generate?model=mnist-static-vae-vamp-40&hand=sample:0,3,1", "filmstrip"),
    "generate-compare": (
        "generate?model=digits-vae-vamp-16&compare=digits-vae-standard-16&scale=1.3",
        "filmstrip",
    ),
    "generate-airfoils": ("generate?model=airfoils-vae-vamp-8", "filmstrip"),
    "prototypes": ("prototypes?model=mnist-static-vae-vamp-40&hand=prototypes:7", "filmstrip"),
    "map": ("latent_map?model=mnist-static-vae-vamp-40&hand=prototypes:7", "point-map"),
    "map-holes": (
        "latent_map?model=digits-vae-xvae-2&layers=data,density,aggregated,holes&hand=holes:0",
        "point-map",
    ),
    "traverse": (
        "traverse?model=mnist-static-vae-vamp-40&hand=prototypes:7&at=8:1.2",
        "traversal",
    ),
    "traverse-airfoils": ("traverse?model=airfoils-vae-vamp-8", "traversal"),
    "interpolate": (
        "interpolate?model=mnist-static-vae-vamp-40&kind=following&at=8&frames=13",
        "point-map",
    ),
    "interpolate-airfoils": (
        "interpolate?model=airfoils-vae-vamp-8&ends=data:3|prototypes:4|data:900",
        "point-map",
    ),
    "reconstruct": (
        "reconstruct?model=mnist-static-vae-vamp-40&compare=mnist-static-vae-standard-40&refine=1",
        "filmstrip",
    ),
    "generate-designs": (
        "generate?model=airfoils-vae-xvae-8&limits=thickness>=12,cl>=0.6&scale=0.7",
        "filmstrip",
    ),
    "design": ("design?model=airfoils-vae-vamp-8&limits=thickness>=12,cl>=0.6", "filmstrip"),
    "candidates": ("candidates?model=airfoils-vae-xvae-8&chosen=2,5&at=5", None),
    "candidates-push": ("candidates?model=airfoils-vae-xvae-8&find=like&at=2", "filmstrip"),
    "levels": ("generate?model=mnist-static-hvae-vamp-80&level=z1", "filmstrip"),
    "traverse-levels": ("traverse?model=mnist-static-hvae-vamp-80", "traversal"),
    "interpolate-geodesic": ("interpolate?kind=geodesic", "point-map"),
    "evaluate": ("evaluate?model=mnist-static-hvae-vamp-80", None),
    "evaluate-samples": ("evaluate?model=digits-vae-vamp-2&group=samples", None),
    "lab": ("priors_lab", None),
    "lab-bound": ("priors_lab?bench=bound", None),
    "lesson": ("priors_lab?lesson=2&step=2&guess=1&large=1", "filmstrip"),
    "map-plane": (
        "latent_map?model=digits-vae-vamp-2&layers=data,prior,prototypes&hand=data:40",
        "point-map",
    ),
}
README = {
    "generate": ("light", 1440),
    "map": ("light", 1440),
    "prototypes": ("dark", 1440),
    "catalogue": ("light", 1440),
    "map-holes": ("light", 1440),
    "traverse": ("dark", 1440),
    "interpolate": ("light", 1440),
    "reconstruct": ("dark", 1440),
    "design": ("light", 1440),
    "candidates": ("light", 1440),
    "lab": ("light", 1440),
    "evaluate": ("light", 1440),
}


EXACT = 96
"""Colours of a picture of README that are as they were."""


def fill(user: Path) -> None:
    """Keep some samples of the airfoils' X-VAE, as a visitor would by hand."""
    engine = Engine(load("airfoils-vae-xvae-8"), "cpu")
    opened = engine.checkpoint
    model = Model(opened.hash, opened.slug, opened.config.data.kind, engine.sketch)
    drawn = engine.sample(24, 0.8, 3)
    store = Store(user / FILE)
    items = [
        (
            f"screenshot-{row}",
            PickSource(model, drawn.z[row], drawn.x[row], f"screenshot {row}", "generate", "", "",
                 component=0, scale=0.8, seed=3),
        )
        for row in range(12)
    ]  # fmt: skip
    store.keep(1, items)
    for key, stars, verdict in ((1, 5, "keep"), (4, 4, "keep"), (6, 0, "reject"), (8, 3, "")):
        store.mark(1, [f"screenshot-{key}"], stars=stars, verdict=verdict)
    store.close()


def indexed(picture: Image.Image) -> Image.Image:
    """Reduce a screenshot to 256 colours, of which the most frequent are exact.

    Those are the pale areas, which other palettes tint; the rest is shared among what remains.
    """
    colours, where, counts = np.unique(
        np.asarray(picture).reshape(-1, 3), axis=0, return_inverse=True, return_counts=True
    )
    order = np.argsort(-counts)
    palette = colours[order[:EXACT]]
    rest = order[EXACT:]
    if len(rest):
        # The root of the counts: letters are rare, and read.
        row = np.repeat(colours[rest], np.ceil(counts[rest] ** 0.5).astype(int), axis=0)
        found = Image.fromarray(row[None]).quantize(256 - EXACT, Image.Quantize.MEDIANCUT, 4)
        others = np.array(found.getpalette(), np.uint8).reshape(-1, 3)[: 256 - EXACT]
        palette = np.concatenate([palette, others])
    away = ((colours[:, None].astype(np.int32) - palette) ** 2).sum(-1)
    index = away.argmin(1).astype(np.uint8)[where].reshape(picture.size[::-1])
    small = Image.fromarray(index, "P")
    small.putpalette(palette.tobytes())
    return small


def shoot(
    folder: Path, names: list[str], themes: list[str], widths: list[int], readme: bool
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    no_data = {"LATENT_EXPLORER_DATA": tempfile.mkdtemp()} if readme else {}
    user = Path(tempfile.mkdtemp())
    fill(user)
    with serve(user, **no_data) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for theme in themes:
            for width in widths:
                context = browser.new_context(
                    viewport={"width": width, "height": 900}, color_scheme=theme
                )
                for name in names:
                    if readme and README.get(name) != (theme, width):
                        continue
                    path, component = VIEWS[name]
                    page = context.new_page()
                    page.goto(f"{address}/{path}")
                    settled(page, component)
                    page.wait_for_timeout(600 if component else 3000)  # charts come last
                    target = f"{name}.png" if readme else f"{name}-{theme}-{width}.png"
                    page.screenshot(path=folder / target)
                    if readme:  # a third of the size, and no one sees it
                        with Image.open(folder / target) as picture:
                            small = indexed(picture.convert("RGB"))
                        small.save(folder / target, optimize=True)
                    page.close()
                context.close()
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--only", nargs="*", default=list(VIEWS))
    parser.add_argument("--themes", nargs="*", default=["light", "dark"])
    parser.add_argument("--widths", nargs="*", type=int, default=[1440, 800])
    given = parser.parse_args()
    shoot(given.folder, given.only, given.themes, given.widths, given.readme)
