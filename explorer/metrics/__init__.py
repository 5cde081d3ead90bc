"""Measures of a trained model, one file per question."""

from explorer.metrics.evaluation import evaluate
from explorer.metrics.likelihood import Likelihood, importance_sampling
from explorer.metrics.samples import coverage_under_null, prdc, vendi_score
from explorer.metrics.subject import Evaluation

__all__ = [
    "Evaluation",
    "Likelihood",
    "coverage_under_null",
    "evaluate",
    "importance_sampling",
    "prdc",
    "vendi_score",
]
