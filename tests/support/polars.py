"""A reader of polars that follows the rules of XFLR5's import (XDirect, “XFoil polar”)."""

from typing import NamedTuple


class ReadPolar(NamedTuple):
    """What XFLR5 would take from a file."""

    source: str
    section: str
    kind: tuple
    trips: tuple
    mach: float
    reynolds: float
    ncrit: float
    rows: list


def read_by_xflr5(content):
    """Read settings at fixed columns; the last line of a file is never read.

    Lines are trimmed, end at # or !, and are passed over if they are empty.
    """
    *lines, _ = content.decode("ascii").split("\n")
    assert lines
    lines = [line.strip().partition("#")[0].partition("!")[0] for line in lines[:-1]]
    source, title, kind, trips, flow, head, rule, *rows = filter(None, lines)
    assert title.startswith("Calculated polar for: ")
    assert len(trips) >= 34
    assert len(flow) >= 57
    assert head.split()[:3] == ["alpha", "CL", "CD"]
    assert set(rule) == {"-", " "}
    read = [[float(value) for value in row.split(" ") if value] for row in rows]
    assert all(len(row) == 7 for row in read)
    return ReadPolar(
        source,
        title[22:].strip(),
        (int(kind[0:2]), int(kind[2:4])),
        (float(trips[9:15]), float(trips[28:34])),
        float(flow[8:14]),
        1e6 * float(flow[24:34]),
        float(flow[52:60]),
        read,
    )
