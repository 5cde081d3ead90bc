"""The papers that models, priors, data sets and measures come from, as BibTeX entries.

A config names its own (`papers`), so that a plug-in's are cited like the built-in ones.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

_ACCENTS = {"ä": '{\\"a}', "ö": '{\\"o}', "é": "{\\'e}", "ø": "{\\o}", "ë": '{\\"e}'}


class Paper(NamedTuple):
    """One publication.

    Titles protect capitals by braces, as BibTeX wants them; `venue` is a journal, proceedings,
    or, for `misc`, nothing; `url` leads to it.
    """

    key: str
    kind: Literal["article", "inproceedings", "misc"]
    title: str
    authors: tuple[str, ...]
    year: int
    url: str
    venue: str = ""
    volume: str = ""
    pages: str = ""
    arxiv: str = ""

    @property
    def plain(self) -> str:
        """Its title without markup."""
        return self.title.replace("{", "").replace("}", "")


def bibtex(papers: Iterable[Paper]) -> bytes:
    """Write a bibliography, each paper once, in the order given; plain ASCII for every engine."""
    entries = [_entry(paper) for paper in dict.fromkeys(papers)]
    return "\n".join(entries).encode("ascii")


def _entry(paper: Paper) -> str:
    venue = {"article": "journal", "inproceedings": "booktitle", "misc": "howpublished"}
    fields = {
        "author": " and ".join(paper.authors),
        # Without authors, styles sort and label an entry by its key.
        "key": "" if paper.authors else paper.plain,
        "title": paper.title,
        venue[paper.kind]: paper.venue,
        "volume": paper.volume,
        "pages": paper.pages,
        "year": str(paper.year),
        "eprint": paper.arxiv,
        "archiveprefix": "arXiv" if paper.arxiv else "",
        "url": paper.url,
    }
    lines = [f"  {name} = {{{_ascii(value)}}}" for name, value in fields.items() if value]
    return f"@{paper.kind}{{{paper.key},\n" + ",\n".join(lines) + "\n}\n"


def _ascii(text: str) -> str:
    return "".join(_ACCENTS.get(letter, letter) for letter in text)


def _arxiv(number: str) -> dict[str, str]:
    return {"arxiv": number, "url": f"https://arxiv.org/abs/{number}"}


VAE = Paper(
    "kingma2014autoencoding",
    "inproceedings",
    "Auto-Encoding Variational {Bayes}",
    ("Kingma, Diederik P.", "Welling, Max"),
    2014,
    venue="2nd International Conference on Learning Representations",
    **_arxiv("1312.6114"),
)
VAMP = Paper(
    "tomczak2018vampprior",
    "inproceedings",
    "{VAE} with a {VampPrior}",
    ("Tomczak, Jakub M.", "Welling, Max"),
    2018,
    venue="Proceedings of the 21st International Conference on Artificial Intelligence and "
    "Statistics",
    volume="84",
    pages="1214--1223",
    **_arxiv("1705.07120"),
)
XVAE = Paper(
    "xvae2026",
    "misc",
    "{eXact-Prior} Variational Autoencoder ({X-VAE}): Learning Data-Adaptive {Gaussian} Mixture "
    "Priors for Latent Distributions",
    (),
    2026,
    **_arxiv("2607.01275"),
)
IWAE = Paper(
    "burda2016importance",
    "inproceedings",
    "Importance Weighted Autoencoders",
    ("Burda, Yuri", "Grosse, Roger", "Salakhutdinov, Ruslan"),
    2016,
    venue="4th International Conference on Learning Representations",
    **_arxiv("1509.00519"),
)
WAE = Paper(
    "tolstikhin2018wasserstein",
    "inproceedings",
    "{Wasserstein} Auto-Encoders",
    ("Tolstikhin, Ilya", "Bousquet, Olivier", "Gelly, Sylvain", "Schölkopf, Bernhard"),
    2018,
    venue="6th International Conference on Learning Representations",
    **_arxiv("1711.01558"),
)
SWAE = Paper(
    "kolouri2019sliced",
    "inproceedings",
    "Sliced {Wasserstein} Auto-Encoders",
    ("Kolouri, Soheil", "Pope, Phillip E.", "Martin, Charles E.", "Rohde, Gustavo K."),
    2019,
    venue="7th International Conference on Learning Representations",
    **_arxiv("1804.01947"),
)
INFOVAE = Paper(
    "zhao2019infovae",
    "inproceedings",
    "{InfoVAE}: Balancing Learning and Inference in Variational Autoencoders",
    ("Zhao, Shengjia", "Song, Jiaming", "Ermon, Stefano"),
    2019,
    venue="Proceedings of the 33rd AAAI Conference on Artificial Intelligence",
    **_arxiv("1706.02262"),
)
FLOW_PRIOR = Paper(
    "chen2017lossy",
    "inproceedings",
    "Variational Lossy Autoencoder",
    (
        "Chen, Xi",
        "Kingma, Diederik P.",
        "Salimans, Tim",
        "Duan, Yan",
        "Dhariwal, Prafulla",
        "Schulman, John",
        "Sutskever, Ilya",
        "Abbeel, Pieter",
    ),
    2017,
    venue="5th International Conference on Learning Representations",
    **_arxiv("1611.02731"),
)
AAE = Paper(
    "makhzani2015adversarial",
    "misc",
    "Adversarial Autoencoders",
    (
        "Makhzani, Alireza",
        "Shlens, Jonathon",
        "Jaitly, Navdeep",
        "Goodfellow, Ian",
        "Frey, Brendan",
    ),
    2015,
    **_arxiv("1511.05644"),
)
SIMCLR = Paper(
    "chen2020simple",
    "inproceedings",
    "A Simple Framework for Contrastive Learning of Visual Representations",
    ("Chen, Ting", "Kornblith, Simon", "Norouzi, Mohammad", "Hinton, Geoffrey"),
    2020,
    venue="37th International Conference on Machine Learning",
    **_arxiv("2002.05709"),
)
FLOW_MATCHING = Paper(
    "lipman2023flow",
    "inproceedings",
    "Flow Matching for Generative Modeling",
    (
        "Lipman, Yaron",
        "Chen, Ricky T. Q.",
        "Ben-Hamu, Heli",
        "Nickel, Maximilian",
        "Le, Matthew",
    ),
    2023,
    venue="11th International Conference on Learning Representations",
    **_arxiv("2210.02747"),
)
DMD = Paper(
    "yin2024onestep",
    "inproceedings",
    "One-Step Diffusion with Distribution Matching Distillation",
    (
        "Yin, Tianwei",
        "Gharbi, Michaël",
        "Zhang, Richard",
        "Shechtman, Eli",
        "Durand, Frédo",
        "Freeman, William T.",
        "Park, Taesung",
    ),
    2024,
    venue="IEEE/CVF Conference on Computer Vision and Pattern Recognition",
    **_arxiv("2311.18828"),
)
LEDOIT_WOLF = Paper(
    "ledoit2004well",
    "article",
    "A Well-Conditioned Estimator for Large-Dimensional Covariance Matrices",
    ("Ledoit, Olivier", "Wolf, Michael"),
    2004,
    venue="Journal of Multivariate Analysis",
    volume="88",
    pages="365--411",
    url="https://doi.org/10.1016/S0047-259X(03)00096-4",
)
TWO_STAGE = Paper(
    "dai2019diagnosing",
    "inproceedings",
    "Diagnosing and Enhancing {VAE} Models",
    ("Dai, Bin", "Wipf, David"),
    2019,
    venue="7th International Conference on Learning Representations",
    **_arxiv("1903.05789"),
)
HYPERSPHERE = Paper(
    "davidson2018hyperspherical",
    "inproceedings",
    "Hyperspherical Variational Auto-Encoders",
    ("Davidson, Tim R.", "Falorsi, Luca", "De Cao, Nicola", "Kipf, Thomas", "Tomczak, Jakub M."),
    2018,
    venue="34th Conference on Uncertainty in Artificial Intelligence",
    **_arxiv("1804.00891"),
)
BIC = Paper(
    "schwarz1978estimating",
    "article",
    "Estimating the Dimension of a Model",
    ("Schwarz, Gideon",),
    1978,
    venue="The Annals of Statistics",
    volume="6",
    pages="461--464",
    url="https://doi.org/10.1214/aos/1176344136",
)
SPLINES = Paper(
    "durkan2019splines",
    "inproceedings",
    "Neural Spline Flows",
    ("Durkan, Conor", "Bekasov, Artur", "Murray, Iain", "Papamakarios, George"),
    2019,
    venue="Advances in Neural Information Processing Systems",
    volume="32",
    **_arxiv("1906.04032"),
)
PIXELS = Paper(
    "oord2016pixelrnn",
    "inproceedings",
    "Pixel Recurrent Neural Networks",
    ("van den Oord, Aaron", "Kalchbrenner, Nal", "Kavukcuoglu, Koray"),
    2016,
    venue="Proceedings of the 33rd International Conference on Machine Learning",
    volume="48",
    pages="1747--1756",
    **_arxiv("1601.06759"),
)
GATED_PIXELS = Paper(
    "oord2016conditional",
    "inproceedings",
    "Conditional Image Generation with {PixelCNN} Decoders",
    (
        "van den Oord, Aaron",
        "Kalchbrenner, Nal",
        "Vinyals, Oriol",
        "Espeholt, Lasse",
        "Graves, Alex",
        "Kavukcuoglu, Koray",
    ),
    2016,
    venue="Advances in Neural Information Processing Systems",
    volume="29",
    **_arxiv("1606.05328"),
)
UMAP = Paper(
    "mcinnes2018umap",
    "misc",
    "{UMAP}: Uniform Manifold Approximation and Projection for Dimension Reduction",
    ("McInnes, Leland", "Healy, John", "Melville, James"),
    2018,
    **_arxiv("1802.03426"),
)
PRECISION = Paper(
    "kynkaanniemi2019precision",
    "inproceedings",
    "Improved Precision and Recall Metric for Assessing Generative Models",
    (
        "Kynkäänniemi, Tuomas",
        "Karras, Tero",
        "Laine, Samuli",
        "Lehtinen, Jaakko",
        "Aila, Timo",
    ),
    2019,
    venue="Advances in Neural Information Processing Systems",
    volume="32",
    **_arxiv("1904.06991"),
)
DENSITY = Paper(
    "naeem2020reliable",
    "inproceedings",
    "Reliable Fidelity and Diversity Metrics for Generative Models",
    (
        "Naeem, Muhammad Ferjad",
        "Oh, Seong Joon",
        "Uh, Youngjung",
        "Choi, Yunjey",
        "Yoo, Jaejun",
    ),
    2020,
    venue="Proceedings of the 37th International Conference on Machine Learning",
    volume="119",
    pages="7176--7185",
    **_arxiv("2002.09797"),
)
VENDI = Paper(
    "friedman2023vendi",
    "article",
    "The {Vendi} Score: A Diversity Evaluation Metric for Machine Learning",
    ("Friedman, Dan", "Dieng, Adji Bousso"),
    2023,
    venue="Transactions on Machine Learning Research",
    **_arxiv("2210.02410"),
)
SURGERY = Paper(
    "hoffman2016surgery",
    "inproceedings",
    "{ELBO} Surgery: Yet Another Way to Carve Up the Variational Evidence Lower Bound",
    ("Hoffman, Matthew D.", "Johnson, Matthew J."),
    2016,
    "http://approximateinference.org/accepted/HoffmanJohnson2016.pdf",
    venue="NIPS Workshop on Advances in Approximate Bayesian Inference",
)
KULFAN = Paper(
    "kulfan2008universal",
    "article",
    "Universal Parametric Geometry Representation Method",
    ("Kulfan, Brenda M.",),
    2008,
    "https://doi.org/10.2514/1.29958",
    venue="Journal of Aircraft",
    volume="45",
    pages="142--158",
)
NEURALFOIL = Paper(
    "sharpe2025neuralfoil",
    "misc",
    "{NeuralFoil}: An Airfoil Aerodynamics Analysis Tool Using Physics-Informed Machine Learning",
    ("Sharpe, Peter", "Hansman, R. John"),
    2025,
    **_arxiv("2503.16323"),
)
FASHION = Paper(
    "xiao2017fashion",
    "misc",
    "{Fashion-MNIST}: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
    ("Xiao, Han", "Rasul, Kashif", "Vollgraf, Roland"),
    2017,
    **_arxiv("1708.07747"),
)
MNIST = Paper(
    "lecun1998gradient",
    "article",
    "Gradient-Based Learning Applied to Document Recognition",
    ("LeCun, Yann", "Bottou, Léon", "Bengio, Yoshua", "Haffner, Patrick"),
    1998,
    "https://doi.org/10.1109/5.726791",
    venue="Proceedings of the IEEE",
    volume="86",
    pages="2278--2324",
)
STATIC_MNIST = Paper(
    "salakhutdinov2008quantitative",
    "inproceedings",
    "On the Quantitative Analysis of Deep Belief Networks",
    ("Salakhutdinov, Ruslan", "Murray, Iain"),
    2008,
    "https://doi.org/10.1145/1390156.1390266",
    venue="Proceedings of the 25th International Conference on Machine Learning",
    pages="872--879",
)
NADE = Paper(
    "larochelle2011nade",
    "inproceedings",
    "The Neural Autoregressive Distribution Estimator",
    ("Larochelle, Hugo", "Murray, Iain"),
    2011,
    "https://proceedings.mlr.press/v15/larochelle11a.html",
    venue="Proceedings of the 14th International Conference on Artificial Intelligence and "
    "Statistics",
    volume="15",
    pages="29--37",
)
OMNIGLOT = Paper(
    "lake2015omniglot",
    "article",
    "Human-Level Concept Learning Through Probabilistic Program Induction",
    ("Lake, Brenden M.", "Salakhutdinov, Ruslan", "Tenenbaum, Joshua B."),
    2015,
    "https://doi.org/10.1126/science.aab3050",
    venue="Science",
    volume="350",
    pages="1332--1338",
)
SILHOUETTES = Paper(
    "marlin2010inductive",
    "inproceedings",
    "Inductive Principles for Restricted {Boltzmann} Machine Learning",
    ("Marlin, Benjamin", "Swersky, Kevin", "Chen, Bo", "de Freitas, Nando"),
    2010,
    "https://proceedings.mlr.press/v9/marlin10a.html",
    venue="Proceedings of the 13th International Conference on Artificial Intelligence and "
    "Statistics",
    volume="9",
    pages="509--516",
)
