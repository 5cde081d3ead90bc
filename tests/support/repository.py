"""Where pages and checkpoints are in the repository."""

from explorer import checkpoint, settings

PACKAGE = settings.PACKAGE

ROOT = PACKAGE.parent

PAGES = sorted((ROOT / "pages").glob("*.py"))

SHIPPED = sorted(
    folder
    for folder in (ROOT / "checkpoints").glob("*")
    if folder.is_dir() and not folder.name.startswith((".", "_"))
)

WHOLE = [folder for folder in SHIPPED if (folder / checkpoint.WEIGHTS).is_file()]
"""Those with weights; the others are results only."""


def relative(path):
    return str(path.relative_to(ROOT))
