"""A grabbed curve passes where the finger is, as near to itself as it can, within its bounds."""

import numpy as np
import pytest

from explorer import checkpoint, sections
from explorer.designs import desk, grab
from explorer.designs.geometry import inner_gap
from explorer.designs.grab import Bounds, Handle
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions, parse
from explorer.errors import DesignError
from explorer.inference import Engine
from tests.support.checkpoints import recipe, write_checkpoint
from tests.support.engines import engine_of
from tests.support.sections import SECTIONS

GAUSSIAN = "airfoils-vae-xvae-8"
TARGETS = 50


def engine(slug=SECTIONS):
    return engine_of(slug)


def floor(slug=SECTIONS):
    return float(np.percentile(engine(slug).heights(engine(slug).sample(1000, 1.0, 3).z), 5))


def designs(slug=SECTIONS, n=60):
    """Sound samples that are likely enough."""
    drawn = desk.pool(engine(slug), Conditions(), desk.Sound(floor(slug)), n=6 * n, seed=7)
    return drawn.z[drawn.sound][:n]


def shown(z, slug=SECTIONS):
    return sections.shaped(engine(slug).decode(z), engine(slug).sketch)


def targets(slug=SECTIONS):
    """Reachable targets: where another sound design, on the way to a sample, really is."""
    rng = np.random.default_rng(0)
    known = designs(slug)
    for _ in range(TARGETS):
        one, other = known[rng.choice(len(known), 2, replace=False)]
        for part in (0.6, 0.4, 0.2, 0.1):
            near = (one + part * (other - one)).astype(np.float32)[None]
            judged = desk.judge(engine(slug), near, Conditions(), desk.Sound(floor(slug)))
            if judged.sound.all():
                break
        handle = Handle(str(rng.choice(grab.KINDS[:4])), int(rng.integers(6, 58)))
        yield one, handle, float(grab.read(engine(slug), shown(near, slug), handle)[0])


@pytest.mark.parametrize("slug", [SECTIONS, GAUSSIAN])
def test_reachable_targets_are_reached(slug):
    bounds = Bounds(floor(slug))
    settled, dragged = [], []
    for z, handle, target in targets(slug):
        held = grab.follow(engine(slug), z, handle, target, bounds)
        assert held.log_density >= bounds.floor - 1e-3
        assert 100 * inner_gap(shown(held.z[None], slug), engine(slug).sketch)[0] > 0.09
        value = grab.read(engine(slug), shown(held.z[None], slug), handle)[0]
        assert held.value == pytest.approx(float(value), abs=1e-4)
        settled.append(held.gap)
        dragged.append(
            grab.follow(engine(slug), z, handle, target, bounds, rounds=grab.ROUNDS_DRAGGED).gap
        )
    assert np.median(settled) <= 0.01
    assert np.percentile(settled, 90) <= 0.3
    assert np.median(dragged) <= 0.3


def test_a_target_where_the_curve_is_leaves_it_there():
    (z, *_) = designs()
    for kind in grab.KINDS[:4]:
        handle = Handle(kind, 20)
        value = float(grab.read(engine(), shown(z[None]), handle)[0])
        held = grab.follow(engine(), z, handle, value)
        np.testing.assert_allclose(held.z, z, atol=1e-4)


def test_it_is_the_nearest_of_many_that_pass_there():
    (z, *_) = designs()
    handle = Handle("upper", 24)
    target = float(grab.read(engine(), shown(z[None]), handle)[0]) + 1.0
    held = grab.follow(engine(), z, handle, target)
    assert held.gap < 0.01
    spread = engine().moments()[1]
    rng = np.random.default_rng(1)
    others = (z + spread * rng.normal(0, 0.6, (20_000, len(z)))).astype(np.float32)
    off = grab.read(engine(), shown(others), handle) - target
    passing = np.linalg.norm((others[np.abs(off) < 0.05] - z) / spread, axis=1)
    assert len(passing) > 50
    assert np.linalg.norm((held.z - z) / spread) < passing.min() + 0.05


def test_wishes_are_kept_and_what_holds_it_back_is_named():
    wishes = parse("thickness<=12.5")
    known = designs()
    values = measure(engine().decode(known), engine().sketch).values["thickness"]
    z = known[np.argmin(np.abs(values - 12))]
    bounds = Bounds(floor(), wishes=wishes)
    held = grab.follow(engine(), z, Handle("thickness", 24), 16.0, bounds)
    after = measure(engine().decode(held.z[None]), engine().sketch).values["thickness"][0]
    assert after <= 12.55
    assert held.gap > 1
    assert "thickness<=12.5" in held.short
    free = grab.follow(engine(), z, Handle("thickness", 24), 16.0, Bounds(floor()))
    assert free.gap < held.gap


def test_sections_stay_valid_and_smooth_and_bounds_do_not_wear_off():
    known = designs()
    rng = np.random.default_rng(3)
    smooth = Bounds(floor(), 0.07, parse("thickness>=9"))
    for z in known[:6]:
        start = measure(engine().decode(z[None]), engine().sketch).values
        if start["thickness"][0] < 9 or start["waviness"][0] > 0.07:
            continue
        for _ in range(5):  # each drag begins where the last one ended
            handle = Handle(str(rng.choice(grab.KINDS[:4])), int(rng.integers(6, 58)))
            value = float(grab.read(engine(), shown(z[None]), handle)[0])
            z = grab.follow(engine(), z, handle, value + float(rng.uniform(-6, 6)), smooth).z
            found = measure(engine().decode(z[None]), engine().sketch)
            assert found.valid.all()
            assert found.values["waviness"][0] <= 0.07 + 1e-6
            assert found.values["thickness"][0] >= 9 - 1e-6
            assert engine().heights(z[None])[0] >= smooth.floor - 1e-3


def test_what_is_reached_is_not_held_back():
    wishes = parse("thickness>=12")
    for z in designs():
        thick = measure(engine().decode(z[None]), engine().sketch).values["thickness"][0]
        if 12 <= thick <= 12.6:
            value = float(grab.read(engine(), shown(z[None]), Handle("camber", 30))[0])
            held = grab.follow(
                engine(), z, Handle("camber", 30), value + 0.3, Bounds(wishes=wishes)
            )
            assert held.short == () or held.gap > 0.01


def test_a_bound_that_is_broken_already_gets_no_worse():
    drawn = engine().sample(400, 1.0, 11)
    z = drawn.z[np.argmin(engine().heights(drawn.z))]
    before = float(engine().heights(z[None])[0])
    held = grab.follow(engine(), z, Handle("upper", 30), 14.0, Bounds(before + 5))
    assert held.log_density >= before - 1e-3


def test_going_on_from_the_last_frame_ends_where_a_single_step_does():
    (z, *_) = designs()
    handle = Handle("upper", 30)
    value = float(grab.read(engine(), shown(z[None]), handle)[0])
    at = z
    for step in range(1, 11):
        held = grab.follow(
            engine(), z, handle, value + 0.15 * step, Bounds(floor()), start=at,
            rounds=grab.ROUNDS_DRAGGED,
        )  # fmt: skip
        at = held.z
    settled = grab.follow(engine(), z, handle, value + 1.5, Bounds(floor()), start=at)
    direct = grab.follow(engine(), z, handle, value + 1.5, Bounds(floor()))
    assert settled.gap < 0.05
    assert direct.gap < 0.05
    np.testing.assert_allclose(shown(settled.z[None]), shown(direct.z[None]), atol=0.15)


def test_a_handle_that_is_not_there_is_refused():
    (z, *_) = designs()
    for handle in (Handle("height", 3), Handle("upper", 64), Handle("upper", -1)):
        with pytest.raises(DesignError, match="no such point"):
            grab.follow(engine(), z, handle, 1.0)
    with pytest.raises(DesignError, match="no such point"):
        grab.follow(
            engine_of("digits-vae-vamp-2"), np.zeros(2, np.float32), Handle("upper", 1), 1.0
        )


def test_camber_and_thickness_are_what_the_surfaces_say():
    x = shown(designs()[:5])
    up, down, thick, bent = (grab.read(engine(), x, Handle(kind, 30)) for kind in grab.KINDS[:4])
    np.testing.assert_allclose(thick, up - down, rtol=1e-6)
    np.testing.assert_allclose(bent, (up + down) / 2, rtol=1e-6)


def test_any_curve_can_be_grabbed(tmp_path):
    x = np.linspace(0, 2, 9)
    sketch = {
        "kind": "curve", "x": x.tolist(), "loc": (5 + x).tolist(), "scale": [2.0] * 9,
    }  # fmt: skip
    write_checkpoint(tmp_path / "curve", recipe({"latent": 3}, sketch=sketch))
    curves = Engine(checkpoint.load(tmp_path / "curve"), "cpu")
    assert grab.handles(curves, "height") == 9
    assert grab.handles(curves, "upper") == 0
    drawn = curves.sample(40, 1.0, 0)
    heights = grab.read(curves, drawn.x, Handle("height", 4))
    np.testing.assert_allclose(heights, 5 + x[4] + 2 * drawn.x[:, 4], rtol=1e-5)
    for other in range(1, 8):
        held = grab.follow(curves, drawn.z[0], Handle("height", 4), float(heights[other]))
        assert held.gap < 0.02 * np.ptp(heights)
