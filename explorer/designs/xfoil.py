"""Lift, drag and moment of sections by XFoil, where it is installed: a second opinion.

XFoil takes commands, so nothing but numbers and fixed names reaches it. Each angle is a process
of its own: Debian's build ends with a floating-point exception when it is about to draw, after the
solution, although its graphics are off; what it has written by then is complete.
"""

import math
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from explorer.designs.properties import Property
from explorer.errors import DesignError
from explorer.sections import Geometry

COMMAND = "xfoil"
SECONDS = 10.0
"""The time after which a verification is ended."""

MOST_BYTES = 1_000_000
PANELS = (160, 200, 240, 120)
"""Numbers of panels that are tried until the boundary layer converges; the first is XFoil's."""

ITERATIONS = 60
_CONVERGED = 1e-4
_LARGEST = 10.0
_MOST_POINTS = 1000

_SETTINGS = """\
{panels} 1.0 0.15 0.2
1.0 1.0 1.0 1.0
10.0 0.55 0.015 0.8
11.0 8.5 0.0 0.0
T T
1.0 -2.0 -0.5
0.1 0.7 0.02
0.0 1.5 0.5
0.0 0.04 0.01
-4.0 10.0 2.0
-0.25 0.0 0.05
1 0.0 0.01
1 1.0 9.0 9.0
1.0 1.0
"""
"""XFoil's own defaults, read at its start: only here can panels be set without a plot."""

_COMMANDS = """\

PLOP
G F

LOAD s.dat
PANE
OPER
VISC {reynolds:.6g}
VPAR
N {ncrit:.4g}
XTR {upper:.6f} {lower:.6f}

ITER {iterations}
ALFA {alpha:.4f}

QUIT
"""
_RESULT = re.compile(
    r"rms:\s*(\S+)[^\n]*\n\s*a =\s*(\S+)\s+CL =\s*(\S+)\s*\n\s*Cm =\s*(\S+)\s+CD =\s*(\S+)"
    r"(?:[^\n]*CDp =\s*(\S+))?"
)
_TRANSITION = re.compile(r"Side ([12])\s+(?:free|forced)\s+transition at x/c =\s*(\S+)")


def _free_cores() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) - 1)


AT_ONCE = _free_cores()
"""How many processes run at once, whoever asks for them: one core stays free."""

_SLOTS = threading.BoundedSemaphore(AT_ONCE)


class Point(NamedTuple):
    """Coefficients of a section at one angle of attack; NaN if XFoil did not converge.

    `cdp` is the pressure drag, `top` and `bottom` are x/c of transition on both surfaces; they
    are NaN in results that an earlier release stored.
    """

    cl: float
    cd: float
    cm: float
    cdp: float = math.nan
    top: float = math.nan
    bottom: float = math.nan

    @property
    def converged(self) -> bool:
        """Whether XFoil found a solution."""
        return math.isfinite(self.cd)


FAILED = Point(math.nan, math.nan, math.nan)


def available() -> bool:
    """Return whether XFoil is on the path."""
    return shutil.which(COMMAND) is not None


def version() -> str | None:
    """Return the version that XFoil names at its start; None if it does not start."""
    with tempfile.TemporaryDirectory(prefix="xfoil-") as folder, _SLOTS:
        answer = _run(Path(folder), "QUIT\n", time.monotonic() + SECONDS)
    found = re.search(r"XFOIL\s+Version\s+([\w.]{1,20})", answer)
    return found[1] if found else None


def evaluate(
    points: Float[np.ndarray, "points 2"],
    alpha: float,
    reynolds: float,
    *,
    ncrit: float = 9.0,
    trips: tuple[float, float] = (1.0, 1.0),
) -> Point:
    """Evaluate one section at one angle of attack, at Mach 0.

    Waits until one of `AT_ONCE` processes may start, then at most `SECONDS`.

    Args:
        points: The contour, in chords and Selig order.
        alpha: Angle of attack in degrees.
        reynolds: Reynolds number of the chord.
        ncrit: Logarithm of the amplification at transition.
        trips: Positions of forced transition on the upper and lower surface, in chords.

    Returns:
        The coefficients; `FAILED` if XFoil converged with none of `PANELS`, or took too long.

    Raises:
        DesignError: If XFoil is not installed, or a number is not one of a section.

    References:
        XFOIL: an analysis and design system for low Reynolds number airfoils (Drela, 1989).
        https://doi.org/10.1007/978-3-642-84010-4_1
    """
    if not available():
        raise DesignError(
            "XFoil is not on the path: install it (`apt install xfoil`), then restart."
        )
    plain = (
        len(points) <= _MOST_POINTS
        and np.isfinite(points).all()
        and np.abs(points).max(initial=0) <= _LARGEST
    )
    numbers = (alpha, reynolds, ncrit, *trips)
    if not (plain and all(map(math.isfinite, numbers)) and reynolds > 0):
        raise DesignError("XFoil needs a finite section of at most 1,000 points, and a flow.")
    rows = "".join(f"{x: .6f} {y: .6f}\n" for x, y in points)
    commands = _COMMANDS.format(
        reynolds=reynolds, iterations=ITERATIONS, alpha=alpha, ncrit=ncrit,
        upper=trips[0], lower=trips[1],
    )  # fmt: skip
    with _SLOTS:
        ends = time.monotonic() + SECONDS
        for panels in PANELS:
            if time.monotonic() >= ends:
                break
            with tempfile.TemporaryDirectory(prefix="xfoil-") as name:
                folder = Path(name)
                (folder / "s.dat").write_text("section\n" + rows)
                (folder / "xfoil.def").write_text(_SETTINGS.format(panels=panels))
                found = _parse(_run(folder, commands, ends), alpha)
            if found is not None:
                return found
    return FAILED


def evaluate_all(
    contours: Sequence[Float[np.ndarray, "points 2"]],
    alphas: Sequence[Iterable[float]],
    reynolds: float,
    *,
    ncrit: float = 9.0,
    trips: tuple[float, float] = (1.0, 1.0),
    within: float | None = None,
) -> Generator[tuple[int, float, Point], None, None]:
    """Evaluate each section at its angles of attack; yield each result with its section's index.

    Args:
        contours: The sections, in chords and Selig order.
        alphas: For each the angles of attack, in degrees.
        reynolds: Reynolds number of the chord.
        ncrit: Logarithm of the amplification at transition.
        trips: Positions of forced transition on the upper and lower surface, in chords.
        within: Seconds after which no further result is waited for; by default all are.
    """
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        asked = {
            pool.submit(evaluate, points, alpha, reynolds, ncrit=ncrit, trips=trips): (
                index,
                alpha,
            )
            for index, (points, angles) in enumerate(zip(contours, alphas, strict=True))
            for alpha in map(float, angles)
        }
        for done in as_completed(asked, timeout=within):
            yield *asked[done], done.result()
    except TimeoutError:  # what runs still ends by itself
        return
    finally:
        pool.shutdown(wait=within is None, cancel_futures=True)


def properties(held: str) -> tuple[Property, ...]:
    """List the properties of verified designs, beside those by NeuralFoil.

    Args:
        held: What is held at the operating point, as `OperatingPoint.at` says it.
    """
    at = f"at {held}"
    return (
        Property("xfoil_cl", f"CL {at}, XFoil", "", 2, "more", meaning="by XFoil"),
        Property("xfoil_cd", f"CD {at}, XFoil", "", 4, "less", meaning="by XFoil"),
        Property("xfoil_ld", f"L/D {at}, XFoil", "", 1, "more", meaning="by XFoil"),
    )


def values(point: Point | None) -> dict[str, float]:
    """Return the values of `properties`; NaN if it is not verified, or did not converge."""
    cl, cd, *_ = FAILED if point is None else point
    return {"xfoil_cl": cl, "xfoil_cd": cd, "xfoil_ld": cl / cd if cd else math.nan}


PLACE = "xfoil "
"""How the conditions begin under which results are stored."""


def stored_under(
    reynolds: float,
    geometry: Geometry,
    *,
    ncrit: float = 9.0,
    trips: tuple[float, float] = (1.0, 1.0),
) -> str:
    """Return the conditions under which a pick's results are stored; usual ones are not named."""
    beyond = "" if ncrit == 9 else f" n{ncrit:g}"
    beyond += "" if trips == (1.0, 1.0) else f" t{trips[0]:g}/{trips[1]:g}"
    return f"{PLACE}{reynolds:.6g} {geometry}{beyond}"


def as_stored(alpha: float, point: Point) -> dict[str, float]:
    """Return a result as it is stored with a pick."""
    return {
        f"{key}@{alpha:g}": value
        for key, value in point._asdict().items()
        if key in ("cl", "cd", "cm") or math.isfinite(value)
    }


def from_stored(found: Mapping[str, float] | None) -> dict[float, Point]:
    """Return the stored results of a pick, by angle of attack in ascending order."""
    known = found or {}
    angles = sorted(float(key.partition("@")[2]) for key in known if key.startswith("cd@"))
    return {
        alpha: Point(*(known.get(f"{key}@{alpha:g}", math.nan) for key in Point._fields))
        for alpha in angles
    }


def _parse(answer: str, alpha: float) -> Point | None:
    """Read the last iteration; None if it is not converged, or of another angle."""
    rounds = _RESULT.findall(answer)
    if not rounds:
        return None
    rms, at, cl, cm, cd, cdp = map(_number, rounds[-1])
    ends = {side: _number(place) for side, place in _TRANSITION.findall(answer)}
    good = rms < _CONVERGED and abs(at - alpha) < 0.01 and cd > 0
    if not good or not all(map(math.isfinite, (cl, cd, cm))):
        return None
    return Point(cl, cd, cm, cdp, ends.get("1", math.nan), ends.get("2", math.nan))


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:  # Fortran writes **** where a number does not fit
        return math.nan


def _run(folder: Path, commands: str, ends: float) -> str:
    """Run XFoil in a folder until it has written its answer, or the time has come."""
    command = shutil.which(COMMAND)
    if command is None:
        return ""
    try:
        process = subprocess.Popen(
            [command],
            cwd=folder,
            env={
                "PATH": os.defpath,
                "HOME": str(folder),
                "LC_ALL": "C",
                "GFORTRAN_UNBUFFERED_ALL": "1",
                "GFORTRAN_ERROR_BACKTRACE": "0",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return ""
    clock = threading.Timer(max(0.0, ends - time.monotonic()), _end, [process])
    clock.daemon = True
    clock.start()
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        _bound(process.pid)
        try:
            process.stdin.write(commands.encode("ascii"))
            process.stdin.close()
        except OSError:  # it has ended already
            pass
        return process.stdout.read(MOST_BYTES).decode("ascii", "replace")
    finally:
        clock.cancel()
        clock.join()
        # Before it is waited for: until then its number is not given to another process.
        _end(process)
        process.stdout.close()
        process.wait()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the whole process group."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass


def _bound(pid: int) -> None:
    """Bound memory, files and time of a process that still waits for its commands."""
    try:
        import resource
    except ImportError:  # only POSIX has it
        return
    if not hasattr(resource, "prlimit"):
        return
    bounds = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: MOST_BYTES,
        resource.RLIMIT_AS: 2 * 1024**3,
        resource.RLIMIT_CPU: math.ceil(SECONDS),
    }
    for what, most in bounds.items():
        try:
            resource.prlimit(pid, what, (most, most))
        except (OSError, ValueError):  # it has ended, or has a lower bound already
            return
