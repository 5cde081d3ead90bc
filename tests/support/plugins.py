"""Plug-in packages, laid out in a folder as pip would install them."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def install(folder, package, points, **modules):
    """Write modules, and the metadata by which their entry points are found.

    Args:
        folder: A folder on Python's path.
        package: Name of the package.
        points: Entry points: group to name to "module:Class".
        modules: Source of each module.
    """
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source)
    facts = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [
        line
        for group, named in points.items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in named.items()))
    ]
    (facts / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return folder


def run(folder, user, *words):
    """Run Python with a folder's packages installed, beside this one's checkout."""
    path = os.pathsep.join([str(folder), str(ROOT)])
    return subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path, "LATENT_EXPLORER_USER": str(user)},
    )
