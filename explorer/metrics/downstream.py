"""How well can a model's codes be generated? The same flow matching, on the codes of any model.

A decoder is only as good as the codes that it is given. One network with one training is fitted
to the standardised codes of each model, so that what differs is the codes alone.
"""

import copy
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.checkpoint import Checkpoint
from explorer.data import DataSet
from explorer.errors import DataError
from explorer.interfaces import AbstractModel, Frozen, Posterior, noise
from explorer.metrics import features
from explorer.metrics.draws import (
    decode_data,
    is_binary,
    reference_codes,
    training_rows,
    validation_rows,
)
from explorer.metrics.latent import encode
from explorer.metrics.novelty import COPIED, Axes, NoveltyReference
from explorer.metrics.samples import (
    NEIGHBOURS,
    Prdc,
    WhitenedComponents,
    prdc,
    prdc_and_errors,
    radii,
)
from explorer.velocity import VelocityNet, flow_matching_loss, integrate

STEPS, BATCH, SAMPLES = 4000, 256, 5000
TRAINED = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Parts of the training after which samples are measured."""

EULER = (1, 2, 4, 8, 16, 50)
"""Numbers of sampling steps that are measured."""

FEWEST = 2 * NEIGHBOURS + 1
MOST_DRAWS = 5
"""Most draws of n samples, where n is small."""

MOST_CODES = 100_000
_LEARNING_RATE, _AVERAGED = 1e-3, 0.999

Report = Callable[[str, int, int], None]


class Score(Frozen):
    """A measure of samples, and its standard error over their draw."""

    value: float
    se: float


class Measured(Frozen):
    """Samples of one sampler against test data, each the mean of all draws.

    `frechet` is None without a feature network, `copies`, the share of near copies of training
    data, where all codes are alike. Of held-out data 5 % are near copies by definition.
    """

    trained: int
    """Training steps of the sampler; 0 for the prior."""
    euler: int
    """Sampling steps; 0 for the prior."""
    frechet: Score | None
    precision: Score
    recall: Score
    density: Score
    coverage: Score
    copies: Score | None


class Downstream(Frozen):
    """A flow on a model's codes: curves over training and over sampling, and what bounds them.

    `floor` is the Fréchet distance of reconstructions of validation data, which no sampler can be
    expected to undercut, and `null` that of the validation data themselves. `loss` is the mean
    flow-matching loss since the point before: compare it within one model only, for its least
    value depends on the codes. `direct` is the model's own prior; None without one.
    """

    steps: int
    batch: int
    seed: int
    n: int
    draws: int
    network: str | None
    floor: Score | None
    null: float | None
    null_prdc: Prdc
    loss: tuple[float, ...]
    training: tuple[Measured, ...]
    sampling: tuple[Measured, ...]
    direct: Measured | None


class Standard(NamedTuple):
    """Codes per unit without their mean, in their standard deviation; a constant unit stays 1."""

    mean: Float[Tensor, " latent"]
    scale: Float[Tensor, " latent"]

    @classmethod
    def of(cls, codes: Float[Tensor, "codes latent"]) -> "Standard":
        """Measure the moments of codes."""
        scale = codes.std(0, correction=0)
        constant = scale <= 1e-6 * codes.abs().amax(0)
        return cls(codes.mean(0), torch.where(constant, torch.ones_like(scale), scale))

    def apply(self, codes: Float[Tensor, "codes latent"]) -> Float[Tensor, "codes latent"]:
        """Standardise codes."""
        return (codes - self.mean) / self.scale

    def undo(self, codes: Float[Tensor, "codes latent"]) -> Float[Tensor, "codes latent"]:
        """Return standardised codes to the units of the model."""
        return codes * self.scale + self.mean


Source = Callable[[Int[Tensor, " rows"], torch.Generator], Tensor]
"""Draws one code for each of some rows of the training data."""


class Trained(NamedTuple):
    """The averaged network after so many steps, and the mean loss since the point before."""

    step: int
    net: VelocityNet
    loss: float


def train_flow(
    source: Source,
    rows: int,
    latent: int,
    *,
    steps: int = STEPS,
    batch: int = BATCH,
    seed: int = 0,
    device: str = "cpu",
    width: int = 256,
    report: Callable[[int], None] = lambda step: None,
) -> Iterator[Trained]:
    """Train a velocity network on codes drawn anew for each batch; yield it at five points.

    What is yielded has exponentially averaged weights, as is usual for such models.

    Args:
        source: Draws standardised codes.
        rows: Number of training samples.
        latent: Length of a code.
        steps: Number of steps in all.
        batch: Codes in each step.
        seed: Seed of the weights, of the order of rows and of all noise.
        device: cpu or cuda.
        width: Units of each of the three hidden layers.
        report: Called with each step done.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = VelocityNet(latent, width).to(device)
    average = copy.deepcopy(net).requires_grad_(False)
    optimiser = torch.optim.Adam(net.parameters(), _LEARNING_RATE)
    generator = torch.Generator(device).manual_seed(seed)
    order = torch.Generator().manual_seed(seed)
    points = sorted({max(1, round(part * steps)) for part in TRAINED})
    total, since = torch.zeros((), device=device), 0
    for step in range(1, steps + 1):
        chosen = torch.randint(rows, (batch,), generator=order)
        loss = flow_matching_loss(net, source(chosen, generator), generator)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        decay = min(_AVERAGED, step / (step + 9))
        for kept, now in zip(average.parameters(), net.parameters(), strict=True):
            kept.lerp_(now.detach(), 1 - decay)
        total, since = total + loss.detach(), since + 1
        report(step)
        if step in points:
            yield Trained(step, copy.deepcopy(average).eval(), float(total) / since)
            total, since = torch.zeros((), device=device), 0


def sample_flow(
    net: VelocityNet, standard: Standard, n: int, euler: int, seed: int
) -> Float[Tensor, "n latent"]:
    """Draw codes in the units of the model, by so many Euler steps from the seed's noise."""
    eps = noise(n, len(standard.mean), seed).to(standard.mean)
    return standard.undo(integrate(net, eps, euler)[-1])


def downstream(
    opened: Checkpoint,
    data: DataSet,
    *,
    steps: int = STEPS,
    batch: int = BATCH,
    seed: int = 0,
    n: int = SAMPLES,
    device: str = "cpu",
    report: Report = lambda stage, done, total: None,
) -> Downstream:
    """Train flow matching on a model's codes of training data, and measure what it decodes to.

    Works for any model, with a prior or without. Codes are drawn where the posterior is
    stochastic. Samples are compared with as many test data; where these are few, several draws
    are.

    Args:
        opened: The checkpoint.
        data: Its data set.
        steps: Training steps; equal for models that are compared.
        batch: Codes in each.
        seed: Seed of everything drawn.
        n: Samples, at most as many as test or validation data.
        device: cpu or cuda.
        report: Called with a stage, the number of steps done, and their total.

    Raises:
        DataError: If there are too few data for a fifth neighbour.

    References:
        Flow matching for generative modeling (Lipman et al., 2023). https://arxiv.org/abs/2210.02747
    """
    model = opened.model.to(device)
    judge = _Judge(opened, model, data, seed, n, device)
    source, standard = code_source(model, data, seed, device)
    size = len(standard.mean)
    loss, training, sampling = [], [], []
    stages = len(TRAINED) + len(EULER) - 1
    net: VelocityNet | None = None
    for point in train_flow(
        lambda rows, generator: standard.apply(source(rows, generator)),
        len(data.train),
        size,
        steps=steps,
        batch=batch,
        seed=seed,
        device=device,
        report=lambda step: report("flow on codes", step, steps),
    ):
        loss.append(point.loss)
        training.append(judge.flow(point.net, standard, point.step, EULER[-1]))
        net = point.net
    assert net is not None
    for done, euler in enumerate(EULER[:-1]):
        report("sampling steps", len(TRAINED) + done, stages)
        sampling.append(judge.flow(net, standard, steps, euler))
    sampling.append(training[-1])
    direct = None
    if opened.prior is not None:
        with torch.no_grad():
            prior = model.latent_prior(opened.prior.to(device))
        direct = judge.of(lambda own: reference_codes(prior, judge.n, own).to(device), 0, 0)
    report("sampling steps", stages, stages)
    return Downstream(
        steps=steps,
        batch=batch,
        seed=seed,
        n=judge.n,
        draws=judge.draws,
        network=judge.hash,
        floor=judge.floor(),
        null=judge.null(),
        null_prdc=judge.null_prdc(),
        loss=tuple(loss),
        training=tuple(training),
        sampling=tuple(sampling),
        direct=direct,
    )


def code_source(
    model: AbstractModel, data: DataSet, seed: int, device: str
) -> tuple[Source, Standard]:
    """Return what draws codes of the training split, and their moments.

    Args:
        model: The model, on the device.
        data: The data set.
        seed: Seed of the moments, and of binary values where data are probabilities.
        device: cpu or cuda.
    """
    x = torch.from_numpy(data.train.x).to(device)
    generator = torch.Generator(device).manual_seed(seed)
    if data.dynamic:
        x = torch.bernoulli(x, generator=generator)
    if len(model.space.levels) == 1:  # drawn from what is encoded once
        q = encode(model, x)

        def single(
            rows: Int[Tensor, " rows"], own: torch.Generator
        ) -> Float[Tensor, "rows latent"]:
            where = rows.to(device)
            scale = None if q.scale is None else q.scale[where]
            return Posterior(q.loc[where], scale).sample(own)

        return single, Standard.of(single(torch.arange(len(x)), generator))

    def several(rows: Int[Tensor, " rows"], own: torch.Generator) -> Float[Tensor, "rows latent"]:
        with torch.no_grad():
            return model.posterior(x[rows.to(device)]).sample(own)

    parts = torch.arange(len(x))[:MOST_CODES].split(2000)
    return several, Standard.of(torch.cat([several(rows, generator) for rows in parts]))


class _Judge:
    """Compares decoded codes of one model with test data, and with its training data."""

    def __init__(
        self,
        opened: Checkpoint,
        model: AbstractModel,
        data: DataSet,
        seed: int,
        n: int,
        device: str,
    ) -> None:
        self.n = min(n, len(data.test), len(data.valid))
        if self.n < FEWEST:
            raise DataError(
                f"{self.n} test samples are too few to compare samples with; take {FEWEST}."
            )
        self.draws = max(1, min(MOST_DRAWS, n // self.n))
        self._model, self._data, self._seed, self._device = model, data, seed, device
        chosen = np.random.default_rng(seed).permutation(len(data.test))[: self.n]
        real = data.test.x[chosen]
        self._binary = is_binary(real)
        self._whitened = WhitenedComponents(real)
        if not self._whitened.size:
            raise DataError("All test samples are alike; samples cannot be compared with them.")
        self._reference = self._whitened(real)
        self._radius = radii(self._reference)
        kind = _labelled_kind(opened, data)
        known = (
            features.load_features(kind, data.sketch.shape, len(data.classes))
            if kind is not None
            else None
        )
        self.hash = None if known is None else known.hash
        self._network = None if known is None else known.network
        self._features = None if known is None else features.features_of(known.network, real)
        self._novelty = self._known_codes()

    def flow(self, net: VelocityNet, standard: Standard, trained: int, euler: int) -> Measured:
        """Measure samples of a flow."""
        return self.of(lambda own: sample_flow(net, standard, self.n, euler, own), trained, euler)

    def of(self, draw: Callable[[int], Tensor], trained: int, euler: int) -> Measured:
        """Measure decoded codes, drawn with each of several seeds."""
        rows: list[list[float]] = []
        errors: list[list[float]] = []
        for repeat in range(self.draws):
            codes = draw(self._seed + 1000 + repeat)
            x = decode_data(self._model, codes, self._seed + repeat, binary=self._binary)
            values, spread = map(
                list, prdc_and_errors(self._reference, self._whitened(x), radius=self._radius)
            )
            if self._network is not None and self._features is not None:
                found = features.frechet_distance(
                    self._features, features.features_of(self._network, x)
                )
                values.append(found[0])
                spread.append(found[1])
            if self._novelty is not None:
                near = self._novelty.judge(self._seen(codes)).percentile < COPIED
                values.append(float(near.mean()))
                spread.append(float(np.sqrt(near.mean() * (1 - near.mean()) / len(near))))
            rows.append(values)
            errors.append(spread)
        means = np.mean(rows, 0)
        deviations = np.sqrt(np.square(errors).mean(0) / self.draws)
        scores = [
            Score(value=float(value), se=float(se))
            for value, se in zip(means, deviations, strict=True)
        ]
        return Measured(
            trained=trained,
            euler=euler,
            precision=scores[0],
            recall=scores[1],
            density=scores[2],
            coverage=scores[3],
            frechet=scores[4] if self._network is not None else None,
            copies=scores[-1] if self._novelty is not None else None,
        )

    def floor(self) -> Score | None:
        """Measure reconstructions of validation data, which are no test data."""
        if self._network is None or self._features is None:
            return None
        x = validation_rows(self._data, self.n, self._seed).to(self._device)
        seen = decode_data(self._model, self._codes(x, 1), self._seed, binary=self._binary)
        found = features.frechet_distance(
            self._features, features.features_of(self._network, seen)
        )
        return Score(value=found[0], se=found[1])

    def null(self) -> float | None:
        """Measure validation data in place of samples."""
        if self._network is None or self._features is None:
            return None
        x = validation_rows(self._data, self.n, self._seed).numpy()
        return features.frechet_distance(self._features, features.features_of(self._network, x))[0]

    def null_prdc(self) -> Prdc:
        """Measure training data in place of samples."""
        x = training_rows(self._data, self.n, self._seed).numpy()
        return prdc(self._reference, self._whitened(x))

    def _known_codes(self) -> NoveltyReference | None:
        """Encode the reconstructions of training data, and of held-out data for percentiles."""
        generator = np.random.default_rng(self._seed)
        chosen = np.sort(generator.permutation(len(self._data.train))[:MOST_CODES])
        x = self._data.train.x[chosen]
        if self._data.dynamic:
            x = (generator.random(x.shape, np.float32) < x).astype(np.float32)
        q = encode(self._model, torch.from_numpy(x).to(self._device))
        training = self._seen(q.loc)
        scale = None
        if q.scale is not None:
            scale = q.scale.double().pow(2).mean(0).sqrt().float().cpu().numpy()
        if not Axes.of(training, scale).directions.shape[1]:
            return None
        test = torch.from_numpy(self._data.test.x[:MOST_CODES]).to(self._device)
        return NoveltyReference(training, self._seen(self._codes(test, 2)), scale)

    def _codes(
        self, x: Float[Tensor, "batch *sample"], stream: int
    ) -> Float[Tensor, "batch latent"]:
        """Draw a code of each sample."""
        generator = torch.Generator(self._device).manual_seed(self._seed + 2_000_003 * stream)
        with torch.inference_mode():
            parts = [self._model.posterior(rows).sample(generator) for rows in x.split(2000)]
        return torch.cat(parts)

    def _seen(self, codes: Float[Tensor, "codes latent"]) -> Float[np.ndarray, "codes latent"]:
        """Decode codes to means and encode these, as the app judges what it shows."""
        with torch.inference_mode():
            parts = [
                encode(self._model, self._model.likelihood(rows).mean).loc
                for rows in codes.split(2000)
            ]
        return torch.cat(parts).cpu().numpy()


def _labelled_kind(opened: Checkpoint, data: DataSet) -> str | None:
    """Return the kind of images with classes, which may have a feature network."""
    kind = opened.config.data.kind
    pictures = len(data.sketch.shape) == 3
    return kind if pictures and data.classes and kind != "files" else None
