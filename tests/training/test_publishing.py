"""What is published loads again."""

import pytest

from explorer import checkpoint, publishing, training
from explorer.projection import load_atlas
from tests.support.runs import digits, recipe

FILES = (
    checkpoint.METRICS,
    checkpoint.LIKELIHOOD,
    checkpoint.ATLAS,
    checkpoint.PREVIEW,
    checkpoint.CARD,
)


@pytest.mark.parametrize("kind", ["vae", "ae"])
def test_what_is_published_loads_again(tmp_path, kind):
    folder = tmp_path / "shipped" / "digits-small"
    training.train(recipe({"kind": kind}, epochs=2), digits(), folder)
    stages = []
    opened = publishing.publish(
        folder, digits(), samples=5, report=lambda stage, done, total: stages.append(stage)
    )
    assert {path.name for path in folder.iterdir()} >= set(FILES)
    assert not list(folder.glob(".*.part"))
    again = checkpoint.load("digits-small")
    assert again.hash == opened.hash
    assert again.metrics == opened.metrics == checkpoint.catalogue()[0].metrics
    of_test = {name: metric.n for name, metric in again.metrics.items() if name != "smoothness"}
    assert set(of_test.values()) == {len(digits().test)}
    atlas = load_atlas(again)
    assert atlas.method == "plane"
    assert len(atlas.codes) == len(digits().train) + len(digits().test)
    assert len(atlas.sample_xy) == (1000 if kind == "vae" else 0)
    measure = "log_likelihood" if kind == "vae" else "reconstruction"
    each = again.arrays(checkpoint.LIKELIHOOD)[measure]
    assert each.shape == (len(digits().test),)
    assert each.mean() == pytest.approx(again.metrics[measure].value, rel=1e-4)
    assert (folder / checkpoint.PREVIEW).read_bytes().startswith(b"\x89PNG")
    card = (folder / checkpoint.CARD).read_text()
    assert again.hash in card
    assert f"{again.metrics[measure].value:.2f}" in card
    assert stages
