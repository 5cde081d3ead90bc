"""The Priors lab page."""
