"""Training objectives."""

from explorer.objectives.elbo import ElboConfig, Terms, elbo, unit_kl

__all__ = ["ElboConfig", "Terms", "elbo", "unit_kl"]
