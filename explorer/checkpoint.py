"""A checkpoint is a folder of data: config.json, model.safetensors, and the measurements.

Opening one validates everything before anything is built: the config against its schema, names,
shapes, types and values of all tensors, and the size of every file.
"""

import hashlib
import json
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field, TypeAdapter, ValidationError
from torch import Tensor, nn

from explorer import settings, slugs, weights
from explorer.config import RunConfig, first_problem
from explorer.data import DataSet, FilesConfig, Fingerprint
from explorer.errors import CheckpointError, UnknownCheckpointError
from explorer.interfaces import AbstractModel, AbstractPrior, Frozen

CONFIG, WEIGHTS, METRICS, CARD = "config.json", "model.safetensors", "metrics.json", "card.md"
FINGERPRINT = "data.json"
SAMPLES = "samples.npz"
"""Samples that came with a foreign model: a recipe of this path means the file beside it."""

LIKELIHOOD, ATLAS, PREVIEW, SNAPSHOTS, TRADEOFF, REFERENCE = (
    "likelihood.npz",
    "atlas.npz",
    "preview.png",
    "snapshots.npz",
    "tradeoff.npz",
    "reference.npz",
)

FLOW, FLOW_WEIGHTS = "flow.json", "flow.safetensors"
"""The flow on a model's codes, as in `sampler`; only ever among the user's results."""

FEATURES = "_features"
"""Folder of the networks behind Fréchet and kernel distances, beside the checkpoints."""

MAX_TEXT_BYTES = 2_000_000
MAX_ARRAY_BYTES = 400_000_000


class Metric(Frozen):
    """One measured number, with its sample size, seed, standard error and unit.

    `null` is the same measure with real data in place of samples: the score of a perfect model;
    `null_high` is the 95th percentile of that score, where it was measured repeatedly.
    """

    value: float = Field(allow_inf_nan=False)
    se: float | None = Field(None, allow_inf_nan=False)
    n: int = Field(ge=0)
    seed: int | None = None
    unit: str = Field(max_length=40)
    samples: int | None = None
    null: float | None = Field(None, allow_inf_nan=False)
    null_high: float | None = Field(None, allow_inf_nan=False)


SCORES = ("log_likelihood", "elbo", "reconstruction")
"""Metrics that are log-likelihoods, or bounds or parts of one."""

Metrics = dict[str, Metric]
_MOST_METRICS = 1000
_METRICS = TypeAdapter(Annotated[Metrics, Field(max_length=_MOST_METRICS)])


@dataclass(frozen=True)
class Checkpoint:
    """An opened checkpoint: the trained model in evaluation mode, its prior and its metrics."""

    slug: str
    folder: Path
    config: RunConfig
    model: AbstractModel
    prior: AbstractPrior | None
    metrics: Metrics
    hash: str
    fingerprint: Fingerprint | None = None
    """What identifies the data it was trained on; None if that was not recorded."""

    @property
    def pseudo(self) -> bool:
        """Whether its score is a pseudo-likelihood: Bernoulli on values that are not binary."""
        return _is_pseudo(self.config, self.fingerprint)

    @property
    def binary(self) -> bool:
        """Whether its samples are binary, so that other inputs have to be binarised first."""
        if self.fingerprint is not None:
            return self.fingerprint.binary
        return self.config.model.likelihood == "bernoulli" and self.config.data.binarised is True

    def changes(self, data: DataSet) -> str:
        """Say in a sentence how its data differ from those it was trained on; empty if not."""
        config = self.config.data
        if self.fingerprint is None:
            if config.fixed:
                return ""
            return (
                f"{self.slug} does not record its data: results hold only if the files are "
                "unchanged since training."
            )
        change = self.fingerprint.difference(config.fingerprint(data))
        if not change:
            return ""
        safe = "; no training sample has moved into test." if data.numbered_by_content else "."
        return f"The data have changed since {self.slug} was trained ({change}){safe}"

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """Read an npz file, preferring the user's to the shipped one; empty if there is none."""
        for place in (results_folder(self.hash), self.folder):
            if (place / name).is_file():
                return read_arrays(place / name)
        return {}


@dataclass(frozen=True)
class Entry:
    """One folder of the catalogue; a broken one gives the reason.

    A `results_only` entry cannot be opened but is not broken: its metrics are shipped, its weights
    are not.
    """

    slug: str
    folder: Path
    healthy: bool
    reason: str = ""
    data: str = ""
    model: str = ""
    prior: str = ""
    latent: int = 0
    hash: str = ""
    metrics: Metrics = field(default_factory=dict)
    config: RunConfig | None = None
    results_only: bool = False
    fingerprint: Fingerprint | None = None

    @property
    def pseudo(self) -> bool:
        """Whether its score is a pseudo-likelihood: Bernoulli on values that are not binary."""
        return self.config is not None and _is_pseudo(self.config, self.fingerprint)

    def open(self) -> Checkpoint:
        """Load the checkpoint.

        Raises:
            CheckpointError: If it is broken.
        """
        return load(self.folder)

    def as_json(self) -> dict[str, object]:
        """Return the entry as printed by `latent-explorer list --json`."""
        keys = ("slug", "healthy", "reason", "data", "model", "prior", "latent", "hash")
        metrics = {
            name: metric.model_dump(exclude_none=True) for name, metric in self.metrics.items()
        }
        facts = {key: getattr(self, key) for key in keys}
        return facts | {"results_only": self.results_only, "metrics": metrics}


def catalogue(
    folder: Path | str | None = None,
    patience: float | None = None,
    reader: Callable[[Path, float | None], Entry] | None = None,
) -> list[Entry]:
    """List every checkpoint; broken ones carry the reason.

    Args:
        folder: A folder of checkpoints; by default the shipped ones and those trained by the
            user.
        patience: Seconds to wait for each that has to be tried first, because its networks are
            foreign; None to wait until all are.
        reader: Describes a folder in place of `inspect`, for example from memory.
    """
    describe = reader or inspect
    chosen = settings.current()
    folders = (
        [Path(folder)] if folder is not None else [chosen.checkpoints, chosen.user / "checkpoints"]
    )
    entries: dict[str, Entry] = {}
    hidden = []
    for place in dict.fromkeys(folder.resolve() for folder in folders):
        if not place.is_dir():
            continue
        for candidate in sorted(place.iterdir()):
            if not candidate.is_dir() or _internal(candidate):
                continue
            if candidate.name not in entries:
                entries[candidate.name] = describe(candidate, patience)
            elif (candidate / CONFIG).is_file():
                hidden.append(_hidden(candidate, entries[candidate.name]))
    return [*entries.values(), *hidden]


def inspect(folder: Path, patience: float | None = None) -> Entry:
    """Describe one folder of the catalogue; a broken one carries the reason.

    Args:
        folder: The folder.
        patience: Seconds to wait until foreign networks are tried; None to wait to the end.
    """
    slug = slugs.printable(folder.name)
    if not slugs.is_slug(folder.name):
        reason = (
            f"No link can name it: its name {slugs.why_not(folder.name)}; "
            f"rename the folder to {slugs.suggest(folder.name, slugs.beside(folder))}."
        )
        return Entry(slug, folder, healthy=False, reason=reason)
    try:
        if not (folder / WEIGHTS).exists() and (folder / METRICS).is_file():
            config = _config(folder)
            metrics = read_metrics(folder)
            reason = "Results only: its recipe and metrics are included, its weights are not."
            return _described(folder, config, metrics, results_only=True, reason=reason)
        config, _, digest = _read(folder)
        assert config.sketch is not None
        config.model.examine(config.sketch, folder, patience)
        metrics = _measured(folder, digest)
        return _described(folder, config, metrics, healthy=True, hash=digest)
    except CheckpointError as error:
        return Entry(slug, folder, healthy=False, reason=str(error))
    except OSError as error:
        return Entry(slug, folder, healthy=False, reason=f"It cannot be read ({error.strerror}).")


def load(slug_or_path: str | Path, patience: float | None = None) -> Checkpoint:
    """Open a checkpoint by its slug or its folder.

    Args:
        slug_or_path: Its name, or its folder.
        patience: Seconds to wait for foreign networks to be tried; None to wait to the end.

    Raises:
        UnknownCheckpointError: If there is no such checkpoint.
        CheckpointError: If anything in it is invalid; the message says what.
    """
    folder = _find(slug_or_path)
    config, tensors, digest = _read(folder)
    model, prior = config.build()
    _fill(model, "model", tensors)
    model.attach(folder, patience)
    if prior is not None:
        _fill(prior, "prior", tensors)
        prior.eval().requires_grad_(False)
    fingerprint = read_fingerprint(folder)
    return Checkpoint(
        slug=slugs.name_of(folder),
        folder=folder,
        config=config,
        model=model.eval().requires_grad_(False),
        prior=prior,
        metrics=_named(_measured(folder, digest), config, fingerprint),
        hash=digest,
        fingerprint=fingerprint,
    )


def results_folder(digest: str) -> Path:
    """Return the user's results folder for a content hash; it overrides the shipped one."""
    return settings.current().user / "results" / digest


def save(
    model: AbstractModel, prior: AbstractPrior | None, config: RunConfig, folder: Path | str
) -> Path:
    """Write config and weights; each file is written atomically.

    The recipe sets the precision in which weight matrices are stored.

    Args:
        model: The trained model.
        prior: Its prior, or None for an autoencoder.
        config: The recipe, with the sketch of the data.
        folder: Where to write; created if absent.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{part}.{name}": tensor
        for part, module in _parts(model, prior)
        for name, tensor in module.state_dict().items()
    }
    bits = config.training.bits or (16 if config.training.half else 32)
    for name, content in model.beside().items():
        write(folder / name, content)
    write(folder / WEIGHTS, weights.packed(tensors, bits))
    write(folder / CONFIG, (config.model_dump_json(indent=1, exclude_none=True) + "\n").encode())
    return folder


def content_hash(folder: Path) -> str:
    """Hash config and weights: the identity of a checkpoint, independent of its metrics."""
    digest = hashlib.sha256()
    for name in (CONFIG, WEIGHTS):
        content = (folder / name).read_bytes()
        digest.update(struct.pack("<Q", len(content)))
        digest.update(content)
    return digest.hexdigest()[:16]


def read_metrics(folder: Path) -> Metrics:
    """Read metrics.json; return an empty dictionary if there is none.

    Raises:
        CheckpointError: If the file is invalid.
    """
    path = folder / METRICS
    if not path.is_file():
        return {}
    try:
        return _METRICS.validate_json(_text(path))
    except ValidationError as error:
        raise CheckpointError(f"{path.name}: {first_problem(error)}") from error


def write_metrics(folder: Path, metrics: Metrics) -> None:
    """Write metrics.json."""
    ready = {name: metric.model_dump(exclude_none=True) for name, metric in metrics.items()}
    write(folder / METRICS, (json.dumps(ready, indent=1) + "\n").encode())


def read_fingerprint(folder: Path) -> Fingerprint | None:
    """Read what identifies the data of a checkpoint; None if it was not recorded.

    Raises:
        CheckpointError: If the file is invalid.
    """
    path = folder / FINGERPRINT
    if not path.is_file():
        return None
    try:
        return Fingerprint.model_validate_json(_text(path))
    except ValidationError as error:
        raise CheckpointError(f"{path.name}: {first_problem(error)}") from error


def write_fingerprint(folder: Path, fingerprint: Fingerprint) -> None:
    """Write data.json."""
    write(folder / FINGERPRINT, (fingerprint.model_dump_json(indent=1) + "\n").encode())


def without_pseudo(metrics: Metrics) -> Metrics:
    """Rename the scores of a pseudo-likelihood, so that nothing compares them with likelihoods."""
    return {
        f"pseudo_{name}" if name in SCORES else name: metric
        for name, metric in metrics.items()
        if name != "bits_per_dimension"
    }


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read an npz file without unpickling, with its size checked before it is unpacked.

    Raises:
        CheckpointError: If it is damaged, too large, or holds objects.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_ARRAY_BYTES:
                raise CheckpointError(
                    f"{path.name} unpacks to over {MAX_ARRAY_BYTES // 10**6} MB; remove it."
                )
        with np.load(path, allow_pickle=False) as stored:
            found = {name: stored[name] for name in stored.files}
        if not all(isinstance(value, np.ndarray) for value in found.values()):
            raise ValueError("a member is not an array")
        return found
    except (
        OSError,
        ValueError,
        EOFError,
        KeyError,
        MemoryError,
        OverflowError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
    ) as error:
        raise CheckpointError(f"{path.name} cannot be read ({error}); build it again.") from error


def write(path: Path, content: bytes) -> None:
    """Write a file atomically: to a temporary file beside it, then renamed."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)


def _find(slug_or_path: str | Path) -> Path:
    path = Path(slug_or_path)
    if (
        len(os.fspath(path)) < 1000
        and max(map(len, path.parts), default=0) < 200
        and path.is_dir()
        and (isinstance(slug_or_path, Path) or len(path.parts) > 1)
    ):
        return path
    chosen = settings.current()
    if len(path.parts) == 1 and len(path.name) < 200 and path.name not in ("", ".", ".."):
        for place in (chosen.checkpoints, chosen.user / "checkpoints"):
            if (place / path.name).is_dir():
                return place / path.name
    raise UnknownCheckpointError(
        f"There is no checkpoint called {str(slug_or_path)[:80]}; see `latent-explorer list`."
    )


def _internal(folder: Path) -> bool:
    """Whether a folder is the app's own, or hidden and without a recipe."""
    unnamed = folder.name.startswith((".", "_")) and not (folder / CONFIG).is_file()
    return folder.name == FEATURES or unnamed


def _hidden(folder: Path, other: Entry) -> Entry:
    """Describe a folder that no slug can reach, since another one comes first."""
    better = slugs.suggest(folder.name, slugs.beside(folder))
    reason = (
        f"{folder} is hidden by the model of the same name in {other.folder.parent}; "
        f"rename the folder to {better}."
    )
    return Entry(slugs.printable(folder.name), folder, healthy=False, reason=reason)


def _is_pseudo(config: RunConfig, fingerprint: Fingerprint | None) -> bool:
    return config.is_pseudo(None if fingerprint is None else fingerprint.binary)


def _named(metrics: Metrics, config: RunConfig, fingerprint: Fingerprint | None) -> Metrics:
    return without_pseudo(metrics) if _is_pseudo(config, fingerprint) else metrics


def _described(
    folder: Path,
    config: RunConfig,
    metrics: Metrics,
    *,
    healthy: bool = False,
    results_only: bool = False,
    reason: str = "",
    hash: str = "",
) -> Entry:
    fingerprint = read_fingerprint(folder)
    return Entry(
        slug=folder.name,
        folder=folder,
        healthy=healthy,
        reason=reason,
        data=config.data.kind,
        model=config.model.kind,
        prior=config.prior.kind if config.prior else "none",
        latent=config.model.latent,
        hash=hash,
        metrics=_named(metrics, config, fingerprint),
        config=config,
        results_only=results_only,
        fingerprint=fingerprint,
    )


def _config(folder: Path) -> RunConfig:
    try:
        config = RunConfig.model_validate_json(_text(folder / CONFIG))
    except ValidationError as error:
        raise CheckpointError(f"{CONFIG}: {first_problem(error)}") from error
    if config.sketch is None:
        raise CheckpointError(f"{CONFIG} has no sketch; train it again.")
    own = folder.resolve() / SAMPLES
    if isinstance(config.data, FilesConfig) and config.data.path == SAMPLES and own.is_file():
        here = config.data.model_copy(update={"path": str(own)})
        config = config.model_copy(update={"data": here})
    if isinstance(config.data, FilesConfig) and "split_rule" not in config.data.model_fields_set:
        by_position = config.data.model_copy(update={"split_rule": 1})
        return config.model_copy(update={"data": by_position})
    return config


def _read(folder: Path) -> tuple[RunConfig, dict[str, Tensor], str]:
    """Validate and read config and weights."""
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise CheckpointError(
                f"{folder.name} has no {name}; write one with `latent-explorer train`."
            )
    config = _config(folder)
    with torch.device("meta"):
        model, prior = config.build()
    expected = {
        f"{part}.{name}": tuple(tensor.shape)
        for part, module in _parts(model, prior)
        for name, tensor in module.state_dict().items()
    }
    return config, weights.read(folder / WEIGHTS, expected), content_hash(folder)


def _measured(folder: Path, digest: str) -> Metrics:
    shipped = read_metrics(folder)
    try:
        return shipped | read_metrics(results_folder(digest))
    except CheckpointError:
        return shipped


def _text(path: Path) -> bytes:
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise CheckpointError(
            f"{path.name} is over {MAX_TEXT_BYTES // 10**6} MB; "
            "it was not written by Latent Explorer."
        )
    return path.read_bytes()


def _parts(model: AbstractModel, prior: AbstractPrior | None) -> Iterator[tuple[str, nn.Module]]:
    yield "model", model
    if prior is not None:
        yield "prior", prior


def _fill(module: nn.Module, part: str, tensors: dict[str, Tensor]) -> None:
    prefix = f"{part}."
    module.load_state_dict(
        {
            name.removeprefix(prefix): tensor
            for name, tensor in tensors.items()
            if name.startswith(prefix)
        }
    )
