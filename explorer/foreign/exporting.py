"""`explorer.export_model`: one call at the end of one's own script, and the model is here."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.checkpoint import Checkpoint
from explorer.errors import ExportError
from explorer.foreign import graphs, outputs, samples, writing
from explorer.foreign.given import own_prior
from explorer.foreign.outputs import Network
from explorer.foreign.samples import Data
from explorer.models import OnnxConfig
from explorer.models.onnx import LIKELIHOODS, Spread
from explorer.models.spatial import MOST_COMPONENTS, components_of
from explorer.runtime import verdicts
from explorer.sketch import PixelSketch


def export_model(
    encoder: Any,  # noqa: ANN401 - also a whole model of any kind
    decoder: Network | None = None,
    *,
    name: str,
    data: Data,
    likelihood: str = "mse",
    labels: Sequence[Any] | np.ndarray | Tensor | None = None,
    value_range: tuple[float, float] | None = None,
    prior: str | Mapping[str, Any] | None = None,
    spread: Spread | None = None,
    logits: bool | None = None,
    noise: float | np.ndarray | None = None,
    components: int = MOST_COMPONENTS,
    light: bool | None = None,
    importance_samples: int = 100,
    folder: str | Path | None = None,
    replace: bool = False,
    report: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Checkpoint:
    """Write a trained autoencoder of any origin as a checkpoint: networks, measurements and map.

    Encoder and decoder are traced into ONNX graphs by a dry run on the data, which also finds the
    length of a code and what the encoder returns: a tensor, (mean, log variance), (mean, standard
    deviation), a distribution, or an object with `latent_dist`, `embedding` and `log_covariance`,
    or similar names. No code of the model is kept, and none is run later.

    Args:
        encoder: A module or any callable; or a whole model with encoder and decoder, or with
            `encode` and `decode`.
        decoder: A module or any callable that maps codes to decoded values.
        name: Name of the model, as in links.
        data: Samples, batches (a data loader), a path to pictures or an array, or a data set of
            this package. A batch is kept beside the weights.
        likelihood: What the decoder is trained by: `bernoulli`, `gaussian`, `logistic`, or `mse`
            where it is no distribution of data.
        labels: Classes of a batch.
        value_range: The values the model was trained on that stand for black and white; by
            default (0, 1), or (-1, 1) if there are negative ones.
        prior: "standard", "none", or parameters: mean and scale, mean and covariance, or weights,
            means and scales of a mixture. By default a model's own VampPrior if it has one, else
            standard for a model with a spread; for spatial codes the full covariance of their
            components ("covariance"), fitted afterwards.
        spread: What the encoder's second result is, where it cannot be told.
        logits: Whether a Bernoulli decoder gives logits, where it cannot be told.
        noise: Standard deviation of a Gaussian p(x|z), or scale of a logistic one, in data units
            of 0 to 1; by default fitted to the training data by maximum likelihood.
        components: Principal components by which codes of channels x height x width are
            explored; at most 128.
        light: Whether grey pictures are shown as they are, like photographs, rather than as ink.
        importance_samples: Importance samples per test sample.
        folder: Folder of checkpoints; by default that of the user.
        replace: Whether a model of that name is replaced.
        report: Called with a stage, the number of steps done, and their total.

    Returns:
        The checkpoint, as any other.

    Raises:
        ExportError: If something cannot be told or traced; the message says what to give.
        CheckpointError: If the graphs are refused, or onnxruntime is missing.

    Examples:
        >>> import explorer
        >>> explorer.export_model(encoder, decoder, data=x, name="my-vae")  # doctest: +SKIP
    """
    verdicts.require()
    verdicts.require_exporter()
    chosen = next((item for item in LIKELIHOODS if item == likelihood), None)
    if chosen is None:
        raise ExportError(
            f"{str(likelihood)[:40]!r} is no likelihood; choose one of {', '.join(LIKELIHOODS)}."
        )
    first, second = outputs.pair(encoder, decoder)
    target = writing.target_of(name, None if folder is None else Path(folder), replace=replace)
    workshop = writing.workshop(target)
    kept = samples.kept(data, labels, workshop, value_range, light)
    low, high = kept.range
    x = torch.from_numpy(kept.data.train.x[: writing.COMPARED]) * (high - low) + low
    if not isinstance(kept.data.sketch, PixelSketch):
        x = x[:, None, None]
    report("tracing the networks", 0, 0)
    with graphs.at_rest(encoder, first, second):
        found = graphs.export(
            first, second, x, likelihood=likelihood, spread=spread, logits=logits
        )
        own = own_prior(encoder, first)
        spatial = graphs.is_spatial(found.code)
        config = OnnxConfig(
            latent=(
                components_of(found.latent, len(kept.data.train), components)
                if spatial
                else found.latent
            ),
            code=found.code if spatial else None,
            likelihood=chosen,
            spread=found.spread,
            logits=found.logits,
            range=kept.range,
            origin=_origin(encoder),
        )
        foreign = writing.Foreign(
            (found.encoder, found.decoder),
            config,
            kept.config,
            kept.data,
            prior if prior is not None else own or writing.usual_prior(config),
            noise,
            found.original,
        )
        return writing.write(foreign, workshop, target, samples=importance_samples, report=report)


def _origin(network: Any) -> str:  # noqa: ANN401 - also a whole model of any kind
    kind = type(network)
    named = getattr(network, "__self__", None)
    kind = type(named) if named is not None else kind
    if kind.__name__ in ("function", "builtin_function_or_method"):
        return "exported from PyTorch"
    return f"{kind.__name__[:60]}, exported from PyTorch {torch.__version__.partition('+')[0]}"
