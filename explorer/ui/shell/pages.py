"""The pages: their order, titles, icons and files."""

from pathlib import Path

from explorer import settings

TITLES = {
    "catalogue": ("Catalogue", ":material/grid_view:"),
    "generate": ("Generate", ":material/auto_awesome:"),
    "prototypes": ("Prototypes", ":material/star:"),
    "latent_map": ("Latent map", ":material/scatter_plot:"),
    "traverse": ("Traverse", ":material/tune:"),
    "interpolate": ("Interpolate", ":material/timeline:"),
    "reconstruct": ("Reconstruct", ":material/compare:"),
    "design": ("Design", ":material/architecture:"),
    "candidates": ("Candidates", ":material/bookmarks:"),
    "priors_lab": ("Priors lab", ":material/science:"),
    "evaluate": ("Evaluate", ":material/monitoring:"),
    "pictures": ("Your pictures", ":material/add_photo_alternate:"),
    "train": ("Train", ":material/model_training:"),
}

PURPOSES = {
    "catalogue": "All trained models at a glance: what each samples, and how well it does.",
    "generate": "Sample from the prior; its scale trades fidelity for diversity.",
    "prototypes": "What a learned prior is made of: its component means and their samples.",
    "latent_map": "Where the codes of data lie, where the prior has its mass, where they part.",
    "traverse": "Change one latent unit at a time, and watch what it does.",
    "interpolate": "Walk from one sample to another through the latent space.",
    "reconstruct": "How well a model knows a given sample, and where it lies among the data.",
    "design": "Say what a design must be, and get twelve that are; shape one with a finger.",
    "candidates": "The samples you kept: compare, rate, improve and export them.",
    "priors_lab": "Why the prior matters: two-dimensional models side by side, and lessons.",
    "evaluate": "Models of the same data, measured alike.",
    "pictures": "Bring your own pictures, and see what a model will see of them.",
    "train": "Train a model, and watch and turn it while it learns.",
}
"""What each page is for, in a sentence."""


def page_path(name: str) -> Path:
    """Return the path of a page's file."""
    return settings.beside("pages") / f"{name}.py"
