"""Panels shared by two or more pages."""
