"""Data that are named on the command line: beside the recipe first, and through symbolic links."""

from pathlib import Path

from explorer.data import outside
from explorer.data.dataset import AbstractDataConfig, DataSet
from explorer.data.files import FilesConfig
from explorer.errors import RecipeError


def load_named(
    config: AbstractDataConfig, root: Path, *, beside: Path | None = None, download: bool = False
) -> DataSet:
    """Load the data of a recipe or a checkpoint that a person has named.

    An absolute path is remembered, so that pages may follow it (`load_shown`).

    Args:
        config: The data set.
        root: The data directory.
        beside: The folder of the recipe; relative paths are sought there first.
        download: Whether missing files may be downloaded.
    """
    if isinstance(config, FilesConfig):
        found = config.load(root, beside=beside, links=True)
        if Path(config.path).is_absolute():
            outside.remember(Path(config.path))
        return found
    return config.load(root, download=download)


def load_shown(config: AbstractDataConfig, root: Path) -> DataSet:
    """Load the data of a checkpoint for a page, which anybody may open, or for a job of one.

    No links are followed, and no absolute path but those in the app's own folders and those that a
    person has named: else a recipe put into the folder of checkpoints could show any file.

    Args:
        config: The data set.
        root: The data directory.

    Raises:
        DataMissingError: If its path may not be followed.
        DataError: If it cannot be read.
    """
    if isinstance(config, FilesConfig) and Path(config.path).is_absolute():
        outside.require(Path(config.path), root)
    return config.load(root)


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
