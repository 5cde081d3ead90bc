"""Pictures, sprites and animations show the frames of a strip."""

import numpy as np
import pytest
from PIL import ImageSequence

from explorer import exports
from tests.support.engines import CURVES, engine_of
from tests.support.strips import SIDE, distinct, drawn, opened, side_of


@pytest.mark.parametrize(("tiles", "columns", "rows"), [(1, 1, 1), (6, 3, 2), (9, 3, 3)])
def test_a_picture_is_a_grid_of_all_tiles(tiles, columns, rows):
    with opened(exports.picture(distinct(2, tiles))) as found:
        assert found.format == "PNG"
        assert found.size == (side_of(columns), side_of(rows))


def test_a_picture_shows_the_frame_asked_for_and_the_last_beyond():
    strip = distinct(3, 1)
    for frame, column in ((0, 0), (1, 1), (2, 2), (99, 2)):
        with opened(exports.picture(strip, frame)) as found:
            grey = np.asarray(found.convert("L"))
        dark = np.argwhere(grey < 128)
        assert (dark.min(0) // 12).tolist() == [0, column]
        assert len(dark) == 12 * 12


def test_ink_is_dark_on_paper_unless_asked_otherwise():
    strip = distinct(1, 1)
    dark, light = (
        np.asarray(opened(exports.picture(strip, 0, ink)).convert("L")) for ink in (True, False)
    )
    np.testing.assert_array_equal(dark, 255 - light)
    assert dark.mean() > 200


@pytest.mark.parametrize(("frames", "tiles"), [(5, 3), (4, 1), (1, 3), (1, 1)])
def test_a_sprite_has_a_row_for_each_frame_and_one_row_for_one_tile(frames, tiles):
    across, down = (frames, 1) if tiles == 1 else (tiles, frames)
    with opened(exports.sprite(distinct(frames, tiles))) as found:
        assert found.size == (side_of(across), side_of(down))


def test_curves_are_drawn_too():
    strip = drawn(engine_of(CURVES), 3, 4)
    with opened(exports.picture(strip)) as found:
        assert found.width == side_of(2, 2 * SIDE)
        assert found.getextrema()[0][0] < 128
    with opened(exports.sprite(strip)) as found:
        assert found.width == side_of(4, 2 * SIDE)


@pytest.mark.parametrize("kind", ["gif", "webp"])
@pytest.mark.parametrize(("frames", "shown"), [(1, [0]), (2, [0, 1]), (4, [0, 1, 2, 3, 2, 1])])
def test_an_animation_goes_there_and_back_without_end(kind, frames, shown):
    with opened(exports.animation(distinct(frames, 4), kind)) as found:
        assert found.format == kind.upper()
        assert found.size == (side_of(2), side_of(2))
        assert getattr(found, "n_frames", 1) == len(shown)
        if len(shown) > 1:
            assert found.info["loop"] == 0
        for frame, number in zip(ImageSequence.Iterator(found), shown, strict=True):
            grey = np.asarray(frame.convert("L"))[:SIDE, :SIDE]
            assert (np.argwhere(grey < 128).min(0) // 12).tolist() == [0, number]


def test_an_animation_rests_at_both_ends():
    with opened(exports.animation(distinct(4, 1), "gif")) as found:
        pauses = [frame.info["duration"] for frame in ImageSequence.Iterator(found)]
    pause = exports.MILLISECONDS
    assert pauses == [8 * pause, pause, pause, 8 * pause, pause, pause]
