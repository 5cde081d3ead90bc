"""Data that are named on the command line: beside the recipe first, and through symbolic links."""

from pathlib import Path

from explorer.data.dataset import AbstractDataConfig, DataSet
from explorer.data.files import FilesConfig
from explorer.errors import RecipeError


def load_named(
    config: AbstractDataConfig, root: Path, *, beside: Path | None = None, download: bool = False
) -> DataSet:
    """Load the data of a recipe or a checkpoint that a person has named.

    A page, which anybody may open, loads data by `config.load`, which follows no links.

    Args:
        config: The data set.
        root: The data directory.
        beside: The folder of the recipe; relative paths are sought there first.
        download: Whether missing files may be downloaded.
    """
    if isinstance(config, FilesConfig):
        return config.load(root, beside=beside, links=True)
    return config.load(root, download=download)


def skipping(config: AbstractDataConfig) -> AbstractDataConfig:
    """Return the data without those of its files that cannot be read.

    Raises:
        RecipeError: If these are not a user's own files, read by the present rule.
    """
    if not isinstance(config, FilesConfig) or config.split_rule < 3:
        raise RecipeError(
            "--skip-broken is for your own files, read by split_rule 3; omit the option."
        )
    return config.model_copy(update={"skip_broken": True})
