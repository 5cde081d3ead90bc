"""Airfoil sections as curves: the UIUC collection, and NACA families that need no files."""

import io
import zipfile
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from pydantic import Field
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from explorer.data.chords import STATIONS_PER_SURFACE, stations, surface_stations
from explorer.data.chords import resample as resample
from explorer.data.contours import parse_coordinates as parse_coordinates
from explorer.data.dataset import AbstractDataConfig, DataSet, SplitData, Values, require, verify
from explorer.data.foremost import turned_by_foremost_point
from explorer.errors import DataError
from explorer.sketch import CurveSketch

TWINS_CHORDS = 0.004
"""Sections whose heights differ by at most this everywhere are near-duplicates: one split."""

_ARCHIVE = "uiuc_dat.zip"
_DIGEST = "a85d4bd305096f778c8cbe4c98bf70a8160580f12aac3f75fb53251671940c06"
_MEMBER_BYTES = 64 * 1024
_SPLIT_SEED = 0
_HELD_OUT = 0.1

_SCALE_FLOOR = 1e-6

_THICKNESS = (0.2969, -0.1260, -0.3516, 0.2843, -0.1036)
_FIVE_DIGITS = {  # camber line: (m, k1), for a design lift coefficient of 0.3
    "210": (0.0580, 361.4),
    "220": (0.1260, 51.64),
    "230": (0.2025, 15.957),
    "240": (0.2900, 6.643),
    "250": (0.3910, 3.230),
}
_FINE = np.linspace(0.0, 1.0, 1001) ** 2


class AirfoilsConfig(AbstractDataConfig):
    """1,545 airfoils of the UIUC collection as heights at fixed stations; 1,237 / 154 / 154.

    Each is turned to the chord from its foremost point, see `data/foremost.py`. Samples are
    standardised with the moments of the training split. Near-duplicates share a split;
    files without a valid section are skipped; `ids` index the archive's sorted file names.

    References:
        UIUC airfoil coordinates database (Selig, 1995-).
        https://m-selig.ae.illinois.edu/ads/coord_database.html
    """

    title: ClassVar[str] = "Airfoils"
    fixed: ClassVar[bool] = True
    values: ClassVar[Values] = "real"
    kind: Literal["airfoils"] = "airfoils"

    def load(self, root: Path, download: bool = False) -> DataSet:
        """Read the archive `Airfoils/uiuc_dat.zip` without unpacking it to disk."""
        path = require(root / "Airfoils" / _ARCHIVE, "The airfoil collection")
        heights, ids, names = _read_archive(path)
        return _data_set(heights, ids, _deal(_twin_groups(heights), _SPLIT_SEED), names)


class NacaConfig(AbstractDataConfig):
    """Random NACA four- and five-digit sections, generated without files; 80 / 10 / 10 %.

    Half have four digits (camber 0 to 8 % at 20 to 60 % of the chord), half have five (camber
    lines 210 to 250); the thickness is 6 to 24 %. All have a closed trailing edge, so both
    heights there are always 0.

    References:
        The characteristics of 78 related airfoil sections from tests in the variable-density wind
        tunnel (Jacobs et al., 1933), NACA report 460; Tests in the variable-density wind tunnel of
        related airfoils having the maximum camber unusually far forward (Jacobs and Pinkerton,
        1936), NACA report 537; Theory of Wing Sections (Abbott and von Doenhoff, 1959), chapter 6.
    """

    title: ClassVar[str] = "NACA sections"
    fixed: ClassVar[bool] = True
    values: ClassVar[Values] = "real"
    kind: Literal["naca"] = "naca"
    count: int = Field(1500, ge=50, le=20_000)
    seed: int = Field(0, ge=0, le=2**32 - 1)

    def load(self, root: Path, download: bool = False) -> DataSet:
        """Generate the sections; root and download are ignored."""
        rng = np.random.default_rng(self.seed)
        lines = list(_FIVE_DIGITS)
        heights = np.empty((self.count, 2 * STATIONS_PER_SURFACE))
        for row in range(self.count):
            thickness = rng.uniform(0.06, 0.24)
            if row % 2:
                camber = _five_digit_camber(lines[rng.integers(len(lines))])
            else:
                camber = _four_digit_camber(rng.uniform(0.0, 0.08), rng.uniform(0.2, 0.6))
            heights[row] = _lay_out(camber, thickness)
        groups = np.arange(self.count)
        return _data_set(heights, np.arange(self.count), _deal(groups, self.seed))


def naca_section(code: str) -> Float[np.ndarray, " stations"]:
    """Compute a NACA section with a closed trailing edge, such as 0012, 2412 or 23012.

    The chord is the camber line's, as in the reports; the nose of a cambered section may extend
    slightly ahead of it.

    Args:
        code: Four digits (camber in %, its position in tenths, thickness in %), or five, of which
            the first three name a camber line from 210 to 250.

    Returns:
        Heights in chords, at `stations()`.

    Raises:
        DataError: If the code is not supported.

    References:
        Theory of Wing Sections (Abbott and von Doenhoff, 1959), sections 6.4 and 6.5.
    """
    known = code.isascii() and code.isdigit() and 1 <= int(code[-2:]) <= 40
    if known and len(code) == 5 and code[:3] in _FIVE_DIGITS:
        return _lay_out(_five_digit_camber(code[:3]), int(code[3:]) / 100)
    if known and len(code) == 4 and (code[0] == "0" or code[1] != "0"):
        return _lay_out(
            _four_digit_camber(int(code[0]) / 100, int(code[1]) / 10), int(code[2:]) / 100
        )
    raise DataError(
        f"NACA {code[:12]!r} is not supported; use four digits like 2412, or five like 23012 "
        "(lines 210 to 250), with a thickness of 01 to 40 %."
    )


def _read_archive(
    path: Path,
) -> tuple[
    Float[np.ndarray, "samples stations"],
    Int[np.ndarray, " samples"],
    Shaped[np.ndarray, " samples"],
]:
    content = verify(path.read_bytes(), _DIGEST, path, "sha256")
    heights, ids, names = [], [], []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for row, name in enumerate(sorted(archive.namelist())):
            if archive.getinfo(name).file_size > _MEMBER_BYTES:
                continue
            try:
                heights.append(turned_by_foremost_point(archive.read(name).decode("latin-1")))
            except DataError:
                continue
            ids.append(row)
            names.append(name)
    return np.array(heights), np.array(ids), np.array(names)


def _four_digit_camber(
    camber: float, position: float
) -> tuple[Float[np.ndarray, " fine"], Float[np.ndarray, " fine"]]:
    """Height and slope of the camber line at `_FINE`."""
    if camber == 0:
        return np.zeros_like(_FINE), np.zeros_like(_FINE)
    x, m, p = _FINE, camber, position
    fore = x < p
    weight = m / np.where(fore, p, 1 - p) ** 2
    line = weight * (2 * p * x - x**2 + np.where(fore, 0.0, 1 - 2 * p))
    return line, 2 * weight * (p - x)


def _five_digit_camber(line: str) -> tuple[Float[np.ndarray, " fine"], Float[np.ndarray, " fine"]]:
    x = _FINE
    m, k1 = _FIVE_DIGITS[line]
    fore = x < m
    camber = k1 / 6 * np.where(fore, x**3 - 3 * m * x**2 + m**2 * (3 - m) * x, m**3 * (1 - x))
    slope = k1 / 6 * np.where(fore, 3 * x**2 - 6 * m * x + m**2 * (3 - m), -(m**3))
    return camber, slope


def _lay_out(
    camber: tuple[Float[np.ndarray, " fine"], Float[np.ndarray, " fine"]], thickness: float
) -> Float[np.ndarray, " stations"]:
    line, slope = camber
    x = _FINE
    a0, a1, a2, a3, a4 = _THICKNESS
    half = 5 * thickness * (a0 * np.sqrt(x) + a1 * x + a2 * x**2 + a3 * x**3 + a4 * x**4)
    angle = np.arctan(slope)
    root = np.sqrt(surface_stations())
    surfaces = []
    for side in (1, -1):
        at = x - side * half * np.sin(angle)
        height = line + side * half * np.cos(angle)
        # A cambered nose extends ahead of x = 0: the surface starts at its foremost point.
        foremost = int(at.argmin())
        ahead = np.sqrt(np.maximum(at[foremost:], 0))
        surfaces.append(np.interp(root, ahead, height[foremost:]))
    upper, lower = surfaces
    return np.concatenate([upper[::-1], lower])


def _twin_groups(heights: Float[np.ndarray, "samples stations"]) -> Int[np.ndarray, " samples"]:
    near = csr_array(cdist(heights, heights, "chebyshev") < TWINS_CHORDS)
    return connected_components(near, directed=False)[1]


def _deal(
    groups: Int[np.ndarray, " samples"], seed: int
) -> dict[str, Bool[np.ndarray, " samples"]]:
    """Assign whole groups at random: to test and validation until they are full, then to train."""
    sizes = np.bincount(groups)
    quota = round(_HELD_OUT * len(groups))
    room = {"test": quota, "valid": quota, "train": len(groups)}
    owner = np.empty(len(sizes), dtype=object)
    for group in np.random.default_rng(seed).permutation(len(sizes)):
        owner[group] = next(name for name, free in room.items() if free >= sizes[group])
        room[owner[group]] -= sizes[group]
    return {name: owner[groups] == name for name in room}


def _data_set(
    heights: Float[np.ndarray, "samples stations"],
    ids: Int[np.ndarray, " samples"],
    rows: dict[str, Bool[np.ndarray, " samples"]],
    names: Shaped[np.ndarray, " samples"] | None = None,
) -> DataSet:
    loc = heights[rows["train"]].mean(axis=0)
    scale = np.maximum(heights[rows["train"]].std(axis=0), _SCALE_FLOOR)
    samples = ((heights - loc) / scale).astype(np.float32)
    everything = SplitData(samples, None, ids, names)
    splits = {name: everything.take(np.flatnonzero(chosen)) for name, chosen in rows.items()}
    sketch = CurveSketch(
        x=tuple(stations().tolist()),
        loc=tuple(loc.tolist()),
        scale=tuple(scale.tolist()),
        origin_before=STATIONS_PER_SURFACE,
        closed=True,
        x_label="x / chord",
        y_label="y / chord",
    )
    return DataSet(splits["train"], splits["valid"], splits["test"], sketch)
