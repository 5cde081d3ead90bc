"""An installed wheel opens its pages."""

import os
import shutil
import subprocess
import sys
import urllib.request

import pytest

from explorer.ui.components import bridge
from tests.support.repository import PACKAGE, PAGES, ROOT
from tests.support.serving import serve

OPEN = """
import pathlib, sys
import explorer
from explorer import settings
from streamlit.testing.v1 import AppTest

target = pathlib.Path(sys.argv[1]).resolve()
package = pathlib.Path(explorer.__file__).resolve().parent
assert package.is_relative_to(target), package
assert (package / "py.typed").is_file()
for name in ("pages", "checkpoints"):
    assert settings.beside(name) == package / name
    assert list((package / name).iterdir())
assert all(entry.healthy or entry.results_only for entry in explorer.catalogue())
entry = package / "ui" / "entry"
assert (entry / ".streamlit" / "config.toml").is_file()
assert not AppTest.from_file(str(entry / "app.py"), default_timeout=60).run().exception
for page in sorted((package / "pages").glob("*.py")):
    app = AppTest.from_file(str(entry / "app.py"), default_timeout=60)
    app = app.switch_page(str(page)).run()
    assert not app.exception, app.exception
    assert not app.error, app.error
    print(page.stem, app.title[0].value)
"""


def called(folder, *words, **environment):
    """Run Python outside the checkout and return what it prints."""
    ended = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
        env=os.environ | environment,
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]
    return ended.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Install a wheel of the package into a folder of its own."""
    pytest.importorskip("hatchling", reason="hatchling builds the wheel")
    pytest.importorskip("build", reason="build starts hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    source, target = folder / "source", folder / "target"
    leave = shutil.ignore_patterns("training", "__pycache__", ".*.part")
    for name in ("explorer", "pages", "checkpoints"):
        shutil.copytree(ROOT / name, source / name, ignore=leave)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = ("-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", source)
    called(folder, *build)
    (wheel,) = (folder / "dist").glob("*.whl")
    pip = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target)
    called(folder, *pip, wheel)
    return target


@pytest.mark.slow
def test_an_installed_wheel_opens_its_pages(installed, tmp_path):
    environment = {"PYTHONPATH": str(installed), "LATENT_EXPLORER_USER": str(tmp_path / "user")}
    shown = called(tmp_path, "-c", OPEN, installed, **environment)
    assert {line.split()[0] for line in shown.splitlines()} == {page.stem for page in PAGES}


@pytest.mark.slow
def test_an_installed_wheel_serves_the_modules_of_its_components(installed, tmp_path):
    components = installed / "explorer" / "ui" / "components"
    names = {path.relative_to(components).as_posix() for path in components.rglob("*.js")}
    own = PACKAGE / "ui" / "components"
    assert names == {path.relative_to(own).as_posix() for path in own.rglob("*.js")}
    with serve(tmp_path, PYTHONPATH=str(installed)) as address:
        for name in names:
            with urllib.request.urlopen(f"{address}{bridge.ADDRESS}/{name}") as response:
                assert response.headers["content-type"].startswith("text/javascript")
                assert "immutable" in response.headers["cache-control"]
                assert response.read() == (components / name).read_bytes()
