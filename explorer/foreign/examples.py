"""Shipped classifiers as examples of networks that are installed as properties."""

import re
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.checkpoint import Entry, catalogue, write
from explorer.designs.asked import MOST_OUTPUTS, Description, Output
from explorer.designs.installed import DESCRIPTION
from explorer.errors import DesignError
from explorer.foreign.graphs import traced
from explorer.metrics.features import FOLDER, FeatureNet, load_features, stored_classes
from explorer.projection import load_atlas
from explorer.runtime import verdicts

_NAMES = {
    "digits": ("digit", "Digit"),
    "mnist-static": ("mnist", "MNIST digit"),
    "fashion": ("garment", "Garment"),
    "caltech-silhouettes": ("silhouette", "Silhouette"),
}
"""Keys and names of what the classifiers of shipped data tell."""


class _Classifier(nn.Module):
    """A feature network with its last layer, which features leave out."""

    def __init__(self, network: FeatureNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Float[Tensor, "batch *sample"]) -> Float[Tensor, "batch classes"]:
        """Return logits."""
        out: Tensor = self.network.answer(self.network(x))
        return out


def write_example(kind: str, folder: Path) -> Path:
    """Write the classifier behind a data set's Fréchet distances as a graph with its description.

    Args:
        kind: The kind of the data set.
        folder: Where to; what it holds of the same names is replaced.

    Raises:
        DesignError: If no classifier of such data was trained.
    """
    verdicts.require()
    verdicts.require_exporter()
    entries = [
        item
        for item in catalogue()
        if item.data == kind and item.config is not None and item.config.sketch is not None
    ]
    count = stored_classes(kind)
    if not entries or count is None or not 2 <= count <= MOST_OUTPUTS:
        raise DesignError(
            f"There is no classifier of the data set “{kind[:60]}”; train one with "
            f"`latent-explorer features SLUG` (its weights go to {FOLDER}), or choose digits."
        )
    config = entries[0].config
    assert config is not None
    assert config.sketch is not None
    shape = config.sketch.shape
    known = load_features(kind, shape, count)
    assert known is not None
    key, label = _NAMES.get(kind, (re.sub(r"[^a-z0-9]+", "_", kind)[:33], kind))
    names = _classes(entries, count)
    described = Description(
        key=key,
        label=label,
        kind="classifier",
        shape=shape,
        softmax=True,
        outputs=tuple(
            Output(key=f"{key}_{k}", label=name[:40], digits=1) for k, name in enumerate(names)
        ),
        origin=f"right in {100 * known.accuracy:.1f} % of test data",
    )
    content = traced(_Classifier(known.network), torch.zeros(2, *shape), "classifier")
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / verdicts.NETWORK, content)
    write(folder / DESCRIPTION, (described.model_dump_json(indent=1) + "\n").encode())
    return folder


def _classes(entries: list[Entry], count: int) -> tuple[str, ...]:
    """Return the names of the classes, as the map of any model of the data has them."""
    for entry in entries:
        atlas = load_atlas(entry.open()) if entry.healthy else None
        if atlas is not None and len(atlas.classes) == count:
            return tuple(" ".join(name.split()) or str(k) for k, name in enumerate(atlas.classes))
    return tuple(map(str, range(count)))
