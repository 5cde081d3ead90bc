"""What is wrong with the layout of a page: asked of the browser, which alone knows."""

from pathlib import Path

AUDIT = Path(__file__).with_name("layout.js").read_text()
"""Waits until the page rests; lists clipped and overlapping texts, small targets, and more."""

FOCUSED = Path(__file__).with_name("focused.js").read_text()
"""The element in focus: its tag, its words, and whether a ring is drawn around it."""
