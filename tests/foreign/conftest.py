import shutil

import pytest

from explorer.foreign import import_folder
from tests.support.graphs import encoder, write_pair


@pytest.fixture(scope="session")
def imported(tmp_path_factory):
    """Checkpoints of hand-made graphs: with a spread, with points, and by squared error."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("imported")
        patch.setenv("LATENT_EXPLORER_USER", str(place / "user"))
        pairs = {
            "gaussian": {},
            "points": {"spread": None},
            "error": {"likelihood": "mse"},
        }
        for name, more in pairs.items():
            first = encoder(spread=name != "points")
            source = write_pair(place / "pairs" / name, first, description=more)
            import_folder(source, folder=place / "shelf", importance_samples=4)
    return place


@pytest.fixture
def shelf(imported, tmp_path, monkeypatch):
    """Those checkpoints in the place of the shipped ones, with verdicts of their own."""
    folder = tmp_path / "shelf"
    shutil.copytree(imported / "shelf", folder)
    shutil.copytree(imported / "user", tmp_path / "user")
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(folder))
    return folder
