"""Samples as designs: their properties, the shortlist, searches, and export."""
