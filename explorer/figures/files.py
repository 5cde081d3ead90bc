"""The files of a figure: SVG and PDF that hold their fonts, and the same bytes every time."""

import base64
import io
import re
from datetime import datetime
from pathlib import Path
from typing import Literal

import matplotlib as mpl
from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from explorer import __version__
from explorer.figures.style import FONT

CREATOR = f"Latent Explorer {__version__}"
_FONTS = {"normal": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}
_TEXT = re.compile(r"<text\b[^>]*>(.*?)</text>", re.DOTALL)


def write(figure: Figure, kind: Literal["svg", "pdf"], title: str, caption: str) -> bytes:
    """Write a figure cropped to its contents; `style.applied` must hold.

    Args:
        figure: The figure.
        kind: The format.
        title: Its title, in the metadata.
        caption: Its caption, likewise.
    """
    stream = io.BytesIO()
    tight = {"bbox_inches": "tight", "pad_inches": 0.03}
    if kind == "pdf":
        FigureCanvasPdf(figure)
        facts = {
            "Title": title,
            "Subject": caption,
            "Creator": CREATOR,
            "Producer": f"matplotlib {mpl.__version__}",
            "CreationDate": None,
        }
        figure.savefig(stream, format="pdf", metadata=facts, **tight)
        return stream.getvalue()
    FigureCanvasSVG(figure)
    facts = {"Title": title, "Description": caption, "Creator": CREATOR, "Date": None}
    figure.savefig(stream, format="svg", metadata=facts, **tight)
    return _with_fonts(stream.getvalue().decode()).encode()


def write_page(figure: Figure, title: str, subject: str, date: datetime | None) -> bytes:
    """Write a figure as PDF of its whole size; `style.applied` must hold.

    Args:
        figure: The figure.
        title: Its title, in the metadata.
        subject: What it shows, likewise.
        date: Its date, likewise; that of now would make it another file each time.
    """
    stream = io.BytesIO()
    FigureCanvasPdf(figure)
    facts = {
        "Title": title,
        "Subject": subject,
        "Creator": CREATOR,
        "Producer": f"matplotlib {mpl.__version__}",
        "CreationDate": date,
    }
    # Glyphs as Type 3 take a third of the time that TrueType subsets take; no journal asks here.
    with mpl.rc_context({"pdf.fonttype": 3}):
        figure.savefig(stream, format="pdf", metadata=facts)
    return stream.getvalue()


def _with_fonts(svg: str) -> str:
    """Embed the letters in use, so that text looks the same where the font is not installed."""
    used = "".join(_TEXT.findall(svg))
    letters = sorted({*re.sub(r"&[a-z]+;", "&<>", re.sub(r"<[^>]+>", "", used))})
    if not letters:
        return svg
    faces = "".join(
        f"@font-face{{font-family:'{FONT}';font-weight:{weight};"
        f"src:url(data:font/ttf;base64,{base64.b64encode(_subset(name, letters)).decode()})}}"
        for weight, name in _FONTS.items()
        if weight == "normal" or "bold" in svg
    )
    return svg.replace("<defs>", f"<defs>\n  <style>{faces}</style>", 1)


def _subset(name: str, letters: list[str]) -> bytes:
    """Return a TrueType font of these letters only."""
    path = Path(mpl.get_data_path()) / "fonts" / "ttf" / name
    # The time of now would be written into the font.
    font = TTFont(path, recalcTimestamp=False)
    options = subset.Options(layout_features=[], notdef_outline=True, hinting=False)
    options.drop_tables += ["FFTM"]  # the times of an editor
    worker = subset.Subsetter(options)
    worker.populate(text="".join(letters))
    worker.subset(font)
    stream = io.BytesIO()
    font.save(stream, reorderTables=None)
    return stream.getvalue()
