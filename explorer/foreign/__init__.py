"""Models trained elsewhere, made checkpoints: from one's own script, or from a pair of files."""

from explorer.foreign.exporting import export_model
from explorer.foreign.importing import import_folder

__all__ = ["export_model", "import_folder"]
