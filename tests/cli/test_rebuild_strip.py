"""`latent-explorer rebuild` on a strip, and `trade`."""

import os
import subprocess
import sys

import pytest

from explorer import checkpoint, exports
from explorer.metrics.tradeoff import read_tradeoff
from tests.support.engines import CURVES, PIXELS, engine_of
from tests.support.sentences import assert_one_sentence
from tests.support.strips import change, coded, drawn, taken

pytestmark = pytest.mark.usefixtures("no_data")


@pytest.fixture
def pixels():
    return engine_of(PIXELS)


def assert_rebuilt(folder, strip, frame):
    assert (folder / "strip.png").read_bytes() == exports.picture(strip, frame)
    assert (folder / "strip-sprite.png").read_bytes() == exports.sprite(strip)


@pytest.mark.slow
def test_the_command_rebuilds_an_export_in_a_process_of_its_own(pixels, tmp_path):
    strip = drawn(pixels)
    path = taken(pixels, strip, tmp_path, frame=1)
    ended = subprocess.run(
        [sys.executable, "-m", "explorer.cli", "rebuild", str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"NO_COLOR": "1", "OMP_NUM_THREADS": "1"},
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "Wrote images to rebuilt: bit-identical.\n"
    assert_rebuilt(tmp_path / "rebuilt", strip, 1)


@pytest.mark.parametrize("slug", [PIXELS, CURVES])
def test_codes_are_rebuilt_on_the_command_line(tmp_path, run, slug):
    strip = coded(engine_of(slug))
    path = taken(engine_of(slug), strip, tmp_path, frame=3)
    code, out, _ = run("rebuild", path, "--out", tmp_path / "a/b", "--device", "cpu")
    assert code == 0
    assert "bit-identical." in out
    assert_rebuilt(tmp_path / "a/b", strip, 3)


def test_the_command_line_refuses_what_is_no_export(run, pixels, tmp_path):
    (tmp_path / "a.json").write_text("{}")
    path = taken(pixels, drawn(pixels), tmp_path)
    change(path, models__0__hash="0" * 16)
    for name in ("a.json", "strip.json", "gone.json"):
        code, out, err = run("rebuild", tmp_path / name, "--out", tmp_path / "there")
        assert (code, out) == (2, "")
        assert err.startswith("latent-explorer: ")
        assert_one_sentence(err.removesuffix("\n"))
    assert not (tmp_path / "there").exists()


def test_a_curve_of_a_checkpoint_that_is_not_here_is_refused(run):
    code, _, err = run("trade", "gone")
    assert code == 2
    assert "no checkpoint called gone" in err


def test_the_command_line_says_when_pictures_are_others(run, pixels, tmp_path):
    path = taken(pixels, drawn(pixels), tmp_path)
    change(path, digest="0" * 64)
    code, out, _ = run("rebuild", path, "--out", tmp_path / "out", "--device", "cpu")
    assert code == 1
    assert "not bit-identical" in out


@pytest.mark.slow
def test_the_command_line_measures_a_curve(run, tmp_path):
    folder = tmp_path / "user" / "checkpoints" / "mine"
    folder.mkdir(parents=True)
    for name in (checkpoint.CONFIG, checkpoint.WEIGHTS):
        (folder / name).write_bytes((checkpoint.load(PIXELS).folder / name).read_bytes())
    path = checkpoint.results_folder(checkpoint.load("mine").hash) / checkpoint.TRADEOFF
    assert run("trade", "mine") == (0, f"Wrote {path}.\n", "")
    assert read_tradeoff(checkpoint.load("mine")).complete
    path.unlink()
    assert run("trade", "mine", "--ship")[0] == 0
    assert not path.exists()
    assert (folder / checkpoint.TRADEOFF).is_file()
