"""Counts rooms, floors and arrows of the user interface: `python -m tests.house`.

A room is a module, an arrow an import between two of them, and a floor a step on the longest way
down: a room stands one floor above the highest room that it imports. An arrow is *upward* where it
leads to a layer above its own in the contract of pyproject.toml, or from one page's folder into
another's. A *circle* is a set of rooms that import each other in a ring.
"""

import argparse
import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent
PACKAGE = "explorer.ui"


def rooms_and_arrows() -> tuple[list[str], list[tuple[str, str]]]:
    """List the modules of the interface, without bare packages, and the imports between them."""
    graph = grimp.build_graph("explorer", cache_dir=None)
    modules = sorted(name for name in graph.modules if name.startswith(f"{PACKAGE}."))
    folders = {name.rpartition(".")[0] for name in modules}
    arrows = [
        (name, other)
        for name in modules
        for other in sorted(graph.find_modules_directly_imported_by(name))
        if other in modules
    ]
    ends = {end for arrow in arrows for end in arrow}
    return [name for name in modules if name not in folders or name in ends], arrows


def layer_of() -> dict[str, int]:
    """Read each folder's layer, the highest first, from the contract."""
    facts = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (contract,) = (
        item
        for item in facts["tool"]["importlinter"]["contracts"]
        if item.get("containers") == [PACKAGE]
    )
    return {
        name.strip(): number
        for number, layer in enumerate(contract["layers"])
        for name in layer.replace(":", "|").split("|")
    }


def floors(rooms: list[str], arrows: list[tuple[str, str]]) -> int:
    """Count the rooms on the longest way down; 0 where there is a circle."""
    below = {room: {end for start, end in arrows if start == room} for room in rooms}
    height: dict[str, int] = {}
    while len(height) < len(rooms):
        ready = [
            room
            for room in rooms
            if room not in height and all(end in height for end in below[room])
        ]
        if not ready:
            return 0
        for room in ready:
            height[room] = 1 + max((height[end] for end in below[room]), default=0)
    return max(height.values(), default=0)


def upward(arrows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """List the arrows that lead upstairs, or into a stranger's folder on the same floor."""
    layer = layer_of()
    folder = {end: end.split(".")[2] for arrow in arrows for end in arrow}
    return [
        (start, end)
        for start, end in arrows
        if folder[start] != folder[end] and layer[folder[end]] <= layer[folder[start]]
        and not {folder[start], folder[end]} <= {"cache", "components"}
    ]  # fmt: skip


def circles(rooms: list[str], arrows: list[tuple[str, str]]) -> int:
    """Count the rings of folders and of rooms."""
    folders = sorted({room.split(".")[2] for room in rooms})
    between = {(start.split(".")[2], end.split(".")[2]) for start, end in arrows}
    outer = [pair for pair in sorted(between) if pair[0] != pair[1]]
    return int(floors(rooms, arrows) == 0) + int(floors(folders, outer) == 0)


def count() -> dict[str, int]:
    """Count everything."""
    rooms, arrows = rooms_and_arrows()
    folders = {room.split(".")[2] for room in rooms}
    between = {(a.split(".")[2], b.split(".")[2]) for a, b in arrows}
    outer = sorted(pair for pair in between if pair[0] != pair[1])
    return {
        "folders": len(folders),
        "floors": floors(sorted(folders), outer),
        "arrows": len(outer),
        "modules": len(rooms),
        "imports": len(arrows),
        "upward": len(upward(arrows)),
        "circles": circles(rooms, arrows),
    }


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    for name, value in count().items():
        print(f"{value:5d} {name}")  # noqa: T201
