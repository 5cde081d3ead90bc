"""The loop of training: one run's moving parts, step by step, and who may look on."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from explorer import checkpoint, replay, run_states, steering
from explorer.augmentation import hidden, shifted
from explorer.config import Knob, RunConfig, Turn
from explorer.contrastive import pretrain
from explorer.data import DataSet
from explorer.devices import at_once
from explorer.errors import TrainingError
from explorer.interfaces import AbstractModel, AbstractPrior, LatentPrior
from explorer.models import VAE, Autoencoder
from explorer.objectives import MatchingConfig, ObjectiveConfig, Terms
from explorer.pretraining import fit_prior
from explorer.priors import KernelPrior, MovingConfig, SpherePrior, VampDataPrior, whitened
from explorer.run_states import STATE, WORK, below, fill, named, slots
from explorer.steering import together

SAVE_EVERY_SECONDS = 30
SNAPSHOTS_KEPT, SNAPSHOT_COMPONENTS, SNAPSHOT_LEVELS = 12, 16, 64
_SNAPSHOT_EPOCHS = tuple(round(1.7**power) for power in range(20))
_NORM_FLOOR = 1e-7

Weights = tuple[Tensor, ...] | list[Tensor]
Watch = Callable[[int, np.ndarray, "np.ndarray | None"], None]


class StoppedRunError(TrainingError):
    """A run was asked to stop; its state is stored."""


class FinishedRunError(TrainingError):
    """A run was asked to end where it is, and to be published."""


class Follower(ABC):
    """Looks on while a model trains, and may turn its knobs or hold it."""

    @abstractmethod
    def begin(self, run: "Run") -> None:
        """Look at a run before its first batch, or where it goes on."""

    @abstractmethod
    def between(self, run: "Run") -> Sequence[Turn]:
        """Look at a run before each batch; return what to change, or raise an error above."""

    @abstractmethod
    def epoch(self, run: "Run", progress: "Progress") -> None:
        """Look at a run after an epoch."""


@dataclass(frozen=True)
class Progress:
    """The state of a run after an epoch."""

    epoch: int
    epochs: int
    beta: float
    train_elbo: float
    valid_elbo: float
    best: float
    seconds: float


class _Network(nn.Module):
    """Model and prior as one module, so that one optimiser and one average cover both."""

    def __init__(self, model: AbstractModel, prior: AbstractPrior | None) -> None:
        super().__init__()
        self.model, self.prior = model, prior

    def forward(self, objective: ObjectiveConfig, x: Tensor, **options: object) -> Terms:
        latent = self.model.latent_prior(self.prior) if self.prior else None
        return objective.terms(self.model, latent, x, **options)  # type: ignore[arg-type]


class Inside(NamedTuple):
    """Where a run is within an epoch."""

    batches: int
    seen: int
    total: Tensor
    generator: torch.Generator


class Run:
    """The moving parts of one training run."""

    def __init__(
        self,
        config: RunConfig,
        data: DataSet,
        out: Path,
        device: torch.device,
        beside: Path | None = None,
    ) -> None:
        self.data, self.out, self.device = data, out, device
        self.fingerprint = config.data.fingerprint(data)
        torch.manual_seed(config.training.seed)
        model, prior = config.build()
        self.config = fit_prior(config, model, prior, data, beside)
        self.options = self.config.training
        self.network = _Network(model, prior).to(device)
        self.average = AveragedModel(
            self.network, multi_avg_fn=self._take_average, use_buffers=True
        )
        self.optimiser = self._optimiser()
        with torch.no_grad():
            known = self.latent_prior() if prior is not None else None
        companion = self.config.objective.companion(model.top.size, known)
        own = [] if prior is None else list(prior.parameters())
        self.trained_of_prior = [parameter for parameter in own if parameter.requires_grad]
        self.objective = self.config.objective
        self.companion = None if companion is None else companion.to(device)
        self.companion_optimiser = self._companion_optimiser()
        self.epoch, self.best, self.best_epoch = 0, -math.inf, 0
        self.best_weights = _copy(self.network.state_dict())
        self.snapshots: dict[int, Tensor] = {}
        self.watch: Watch | None = None
        self.follower: Follower | None = None
        self.turns = together(self.options.turns or (), steering.kept(out))
        self.turned: dict[Knob, float] = {}
        self.inside: Inside | None = None
        self.tally = torch.zeros(3, dtype=torch.float64, device=device)
        self.validated = (math.nan, math.nan)
        self.saved_step = -1
        self.saved = float(-SAVE_EVERY_SECONDS)  # after the first epoch, so that none is lost
        self.frames: dict[int, Tensor] = {}
        self.planes: dict[int, Tensor] = {}
        self.log: list[dict[str, float]] = []
        self.seconds = 0.0
        self.train_x = torch.from_numpy(data.train.x).to(device)
        self.valid_x = torch.from_numpy(data.valid.x).to(device)
        order = np.random.default_rng(config.training.seed).permutation(len(data.train))
        self.followed = order[: replay.CODES]

    @property
    def batches(self) -> int:
        """Batches of an epoch."""
        return -(-len(self.train_x) // self.options.batch)

    @property
    def step(self) -> int:
        """Batches trained so far."""
        if self.inside is None:
            return self.epoch * self.batches
        return (self.epoch - 1) * self.batches + self.inside.batches

    @property
    def beta(self) -> float:
        """Weight of the KL in this epoch: of the warm-up, or as it was turned."""
        usual = self.config.objective.warmup.beta_at(float(max(1, self.epoch)))
        return self.turned.get("beta", usual)

    def prepare(self) -> None:
        """Do what comes before the first epoch: contrastive training, networks of scores."""
        if self.options.pretraining is not None:
            share = pretrain(
                self.network.model,
                self.train_x,
                self.options.pretraining,
                self.options.seed,
                inked=self.data.sketch.inked,
            )
            self.average.module.load_state_dict(self.network.state_dict())
            known = self.options.pretraining.model_copy(update={"explained": round(share, 4)})
            self.options = self.options.model_copy(update={"pretraining": known})
            self.config = self.config.model_copy(update={"training": self.options})
        self._record(self.chosen(), 0)
        if self.companion is None:
            return
        prior = self.latent_prior()
        self.companion.refer_to(prior)
        network = self.companion.config
        if network is None:
            return
        generator = _generator(self.options.seed, -1, self.device)
        size = (self.options.batch,)
        for _ in range(network.before):
            rows = torch.randint(len(self.train_x), size, generator=generator, device=self.device)
            x = self._picture(self.train_x[rows], generator)
            self._learn(self._codes(x, generator), prior, generator)

    def freeze(self) -> None:
        """Stop training of what the recipe says."""
        model = self.network.model
        if self.options.freeze is None:
            return
        if not isinstance(model, VAE | Autoencoder):
            raise TrainingError(
                "Only models of one level have an encoder that can be frozen; leave out freeze."
            )
        model.encoder.requires_grad_(False)
        if self.options.freeze == "encoder":
            for layer in (model.loc, getattr(model, "log_variance", None)):
                if layer is not None:
                    layer.requires_grad_(False)

    def epochs(self) -> Iterator[Progress]:
        """Train until the last epoch or until patience runs out."""
        while self.epoch < self.options.epochs and not self._tired():
            start = time.monotonic()
            if self.inside is None:
                self.epoch += 1
            train_elbo = self._train_epoch()
            self.inside = None
            beta, valid_elbo = self.beta, self.validate()
            if valid_elbo > self.best:
                self.best, self.best_epoch = valid_elbo, self.epoch
                self.best_weights = _copy(self.chosen().state_dict())
            self._snapshot()
            self.seconds += time.monotonic() - start
            progress = Progress(
                self.epoch,
                self.options.epochs,
                beta,
                train_elbo,
                valid_elbo,
                self.best,
                self.seconds,
            )
            self.log.append({key: round(value, 5) for key, value in vars(progress).items()})
            yield progress

    def settle(self) -> None:
        """Take the weights as they are if none was validated yet."""
        if not self.best_epoch:
            self.best_weights = _copy(self.chosen().state_dict())

    def store(self) -> None:
        """Write the whole state as one file, so that a killed run leaves the last one intact."""
        tensors = named("network", self.network.state_dict())
        tensors |= named("average", self.average.state_dict()) | named("best", self.best_weights)
        for prefix, kept in self._kept().items():
            tensors |= named(prefix, kept)
        tensors |= named("optimiser", slots(self.optimiser))
        if self.companion is not None:
            tensors |= named("companion", self.companion.state_dict())
        if self.companion_optimiser is not None:
            tensors |= named("learner", slots(self.companion_optimiser))
        inside: dict[str, object] = {}
        if self.inside is not None:
            inside = {"inside": [self.inside.batches, self.inside.seen]}
            state = self.inside.generator.get_state()
            tensors |= named("inside", {"total": self.inside.total, "generator": state})
        facts = {
            **inside,
            "turns": [turn.model_dump() for turn in self.turns],
            "data": self.fingerprint.model_dump(),
            "epoch": self.epoch,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "seconds": self.seconds,
            "recipe": self.config.model_dump(mode="json"),
        }
        run_states.write(self.out / WORK, facts, tensors, self.log)
        self.saved, self.saved_step = time.monotonic(), self.step

    def store_in_time(self) -> None:
        """Write the state if it has not been for a while."""
        if time.monotonic() - self.saved > SAVE_EVERY_SECONDS:
            self.store()

    def restore(self) -> None:
        """Resume from the stored state."""
        path = self.out / WORK / STATE
        facts, tensors = run_states.read(self.out, self.device)
        try:
            stored = run_states.begun(path, facts, self.config, self.data, self.fingerprint)
            self._take(facts, tensors)
            # What was determined when it began.
            known = {name: getattr(stored.training, name) for name in ("init", "pretraining")}
            started = self.options.model_copy(update=known)
            self.config = self.config.model_copy(update={"training": started})
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            what = " ".join(str(error).split())[:200]
            raise TrainingError(
                f"{path} is damaged ({what}); omit --resume to start again."
            ) from error

    def _take(self, facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self.network.load_state_dict(below(tensors, "network"))
        self.average.load_state_dict(below(tensors, "average"))
        self.best_weights = below(tensors, "best")
        for prefix, kept in self._kept().items():
            kept |= {int(epoch): value for epoch, value in below(tensors, prefix).items()}
        fill(self.optimiser, below(tensors, "optimiser"))
        if self.companion is not None:
            self.companion.load_state_dict(below(tensors, "companion"))
        if self.companion_optimiser is not None:
            fill(self.companion_optimiser, below(tensors, "learner"))
        self.epoch, self.best, self.best_epoch = facts["epoch"], facts["best"], facts["best_epoch"]
        self.log, self.seconds = facts["log"], facts["seconds"]
        stored = [Turn.model_validate(turn) for turn in facts.get("turns", [])]
        self.turns = together(self.turns, stored)
        if "inside" in facts:
            batches, seen = facts["inside"]
            within = below(tensors, "inside")
            generator = torch.Generator(self.device)
            generator.set_state(within["generator"].cpu())
            self.inside = Inside(batches, seen, within["total"], generator)
        for turn in self.turns:
            if turn.step < self.step:
                self._turn(turn)

    def _kept(self) -> dict[str, dict[int, Tensor]]:
        """Name what is kept of single epochs."""
        return {"snapshot": self.snapshots, "frame": self.frames, "plane": self.planes}

    def start_from(self, other: checkpoint.Checkpoint) -> None:
        """Load the weights of a checkpoint, except the decoder of a different kind of model."""
        weights = {f"model.{name}": value for name, value in other.model.state_dict().items()}
        if other.prior is not None and self.network.prior is not None:
            weights |= {f"prior.{name}": value for name, value in other.prior.state_dict().items()}
        own = self.network.state_dict()
        parts = [".encoder.", ".decoder."]
        ours, theirs = (
            {name: value.shape for name, value in found.items() if ".decoder." in name}
            for found in (own, weights)
        )
        if ours != theirs and other.config.model.kind != self.config.model.kind:
            parts.remove(".decoder.")
            weights = {name: value for name, value in weights.items() if name not in theirs}
        # Training data that form a prior are chosen by the run's own seed, not copied.
        weights.pop("prior.rows", None)
        fitting = {name: value for name, value in weights.items() if name in own}
        depth = {
            name for name in own.keys() ^ weights.keys() if any(part in name for part in parts)
        }
        if depth or not fitting or any(own[n].shape != v.shape for n, v in fitting.items()):
            raise TrainingError(
                f"{other.slug} does not match the recipe's shapes; choose a matching --init."
            )
        self.network.load_state_dict(own | fitting)
        self.average.module.load_state_dict(own | fitting)

    def publish(self) -> None:
        """Write the best weights as a checkpoint."""
        self.network.load_state_dict(self.best_weights)
        options = self.config.training.model_copy(update={"turns": tuple(self.turns) or None})
        self.config = self.config.model_copy(update={"training": options})
        if isinstance(self.network.prior, VampDataPrior):
            self.network.prior.freeze(self.network.model.top_posterior)
        if isinstance(self.network.prior, SpherePrior):
            self.network.prior.turn(self._all_codes(self.network))
        checkpoint.save(self.network.model, self.network.prior, self.config, self.out)
        checkpoint.write_fingerprint(self.out, self.fingerprint)
        self._record(self.network, self.best_epoch)
        if self.frames:
            labels = self.data.train.labels
            known = np.full(len(self.followed), -1) if labels is None else labels[self.followed]
            with torch.no_grad():
                found = replay.arrays(self.frames, self.planes, self.latent_prior(), known)
            np.savez_compressed(self.out / replay.FILE, **cast("dict[str, Any]", found))
        if self.snapshots:
            epochs = np.array(sorted(self.snapshots))
            stack = torch.stack([self.snapshots[int(epoch)] for epoch in epochs]).cpu()
            stack = (SNAPSHOT_LEVELS * stack).round() / SNAPSHOT_LEVELS
            np.savez_compressed(
                self.out / checkpoint.SNAPSHOTS, epochs=epochs, inputs=stack.numpy()
            )

    def _optimiser(self) -> torch.optim.Optimizer:
        own = self.options
        groups = [
            {"params": list(self.network.model.parameters()), "weight_decay": own.weight_decay}
        ]
        prior = [] if self.network.prior is None else list(self.network.prior.parameters())
        if prior:
            groups.append(
                {
                    "params": prior,
                    "lr": own.prior_learning_rate or own.learning_rate,
                    "weight_decay": 0.0,
                }
            )
        optimiser = torch.optim.AdamW(groups, lr=own.learning_rate, fused=True)
        for group in optimiser.param_groups:
            group["initial"] = group["lr"]
        return optimiser

    def _companion_optimiser(self) -> torch.optim.Optimizer | None:
        if self.companion is None or self.companion.config is None:
            return None
        rate = self.companion.config.learning_rate
        return torch.optim.AdamW(self.companion.parameters(), rate, weight_decay=0.0)

    def latent_prior(self) -> LatentPrior:
        """Return p(z) as it is now."""
        assert self.network.prior is not None
        return self.network.model.latent_prior(self.network.prior)

    @torch.no_grad()
    def _codes(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Encode a batch as it is encoded in training, without gradients."""
        corrupted = self._corrupt(x, generator)
        q = self.network.model.posterior(x if corrupted is None else corrupted)
        return q.sample(generator)

    @torch.no_grad()
    def _all_codes(self, network: _Network) -> Tensor:
        """Encode the training split to means."""
        parts = self.train_x.split(at_once(network, 2000))
        return torch.cat([network.model.posterior(x).loc for x in parts])

    def _learn(self, codes: Tensor, prior: LatentPrior, generator: torch.Generator) -> None:
        """Train the networks of scores by a step."""
        assert self.companion is not None
        assert self.companion_optimiser is not None
        loss = self.companion.learning_loss(codes, prior, generator)
        self.companion_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.companion_optimiser.step()

    def _follow(self) -> None:
        """Let a reference that moves follow the averaged model's codes."""
        if not isinstance(self.config.prior, MovingConfig):
            return
        codes = whitened(self._all_codes(self.chosen()).cpu().numpy())
        for network in (self.network, cast("_Network", self.average.module)):
            assert isinstance(network.prior, KernelPrior)
            network.prior.fit(codes, self.options.seed)

    def _take_average(self, averages: Weights, weights: Weights, count: Tensor | int) -> None:
        """Move the average towards the weights, faster in the first steps.

        With a constant decay near 1 it would lag for epochs behind weights that still move far.

        References:
            The argument `num_updates` of TensorFlow's `ExponentialMovingAverage`.
            https://www.tensorflow.org/api_docs/python/tf/train/ExponentialMovingAverage
        """
        steps = int(self.average.n_averaged)  # the copy on the CPU: reading `count` waits for CUDA
        decay = min(self.options.average, (1 + steps) / (10 + steps))
        get_ema_multi_avg_fn(decay)(averages, weights, count)

    def _train_epoch(self) -> float:
        generator = _generator(self.options.seed, self.epoch, self.device)
        order = torch.randperm(len(self.train_x), generator=generator, device=self.device)
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        batches = order.split(self.options.batch)
        every, first, seen = self.config.objective.every, 0, 0
        if self.inside is None:
            self._follow()
        else:
            first, seen, total, generator = self.inside
        self._pace()
        self.network.train()
        before = (self.epoch - 1) * len(batches)
        for step, rows in enumerate(batches[first:], before + first):
            self.inside = Inside(step - before, seen, total, generator)
            self._steer(step)
            x = self._picture(self.train_x[rows], generator)
            if self.companion_optimiser is not None:
                self._learn(self._codes(x, generator), self.latent_prior(), generator)
            if step % every:
                continue
            seen += len(x)
            options = {} if self.companion is None else {"companion": self.companion}
            terms = self.network(
                self.objective,
                x,
                beta=self.beta,
                generator=generator,
                inputs=self._corrupt(x, generator),
                **options,
            )
            reconstruction, kl, loss = terms
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            if self.options.normalise_gradients:
                for parameter in self.network.parameters():
                    if parameter.grad is not None:
                        parameter.grad.div_(parameter.grad.norm() + _NORM_FLOOR)
            self.optimiser.step()
            if self.options.average:
                self.average.update_parameters(self.network)
            # Stays on the device: reading a number back would wait for every step.
            with torch.no_grad():
                sums = reconstruction.sum(dtype=torch.float64), kl.sum(dtype=torch.float64)
                total += (reconstruction - kl).sum()
                self.tally += torch.stack([*sums, sums[0].new_tensor(len(x))])
            if self.companion is not None and len(self.companion.queue):
                self.companion.remember(self._codes(x, generator))
        if not seen:  # few batches: in this epoch only the networks were trained
            return self.log[-1]["train_elbo"] if self.log else 0.0
        mean = float(total) / seen
        if not math.isfinite(mean):
            raise TrainingError(
                f"The loss is not finite in epoch {self.epoch}; lower the learning rate."
            )
        return mean

    def _steer(self, step: int) -> None:
        """Turn what is to be turned before a batch, of old and as the follower asks now."""
        for turn in self.turns:
            if turn.step == step:
                self._turn(turn)
        if self.follower is None:
            return
        for turn in self.follower.between(self):
            steering.keep(self.out, turn)
            self.turns.append(turn)
            self._turn(turn)
        self.store_in_time()

    def _turn(self, turn: Turn) -> None:
        """Set a knob."""
        self.turned[turn.knob] = turn.value
        if turn.knob == "free_bits" and hasattr(self.objective, "free_bits"):
            self.objective = self.objective.model_copy(update={"free_bits": turn.value})
        elif turn.knob == "freeze_prior":
            for parameter in self.trained_of_prior:
                parameter.requires_grad_(not turn.value)
        elif turn.knob == "learning_rate":
            self.optimiser.param_groups[0]["initial"] = turn.value
        elif turn.knob == "prior_learning_rate" and len(self.optimiser.param_groups) > 1:
            self.optimiser.param_groups[1]["initial"] = turn.value
        self._pace()

    def _pace(self) -> None:
        """Set the learning rates of this epoch."""
        progress = (max(1, self.epoch) - 1) / self.options.epochs
        factor = (
            0.5 * (1 + math.cos(math.pi * progress)) if self.options.decay == "cosine" else 1.0
        )
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial"] * max(factor, 0.01)

    def _picture(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Binarise a batch of a dynamic data set, and shift images if the recipe says so."""
        if self.data.dynamic:
            x = torch.bernoulli(x, generator=generator)
        if self.options.shift and x.ndim == 4:
            x = shifted(x, self.options.shift, generator, inked=self.data.sketch.inked)
        return x

    def _corrupt(self, x: Tensor, generator: torch.Generator) -> Tensor | None:
        """Return what the encoder sees, if not the sample itself."""
        return hidden(x, self.options.corruption, generator) if self.options.corruption else None

    @torch.no_grad()
    def validate(self) -> float:
        """Evaluate the objective (the ELBO at beta = 1), with the same noise every epoch."""
        network = self.chosen().eval()
        generator = _generator(self.options.seed, 0, self.device)
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        apart = torch.zeros(2, dtype=torch.float64, device=self.device)
        for x in self.valid_x.split(at_once(network, 2000)):
            reconstruction, kl, _ = network(self.config.objective, x, generator=generator)
            total += (reconstruction - kl).sum()
            apart += torch.stack([reconstruction.double().sum(), kl.double().sum()])
        terms = (apart / len(self.valid_x)).tolist()
        self.validated = (terms[0], terms[1])
        return float(total) / len(self.valid_x)

    def chosen(self) -> _Network:
        """Return the weights that are validated: their running average, if there is one."""
        return cast("_Network", self.average.module) if self.options.average else self.network

    def _tired(self) -> bool:
        """Whether to stop early; counts from the end of the warm-up, when the loss is the ELBO."""
        warm = max(self.best_epoch, getattr(self.config.objective.warmup, "epochs", 0))
        return self.epoch - warm >= self.options.patience

    @torch.no_grad()
    def _record(self, network: _Network, epoch: int) -> None:
        """Keep where the codes are, and what the plane decodes to, if they are matched."""
        if not isinstance(self.config.objective, MatchingConfig):
            return
        x = self.train_x[torch.from_numpy(self.followed).to(self.device)]
        q = network.model.posterior(x)
        self.frames[epoch] = q.sample(_generator(self.options.seed, 0, self.device)).half()
        decoded = replay.plane(network.model, self.latent_prior())
        if decoded is not None:
            self.planes[epoch] = decoded
        if self.watch is not None:
            plane = None if decoded is None else decoded.cpu().numpy()
            self.watch(epoch, self.frames[epoch].float().cpu().numpy(), plane)

    def _snapshot(self) -> None:
        if self.epoch in _SNAPSHOT_EPOCHS or self.epoch == self.options.epochs:
            self._record(self.chosen(), self.epoch)
        prior = self.chosen().prior
        inputs = prior.pseudo_inputs() if prior is not None else None
        if inputs is None or (
            self.epoch not in _SNAPSHOT_EPOCHS and self.epoch != self.options.epochs
        ):
            return
        self.snapshots[self.epoch] = inputs[:SNAPSHOT_COMPONENTS].detach().half()
        while len(self.snapshots) > SNAPSHOTS_KEPT:
            del self.snapshots[sorted(self.snapshots)[1]]


def _generator(seed: int, epoch: int, device: torch.device) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed * 1_000_003 + epoch)


def _copy(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in tensors.items()}
