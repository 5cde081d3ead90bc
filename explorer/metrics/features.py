"""Distances between images and samples in features learned from the data's classes.

A small network is trained to classify the training split; its penultimate activations are the
features. Distances are comparable only between models measured with the same network, never
across networks.
"""

import hashlib
import json
import math
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor, nn

from explorer import checkpoint, settings
from explorer.data import DataSet
from explorer.devices import at_once
from explorer.errors import CheckpointError, DataError
from explorer.metrics.samples import GROUPS, jackknife

FOLDER = "_features"
SIZE = 64
STEPS = 2500
SUBSETS = 100
_BATCH, _LEARNING_RATE = 128, 2e-3
_MOST_BYTES = 4_000_000


class FeatureNet(nn.Module):
    """A classifier of three convolutions and a layer of 64 features.

    Args:
        shape: Shape of an image.
        classes: Number of classes.
    """

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        rows, columns = (math.ceil(side / 4) for side in shape[1:])
        self.body = nn.Sequential(
            nn.Conv2d(shape[0], 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, 2, 1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * rows * columns, SIZE),
            nn.ReLU(),
        )
        self.answer = nn.Linear(SIZE, classes)

    def forward(self, x: Float[Tensor, "batch *sample"]) -> Float[Tensor, "batch features"]:
        """Return the features."""
        out: Tensor = self.body(x)
        return out


class Known(NamedTuple):
    """A trained network, its test accuracy, and the hash of its weights."""

    network: FeatureNet
    accuracy: float
    hash: str


def train_features(data: DataSet, steps: int = STEPS, seed: int = 0) -> tuple[FeatureNet, float]:
    """Train a network on the classes of the training split; return it with its test accuracy.

    Raises:
        DataError: If the data are not images, or lack labelled samples.
    """
    if data.train.labels is None or data.test.labels is None or len(data.sketch.shape) != 3:
        raise DataError(
            "The feature network needs images with class labels; these data have none."
        )
    if not ((data.train.labels >= 0).any() and (data.test.labels >= 0).any()):
        raise DataError(
            "The feature network needs labelled images in training and in test; these have none."
        )
    torch.manual_seed(seed)
    network = FeatureNet(data.sketch.shape, len(data.classes))
    x, labels = torch.from_numpy(data.train.x), torch.from_numpy(data.train.labels)
    known = labels >= 0
    x, labels = x[known], labels[known]
    optimiser = torch.optim.AdamW(network.parameters(), _LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LEARNING_RATE, total_steps=steps)
    generator = torch.Generator().manual_seed(seed)
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(order) < _BATCH:
            order = torch.cat([order, torch.randperm(len(x), generator=generator)])
        rows, order = order[:_BATCH], order[_BATCH:]
        batch = torch.bernoulli(x[rows], generator=generator) if data.dynamic else x[rows]
        loss = nn.functional.cross_entropy(network.answer(network(batch)), labels[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    network.eval().requires_grad_(False)
    test = torch.from_numpy(data.test.x)
    answers = torch.cat(
        [network.answer(network(rows)).argmax(1) for rows in test.split(at_once(network, 2000))]
    )
    wanted = torch.from_numpy(data.test.labels)
    return network, float((answers == wanted)[wanted >= 0].float().mean())


def save_features(network: FeatureNet, accuracy: float, folder: Path, kind: str) -> Path:
    """Write a network beside the checkpoints, its weights in half precision."""
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    facts = {
        "accuracy": json.dumps(accuracy),
        "shape": json.dumps([network.body[0].in_channels]),
        "classes": json.dumps(network.answer.out_features),
    }
    tensors = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    path = place / f"{kind}.safetensors"
    checkpoint.write(path, serialise(tensors, facts))
    return path


def load_features(kind: str, shape: tuple[int, ...], classes: int) -> Known | None:
    """Read the network of a data set; None if none was trained.

    Raises:
        CheckpointError: If the file is damaged or made for other images.
    """
    path = _place(kind)
    if path is None:
        return None
    network = FeatureNet(shape, classes)
    try:
        with safe_open(path, framework="pt") as stored:
            accuracy = float(json.loads(stored.metadata()["accuracy"]))
            tensors = {name: stored.get_tensor(name).float() for name in stored.keys()}  # noqa: SIM118
        network.load_state_dict(tensors)
    except (
        SafetensorError, OSError, RuntimeError, ValueError, KeyError, TypeError
    ) as error:  # fmt: skip
        what = " ".join(str(error).split())[:120]
        raise CheckpointError(f"{path.name} cannot be used ({what}); train it again.") from error
    # Of the weights, not of the file, whose metadata has no fixed order.
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode())
        digest.update(tensor.numpy().tobytes())
    return Known(network.eval().requires_grad_(False), accuracy, digest.hexdigest()[:16])


def stored_classes(kind: str) -> int | None:
    """Return the number of classes of a data set's network; None if none was trained."""
    path = _place(kind)
    if path is None:
        return None
    try:
        with safe_open(path, framework="pt") as stored:
            return int(json.loads(stored.metadata()["classes"]))
    except (SafetensorError, OSError, ValueError, KeyError, TypeError):
        return None


def _place(kind: str) -> Path | None:
    """Return the file of a data set's network: the user's own, or the shipped one."""
    chosen = settings.current()
    for folder in (chosen.user / "checkpoints", chosen.checkpoints):
        path = folder / FOLDER / f"{kind}.safetensors"
        if path.is_file() and path.stat().st_size <= _MOST_BYTES:
            return path
    return None


class _Given(nn.Module):
    """Passes features through unchanged, for metrics that want a network."""

    num_features = SIZE

    def forward(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch features"]:
        return x


class Distances(NamedTuple):
    """Fréchet distance and kernel distance."""

    frechet: float
    kernel: float


def frechet_distance(
    real: Float[np.ndarray, "samples features"], fake: Float[np.ndarray, "others features"]
) -> tuple[float, float]:
    """Return |m - n|^2 + tr(A + B - 2 (A B)^(1/2)) of two sets' moments, and its standard error.

    The error is that over the draw of the second set, by the jackknife over 20 groups of it.

    References:
        GANs trained by a two time-scale update rule (Heusel et al., 2017), section 3.
        https://arxiv.org/abs/1706.08500
    """
    mean, covariance = real.mean(0, np.float64), np.cov(real.T.astype(np.float64))
    root = _root(covariance)

    def distance(n: int, total: np.ndarray, square: np.ndarray) -> float:
        own = total / n
        spread = (square - n * np.outer(own, own)) / (n - 1)
        # The eigenvalues of A B are those of A^(1/2) B A^(1/2), which is symmetric.
        values = np.linalg.eigvalsh(root @ spread @ root)
        both = np.trace(covariance) + np.trace(spread)
        cross = np.sqrt(np.maximum(values, 0)).sum()
        return float(((mean - own) ** 2).sum() + both - 2 * cross)

    parts = np.array_split(fake.astype(np.float64), min(GROUPS, len(fake) // 2))
    totals = [part.sum(0) for part in parts]
    squares = [part.T @ part for part in parts]
    total, square = np.sum(totals, 0), np.sum(squares, 0)
    left = [
        distance(len(fake) - len(part), total - own, square - second)
        for part, own, second in zip(parts, totals, squares, strict=True)
    ]
    return distance(len(fake), total, square), jackknife(np.array(left))


def _root(matrix: Float[np.ndarray, "size size"]) -> Float[np.ndarray, "size size"]:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def features_of(
    network: FeatureNet, x: Float[np.ndarray, "samples *sample"]
) -> Float[np.ndarray, "samples features"]:
    """Return the features of samples in data units."""
    with torch.inference_mode():
        parts = torch.from_numpy(x).split(at_once(network, 1000))
        return torch.cat([network(rows) for rows in parts]).numpy()


def feature_distances(
    network: FeatureNet,
    real: Float[Tensor, "samples *sample"],
    fake: Float[Tensor, "others *sample"],
    seed: int = 0,
) -> Distances:
    """Compare images and samples by mean and covariance, and by a polynomial kernel.

    Both depend on the number of samples: compare only at equal n, and to real data vs. real data.

    References:
        GANs trained by a two time-scale update rule (Heusel et al., 2017), section 3.
        https://arxiv.org/abs/1706.08500
        Demystifying MMD GANs (Binkowski et al., 2018), section 3. https://arxiv.org/abs/1801.01401
    """
    subset = min(1000, min(len(real), len(fake)) // 2)
    with warnings.catch_warnings():
        # It keeps all features, of 64 numbers each; and its imports use deprecated parts of torch.
        warnings.simplefilter("ignore")
        from torchmetrics.image.fid import FrechetInceptionDistance
        from torchmetrics.image.kid import KernelInceptionDistance

        frechet = FrechetInceptionDistance(feature=_Given()).set_dtype(torch.float64)
        kernel = KernelInceptionDistance(feature=_Given(), subsets=SUBSETS, subset_size=subset)
    for pictures, own in ((real, True), (fake, False)):
        features = torch.cat([network(rows) for rows in pictures.split(at_once(network, 1000))])
        frechet.update(features.double(), real=own)
        kernel.update(features, real=own)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        mean, _ = kernel.compute()
    return Distances(float(frechet.compute()), float(mean))
