"""Lessons ask before they reveal, and claim only what the shipped models show."""

import pytest

from explorer.ui import cache
from tests.support.pages import address, open_page, press, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.mark.parametrize("bench", ["planes", "bound", "training", "scale", "reference"])
def test_every_bench_of_the_lab_opens(bench):
    app = open_page("priors_lab", bench=bench, large=1)
    assert not app.exception
    assert "two latent units" in told(app)


@pytest.mark.parametrize(
    ("model", "said", "first"),
    [
        ("mnist-static-vae-vamp-40", "No model of MNIST, static has two latent units",
         "VampPrior (K = 100)** :blue[· the prior of the open model]"),
        ("digits-vae-vamp-k4-2", "trained on Digits",
         "VampPrior (K = 4)** :blue[· the open model]"),
        ("digits-vae-mog-16", "trained on Digits",
         "Mixture of Gaussians** :blue[· the prior of the open model]"),
    ],
)  # fmt: skip
def test_the_lab_begins_with_what_belongs_to_the_open_model(model, said, first):
    app = open_page("priors_lab", model=model)
    assert said in told(app)
    headings = [item.value for item in app.markdown if item.value.startswith("**")]
    assert headings[:2] == ["**Prior samples in holes**", f"**{first}"]
    assert sum("open model" in words for words in headings) == 1


def test_the_lab_replays_the_open_model_if_it_was_recorded():
    app = open_page("priors_lab", model="digits-vae-vamp-k4-2", bench="training")
    assert "**VampPrior (K = 4)**" in told(app)


def test_every_step_of_every_lesson_asks_and_reveals():
    from explorer.ui.priors_lab.lessons import LESSONS

    for number, lesson in enumerate(LESSONS, 1):
        for step, content in enumerate(lesson.steps, 1):
            app = open_page("priors_lab", lesson=number, step=step)
            assert not app.exception
            assert content.options[content.answer] not in told(app)
            app = open_page("priors_lab", lesson=number, step=step, guess=content.answer)
            assert not app.exception
            assert "Correct:" in told(app)


def test_a_guess_goes_into_the_link():
    app = open_page("priors_lab", lesson=1, step=2)
    app.radio[0].set_value(app.radio[0].options[2]).run()
    assert address(app)["guess"] == "2"
    assert "Correct:" in told(app)
    press(app, "priors_lab_next")
    assert address(app)["step"] == "3"
    assert "guess" not in address(app)


def test_what_the_lessons_claim_holds_of_the_shipped_models():
    from explorer.ui.priors_lab import lineup

    def entry(slug):
        return next(item for item in cache.entries() if item.slug == slug)

    engines = {slug: cache.engine(entry(f"digits-vae-{slug}-2")) for slug in
               ("standard", "xvae", "mog", "vamp", "vamp-k1", "vamp-k4", "vamp-k16")}  # fmt: skip
    holes = {slug: cache.plane(engine).hole_mass for slug, engine in engines.items()}
    assert holes["xvae"] > holes["standard"]
    cut = {slug: cache.surgery(engine) for slug, engine in engines.items()}
    assert cut["vamp"].marginal < cut["standard"].marginal
    assert cut["mog"].marginal < cut["standard"].marginal
    between = cut["vamp-k16"].marginal - cut["vamp"].marginal
    assert abs(between) < 2 * cut["vamp"].marginal_error
    assert cut["vamp-k1"].marginal - cut["vamp-k16"].marginal > abs(between)
    likelihoods = [
        entry(f"digits-vae-{slug}-2").metrics["log_likelihood"].value
        for slug in ("standard", "xvae", "mog", "vamp")
    ]
    assert max(likelihoods) - min(likelihoods) < 1
    assert {lineup.named(engines["vamp-k1"]), lineup.named(engines["vamp"])} == {
        "VampPrior (K = 1)",
        "VampPrior (K = 100)",
    }


def test_the_bench_of_references_begins_with_the_open_models_own():
    app = open_page("priors_lab", model="digits-dmvae-sphere-2", bench="reference")
    assert address(app).get("reference", "Sphere") == "Sphere"
    assert "Two samples of the reference are" in told(app)
    app = open_page("priors_lab", bench="reference", reference="Torus")
    assert "Torus" not in told(app)
    assert not app.exception


def test_a_sheet_without_a_drawing_cannot_be_matched():
    app = open_page("priors_lab", bench="reference", reference="Draw your own")
    assert not app.exception
    assert app.button(key="lab_drawn_start").disabled


def test_the_reference_that_keeps_classes_apart_least_is_the_one_the_lesson_names():
    from explorer.checkpoint import load
    from explorer.projection import load_atlas
    from explorer.ui.priors_lab.lessons import class_share

    shares = {
        name: class_share(load_atlas(load(f"digits-dmvae-{name}-2")))
        for name in ("standard", "spiral", "features")
    }
    (share, error), *others = (shares.pop("features"), *shares.values())
    assert all(share + 4 * error < other for other, _ in others)
