"""A caption holds model, prior, scale, seed, n and errors; its papers are those of the kinds."""

import pytest

from explorer import figures, registry
from explorer.figures import captions
from explorer.papers import UMAP, bibtex
from explorer.strips import Levels, StripSpec, codes_strip, scale_strip
from tests.support.engines import CURVES, PIXELS, engine_of
from tests.support.figures import entries_of

pytestmark = pytest.mark.usefixtures("no_data")


def test_caption_names_model_prior_scale_seed_n_and_errors():
    engine = engine_of(PIXELS)
    opened = engine.checkpoint
    strip = scale_strip(engine, StripSpec(tiles=20, seed=7), (0.5, 1.25))
    words = figures.of_strip(opened, strip, 1).caption
    score = opened.metrics["log_likelihood"]
    for part in (
        f"VAE, {engine.space.size} latent units",
        "prior: VampPrior (K = ",
        "data: Digits",
        "20 samples of the prior at scale 1.25, seed 7",
        f"log p(x) {score.value:.2f} ± {score.se:.2f} nats (n = {score.n:,}".replace("-", "−"),
        f"{opened.slug} ({opened.hash[:12]})",
    ):
        assert part in words


def test_caption_tells_the_scale_of_each_level_and_the_component():
    engine = engine_of("mnist-static-hvae-vamp-80")
    spec = StripSpec(tiles=20, seed=1, component=3, levels=Levels("z2", 0.5, 9))
    words = figures.of_strip(engine.checkpoint, scale_strip(engine, spec, (1.5,))).caption
    assert "at scale 1.5 of z2, 0.5 of the others, seed 1 (lower levels 9), component 3" in words


def test_caption_of_codes_counts_what_is_drawn_and_names_the_geometry():
    engine = engine_of(CURVES)
    z = engine.moments()[0][None].repeat(3, 0).astype("float32")
    words = figures.of_strip(engine.checkpoint, codes_strip(engine, z), what="Three").caption
    assert words.startswith("Three. ")
    assert "3 curves, decoded. Shown as Kulfan sections." in words


def test_a_model_without_measurements_says_nothing_of_them():
    opened = engine_of("digits-ae-2").checkpoint
    assert "log p(x)" not in captions.measured(opened)
    assert "prior" not in captions.described(opened)


@pytest.mark.parametrize("config", [*registry.MODELS, *registry.PRIORS], ids=lambda one: one.title)
def test_every_kind_names_a_paper_or_needs_none(config):
    plain = config.title in (
        "autoencoder", "conv autoencoder", "Standard normal", "File", "Moving average", "ONNX",
    )  # fmt: skip
    assert bool(config.references) != plain


def test_papers_are_those_of_model_prior_data_and_measurements():
    opened = engine_of("digits-vae-flow-2").checkpoint
    keys = [paper.key for paper in captions.cited([opened, opened], UMAP)]
    assert keys[:3] == ["kingma2014autoencoding", "chen2017lossy", "durkan2019splines"]
    assert keys[-1] == "mcinnes2018umap"
    assert len(set(keys)) == len(keys)


def test_every_paper_is_a_whole_entry():
    from explorer import papers

    known = [item for item in vars(papers).values() if isinstance(item, papers.Paper)]
    entries = entries_of(bibtex(known).decode("ascii"))
    assert len(entries) == len(known)
    for entry in entries.values():
        assert {"title", "year", "url"} <= entry.keys()
        assert "author" in entry or "key" in entry
        assert entry["kind"] == "misc" or {"journal", "booktitle"} & entry.keys()
