"""The glossary: what each term of the app means, in the words of a student, with its unit.

Every page marks these terms where they first occur (`components/terms`), headings of metrics and
columns carry the definition as their help, and the sidebar lists all.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

LONGEST = 260
"""Characters of a definition: what is read while the pointer rests on a word."""


class Term(NamedTuple):
    """A term: what it means, and how it is written.

    Args:
        definition: One or two sentences.
        forms: Other forms, which are marked in sentences too.
        labels: Forms that mean the term only as a heading or label by themselves.
        plain: Whether its name means the term in a sentence too, and not only as a label.
    """

    definition: str
    forms: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    plain: bool = True


TERMS: Mapping[str, Term] = {
    # The model
    "Code": Term(
        "The point in latent space that stands for one sample: a few numbers, from which the "
        "decoder makes the sample again.",
        ("codes",),
    ),
    "Latent space": Term(
        "The space of codes. It has far fewer dimensions than the data: 2 to 80 here.",
    ),
    "Unit": Term(
        "One dimension of the latent space, that is, one number of a code.",
        ("latent unit", "latent units"),
        ("units",),
        plain=False,
    ),
    "Active unit": Term(
        "A unit that the encoder uses: its posterior mean varies over test samples by more "
        "than 0.01 (as a variance, of the prior’s or absolutely). Inactive units carry "
        "nothing.",
        ("active units", "inactive unit", "inactive units"),
        ("active", "active, absolute", "active, z2", "active, z1", "absolute, z2", "absolute, z1"),
    ),
    "Decoder": Term("The network that turns a code into a sample.", ("decoded",)),
    "Encoder": Term(
        "The network that turns a sample into its posterior: a mean and a standard deviation "
        "for every unit.",
        ("encoded",),
    ),
    "Prior": Term(
        "p(z): the distribution from which codes are drawn when the model makes new samples. "
        "Here it is mostly learned.",
        ("p(z)", "prior samples"),
    ),
    "Posterior": Term(
        "q(z|x): the codes that the encoder holds possible for one sample x, as a Gaussian "
        "with a mean and a standard deviation per unit.",
        ("q(z|x)", "posteriors", "posterior mean", "posterior means", "posterior samples"),
    ),
    "Aggregated posterior": Term(
        "The mean of the posteriors of all data: where the codes of data really lie. A good "
        "prior matches it.",
        ("aggregated posteriors",),
    ),
    "Plain autoencoder": Term(
        "Encoder and decoder without a prior or a likelihood: it reconstructs, but has no "
        "prior to sample.",
        ("autoencoder",),
    ),
    "Two-level model": Term(
        "A hierarchy (HVAE): the prior draws the top z2, from which the lower code z1 and then "
        "the sample are drawn.",
        ("HVAE", "convHVAE", "PixelHVAE", "two-level"),
    ),
    # Priors
    "Standard normal": Term(
        "The usual prior: a Gaussian around 0 with standard deviation 1 in every unit. Nothing "
        "in it is learned.",
        ("standard normal prior",),
    ),
    "VampPrior": Term(
        "A learned prior: the mixture of the encoder’s posteriors at pseudo-inputs, which are "
        "trained with the model (Tomczak and Welling, 2018).",
    ),
    "X-VAE": Term(
        "A model whose prior is a Gaussian with the mean and the standard deviation, unit by "
        "unit, of the codes of an autoencoder that was trained first.",
    ),
    "Mixture of Gaussians": Term(
        "A learned prior: a weighted sum of K Gaussians, its components.",
        ("mixture",),
    ),
    "Flow": Term(
        "A learned prior: an invertible network bends a Gaussian into the shape that codes "
        "have.",
        ("normalising flow",),
        plain=False,
    ),
    "Component": Term(
        "One of the K distributions that a mixture is made of. A sample of the prior first "
        "draws its component, then a code around that component’s mean.",
        ("components",),
    ),
    "Prototype": Term(
        "The mean of a component, as a code or decoded: what a learned prior is made of.",
        ("prototypes",),
    ),
    "Pseudo-input": Term(
        "A learned image or curve that a VampPrior feeds to the encoder; the posterior there "
        "is one component of the prior.",
        ("pseudo-inputs",),
    ),
    "Scale": Term(
        "The factor s on a sample’s distance from the mean of its component: 1 is the prior as "
        "trained, 0 the mean itself, above 1 farther out. Also called temperature.",
        ("temperature",),
    ),
    "Hole": Term(
        "A region where the prior draws codes but hardly any data have theirs: the density of "
        "the aggregated posterior is below that of 95 % of held-out codes.",
        ("holes",),
    ),
    # Likelihood
    "Nat": Term(
        "The unit of log-probabilities with the natural logarithm: 1 nat is 1.44 bits. One nat "
        "more means 2.7 times as probable.",
        ("nats",),
    ),
    "log p(x)": Term(
        "Log-likelihood: how probable the model holds a sample, in nats, higher is better. "
        "Estimated by importance sampling, which from few samples comes out too low.",
        ("log-likelihood",),
        ("likelihood",),
    ),
    "ELBO": Term(
        "Evidence lower bound, in nats: reconstruction minus KL. It is what training "
        "maximises, and never above log p(x) on average.",
        (),
        ("bound",),
    ),
    "log p(x|z)": Term(
        "Reconstruction term of the ELBO, in nats: how probable the sample is given codes of "
        "its posterior. Higher is better.",
        (),
        ("reconstruction",),
    ),
    "KL": Term(
        "Kullback–Leibler divergence, in nats: how far a sample’s posterior is from the prior; "
        "0 if they are equal. Its code costs so many nats.",
        ("KL divergence",),
    ),
    "log p(z)": Term(
        "Log-density of a code under the prior as trained, in nats. Higher is not always more "
        "usual: the mode is denser than any sample.",
    ),
    "Pseudo-likelihood": Term(
        "A Bernoulli score of values that are not binary. It ranks samples of one model, and "
        "is compared with no log p(x).",
    ),
    "Bits per dimension": Term(
        "Minus log p(x) in bits, divided by the number of pixels and channels: comparable over "
        "sizes. Lower is better.",
        ("Bits/dim",),
    ),
    "Importance sampling": Term(
        "An estimate of log p(x) from S codes drawn from the sample’s posterior, each "
        "weighted. It grows towards the true value with S.",
        ("importance samples",),
        ("S",),
    ),
    "Effective samples": Term(
        "How many of the S importance samples carry the estimate, by their weights: near 1, "
        "one of them decides all.",
        (),
        ("Effective S",),
    ),
    "Reconstruction error": Term(
        "How improbable a sample is given its own code, in nats: minus log p(x|z). Lower is "
        "better.",
    ),
    "Amortisation gap": Term(
        "What a sample’s ELBO loses, in nats, because one encoder serves all data instead of a "
        "posterior optimised for that sample.",
    ),
    "Standard error": Term(
        "The standard deviation of an estimate, written after ±: if measured again, about two "
        "times in three it would fall within it.",
        ("SE", "standard errors"),
    ),
    "Held-out data": Term(
        "Data that were not used in training: the test split.",
        ("held-out", "held-out samples", "test samples"),
    ),
    "Percentile": Term(
        "The percentage of the named reference that lies below a value: percentile 50 is the "
        "median.",
    ),
    "Anomaly percentile": Term(
        "The percentage of test samples with a higher log p(x): near 100 the model holds this "
        "sample as improbable as hardly any test sample.",
    ),
    # Samples against data
    "Density": Term(
        "Fidelity: how many neighbourhoods of real data (5 nearest) a sample falls into, "
        "divided by 5. Real data score about 1; above 1, samples crowd where data are dense.",
        ("fidelity",),
        ("fidelity (density)", "fidelity: density"),
        plain=False,
    ),
    "Coverage": Term(
        "Diversity: the share of real data that have a sample in their neighbourhood (5 "
        "nearest), from 0 to 1.",
        ("diversity",),
        ("diversity (coverage)", "diversity: coverage"),
    ),
    "Precision": Term(
        "Fidelity: the share of samples that fall into the neighbourhood of any real datum, "
        "from 0 to 1.",
        (),
        ("fidelity: precision",),
        plain=False,
    ),
    "Recall": Term(
        "Diversity: the share of real data that fall into the neighbourhood of any sample, "
        "from 0 to 1.",
        (),
        ("diversity: recall",),
        plain=False,
    ),
    "Vendi score": Term(
        "Diversity: the effective number of different samples, from 1 (all alike) to n (no two "
        "alike).",
        ("Vendi",),
        ("diversity: Vendi score",),
    ),
    "Fréchet distance": Term(
        "Distance between Gaussians fitted to features of samples and of data, from a small "
        "network trained on this data set’s classes. Lower is better.",
        (),
        ("Fréchet, reconstruction", "Fréchet, prior", "Fréchet, flow"),
    ),
    "Kernel distance": Term(
        "Distance between samples and data in the same features, by a kernel (squared MMD). "
        "Lower is better; 0 means no difference.",
    ),
    "Novelty": Term(
        "How far a sample is from its nearest training code, as a percentile of the same "
        "distance for held-out data: under 5 nearly a copy, over 95 far from the data.",
        ("novel", "nearly a copy", "nearly copies", "near copies", "near copy"),
        ("near copies, prior", "near copies, flow"),
    ),
    "Typicality": Term(
        "The percentage of prior samples whose log p(z) is farther from its mean than this "
        "code’s: 100 is entirely usual, 0 unlike any sample.",
    ),
    "Path speed²": Term(
        "|dx/dt|² along straight paths between samples: how fast what is decoded changes. "
        "Lower is smoother.",
    ),
    # Posterior and prior
    "Index-code information": Term(
        "How much, in nats, a code tells which of the n samples it came from; at most log n. "
        "With the marginal KL it adds up to the KL.",
    ),
    "Marginal KL": Term(
        "KL from the aggregated posterior to the prior, in nats: 0 where the prior fits the "
        "codes of all data exactly.",
    ),
    "Misalignment": Term(
        "What a single Gaussian prior costs, in nats, compared with the best one for these "
        "codes.",
    ),
    "MMD²": Term(
        "Squared maximum mean discrepancy between codes of data and of the prior: 0 if their "
        "distributions agree; p is the share of random splits with a larger one.",
        ("MMD", "MMD² p-value"),
        ("MMD², all codes",),
    ),
    "Sliced W²": Term(
        "Squared Wasserstein distance between codes of data and of the prior, as a mean over "
        "random lines. 0 if they agree.",
        ("sliced Wasserstein",),
        ("Sliced W², all codes",),
    ),
    "Classifier": Term(
        "The accuracy of a classifier that is to tell codes of data from codes of the prior: "
        "0.5 means it cannot.",
        plain=False,
    ),
    "C2ST": Term(
        "Classifier two-sample test: how often a trained network tells held-back codes of data "
        "from fresh codes of the prior. 0.5 means they have the same distribution.",
        ("classifier two-sample test",),
    ),
    "Flow matching": Term(
        "A network that learns to carry noise to codes along straight lines, in a few steps. The "
        "same one is trained on the codes of every model, which shows how easy they are to make.",
        ("flow on codes",),
    ),
    "reference": Term(
        "A distribution that codes are matched to: any that can be sampled, such as a ring, a "
        "mixture, or the features of another encoder.",
        ("references",),
    ),
    "matching": Term(
        "Training that draws the codes of all data together to a prior, no posterior by itself: "
        "by a distance between samples, or by the difference of two scores.",
    ),
    # The map and paths
    "UMAP": Term(
        "The projection of codes onto the plane of the map. It keeps neighbourhoods; distances "
        "and sizes on the map mean little.",
    ),
    "Trustworthiness": Term(
        "The share of a code’s 15 nearest neighbours that are also among its 15 nearest on the "
        "map, from 0 to 1.",
        (),
        ("trust",),
    ),
    "Where they differ": Term(
        "A colouring of the map: the log ratio of the density of codes to the prior's, estimated "
        "by a classifier that was trained to tell them apart.",
    ),
    "Decision map": Term(
        "What an installed network says of the sample that each place of a plane decodes to: the "
        "class as a colour, paler where its margin over the next class is small.",
        ("decision maps",),
    ),
    "Transport": Term(
        "Arrows on the map from codes of data to samples of the prior: of all ways to pair them, "
        "the one of least total squared distance in code space, projected afterwards.",
    ),
    "Prior contours": Term(
        "Lines on the map that enclose 50, 90 and 99 % of what the prior draws.",
    ),
    "Nearest prototype": Term(
        "The component that most probably made a code, that is, with the largest "
        "responsibility.",
        ("data assigned", "responsibility"),
    ),
    "Split": Term(
        "The part of the data set that a sample belongs to: train, valid or test.", plain=False
    ),
    "Class": Term(
        "The label of a sample, as the data set gives it; models do not see it here.", plain=False
    ),
    "Slerp": Term(
        "Spherical interpolation: a path on an arc around the prior’s mean, which keeps the "
        "usual distance from it.",
        ("spherical",),
    ),
    "High-density path": Term(
        "A path that is bent towards where the prior is dense, found by the string method.",
    ),
    "Geodesic": Term(
        "The shortest path as measured by what is decoded: along it, samples change as little "
        "and as evenly as possible.",
    ),
    # Designs
    "CL": Term(
        "Lift coefficient of a section: lift divided by dynamic pressure and chord. No unit.",
        ("lift coefficient",),
    ),
    "CD": Term(
        "Drag coefficient of a section: drag divided by dynamic pressure and chord. No unit; "
        "lower is better.",
        ("drag coefficient",),
    ),
    "L/D": Term("Lift-to-drag ratio of a section, CL divided by CD.", ("lift-to-drag ratio",)),
    "Reynolds number": Term(
        "Speed times chord divided by the air’s kinematic viscosity: small for models, "
        "millions for aircraft. No unit.",
    ),
    "Angle of attack": Term(
        "The angle between the chord of a section and the flow, in degrees.",
    ),
    "Kulfan section": Term(
        "A smooth section described by 8 weights for each surface; decoded heights are fitted "
        "by one before they are shown, measured and exported.",
        ("Kulfan sections", "Kulfan"),
    ),
    "Squared error": Term(
        "The squared distance between a sample and its reconstruction, for models that were "
        "trained by it and define no likelihood.",
    ),
    "Operating point": Term(
        "One flow past a section: a Reynolds number, and an angle of attack or a lift "
        "coefficient; designs are judged at up to four of them.",
        ("operating points",),
    ),
    "Ncrit": Term(
        "How far ripples in a boundary layer grow before it becomes turbulent, as a logarithm: 9 "
        "in a usual wind tunnel, less in rough air.",
    ),
    "k-DPP": Term(
        "A determinantal point process of k items: it prefers sets whose members are good and "
        "unlike each other.",
    ),
    "Pareto front": Term(
        "The picks that no other pick beats in both properties at once.",
    ),
}  # fmt: skip
"""Definitions of terms, in the order of the list."""


def define(name: str) -> str | None:
    """Return the definition of a term in any of its forms, in any case; None if there is none."""
    term = _BY_FORM.get(name.casefold())
    return None if term is None else TERMS[term].definition


def help_of(name: str, further: str = "") -> str | None:
    """Return a term's definition as the help of a widget, and something further below it."""
    return "  \n".join(filter(None, (define(name), further))) or None


def listed(names: Iterable[str]) -> str:
    """Return the definitions of those names that are terms, one a line, for a widget."""
    found = {name: define(name) for name in names}
    return "  \n".join(f"**{name}**: {words}" for name, words in found.items() if words)


def marks() -> list[dict[str, object]]:
    """Return each term's definition, with its forms in sentences and as labels."""
    return [
        {
            "definition": term.definition,
            "forms": [*([name] if term.plain else []), *term.forms],
            "labels": [name, *term.forms, *term.labels],
        }
        for name, term in TERMS.items()
    ]


_BY_FORM = {
    form.casefold(): name
    for name, term in TERMS.items()
    for form in (name, *term.forms, *term.labels)
}
