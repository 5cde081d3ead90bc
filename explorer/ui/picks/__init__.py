"""Picks on their way from the browser to the store."""
