"""The repository keeps its layout: a fast import, uniform pages, sorted names."""

import ast
import importlib
import os
import re
import subprocess
import sys
import tomllib

import pytest

import explorer
from tests import house
from tests.support.repository import PACKAGE, PAGES, ROOT, relative


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
    assert max(len(page.read_text().splitlines()) for page in PAGES) <= 50


def test_the_interface_has_no_arrow_upstairs_and_no_circle():
    counted = house.count()
    assert counted["folders"] == 23
    assert (counted["upward"], counted["circles"]) == (0, 0)


def test_arrows_upstairs_and_circles_are_seen():
    up = ("explorer.ui.wording.naming", "explorer.ui.panels.levels")
    across = ("explorer.ui.generate.sample", "explorer.ui.traverse.dials")
    down = ("explorer.ui.panels.levels", "explorer.ui.wording.naming")
    assert house.upward([up, across, down]) == [up, across]
    assert house.circles(sorted({*up}), [up, down]) == 2


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


@pytest.mark.slow
def test_nothing_slow_is_imported_on_the_way_to_a_page(tmp_path):
    found = modules_after(DOOR, LATENT_EXPLORER_USER=str(tmp_path))
    assert not found & {"torchvision", "sklearn", "umap", "numba", "torchmetrics", "matplotlib"}
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
