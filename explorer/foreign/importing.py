"""`latent-explorer import`: a pair of ONNX files with a small JSON beside them."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from explorer import settings
from explorer.checkpoint import Checkpoint, read_arrays
from explorer.config import first_problem, one_line
from explorer.data import FilesConfig
from explorer.data.named import load_named
from explorer.errors import ExportError
from explorer.foreign import diffused, samples, writing
from explorer.foreign.exporting import export_model
from explorer.interfaces import Frozen
from explorer.models import OnnxConfig
from explorer.models.onnx import Likelihood, Spread
from explorer.models.spatial import MOST_COMPONENTS, components_of
from explorer.registry import DataConfig
from explorer.runtime import verdicts

DESCRIPTION = "model.json"
PRIOR = "prior.npz"
_MOST_BYTES = 1_000_000
_PICKLED = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".bin", ".joblib")
_KERAS = (".keras", ".h5", ".hdf5", ".msgpack")


class Description(Frozen):
    """What two graphs do not say about themselves.

    `data` names a data set as in a recipe; relative paths are sought beside this file. `latent` is
    the length of a code, or `code` its channels, height and width, of which `latent` principal
    components are then kept, at most 128. A prior's
    parameters lie in prior.npz beside it: mean and scale, mean and covariance, or weights, means
    and scales.
    """

    data: DataConfig
    latent: int | None = Field(None, ge=1, le=4096)
    code: tuple[int, int, int] | None = None
    likelihood: Likelihood = "mse"
    spread: Spread | None = None
    logits: bool = False
    range: tuple[float, float] = (0.0, 1.0)
    channels_last: bool = False
    noise: float | None = Field(None, gt=0, le=1e3)
    prior: Literal["standard", "covariance", "none", "file"] | None = None
    origin: str = Field("imported", max_length=200)


def import_folder(
    source: str | Path,
    *,
    name: str | None = None,
    pictures: str | Path | None = None,
    folder: str | Path | None = None,
    importance_samples: int = 100,
    replace: bool = False,
    report: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Checkpoint:
    """Make a checkpoint of encoder.onnx, decoder.onnx and model.json; nothing is unpickled.

    A folder of diffusers with an AutoencoderKL as safetensors, or with a pipeline that has one, is
    taken too, with pictures for it.

    Args:
        source: The folder.
        name: Name of the model, as in links; by default that of the folder.
        pictures: A folder or array of pictures, for a model of diffusers.
        folder: Folder of checkpoints; by default that of the user.
        importance_samples: Importance samples per test sample.
        replace: Whether a model of that name is replaced.
        report: Called with a stage, the number of steps done, and their total.

    Raises:
        ExportError: If the folder is none of a foreign model; the message says what is missing.
        CheckpointError: If the graphs are refused.
        DataError: If the data cannot be read.
    """
    source = Path(source)
    network = diffused.folder_of(source)
    if network is not None:
        if pictures is None:
            raise ExportError(
                f"{source} holds a model of diffusers without data; name a folder of pictures of "
                "the size it takes: `--pictures FOLDER`."
            )
        found = diffused.opened(network)
        return export_model(
            found,
            data=FilesConfig(
                path=str(Path(pictures).expanduser().absolute()),
                channels=1 if getattr(found.config, "in_channels", 3) == 1 else 3,
                light=True,
            ),
            name=name or source.resolve().name,
            value_range=(-1.0, 1.0),
            importance_samples=importance_samples,
            folder=folder,
            replace=replace,
            report=report,
        )
    described = _described(source)
    verdicts.require()
    graphs = verdicts.read(source)
    target = writing.target_of(
        name or source.resolve().name, None if folder is None else Path(folder), replace=replace
    )
    data = load_named(described.data, settings.current().data, beside=source)
    recipe = described.data.settled(data)
    workshop = writing.workshop(target)
    if isinstance(recipe, FilesConfig):
        recipe = samples.beside(recipe, source, workshop)
    config = OnnxConfig(
        latent=_units(described, len(data.train)),
        code=described.code,
        likelihood=described.likelihood,
        spread=described.spread,
        logits=described.logits,
        range=described.range,
        channels_last=described.channels_last,
        origin=one_line(described.origin),
    )
    prior: str | Mapping[str, Any] = described.prior or writing.usual_prior(config)
    if prior == "file":
        prior = read_arrays(source / PRIOR)
    foreign = writing.Foreign(graphs, config, recipe, data, prior, described.noise)
    return writing.write(foreign, workshop, target, samples=importance_samples, report=report)


def _units(described: Description, samples: int) -> int:
    """Return the units of the latent space: of a code, or of its principal components."""
    if described.code is not None:
        wanted = described.latent or MOST_COMPONENTS
        return components_of(math.prod(described.code), samples, wanted)
    if described.latent is None:
        raise ExportError(f"{DESCRIPTION} says neither `latent` nor `code`; give one of them.")
    return described.latent


def _described(source: Path) -> Description:
    if not source.is_dir():
        raise ExportError(f"{source} is no folder; give one with {', '.join(verdicts.NAMES)}.")
    names = sorted(item.name for item in source.iterdir())
    for kinds, why in (
        (_PICKLED, "holds pickled weights, which may run any code when opened"),
        (_KERAS, "holds weights without their networks as a graph"),
    ):
        found = next((item for item in names if item.lower().endswith(kinds)), None)
        if found is not None and not set(verdicts.NAMES) <= set(names):
            raise ExportError(
                f"{one_line(found, 80)} {why}; open it in the script it comes from, and call "
                "`explorer.export_model(encoder, decoder, data=x, name=...)` there."
            )
    for wanted in (*verdicts.NAMES, DESCRIPTION):
        if wanted not in names:
            raise ExportError(
                f"{source} has no {wanted}; it needs encoder.onnx, decoder.onnx and "
                f'{DESCRIPTION}, for example {{"data": {{"kind": "files", "path": "x.npz"}}, '
                '"latent": 2, "spread": "log_variance", "likelihood": "bernoulli"}.'
            )
    path = source / DESCRIPTION
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST_BYTES:
        raise ExportError(f"{DESCRIPTION} is no small file; write it anew.")
    try:
        return Description.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ExportError(f"{DESCRIPTION}: {first_problem(error)}") from error
