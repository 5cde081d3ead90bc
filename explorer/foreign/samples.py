"""The data of a foreign model: a batch, a path or a data set, kept so that every page finds it."""

import io
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from explorer import settings
from explorer.checkpoint import SAMPLES, write
from explorer.data import AbstractDataConfig, DataSet, FilesConfig, outside
from explorer.data.named import load_named
from explorer.errors import ExportError

FEWEST = 20
MOST = 100_000
_CHANNELS = (1, 3)

Data = AbstractDataConfig | str | Path | np.ndarray | Tensor | Iterable[Any]
"""What a caller may give as data."""


class Kept(NamedTuple):
    """A data set as its checkpoint keeps it: the recipe for later, and the samples now."""

    config: AbstractDataConfig
    data: DataSet
    range: tuple[float, float]


def kept(
    given: Data,
    labels: Sequence[Any] | np.ndarray | Tensor | None,
    folder: Path,
    value_range: tuple[float, float] | None,
    light: bool | None,
) -> Kept:
    """Read the data, and write them beside the weights if they are a batch.

    Args:
        given: A batch, batches, a path, or a data set of this package.
        labels: Classes of a batch.
        folder: Where the checkpoint is being written.
        value_range: The values that stand for black and white, as the model was trained.
        light: Whether pictures are light on dark ground or photographs; None to guess.

    Raises:
        ExportError: If a batch is no set of samples.
        DataError: If a file cannot be read.
    """
    if isinstance(given, AbstractDataConfig):
        data = load_named(given, settings.current().data)
        return Kept(given.settled(data), data, value_range or (0.0, 1.0))
    if isinstance(given, str | Path):
        place = Path(given).expanduser().absolute()
        found = FilesConfig(path=str(place), invert=False, light=light)
        data = load_named(found, place.parent)
        if data.sketch.shape[0] == 1 and not light:
            found = found.model_copy(update={"channels": 1})
        return Kept(found.settled(data), data, value_range or (0.0, 1.0))
    x, y = _batch(given, labels)
    low, high = value_range or ((-1.0, 1.0) if float(x.min()) < -0.01 else (0.0, 1.0))
    if x.dtype == np.uint8:
        x = x.astype(np.float32) / 255
        low, high = value_range or (0.0, 1.0)
    else:
        x = ((x.astype(np.float32) - low) / (high - low)).clip(0, 1)
    arrays: dict[str, np.ndarray] = {"x": _small(x)}
    if y is not None:
        arrays["y"] = y
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / SAMPLES, stream.getvalue())
    whole = arrays["x"].dtype == np.uint8
    config = FilesConfig(
        path=str((folder / SAMPLES).absolute()),
        channels=x.shape[1],
        invert=None if x.shape[1] == 3 else False,
        light=light,
        black=0,
        white=255 if whole else 1,
    )
    data = config.load(folder)
    settled = config.settled(data).model_copy(update={"path": SAMPLES})
    return Kept(settled, data, (low, high))


def beside(config: FilesConfig, source: Path, folder: Path) -> FilesConfig:
    """Keep the samples of a foreign model beside its weights, where its recipe names its own file.

    Args:
        config: The recipe.
        source: The folder of the foreign model, in which a relative path is sought.
        folder: Where the checkpoint is being written.

    Returns:
        The recipe of the copy; of a folder, which stays where it is, by its whole path.
    """
    found = source / config.path
    if Path(config.path).is_absolute() or not found.exists():
        return config
    if found.is_dir():
        whole = found.resolve()
        outside.remember(whole)
        return config.model_copy(update={"path": str(whole)})
    folder.mkdir(parents=True, exist_ok=True)
    if found.suffix.lower() == ".npz":
        shutil.copyfile(found, folder / SAMPLES)
    else:
        stream = io.BytesIO()
        np.savez_compressed(stream, x=np.load(found, allow_pickle=False))
        write(folder / SAMPLES, stream.getvalue())
    return config.model_copy(update={"path": SAMPLES})


def _batch(
    given: np.ndarray | Tensor | Iterable[Any], labels: Sequence[Any] | np.ndarray | Tensor | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return samples as n x channels x height x width, and labels."""
    if not isinstance(given, np.ndarray | Tensor):
        given, found = _gathered(given)
        labels = found if labels is None else labels
    x = given.detach().cpu().numpy() if isinstance(given, Tensor) else given
    y = labels.detach().cpu().numpy() if isinstance(labels, Tensor) else labels
    if x.dtype.kind not in "fuib" or x.ndim not in (2, 3, 4):
        raise ExportError(
            f"The data have the type {x.dtype} and the shape {list(x.shape)}; "
            "give pictures as n x h x w, n x c x h x w, n x h x w x c, or n x d with d a square."
        )
    if not FEWEST <= len(x) <= MOST:
        raise ExportError(
            f"The data are {len(x):,} samples; give {FEWEST} to {MOST:,}, "
            "for example the test set."
        )
    if not np.isfinite(x).all():
        raise ExportError("The data have values that are not finite; leave these samples out.")
    if x.ndim == 2:
        side = round(x.shape[1] ** 0.5)
        if side * side != x.shape[1]:
            raise ExportError(
                f"Samples of {x.shape[1]} values are no square pictures; "
                "give them as n x h x w instead."
            )
        x = x.reshape(-1, 1, side, side)
    elif x.ndim == 3:
        x = x[:, None]
    elif x.shape[1] not in _CHANNELS:
        x = np.moveaxis(x, 3, 1)
    if x.shape[1] not in _CHANNELS:
        raise ExportError(
            f"Pictures have {x.shape[1]} channels; give grey ones or ones in three colours."
        )
    if y is not None and len(y) != len(x):
        raise ExportError(
            f"There are {len(y):,} labels for {len(x):,} samples; give one for each."
        )
    return x, None if y is None else np.asarray(y)


def _gathered(batches: Iterable[Any]) -> tuple[np.ndarray, np.ndarray | None]:
    """Read a loader of batches, (x, y) or x, up to the most that are kept."""
    xs, ys, count = list[np.ndarray](), list[np.ndarray](), 0
    for batch in batches:
        first, second = (*batch, None)[:2] if isinstance(batch, tuple | list) else (batch, None)
        xs.append(torch.as_tensor(first).detach().cpu().numpy())
        if isinstance(second, Tensor) and second.ndim == 1:
            ys.append(second.cpu().numpy())
        count += len(xs[-1])
        if count >= MOST:
            break
    if not xs or xs[0].ndim < 2:
        raise ExportError("The data give no batches of samples; give an array or a data loader.")
    x, y = np.concatenate(xs)[:MOST], np.concatenate(ys)[:MOST] if ys else None
    return x, y if y is not None and len(y) == len(x) else None


def _small(x: Float[np.ndarray, "samples *sample"]) -> Shaped[np.ndarray, "samples *sample"]:
    """Return values of 8 bits as such."""
    whole = np.rint(255 * x)
    exact = bool(np.abs(x - whole / 255).max() < 1e-6)
    binary = bool(((x == 0) | (x == 1)).all())
    return whole.astype(np.uint8) if exact and not binary else x
