"""Foreign models: an encoder and a decoder given as ONNX graphs, without any of their code."""

import hashlib
import math
from pathlib import Path
from typing import Annotated, ClassVar, Literal, get_args

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor
from torch.distributions import Bernoulli, Distribution, Independent, Normal, constraints

from explorer.distributions import BINS, DiscretisedLogistic
from explorer.errors import CheckpointError, RecipeError
from explorer.interfaces import (
    AbstractModel,
    AbstractModelConfig,
    LatentSpace,
    Level,
    Posterior,
)
from explorer.models.networks import LOG_SCALE_BOUNDS
from explorer.models.spatial import MOST_COMPONENTS, SpatialCodes
from explorer.runtime import verdicts
from explorer.runtime.sessions import Network
from explorer.runtime.verdicts import Pair
from explorer.sketch import CurveSketch, PixelSketch

Likelihood = Literal["bernoulli", "gaussian", "logistic", "mse"]
LIKELIHOODS: tuple[Likelihood, ...] = get_args(Likelihood)
"""What a decoder may say about data: `mse` is none, its results are means and nothing else."""

Spread = Literal["scale", "variance", "log_variance"]

MOST_VALUES = 16_384
"""Values of the largest spatial code."""

_LOG_VARIANCES = (-40, 40)
_TINY = 1e-6
_NARROWEST = 1e-6
_NO_SHAPE = torch.Size()

_Side = Annotated[int, Field(ge=1, le=4096)]
Digest = Field("", pattern=r"^([0-9a-f]{64})?$")


class SquaredError(Distribution):
    """What stands in place of a likelihood where there is none: the mean, and minus |x - mean|^2.

    `log_prob` is no log-density, and no page shows it as one.
    """

    arg_constraints = {}  # noqa: RUF012 - the type torch declares
    support = constraints.real
    has_rsample = False

    def __init__(self, mean: Float[Tensor, "*shape"]) -> None:
        self._mean = mean
        super().__init__(batch_shape=mean.shape, validate_args=False)

    @property
    def mean(self) -> Float[Tensor, "*shape"]:
        """The decoded values."""
        return self._mean

    def log_prob(self, value: Float[Tensor, "*shape"]) -> Float[Tensor, "*batch"]:
        """Evaluate minus the squared error."""
        return -(value - self._mean).pow(2)

    @torch.no_grad()
    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = _NO_SHAPE) -> Tensor:
        """Return the mean: nothing is known of what surrounds it."""
        return self._mean.expand(torch.Size(sample_shape) + self._mean.shape)


class OnnxModel(AbstractModel):
    """A pair of foreign networks behind the interface of every model; without derivatives.

    Its networks are read by `attach`, from the folder of its checkpoint.

    Args:
        config: What is known about the networks.
        sketch: What a sample is.
    """

    differentiable = False
    noise_scale: Tensor
    place: Tensor

    def __init__(self, config: "OnnxConfig", sketch: PixelSketch | CurveSketch) -> None:
        super().__init__()
        self.space = config.space
        self.config, self.sketch = config, sketch
        self.spatial = None if config.code is None else SpatialCodes(config.whole, config.latent)
        spread = sketch.shape if config.likelihood in ("gaussian", "logistic") else ()
        self.register_buffer("noise_scale", torch.ones(spread))
        self.register_buffer("place", torch.empty(0), persistent=False)
        self.convolves = False
        self._graphs: Pair | None = None
        self._networks: tuple[str, Network, Network] | None = None

    def attach(self, folder: Path, patience: float | None = None) -> None:
        """Read both graphs, once, and take them if they are the recipe's and passed their probe.

        Raises:
            CheckpointError: If they cannot be opened; the message says why.
        """
        self.take(pair_of(self.config, self.sketch, folder), patience)

    def take(self, pair: Pair, patience: float | None = None) -> None:
        """Take graphs that passed their probe.

        Raises:
            CheckpointError: If they did not.
        """
        self.convolves = _judged(pair, patience).convolves
        self._graphs, self._networks = pair, None

    def beside(self) -> dict[str, bytes]:
        """Return both graphs, if they were read."""
        if self._graphs is None:
            return {}
        return dict(zip(verdicts.NAMES, (self._graphs.encoder, self._graphs.decoder), strict=True))

    @property
    def graphs(self) -> Pair:
        """The graphs as they were read.

        Raises:
            CheckpointError: If none were read.
        """
        if self._graphs is None:
            raise CheckpointError(
                "A model of ONNX graphs is opened from its folder; use `explorer.load`."
            )
        return self._graphs

    def posterior(
        self, x: Float[Tensor, "batch *sample"], labels: Tensor | None = None
    ) -> Posterior:
        """Encode samples: to Gaussians, or to points if the encoder gives no spread."""
        low, high = self.config.range
        given = x.detach().float() * (high - low) + low
        if self.config.channels_last and given.ndim == 4:
            given = given.permute(0, 2, 3, 1)
        found = self._run(0, given.flatten(1))
        loc = found[0] if self.spatial is None else self.spatial.parts(found[0])
        if self.config.spread is None:
            return Posterior(loc, None)
        scale = scale_of(found[1], self.config.spread).clamp(min=_NARROWEST)
        return Posterior(loc, scale if self.spatial is None else self.spatial.spread(scale))

    def likelihood(
        self, z: Float[Tensor, "*batch latent"], labels: Tensor | None = None
    ) -> Distribution:
        """Return p(x|z)."""
        lead, axes = z.shape[:-1], len(self.sketch.shape)
        rows = z.detach().float().reshape(-1, z.shape[-1])
        raw = self._run(1, rows if self.spatial is None else self.spatial.whole(rows))[0]
        if self.config.channels_last and axes == 3:
            channels, height, width = self.sketch.shape
            raw = raw.reshape(-1, height, width, channels).permute(0, 3, 1, 2)
        raw = raw.reshape(*lead, *self.sketch.shape)
        if self.config.likelihood == "bernoulli" and self.config.logits:
            return _each(Bernoulli(logits=raw, validate_args=False), axes)
        low, high = self.config.range
        mean = (raw - low) / (high - low)
        scale = self.noise_scale.expand_as(mean)
        if self.config.likelihood == "bernoulli":
            p = mean.clamp(_TINY, 1 - _TINY)
            return _each(Bernoulli(probs=p, validate_args=False), axes)
        if self.config.likelihood == "gaussian":
            return _each(Normal(mean, scale, validate_args=False), axes)
        if self.config.likelihood == "logistic":
            half = 0.5 / BINS
            return _each(DiscretisedLogistic(mean.clamp(half, 1 - half), scale.log()), axes)
        return _each(SquaredError(mean), axes)

    @torch.no_grad()
    def fit_components(self, x: Float[Tensor, "samples *sample"]) -> float:
        """Find the principal components of spatial codes; return the share that they explain."""
        assert self.spatial is not None
        before, self.spatial = self.spatial, None
        try:
            parts = [self.posterior(rows).loc for rows in x.split(64)]
        finally:
            self.spatial = before
        return self.spatial.fit(torch.cat(parts))

    @torch.no_grad()
    def fit_noise(self, x: Float[Tensor, "samples *sample"]) -> None:
        """Set the scale of p(x|z) by maximum likelihood on the reconstructions of data.

        References:
            Simple and effective VAE training with calibrated decoders (Rybkin et al., 2021),
            equation 6, per value. https://arxiv.org/abs/2006.13202
        """
        rest = x - self.likelihood(self.posterior(x).loc).mean
        spread = rest.pow(2).mean(0).sqrt()
        if self.config.likelihood == "logistic":
            spread = spread * math.sqrt(3) / math.pi  # of the logistic with that variance
        least, most = (math.exp(bound) for bound in LOG_SCALE_BOUNDS)
        self.noise_scale.copy_(spread.clamp(least / 10, most))

    def _run(self, which: int, rows: Float[Tensor, "batch values"]) -> list[Tensor]:
        device = self.place.device.type
        if self._networks is None or self._networks[0] != device:
            pair = self.graphs
            both = zip((pair.encoder, pair.decoder), verdicts.NAMES, strict=True)
            encoder, decoder = (Network(content, name, device) for content, name in both)
            self._networks = (device, encoder, decoder)
        network = self._networks[1] if which == 0 else self._networks[2]
        return [torch.from_numpy(part).to(rows.device) for part in network(rows.cpu().numpy())]


class OnnxConfig(AbstractModelConfig):
    """A model trained elsewhere: encoder.onnx and decoder.onnx in its checkpoint's folder.

    The encoder maps samples to means, and to a `spread` if it gives one; the decoder maps codes to
    means in the `range` of values the model was trained on, or to `logits`. `channels_last` says
    that pictures are height x width x channels. Where the networks' codes have a shape `code`,
    channels x height x width, the `latent` units are their first principal components, and
    `explained` their share of the variance. The digests bind both files to the recipe.
    """

    title: ClassVar[str] = "ONNX"
    kind: Literal["onnx"] = "onnx"
    latent: int = Field(2, ge=1, le=4096)
    likelihood: Likelihood = "mse"
    spread: Spread | None = None
    logits: bool = False
    range: tuple[float, float] = (0.0, 1.0)
    channels_last: bool = False
    code: tuple[_Side, _Side, _Side] | None = None
    explained: float | None = Field(None, ge=0, le=1)
    origin: str = Field("", max_length=200, description="Where the networks come from, in words.")
    difference: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="Largest difference of a decoded value to the original, in data units.",
    )
    encoder: str = Digest
    decoder: str = Digest

    @model_validator(mode="after")
    def _fields_fit(self) -> "OnnxConfig":
        low, high = self.range
        if not (math.isfinite(low) and math.isfinite(high) and 1e-6 <= high - low <= 1e6):
            raise ValueError("range needs two numbers, the smaller first")
        if self.logits and self.likelihood != "bernoulli":
            raise ValueError("logits are of the likelihood bernoulli")
        if self.code is not None and self.whole > MOST_VALUES:
            raise ValueError(f"a spatial code has at most {MOST_VALUES:,} values")
        if self.code is not None and self.latent > min(MOST_COMPONENTS, self.whole):
            raise ValueError(
                f"a spatial code is explored by at most {MOST_COMPONENTS} components, "
                "and no more than its values"
            )
        return self

    @property
    def whole(self) -> int:
        """Values of the networks' codes."""
        return self.latent if self.code is None else math.prod(self.code)

    @property
    def space(self) -> LatentSpace:
        """The layout of codes."""
        if self.code is None:
            return LatentSpace.single(self.latent)
        return LatentSpace(
            (Level("z", 0, self.latent, "spatial", shape=self.code, explained=self.explained),)
        )

    @property
    def deterministic(self) -> bool:  # type: ignore[override]
        """Whether the encoder gives points."""
        return self.spread is None

    @property
    def has_likelihood(self) -> bool:
        """Whether the decoder is a distribution of data."""
        return self.likelihood != "mse"

    @property
    def words(self) -> str:
        """A description of the networks."""
        said = f"foreign networks as ONNX{f' ({self.origin})' if self.origin else ''}"
        if self.code is None:
            return said
        shape = " x ".join(map(str, self.code))
        known = self.explained is not None
        share = f", {100 * (self.explained or 0):.1f} % of their variance" if known else ""
        return f"{said}, codes of {shape} by {self.latent} principal components{share}"

    def examine(
        self, sketch: PixelSketch | CurveSketch, folder: Path, patience: float | None = None
    ) -> None:
        """Check that both graphs are the recipe's and passed their probe.

        Raises:
            CheckpointError: If they cannot be opened; the message says why.
        """
        _judged(pair_of(self, sketch, folder), patience)

    def build(self, sketch: PixelSketch | CurveSketch) -> OnnxModel:
        """Build the model, its networks still to be attached.

        Raises:
            RecipeError: If the likelihood does not fit the data.
        """
        if self.likelihood == "logistic" and not isinstance(sketch, PixelSketch):
            raise RecipeError("A logistic likelihood is for pixels; choose gaussian for curves.")
        return OnnxModel(self, sketch)


def pair_of(config: OnnxConfig, sketch: PixelSketch | CurveSketch, folder: Path) -> Pair:
    """Read the graphs of a folder, if they are those of its recipe.

    Raises:
        CheckpointError: If they cannot be read, or are others.
    """
    verdicts.require()
    encoder, decoder = verdicts.read(folder)
    for name, content in zip(verdicts.NAMES, (encoder, decoder), strict=True):
        wanted = getattr(config, name.removesuffix(".onnx"))
        if hashlib.sha256(content).hexdigest() != wanted:
            raise CheckpointError(
                f"{name} is not the file of this recipe; copy the whole folder again."
            )
    codes: Literal[1, 2] = 1 if config.spread is None else 2
    return Pair(encoder, decoder, math.prod(sketch.shape), config.whole, codes)


def _judged(pair: Pair, patience: float | None) -> verdicts.Verdict:
    found = verdicts.verdict(pair) if patience is None else verdicts.soon(pair, patience)
    if found is None:
        raise CheckpointError(
            "Its networks are being tried in a process of their own; reload in a few seconds."
        )
    if not found.passed:
        raise CheckpointError(found.reason)
    return found


def scale_of(raw: Float[Tensor, "*shape"], spread: Spread) -> Float[Tensor, "*shape"]:
    """Return the standard deviation that is meant by an encoder's second result."""
    if spread == "scale":
        return raw
    if spread == "variance":
        return raw.clamp(min=0).sqrt()
    return (0.5 * raw.clamp(*_LOG_VARIANCES)).exp()


def _each(distribution: Distribution, axes: int) -> Distribution:
    return Independent(distribution, axes, validate_args=False)
