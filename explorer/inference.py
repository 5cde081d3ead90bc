"""One engine per open model: encode, decode, sample and score, in batches, on one device.

It is independent of the web app, uses float32 NumPy arrays throughout, and is thread-safe.
"""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.checkpoint import Checkpoint
from explorer.devices import Turns, convolves, resolve_device
from explorer.distributions import DiagonalMixture
from explorer.errors import DeviceError, LevelError, NoDensityError
from explorer.interfaces import (
    Components,
    LatentPrior,
    LatentSpace,
    Scale,
    Seed,
    joined,
    noise,
    uniforms,
)
from explorer.metrics.amortisation import Refinement, refine
from explorer.metrics.likelihood import Likelihood, importance_sampling
from explorer.models import PixelHVAEConfig, Sequential
from explorer.priors import HierarchicalPrior, LatentFullGaussian, LatentNoised
from explorer.sketch import CurveSketch, PixelSketch

BLOCKS = {"cpu": 192, "cuda": 1024}
"""Rows per call. Blocks are zero-padded: the rounding of a matrix product depends on its number
of rows, and without padding one in 150 8-bit images changed with the batch size."""

SLOW_REFINEMENT = {"steps": 20, "samples": 48, "guides": 8}
"""Sizes of a refinement for models that take milliseconds per image."""

CONVOLVED_BLOCK = 16
"""Rows per call of a convolutional network on a CPU, where each takes milliseconds."""

Array = np.ndarray


class Encoded(NamedTuple):
    """q(z|x): means, and standard deviations (None for a plain autoencoder)."""

    loc: Float[Array, "batch latent"]
    scale: Float[Array, "batch latent"] | None


class Sample(NamedTuple):
    """Samples of the model: codes, decoded means, components, and log p(z) in nats."""

    z: Float[Array, "batch latent"]
    x: Float[Array, "batch *sample"]
    component: Int[Array, " batch"]
    log_density: Float[Array, " batch"]


class Prototypes(NamedTuple):
    """The components of a mixture prior, and their pseudo-inputs (VampPrior)."""

    weights: Float[Array, " components"]
    loc: Float[Array, "components latent"]
    scale: Float[Array, "components latent"]
    decoded: Float[Array, "components *sample"] | None
    pseudo_inputs: Float[Array, "components *sample"] | None


class Engine:
    """A trained model, ready for inference.

    Args:
        checkpoint: An opened checkpoint.
        device: auto, cpu or cuda.
        block: Rows per call; by default chosen for the device.

    Raises:
        DeviceError: If the device is unknown or unavailable.
    """

    def __init__(
        self, checkpoint: Checkpoint, device: str = "auto", block: int | None = None
    ) -> None:
        self.checkpoint = checkpoint
        self.device = resolve_device(device)
        assert checkpoint.config.sketch is not None
        self.sketch: PixelSketch | CurveSketch = checkpoint.config.sketch
        self.space: LatentSpace = checkpoint.model.space
        self.milliseconds = 0.0
        self._given_block = block
        self._lock = Turns()
        self._place()

    @property
    def slug(self) -> str:
        """The checkpoint's name."""
        return self.checkpoint.slug

    @property
    def has_prior(self) -> bool:
        """Whether there is a prior to sample from."""
        return self._prior is not None

    @property
    def has_density(self) -> bool:
        """Whether the prior has a density; one on a surface has none."""
        return self._prior is not None and self._prior.has_density

    @property
    def fitted(self) -> bool:
        """Whether the prior was fitted to the codes of a finished model, not trained with it."""
        known = self.checkpoint.config.fitted
        return known is not None and known.samples > 0

    @property
    def components_words(self) -> str:
        """Say what the units are where they are no codes but components of them; else empty."""
        level = self.space.levels[0]
        if level.shape is None:
            return ""
        share = "" if level.explained is None else f" ({100 * level.explained:.1f} % of variance)"
        return (
            f"Its codes are {' × '.join(map(str, level.shape))}; the units here are their first "
            f"{level.stop} principal components{share}."
        )

    @property
    def bounded(self) -> bool:
        """Whether the prior has a lower bound in place of a density."""
        return self._prior is not None and not self.has_density and self._prior.bounded

    @property
    def scored(self) -> bool:
        """Whether there are a KL and log p(x): two densities, and posteriors with a spread."""
        return not self.why_unscored

    @property
    def has_likelihood(self) -> bool:
        """Whether p(x|z) is a distribution of data."""
        return self.checkpoint.config.model.has_likelihood

    @property
    def divergent(self) -> bool:
        """Whether there is a KL of posteriors to the prior."""
        return self.has_density and self.checkpoint.config.model.stochastic

    @property
    def timed(self) -> bool:
        """Whether the prior is a reference with noise, which can be drawn at any time."""
        return isinstance(self._prior, LatentNoised)

    @property
    def why_unscored(self) -> str:
        """Why there is no log p(x), in one sentence; empty if there is."""
        model = self.checkpoint.config.model
        if not self.has_prior:
            return "A plain autoencoder defines no likelihood; only the error above is available."
        if not model.has_likelihood:
            return "It was trained by squared error and has no p(x|z), so there is no log p(x)."
        if not model.stochastic:
            return "Its encoder gives points, not densities, so there are no KL and no log p(x)."
        if self.bounded:
            return (
                "The density of its prior is known by a lower bound only, "
                "so there are no KL and no log p(x)."
            )
        if not self.has_density:
            return "Its prior has no density, so there are no KL and no log p(x)."
        return ""

    @property
    def differentiable(self) -> bool:
        """Whether decoded means have derivatives in the code."""
        return self._model.differentiable and not self.sequential

    @property
    def refinable(self) -> bool:
        """Whether the posterior of a sample can be optimised for it alone."""
        return self.scored and self._model.differentiable

    @property
    def why_rigid(self) -> str:
        """Why nothing can be optimised through the decoder; empty if it can."""
        if not self._model.differentiable:
            return "Its networks are ONNX graphs, which give no derivatives."
        return "" if self.differentiable else "An autoregressive decoder has no derivatives."

    @property
    def prior(self) -> LatentPrior:
        """p(z) over whole codes.

        Raises:
            NoDensityError: If the model is a plain autoencoder.
        """
        if self._prior is None:
            raise NoDensityError(
                f"{self.slug} is a plain autoencoder without a prior; choose a model with one."
            )
        return self._prior

    def encode(
        self, x: Float[Array | Tensor, "batch *sample"], labels: Array | None = None
    ) -> Encoded:
        """Encode samples in data units; in a hierarchy each level is given the means above it."""
        loc, scale = self._run(x, self._encode_block)
        return Encoded(loc, scale if self.checkpoint.config.model.stochastic else None)

    def posterior_draws(
        self, x: Float[Array | Tensor, "1 *sample"], n: int, seed: int = 0
    ) -> Float[Array, "n latent"]:
        """Draw n codes of one sample from q(z|x), level by level."""
        rows = torch.as_tensor(x, dtype=torch.float32).to(self.device)
        with self._lock, torch.inference_mode():
            q = self._model.posterior(rows)
            if q.scale is None:
                return _numpy(q.loc.expand(n, -1))
            return _numpy(joined(q.walk(noise(n, self.space.size, seed).to(rows))))

    def decode(
        self, z: Float[Array | Tensor, "batch latent"], labels: Array | None = None
    ) -> Float[Array, "batch *sample"]:
        """Decode codes to the mean of p(x|z), in data units.

        With an autoregressive decoder, each pixel's probability given the probabilities of
        the preceding ones.
        """
        return self._run(z, lambda rows: (self._model.likelihood(rows).mean,))[0]

    def glance(self, z: Float[Array | Tensor, "batch latent"]) -> Float[Array, "batch *sample"]:
        """Decode codes one by one, without the padding that makes pictures equal in any batch.

        For pictures that follow a pointer: convolutions take up to a twelfth of the time, and the
        last bits of a mean may differ from those of `decode`.
        """
        return self._run(z, lambda rows: (self._model.likelihood(rows).mean,), block=1)[0]

    def sample(
        self,
        n: int,
        scale: Scale = 1.0,
        seed: Seed = 0,
        component: int | None = None,
        labels: Array | None = None,
    ) -> Sample:
        """Sample the prior at a given scale, and decode.

        A sample keeps its component and noise at every scale, and the first samples of a
        larger draw equal those of a smaller one.

        Args:
            n: Number of samples.
            scale: s in z = mean + s * sd * noise; 1 is the prior as trained. In a hierarchy
                one for all levels, or one per level, top first.
            seed: The same seed gives the same images; one for all levels, or one per level.
            component: Sample only this component.
            labels: Reserved for class-conditional models.
        """
        z, index = self.draw(n, scale, seed, component)
        return Sample(z, self.decode(z), index, self.heights(z))

    def draw(
        self,
        n: int,
        scale: Scale = 1.0,
        seed: Seed = 0,
        component: int | None = None,
        time: float | None = None,
    ) -> tuple[Float[Array, "batch latent"], Int[Array, " batch"]]:
        """Draw codes and their components, without decoding.

        Args:
            n: Number of codes.
            scale: As in `sample`.
            seed: As in `sample`.
            component: As in `sample`.
            time: t of a noised prior, where it is not the one it was trained with.

        Raises:
            NoDensityError: If there is no prior, or a time is asked of one that has none.
        """
        with self._lock, torch.inference_mode():
            prior = self.prior
            if time is not None:
                if not isinstance(prior, LatentNoised):
                    raise NoDensityError(f"The prior of {self.slug} has no time; leave it out.")
                prior = prior.at(time)
            drawn = prior.draw(n, scale=scale, seed=seed, component=component)
        return drawn.z.cpu().numpy(), drawn.component.numpy()

    def resample(
        self,
        z: Float[Array, " latent"],
        level: str,
        n: int,
        scale: float = 1.0,
        seed: int = 0,
    ) -> Float[Array, "n latent"]:
        """Resample one level of a code from the prior, keeping the other.

        The bottom is sampled given the fixed top, which shows what the bottom adds; a resampled
        top leaves the bottom unchanged, which shows what the top decides.

        Args:
            z: The code.
            level: Name of the level to resample, as in `space`.
            n: Number of samples.
            scale: s, as in `sample`.
            seed: Seed of the draws.

        Raises:
            LevelError: If the space lacks this level, or has no other.
        """
        with self._lock, torch.inference_mode():
            prior = self.prior
            if not isinstance(prior, HierarchicalPrior):
                raise LevelError(f"{self.slug} has one level; choose a model with two.")
            codes = torch.from_numpy(np.asarray(z, np.float32)).to(self.device).expand(n, -1)
            names = [item.name for item in self.space.levels]
            if level not in names:
                raise LevelError(f"{self.slug} has no level {level}; its levels are {names}.")
            if level == names[0]:
                top = prior.upper.draw(n, scale=scale, seed=seed).z
                drawn = torch.cat([top, codes[:, prior.size :]], 1)
            else:
                drawn = prior.descend(codes[:, : prior.size], scale=scale, seed=seed)
            return drawn.cpu().numpy()

    @property
    def top(self) -> tuple[LatentPrior, int]:
        """The learned prior, and the length of the codes it covers.

        In a hierarchy these are the first units of a code; otherwise all of them.
        """
        prior = self.prior
        return (
            (prior.upper, prior.size)
            if isinstance(prior, HierarchicalPrior)
            else (prior, self.space.size)
        )

    @property
    def slow(self) -> bool:
        """Whether decoding an image takes milliseconds: convolutions on a CPU."""
        return self.device == "cpu" and convolves(self._model)

    @property
    def sequential(self) -> bool:
        """Whether p(x|z) is autoregressive, so that samples take longer than means."""
        return isinstance(self.checkpoint.config.model, PixelHVAEConfig)

    def paint(
        self, z: Float[Array | Tensor, "batch latent"], seed: int = 0
    ) -> Float[Array, "batch *sample"]:
        """Draw one binary image from p(x|z) per code, pixel by pixel if it is autoregressive.

        Raises:
            NoDensityError: If p(x|z) is not over binary pixels.
        """
        if self.checkpoint.config.model.likelihood != "bernoulli":
            raise NoDensityError(
                f"{self.slug} does not model binary pixels; use its means instead."
            )
        shape = self.sketch.shape
        uniform = uniforms(len(z) * math.prod(shape), seed).float().reshape(len(z), *shape)

        def block(rows: Tensor) -> tuple[Tensor]:
            codes, chance = rows[:, : self.space.size], rows[:, self.space.size :]
            p = self._model.likelihood(codes)
            own = chance.reshape(-1, *shape)
            if isinstance(p, Sequential):
                return (p.paint(own[:, 0]),)
            return ((own < p.mean).float(),)

        rows = torch.cat([torch.as_tensor(z, dtype=torch.float32), uniform.flatten(1)], 1)
        return self._run(rows, block)[0]

    def log_prior(
        self, z: Float[Array | Tensor, "batch latent"], labels: Array | None = None
    ) -> Float[Array, " batch"]:
        """Evaluate log p(z) in nats, under the prior as trained."""
        prior = self.prior
        return self._at_latent(z, lambda rows: (prior.log_prob(rows),))[0]

    def log_bound(self, z: Float[Array | Tensor, "batch latent"]) -> Float[Array, " batch"]:
        """Bound log p(z) from below in nats.

        Raises:
            NoDensityError: If there is a density, or neither.
        """
        prior = self.prior
        return self._at_latent(z, lambda rows: (prior.log_bound(rows),))[0]

    def heights(self, z: Float[Array | Tensor, "batch latent"]) -> Float[Array, " batch"]:
        """Evaluate log p(z) where there is a density; 0 everywhere if there is none."""
        if self.has_density:
            return self.log_prior(z)
        return np.zeros(len(z), np.float32)

    def components(self) -> Components | None:
        """Return the prior's components, or None."""
        return self._prior.components() if self._prior is not None else None

    @property
    def component_count(self) -> int:
        """Number of the prior's components; 0 without any."""
        components = self.components()
        return 0 if components is None else len(components)

    def prototypes(self, *, decode: bool = True) -> Prototypes | None:
        """Return the prior's components; None without a prior or components.

        Args:
            decode: Whether they are decoded, which takes seconds if the model is slow.
        """
        components = self.components()
        if components is None:
            return None
        inputs = self._pseudo_inputs
        return Prototypes(
            weights=_numpy(components.log_weights.exp()),
            loc=_numpy(components.loc),
            scale=_numpy(components.scale),
            decoded=self.decode(components.loc) if decode else None,
            pseudo_inputs=None if inputs is None else _numpy(inputs),
        )

    def moments(self) -> tuple[Float[Array, " latent"], Float[Array, " latent"]]:
        """Return the prior's mean and standard deviation per unit, by sampling if necessary.

        Raises:
            NoDensityError: If the model is a plain autoencoder.
        """
        if isinstance(self._prior, LatentFullGaussian):
            return _numpy(self._prior.loc), _numpy(self._prior.factor.pow(2).sum(1).sqrt())
        components = self.components()
        if components is None or len(self.space.levels) > 1:
            codes = self.draw(4096)[0]
            return codes.mean(0), codes.std(0)
        mixture = DiagonalMixture(components.log_weights, components.loc, components.scale)
        return _numpy(mixture.mean), _numpy(mixture.variance.sqrt())

    def responsibilities(self, z: Float[Array, "batch latent"]) -> Int[Array, " batch"]:
        """Return for each code the component with the highest responsibility."""
        prior = self.prior
        if prior.components() is None:
            raise NoDensityError(
                f"{self.slug} has no components; choose a model with a mixture prior."
            )

        def most_probable(rows: Tensor) -> tuple[Tensor]:
            found = prior.responsibilities(rows)
            assert found is not None
            return (found.argmax(-1).float(),)

        best = self._at_latent(z, most_probable)[0]
        return best.astype(np.int64)

    def score(
        self, x: Float[Array | Tensor, "batch *sample"], samples: int = 500, seed: int = 0
    ) -> Likelihood:
        """Estimate log p(x) and the terms of the ELBO by importance sampling.

        Raises:
            NoDensityError: If there is no likelihood, or no density.
        """
        self._require_score()
        rows = torch.as_tensor(x, dtype=torch.float32)
        with self._lock:
            start = time.perf_counter()
            found = importance_sampling(
                self._model, self.prior, rows.to(self.device), samples=samples, seed=seed
            )
            self.milliseconds = 1000 * (time.perf_counter() - start)
        return Likelihood(*(part.cpu() for part in found))

    def refine(self, x: Float[Array | Tensor, "1 *sample"], seed: int = 0) -> Refinement:
        """Optimise q(z|x) for one sample by gradient steps, recording the ELBO.

        Raises:
            NoDensityError: If there is no likelihood, or no derivative.
        """
        self._require_score()
        if not self._model.differentiable:
            raise NoDensityError(
                f"{self.why_rigid} Choose a model of torch to refine a posterior."
            )
        rows = torch.as_tensor(x, dtype=torch.float32).to(self.device)
        sizes = SLOW_REFINEMENT if self.slow else {}
        # It takes long and changes nothing; only what shares a GPU has to wait for it.
        with self._lock if self.device != "cpu" else nullcontext():
            found = refine(self._model, self.prior, rows, seed=seed, **sizes)
        return found._replace(elbo=found.elbo.cpu(), loc=found.loc.cpu(), scale=found.scale.cpu())

    def release(self) -> None:
        """Free the device, as on eviction from a cache; the engine remains usable."""
        with self._lock:
            if self.device != "cpu":
                self.device = "cpu"
                self._given_block = None
                self._place()
                torch.cuda.empty_cache()

    def _require_score(self) -> None:
        if not self.checkpoint.config.model.has_likelihood:
            raise NoDensityError(
                f"{self.slug}: {self.why_unscored[:1].lower()}{self.why_unscored[1:]}"
            )

    def _place(self) -> None:
        """Move model and prior to the device, and evaluate the prior's components once."""
        self._model = self.checkpoint.model.to(self.device)
        kind, slow = torch.device(self.device).type, convolves(self._model)
        if slow:
            self._model.to(memory_format=torch.channels_last)
        usual = CONVOLVED_BLOCK if slow and kind == "cpu" else BLOCKS[kind]
        self._block = self._given_block or usual
        self._prior: LatentPrior | None = None
        self._pseudo_inputs: Tensor | None = None
        if self.checkpoint.prior is not None:
            # Not inference mode: paths need gradients of log p(z) in z. In turn, since components
            # have to be the same whatever the number of threads.
            with self._lock, torch.no_grad():
                module = self.checkpoint.prior.to(self.device)
                self._prior = self._model.latent_prior(module)
                self._pseudo_inputs = module.pseudo_inputs()

    def _encode_block(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        q = self._model.posterior(rows).flat()
        return q.loc, q.loc if q.scale is None else q.scale

    def _at_latent(
        self, z: Array | Tensor, call: Callable[[Tensor], tuple[Tensor, ...]]
    ) -> tuple[Array, ...]:
        """Run what has no convolutions: in large blocks, and without waiting between them."""
        with self._lock:
            block = self._given_block or BLOCKS[torch.device(self.device).type]
            return self._run(z, call, block)

    def _run(
        self,
        rows: Array | Tensor,
        call: Callable[[Tensor], tuple[Tensor, ...]],
        block: int | None = None,
    ) -> tuple[Array, ...]:
        """Run on padded blocks; on smaller ones if the device is out of memory."""
        values = torch.as_tensor(rows, dtype=torch.float32)
        if len(values) == 0:
            values = values.new_zeros(1, *values.shape[1:])
            return tuple(part[:0] for part in self._run(values, call, block))
        start = time.perf_counter()
        block = block or self._block
        while True:
            try:
                joined = self._blocks(values, block, call)
                break
            except torch.OutOfMemoryError as error:
                torch.cuda.empty_cache()
                if block == 1:
                    raise DeviceError("The device is out of memory; use --device cpu.") from error
                block //= 2
        self.milliseconds = 1000 * (time.perf_counter() - start)
        return joined

    def _blocks(
        self, values: Tensor, block: int, call: Callable[[Tensor], tuple[Tensor, ...]]
    ) -> tuple[Array, ...]:
        """Run block by block, each padded to full size; outputs are copied while in cache.

        Other threads get their turn between two blocks.
        """
        whole: list[Tensor] = []
        for start in range(0, len(values), block):
            chunk = values[start : start + block]
            n = len(chunk)
            if n < block:
                chunk = torch.cat([chunk, chunk.new_zeros(block - n, *chunk.shape[1:])])
            with self._lock, torch.inference_mode():
                parts = call(chunk.to(self.device))
                if not whole:
                    whole = [torch.empty(len(values), *part.shape[1:]) for part in parts]
                for answer, part in zip(whole, parts, strict=True):
                    answer[start : start + n] = part[:n]
        return tuple(answer.numpy() for answer in whole)


def _numpy(tensor: Tensor) -> Array:
    return tensor.detach().cpu().float().numpy()
