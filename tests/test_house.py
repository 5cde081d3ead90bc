"""The repository keeps its layout: a fast import, uniform pages, valid checkpoints."""

import ast
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request

import pytest

import explorer
from explorer import checkpoint, settings
from explorer.config import RunConfig
from explorer.ui.components import bridge
from tests.browser.serving import serve

PACKAGE = settings.PACKAGE
ROOT = PACKAGE.parent
PAGES = sorted((ROOT / "pages").glob("*.py"))
SHIPPED = sorted(
    folder
    for folder in (ROOT / "checkpoints").glob("*")
    if folder.is_dir() and not folder.name.startswith((".", "_"))
)
WHOLE = [folder for folder in SHIPPED if (folder / checkpoint.WEIGHTS).is_file()]
"""Those with weights; the others are results only."""
MEGABYTE = 1_000_000


def relative(path):
    return str(path.relative_to(ROOT))


def imported(path):
    """Name every module that a file imports, with the names below it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def modules_after(code, **environment):
    """Run code in a fresh interpreter and return the modules that are loaded then."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT,
        env=os.environ | environment,
    )
    assert ended.returncode == 0, ended.stderr
    return set(ended.stdout.split())


# Pages


def test_a_page_imports_streamlit_and_the_user_interface_alone():
    for page in PAGES:
        for name in imported(page):
            allowed = name == "streamlit" or name.startswith(("streamlit.", "explorer.ui."))
            assert allowed, f"{page.name} imports {name}"


def test_a_page_is_short():
    assert max(len(page.read_text().splitlines()) for page in PAGES) < 100


def test_every_page_has_a_title_and_every_title_a_page():
    from explorer.ui.address import views
    from explorer.ui.shell import pages

    names = {page.stem for page in PAGES}
    assert names == set(pages.TITLES) == set(views.PAGES)


# Imports


def test_the_package_imports_nothing_heavy():
    found = modules_after("import explorer")
    assert not found & {"torch", "streamlit", "numpy", "pydantic"}


DOOR = """
import ast, importlib, pathlib
import explorer.ui.shell.frame, explorer.ui.api.routes, explorer.ui.cache
import explorer
for page in sorted(pathlib.Path("pages").glob("*.py")):
    for node in ast.walk(ast.parse(page.read_text())):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            for name in node.names:
                if not hasattr(module, name.name):
                    importlib.import_module(f"{node.module}.{name.name}")
opened = [entry.open() for entry in explorer.catalogue() if entry.healthy][:1]
for one in opened:
    engine = explorer.Engine(one, "cpu")
    if engine.has_prior:
        engine.sample(2)
"""


def test_nothing_slow_is_imported_on_the_way_to_a_page(tmp_path):
    found = modules_after(DOOR, LATENT_EXPLORER_USER=str(tmp_path))
    assert not found & {"torchvision", "sklearn", "umap", "numba", "torchmetrics"}
    assert "streamlit" in found


def test_no_array_is_unpickled():
    sources = [*PACKAGE.rglob("*.py"), *PAGES]
    assert [relative(path) for path in sources if "allow_pickle=True" in path.read_text()] == []


# Public names


def test_public_names_are_sorted_and_there():
    assert explorer.__all__ == sorted(explorer.__all__)
    for name in explorer.__all__:
        assert getattr(explorer, name).__name__ == name
    assert re.fullmatch(r"\d+\.\d+\.\d+", explorer.__version__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = explorer.nothing


def test_the_console_script_is_there():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module, name = project["scripts"]["latent-explorer"].split(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_every_error_is_drawn_in_the_tree():
    from explorer import errors

    names = [name for name, kind in vars(errors).items() if isinstance(kind, type)]
    drawn = re.findall(r"\w+Error\b", errors.__doc__)
    assert sorted(drawn) == sorted(names)
    assert all(issubclass(getattr(errors, name), errors.ExplorerError) for name in names)


# What is shipped


def test_the_tracked_tree_is_small():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    files = [ROOT / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    if listed.returncode or not files:
        pytest.skip("nothing is tracked")
    assert sum(path.stat().st_size for path in files if path.is_file()) < 48 * MEGABYTE


def shipped_files(folder):
    return [path for path in folder.rglob("*") if path.is_file() and "training" not in path.parts]


def test_the_shipped_checkpoints_are_small():
    total = sum(path.stat().st_size for path in shipped_files(ROOT / "checkpoints"))
    assert total < 44 * MEGABYTE


@pytest.fixture
def own_user(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path))


@pytest.mark.usefixtures("own_user")
def test_every_shipped_checkpoint_is_healthy():
    entries = checkpoint.catalogue(ROOT / "checkpoints")
    unopened = [entry for entry in entries if not entry.healthy]
    assert {entry.slug: entry.reason for entry in unopened if not entry.results_only} == {}
    assert {entry.slug for entry in entries} == {folder.name for folder in SHIPPED}
    assert {entry.slug for entry in entries if entry.healthy} == {folder.name for folder in WHOLE}


@pytest.mark.parametrize("folder", WHOLE, ids=relative)
@pytest.mark.usefixtures("own_user")
def test_a_shipped_checkpoint_is_complete(folder):
    from explorer.projection import load_atlas

    opened = checkpoint.load(folder)
    for name in (checkpoint.CARD, checkpoint.PREVIEW, checkpoint.ATLAS, checkpoint.LIKELIHOOD):
        assert (folder / name).is_file(), name
    shipped = checkpoint.read_metrics(folder)
    assert shipped
    assert all(metric.n > 0 for metric in shipped.values())
    key = "reconstruction" if opened.prior is None else "log_likelihood"
    assert shipped[key].se is not None
    card = (folder / checkpoint.CARD).read_text()
    assert opened.hash in card
    assert f"{shipped[key].value:.2f}" in card
    assert (folder / checkpoint.PREVIEW).read_bytes().startswith(b"\x89PNG")
    atlas = load_atlas(opened)
    assert atlas is not None, "its atlas belongs to other weights"
    assert 0 < len(atlas.codes) <= 10_000
    each = opened.arrays(checkpoint.LIKELIHOOD)[key]
    assert len(each) == shipped[key].n
    assert each.mean() == pytest.approx(shipped[key].value, rel=1e-4)
    snapshots = folder / checkpoint.SNAPSHOTS
    assert not snapshots.is_file() or snapshots.stat().st_size < 150_000


@pytest.mark.parametrize("folder", sorted(set(SHIPPED) - set(WHOLE)), ids=relative)
def test_results_without_weights_have_a_card_and_a_number_for_each_sample(folder):
    shipped = checkpoint.read_metrics(folder)
    each = checkpoint.read_arrays(folder / checkpoint.LIKELIHOOD)["log_likelihood"]
    assert len(each) == shipped["log_likelihood"].n
    assert each.mean() == pytest.approx(shipped["log_likelihood"].value, rel=1e-4)
    assert f"{shipped['log_likelihood'].value:.2f}" in (folder / checkpoint.CARD).read_text()


@pytest.mark.parametrize("folder", SHIPPED, ids=relative)
def test_a_shipped_config_equals_its_own_serialisation(folder):
    text = (folder / checkpoint.CONFIG).read_text()
    config = RunConfig.model_validate_json(text)
    assert text == config.model_dump_json(indent=1, exclude_none=True) + "\n"
    assert RunConfig.model_validate(json.loads(text)) == config


@pytest.mark.parametrize("folder", SHIPPED, ids=relative)
@pytest.mark.usefixtures("own_user")
def test_a_source_that_is_shipped_is_the_one_named_by_its_hash(folder):
    config = RunConfig.model_validate_json((folder / checkpoint.CONFIG).read_text())
    source = getattr(config.prior, "source", None)
    if source is not None:
        assert checkpoint.load(ROOT / "checkpoints" / source).hash == config.prior.source_hash


def test_the_readme_shows_how_to_install_and_start():
    text = (ROOT / "README.md").read_text()
    if "pip install -c constraints.txt" not in text:
        pytest.skip("README has no commands yet")
    from typer.main import get_command

    from explorer import cli

    assert (ROOT / "constraints.txt").is_file()
    verbs = set(get_command(cli.app).commands)
    code = "\n".join(re.findall(r"```.*?```", text, re.DOTALL))
    used = set(re.findall(r"^(?:\$ )?latent-explorer ([a-z]\w*)", code, re.MULTILINE))
    assert used <= verbs
    assert "latent-explorer" in code
    for name in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text):
        assert (ROOT / name).exists(), name


# The wheel

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
for page in sorted((package / "pages").glob("*.py")):
    app = AppTest.from_file(str(entry / "app.py"), default_timeout=60).run()
    assert not app.exception, app.exception
    app = app.switch_page(f"../../pages/{page.name}").run()
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
