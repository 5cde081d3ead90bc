"""The look of figures: one font, sizes of a printed page, nothing that depends on time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.figure import Figure

WIDTH = 6.75
"""Width of a page of two columns, in inches."""
COLUMN = 3.3
FONT = "DejaVu Sans"
"""Shipped with matplotlib, so that every machine draws the same."""

TEXT, FRAME, GREY = "#1B2430", "#9AA5B1", "#6E6E6E"
DOTS = 300
"""Resolution of what is drawn as pixels, in dots per inch."""

_RULES = {
    "font.family": FONT,
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.5,
    "axes.linewidth": 0.6,
    "axes.edgecolor": FRAME,
    "axes.labelcolor": TEXT,
    "axes.axisbelow": True,
    "axes.grid": False,
    "axes.unicode_minus": True,
    "text.color": TEXT,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "xtick.color": FRAME,
    "ytick.color": FRAME,
    "xtick.labelcolor": TEXT,
    "ytick.labelcolor": TEXT,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "hatch.linewidth": 0.5,
    "savefig.dpi": DOTS,
    "figure.dpi": DOTS,
    # TrueType in the PDF: journals refuse Type 3. Text in the SVG: it can be edited.
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "latent-explorer",
}
_LOCK = threading.RLock()


@contextmanager
def applied() -> Iterator[None]:
    """Apply the style; matplotlib's settings are global, so one thread draws at a time."""
    with _LOCK, mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RULES)
        yield


def page(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches."""
    return Figure(figsize=(width, height), facecolor="white")
