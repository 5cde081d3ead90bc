"""Which priors can be fitted to the codes of a model, and why not the others?"""

from typing import Literal, get_args

from explorer.config import RunConfig

Kind = Literal[
    "standard",
    "moments",
    "covariance",
    "mixture",
    "hypersphere",
    "flow",
    "second-stage",
    "vamp",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Priors that can be fitted, from the plainest to the most flexible."""

DEFAULT: Kind = "mixture"

TITLES: dict[Kind, str] = {
    "standard": "Standard normal",
    "moments": "Moments (X-VAE)",
    "covariance": "Full covariance",
    "mixture": "Mixture of Gaussians",
    "hypersphere": "Hypersphere",
    "flow": "Flow",
    "second-stage": "Second-stage VAE",
    "vamp": "VampPrior",
}

WORDS: dict[Kind, str] = {
    "standard": "N(0, I) as it is, whatever the codes are.",
    "moments": "A Gaussian with the codes’ mean and standard deviation in each unit.",
    "covariance": "A Gaussian with all covariances of the codes, shrunk as Ledoit and Wolf do.",
    "mixture": "As many diagonal Gaussians as BIC chooses.",
    "hypersphere": "Uniform on the sphere about the codes’ mean, of their mean radius; "
    "it has no density.",
    "flow": "A neural spline flow, trained on the codes.",
    "second-stage": "A second VAE, trained on the codes; its density is known by a bound only.",
    "vamp": "A mixture of the encoder’s own posteriors, the encoder as it is.",
}
"""What each of them is, in one sentence."""


def why_not(config: RunConfig, kind: Kind) -> str:
    """Say why a kind cannot be fitted to a model's codes; empty if it can.

    Args:
        config: The model's recipe.
        kind: The kind of prior, of which the sentence speaks without naming it.
    """
    if getattr(config.model, "top", None) is not None:
        return (
            "A model with two levels has a prior for each, which were trained together; "
            "choose one with a single level."
        )
    if kind == "standard" and config.prior is not None and config.prior.kind == "standard":
        return "it is the prior of this model already."
    if kind == "hypersphere" and config.model.latent < 2:
        return "on a line it is two points."
    if kind == "vamp" and not config.model.stochastic:
        return "it is a mixture of the encoder’s densities, and this encoder gives points."
    return ""
