"""Priors that are learned from codes by gradient steps: flow, second-stage VAE and VampPrior."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.checkpoint import Checkpoint
from explorer.devices import at_once, convolves
from explorer.distributions import DiagonalMixture
from explorer.errors import TrainingError
from explorer.fitting.codes import Codes
from explorer.interfaces import AbstractModel, AbstractPrior, Posterior
from explorer.priors import (
    FlowConfig,
    FlowPrior,
    SecondStageConfig,
    SecondStagePrior,
    VampConfig,
    VampDataConfig,
    VampDataPrior,
    VampPrior,
)

Report = Callable[[str, int, int], None]

STEPS = 4000
MOST_PSEUDO_INPUTS, MOST_CONVOLVED = 500, 100
_BATCH, _PATIENCE = 512, 8
_MOST_HELD_OUT = 2000
_RATES = {"flow": 2e-3, "second-stage": 3e-3, "vamp": 2e-3}
_CHECK_EACH = {"flow": 100, "second-stage": 100, "vamp": 20}
_ELBO_SAMPLES = 4
_CANDIDATES, _EM_CODES, _EM_ROUNDS = 2000, 10_000, 100


@dataclass(frozen=True)
class Learned:
    """What learning found: the prior, its steps, and the mean score of held-out codes in nats."""

    prior: AbstractPrior
    steps: int
    held_out: float


def flow(
    config: FlowConfig, opened: Checkpoint, codes: Codes, seed: int, until: float, report: Report
) -> Learned:
    """Fit a flow by maximum likelihood."""
    assert opened.config.sketch is not None
    with _seeded(seed):
        prior: FlowPrior = config.build(opened.model.space, opened.config.sketch)
    prior.standardise(codes.z)

    def score(z: Tensor, generator: torch.Generator | None) -> Tensor:
        return prior(opened.model.posterior).log_prob(z)

    steps, held_out = climb(prior, score, codes.z, "flow", seed, until, report)
    return Learned(prior, steps, held_out)


def second_stage(
    config: SecondStageConfig,
    opened: Checkpoint,
    codes: Codes,
    seed: int,
    until: float,
    report: Report,
) -> Learned:
    """Train the second stage by its ELBO; what is held out is bounded by importance sampling."""
    assert opened.config.sketch is not None
    with _seeded(seed):
        prior: SecondStagePrior = config.build(opened.model.space, opened.config.sketch)
    prior.standardise(codes.z)
    fixed = torch.randn(
        _ELBO_SAMPLES, 1, codes.z.shape[1], generator=torch.Generator().manual_seed(seed)
    )

    def score(z: Tensor, generator: torch.Generator | None) -> Tensor:
        if generator is None:
            return prior.weights(z, fixed).mean(0)
        return prior.weights(z, torch.randn(1, *z.shape, generator=generator))[0]

    steps, _ = climb(prior, score, codes.z, "second-stage", seed, until, report)
    _, held_out = _split(codes.z, seed)
    with torch.no_grad():
        bound = prior(opened.model.posterior).log_bound(held_out)
    return Learned(prior, steps, float(bound.mean()))


def pseudo_inputs(
    config: VampConfig, opened: Checkpoint, codes: Codes, seed: int, until: float, report: Report
) -> Learned:
    """Learn pseudo-inputs of a frozen encoder by maximum likelihood.

    They start as decoded centres of clusters of codes, so that no picture of the data is stored.
    """
    from sklearn.cluster import MiniBatchKMeans

    assert opened.config.sketch is not None
    prior: VampPrior = config.build(opened.model.space, opened.config.sketch)
    found = MiniBatchKMeans(config.components, random_state=seed, n_init=1).fit(codes.z)
    centres = torch.from_numpy(found.cluster_centers_.astype(np.float32))
    with torch.no_grad():
        parts = centres.split(at_once(opened.model, 500))
        decoded = torch.cat([opened.model.likelihood(part).mean for part in parts])
        prior.inputs.copy_(decoded.reshape(prior.inputs.shape))

    def score(z: Tensor, generator: torch.Generator | None) -> Tensor:
        return prior(opened.model.top_posterior).log_prob(z)

    steps, held_out = climb(prior, score, codes.z, "vamp", seed, until, report)
    return Learned(prior, steps, held_out)


def components_of(codes: Codes, model: AbstractModel) -> int:
    """Return how many pseudo-inputs fit the number of codes, and the time an encoder takes."""
    most = MOST_CONVOLVED if convolves(model) else MOST_PSEUDO_INPUTS
    return max(1, min(most, len(codes) // 5))


def chosen_data(
    config: VampDataConfig, codes: Codes, seed: int, until: float, report: Report
) -> Learned:
    """Choose training data whose posteriors make the codes of the others most probable.

    Weights of up to 2,000 candidates are fitted by expectation maximisation, which leaves most at
    nearly zero; the heaviest are kept, and weighted anew.

    References:
        The elements of statistical learning (Hastie et al., 2009), section 8.5: with fixed
        components the problem is concave.
    """
    assert codes.q.scale is not None
    count = min(_CANDIDATES, len(codes) // 2)
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(codes))
    candidates, others = np.sort(order[:count]), order[count:]
    train, held_out = _split(codes.z[others], seed)
    train = train[:_EM_CODES]
    joint = _joint(codes.q, candidates, train)
    weights = _weighted(joint, None, until, report)
    heaviest = weights.topk(min(config.components, count)).indices.sort().values
    weights = _weighted(joint[:, heaviest], weights[heaviest], until, report)
    rows = candidates[heaviest.numpy()]
    prior = VampDataPrior(len(rows), codes.z.shape[1], weighted=True)
    assert prior.logits is not None
    prior.rows.copy_(torch.from_numpy(codes.rows[rows]))
    prior.loc.copy_(codes.q.loc[rows])
    prior.scale.copy_(codes.q.scale[rows])
    prior.logits.copy_(weights.clamp(min=1e-12).log())
    law = prior(lambda x: codes.q)
    return Learned(prior, _EM_ROUNDS, float(law.log_prob(held_out).mean()))


def climb(
    prior: AbstractPrior,
    score: Callable[[Tensor, torch.Generator | None], Tensor],
    codes: Float[np.ndarray, "codes latent"],
    kind: str,
    seed: int,
    until: float,
    report: Report,
) -> tuple[int, float]:
    """Raise the mean score of codes by Adam, and keep the prior where it is best held out.

    Args:
        prior: The prior.
        score: Log-density of codes in nats, or an estimate by a generator's draws.
        codes: Codes; a tenth of them, at most 2,000, is held out.
        kind: The kind of prior.
        seed: Seed of the split and of the batches.
        until: Time, by `time.monotonic`, at which it stops.
        report: Called with a stage, the number of steps done, and their total.

    Returns:
        The number of steps, and the mean score of held-out codes.

    Raises:
        TrainingError: If the score never was a number.
    """
    train, held_out = _split(codes, seed)
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(prior.parameters(), _RATES[kind])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    best, kept, worse, done = -math.inf, None, 0, 0
    for step in range(STEPS + 1):
        late = time.monotonic() > until
        if step % _CHECK_EACH[kind] == 0 or late:
            with torch.no_grad():
                now = float(score(held_out, None).mean())
            worse = 0 if now > best else worse + 1
            if now > best:
                best, done = now, step
                kept = {name: value.clone() for name, value in prior.state_dict().items()}
            if worse >= _PATIENCE or step == STEPS or late:
                break
            report(f"fitting: {kind}", step, STEPS)
        rows = torch.randint(len(train), (min(_BATCH, len(train)),), generator=generator)
        loss = -score(train[rows], generator).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(prior.parameters(), 5.0)
        optimiser.step()
        schedule.step()
    if kept is None or not math.isfinite(best):
        raise TrainingError(
            f"No {kind} can be fitted to these codes; choose covariance or mixture instead."
        )
    prior.load_state_dict(kept)
    prior.requires_grad_(False)
    return done, best


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Have initial weights follow from the seed, and leave the generator of the process alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _split(
    codes: Float[np.ndarray, "codes latent"], seed: int
) -> tuple[Float[Tensor, "train latent"], Float[Tensor, "held_out latent"]]:
    """Hold out a tenth of the codes, at random."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.from_numpy(codes)[torch.randperm(len(codes), generator=generator)]
    count = max(1, min(_MOST_HELD_OUT, len(z) // 10))
    return z[count:], z[:count]


def _joint(
    q: Posterior, rows: Int[np.ndarray, " components"], z: Float[Tensor, "codes latent"]
) -> Float[Tensor, "codes components"]:
    """Evaluate log q(z|x_k) of every component for every code."""
    assert q.scale is not None
    flat = torch.zeros(len(rows))
    mixture = DiagonalMixture(flat, q.loc[rows], q.scale[rows])
    return torch.cat([mixture.component_log_prob(part).float() for part in z.split(500)])


def _weighted(
    joint: Float[Tensor, "codes components"],
    weights: Float[Tensor, " components"] | None,
    until: float,
    report: Report,
) -> Float[Tensor, " components"]:
    """Fit the weights of a mixture whose components are given, by expectation maximisation."""
    count = joint.shape[1]
    found = torch.full((count,), 1 / count) if weights is None else weights / weights.sum()
    for done in range(_EM_ROUNDS):
        if time.monotonic() > until:
            break
        report("fitting: weights", done, _EM_ROUNDS)
        found = (joint + found.clamp(min=1e-30).log()).softmax(1).mean(0)
    return found
