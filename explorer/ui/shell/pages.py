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
    "candidates": ("Candidates", ":material/bookmarks:"),
    "priors_lab": ("Priors lab", ":material/science:"),
    "evaluate": ("Evaluate", ":material/monitoring:"),
}


def page_path(name: str) -> Path:
    """Return the path of a page's file."""
    return settings.beside("pages") / f"{name}.py"
