"""A prior for a model that has none, or another one: fitted to its codes, the model as it was."""

from explorer.fitting.kinds import DEFAULT, KINDS, TITLES, WORDS, Kind, why_not
from explorer.fitting.writing import fit_prior, name_of, origin_of

__all__ = [
    "DEFAULT",
    "KINDS",
    "TITLES",
    "WORDS",
    "Kind",
    "fit_prior",
    "name_of",
    "origin_of",
    "why_not",
]
