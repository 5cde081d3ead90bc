"""Figures for a paper, opened by parsers of their formats."""

import base64
import io
import re
import xml.etree.ElementTree as ElementTree

from fontTools.ttLib import TTFont
from pypdf import PdfReader

SVG = "{http://www.w3.org/2000/svg}"
_FACE = re.compile(
    r"font-family:'([^']+)';font-weight:(\w+);src:url\(data:font/ttf;base64,([^)]+)"
)


def opened_svg(content):
    """Parse an SVG; return its root, its texts, and its embedded fonts by weight."""
    root = ElementTree.fromstring(content)
    assert root.tag == f"{SVG}svg"
    texts = ["".join(item.itertext()) for item in root.iter(f"{SVG}text")]
    styles = "".join(item.text or "" for item in root.iter(f"{SVG}style"))
    fonts = {
        weight: TTFont(io.BytesIO(base64.b64decode(data)))
        for _, weight, data in _FACE.findall(styles)
    }
    return root, texts, fonts


def opened_pdf(content):
    """Parse a PDF of one page; return its metadata, its text, and its font descriptors."""
    reader = PdfReader(io.BytesIO(content), strict=True)
    assert len(reader.pages) == 1
    page = reader.pages[0]
    fonts = []
    for font in page["/Resources"].get("/Font", {}).values():
        found = font.get_object()
        inner = found["/DescendantFonts"][0].get_object() if "/DescendantFonts" in found else found
        fonts.append((found["/Subtype"], inner["/FontDescriptor"].get_object()))
    return reader.metadata, page.extract_text(), fonts


def entries_of(bib):
    """Parse BibTeX entries: their fields by their keys."""
    found = {}
    for kind, key, body in re.findall(r"@(\w+)\{([^,]+),\n(.*?)\n\}\n", bib, re.DOTALL):
        fields = dict(re.findall(r"  (\w+) = \{(.*)\},?", body))
        assert all(value.count("{") == value.count("}") for value in fields.values()), key
        assert key not in found
        found[key] = {"kind": kind} | fields
    return found
