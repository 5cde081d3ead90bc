"""Training objectives."""

from typing import Annotated

from pydantic import Discriminator, Tag

from explorer.objectives.elbo import ElboConfig, Terms, elbo, unit_kl
from explorer.objectives.matching import MatchingConfig


def _kind(given: object) -> str:
    """Return the kind of an objective; a recipe that names none means the ELBO."""
    kind = given.get("kind", "elbo") if isinstance(given, dict) else getattr(given, "kind", "")
    return str(kind)


ObjectiveConfig = Annotated[
    Annotated[ElboConfig, Tag("elbo")] | Annotated[MatchingConfig, Tag("matching")],
    Discriminator(_kind),
]
"""What a model is trained for."""

__all__ = ["ElboConfig", "MatchingConfig", "ObjectiveConfig", "Terms", "elbo", "unit_kl"]
