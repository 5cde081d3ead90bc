"""Samples as designs: what they are worth, those that were picked, and taking them home."""
