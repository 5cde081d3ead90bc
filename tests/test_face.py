"""What those see who import the package, cite it, or report a fault, is in order."""

import re
import shutil
import subprocess
import tomllib

import pytest
import yaml

import explorer
from explorer import plugins, settings

ROOT = settings.PACKAGE.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
REFERENCE = ROOT / ".docs"
APART = {"cli", "doctor", "ui"}
"""Modules for those who run the app: no page of the reference is about them."""
TOP = {
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "checkpoints",
    "constraints.txt",
    "explorer",
    "pages",
    "pyproject.toml",
    "tests",
}


def test_the_package_says_that_it_is_typed():
    assert (settings.PACKAGE / "py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["project"]["classifiers"]


def test_the_citation_has_what_its_format_asks_for():
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= CITATION.keys()
    assert CITATION["type"] == "software"
    assert CITATION["license"] == PROJECT["project"]["license"]
    for reference in CITATION["references"]:
        assert {"type", "title", "authors", "year", "url"} <= reference.keys()


def test_the_citation_is_of_this_version():
    assert CITATION["version"] == explorer.__version__


def test_a_cited_paper_is_one_that_a_docstring_names():
    sources = "".join(path.read_text() for path in settings.PACKAGE.rglob("*.py"))
    for reference in CITATION["references"]:
        assert reference["url"] in sources, reference["title"]


def test_every_address_of_the_project_is_the_same():
    home = CITATION["repository-code"]
    urls = PROJECT["project"]["urls"]
    assert urls["Source"] == home
    assert all(url == home or url.startswith(f"{home}/") for url in urls.values())
    assert reference_config()["repo_url"] == home


def test_a_report_of_a_fault_asks_for_what_is_needed():
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml").read_text())
    assert {"name", "description", "body"} <= form.keys()
    fields = {item["id"]: item for item in form["body"]}
    assert fields.keys() == {"happened", "expected", "link", "doctor"}
    assert "latent-explorer doctor" in fields["doctor"]["attributes"]["label"]
    assert {item["type"] for item in fields.values()} <= {"input", "textarea"}


def test_nothing_else_lies_at_the_top():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=60
    )
    names = {name.split("/")[0] for name in listed.stdout.decode().split("\0") if name}
    assert {name for name in names if not name.startswith(".")} <= TOP


# The reference


def reference_config():
    return yaml.safe_load((REFERENCE / "mkdocs.yml").read_text())


def modules():
    files = {path.stem for path in settings.PACKAGE.glob("*.py")} - {"__init__"}
    return files | {path.parent.name for path in settings.PACKAGE.glob("*/__init__.py")}


def test_every_module_has_a_page_in_the_reference():
    pages = {path.stem for path in (REFERENCE / "pages").glob("*.md")}
    assert pages == (modules() - APART) | {"index"}
    listed = [
        page
        for item in reference_config()["nav"]
        for page in ([item] if isinstance(item, str) else next(iter(item.values())))
    ]
    assert sorted(listed) == sorted(f"{page}.md" for page in pages)


def test_a_page_of_the_reference_holds_no_prose():
    for page in (REFERENCE / "pages").glob("*.md"):
        name = "explorer" if page.stem == "index" else f"explorer.{page.stem}"
        lines = [line for line in page.read_text().splitlines() if line.strip()]
        assert lines[:2] == [f"# {name}", f"::: {name}"]
        assert all(line.startswith("    ") for line in lines[2:])


# What README promises


def test_stable_names_are_those_that_exist():
    text = (ROOT / "README.md").read_text()
    section = text[text.index("## As a library") :]
    for name in re.findall(r"`(explorer(?:\.\w+)+)`", section):
        module, _, member = name.rpartition(".")
        found = __import__(module, fromlist=[member])
        assert hasattr(found, member) or __import__(name, fromlist=["_"]), name
    for name in explorer.__all__:
        assert f"`{name}`" in section, name
    for group in plugins.GROUPS:
        assert group in section, group
