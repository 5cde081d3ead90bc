"""Formats, names and colours shared by all pages."""
