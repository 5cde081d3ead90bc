"""A figure for a paper: its drawing, its caption and the papers it builds on, as files."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from explorer.papers import Paper, bibtex

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Kind = Literal["svg", "pdf"]

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "−": "$-$",
    "×": r"$\times$",
    "≥": r"$\geq$",
    "²": "$^2$",
    "₁": "$_1$",
    "₂": "$_2$",
    "·": r"$\cdot$",
    "–": "--",
    "…": r"\ldots{}",
    "’": "'",
    "“": "``",
    "”": "''",
    "\N{NO-BREAK SPACE}": "~",
}


@dataclass(frozen=True)
class PaperFigure:
    """One figure.

    Args:
        title: What it shows, in a few words.
        caption: Plain text: model, prior, scale, seed, n and errors.
        papers: What to cite with it.
        draw: Draws it; called once for each file, within the style of figures.
    """

    title: str
    caption: str
    papers: tuple[Paper, ...]
    draw: Callable[[], "Figure"]

    def file(self, kind: Kind) -> bytes:
        """Draw it as SVG or PDF, with embedded fonts and the caption in its metadata."""
        from explorer.figures import files, style

        with style.applied():
            return files.write(self.draw(), kind, self.title, self.caption)

    def latex(self, stem: str) -> bytes:
        """Write a LaTeX float that includes the PDF named `stem`, with caption and citations."""
        keys = ",".join(dict.fromkeys(paper.key for paper in self.papers))
        cited = f" See~\\cite{{{keys}}}." if keys else ""
        label = re.sub(r"[^A-Za-z0-9-]+", "-", stem)
        lines = (
            "\\begin{figure}",
            "  \\centering",
            # A name with an underscore or a space is taken as it is.
            f"  \\includegraphics[width=\\linewidth]{{\\detokenize{{{stem}.pdf}}}}",
            f"  \\caption{{{escaped(self.caption)}{cited}}}",
            f"  \\label{{fig:{label}}}",
            "\\end{figure}",
        )
        return ("\n".join(lines) + "\n").encode()

    def bibtex(self) -> bytes:
        """Write the papers as BibTeX, under the keys of `latex`."""
        return bibtex(self.papers)


def escaped(text: str) -> str:
    """Escape plain text for LaTeX."""
    return "".join(_LATEX.get(letter, letter) for letter in text)
