"""A second sampler for any model: flow matching on its codes, fitted once and kept by the user.

It is the flow that Evaluate measures (`metrics.downstream`): fitted afterwards, to codes drawn for
the training data, whatever the model's own prior is, and also where there is none.
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field, ValidationError
from torch import Tensor

from explorer import checkpoint, weights
from explorer.checkpoint import Checkpoint, results_folder
from explorer.data import DataSet
from explorer.devices import Turns
from explorer.errors import CheckpointError
from explorer.interfaces import Frozen, noise
from explorer.metrics.downstream import BATCH, STEPS, Standard, code_source, train_flow
from explorer.velocity import VelocityNet, integrate

WIDTH = 256
MOST_STEPS = 50
"""Most Euler steps from noise to a code."""

_BLOCK = 64
"""Rows are integrated in whole blocks, since the rounding of a matrix product depends on them."""

_MOST_BYTES = 20_000_000
_TURNS = Turns()

Report = Callable[[str, int, int], None]


class Facts(Frozen):
    """How a flow was fitted, and to what.

    `model` and `weights` are hashes: of the model's checkpoint, and of the file of the flow's
    weights. `drawn` says whether codes were drawn from q(z|x) anew for each batch, or are the same
    each time. `loss` is the mean flow-matching loss of the second half of the training, per unit.
    """

    model: str = Field(pattern=r"^[0-9a-f]{1,64}$")
    weights: str = Field(pattern=r"^[0-9a-f]{64}$")
    latent: int = Field(ge=1, le=4096)
    codes: int = Field(ge=1, le=10**8)
    drawn: bool
    steps: int = Field(ge=1, le=10**7)
    batch: int = Field(ge=1, le=10**6)
    width: int = Field(ge=1, le=4096)
    seed: int = Field(ge=0, lt=2**31)
    loss: float = Field(ge=0, allow_inf_nan=False)


class CodeFlow(NamedTuple):
    """A fitted flow: its averaged velocity, the units of the codes, and how it was fitted."""

    net: VelocityNet
    standard: Standard
    facts: Facts

    def trajectory(
        self, n: int, steps: int, scale: float = 1.0, seed: int = 0
    ) -> Float[Tensor, "times n latent"]:
        """Follow n codes from noise, at time 0, to the end, in equal Euler steps.

        All places are in the units of the model: noise has the codes' mean and, at scale 1, their
        standard deviation in each unit. The first codes of a larger draw equal a smaller draw.

        Args:
            n: Number of codes.
            steps: Number of Euler steps.
            scale: s in x_0 = s * noise.
            seed: The same seed gives the same noise, as a prior's draw does.
        """
        latent = len(self.standard.mean)
        rows = -(-n // _BLOCK) * _BLOCK
        start = scale * noise(rows, latent, seed)
        with _TURNS:
            parts = [integrate(self.net, part, steps) for part in start.split(_BLOCK)]
        places: Tensor = torch.cat(parts, 1)[:, :n]
        return places * self.standard.scale + self.standard.mean


def fit(
    opened: Checkpoint,
    data: DataSet,
    *,
    steps: int = STEPS,
    batch: int = BATCH,
    seed: int = 0,
    report: Report = lambda stage, done, total: None,
) -> CodeFlow:
    """Fit a flow to a model's codes of training data, on the CPU, and keep it for the user.

    Args:
        opened: The checkpoint.
        data: Its data set.
        steps: Training steps.
        batch: Codes in each.
        seed: Seed of the weights, of the order of codes and of all noise.
        report: Called with a stage, the number of steps done, and their total.
    """
    report("encoding", 0, 0)
    model = opened.model.to("cpu")
    source, standard = code_source(model, data, seed, "cpu")
    latent, net, losses = len(standard.mean), None, []
    for point in train_flow(
        lambda rows, generator: standard.apply(source(rows, generator)),
        len(data.train),
        latent,
        steps=steps,
        batch=batch,
        seed=seed,
        width=WIDTH,
        report=lambda step: report("flow on codes", step, steps),
    ):
        net = point.net
        losses.append(point.loss)
    assert net is not None
    tensors = {f"net.{name}": value for name, value in net.state_dict().items()}
    content = weights.packed({**tensors, "mean": standard.mean, "scale": standard.scale}, 32)
    facts = Facts(
        model=opened.hash,
        weights=hashlib.sha256(content).hexdigest(),
        latent=latent,
        codes=len(data.train),
        drawn=opened.config.model.stochastic,
        steps=steps,
        batch=batch,
        width=WIDTH,
        seed=seed,
        loss=losses[-1],
    )
    folder = results_folder(opened.hash)
    folder.mkdir(parents=True, exist_ok=True)
    # The facts come last: they name the weights, and are what tells that there is a flow.
    checkpoint.write(folder / checkpoint.FLOW_WEIGHTS, content)
    checkpoint.write(folder / checkpoint.FLOW, (facts.model_dump_json(indent=1) + "\n").encode())
    return CodeFlow(net, standard, facts)


def load(opened: Checkpoint) -> CodeFlow | None:
    """Read the flow of a model from the user's folder; None if none was fitted.

    Raises:
        CheckpointError: If it is damaged, or was fitted to another model's codes.
    """
    folder = results_folder(opened.hash)
    path, stored = folder / checkpoint.FLOW, folder / checkpoint.FLOW_WEIGHTS
    if not path.is_file():
        return None
    again = "delete it and fit the flow again."
    try:
        if max(path.stat().st_size, stored.stat().st_size) > _MOST_BYTES:
            raise CheckpointError(f"{path.name} or its weights are too large; {again}")
        facts = Facts.model_validate_json(path.read_bytes())
        content = stored.read_bytes()
    except (OSError, ValidationError) as error:
        raise CheckpointError(f"{path} cannot be read; {again}") from error
    fits = facts.model == opened.hash and facts.latent == opened.model.space.size
    if not fits or hashlib.sha256(content).hexdigest() != facts.weights:
        raise CheckpointError(f"{path} is not of this model or these weights; {again}")
    net = VelocityNet(facts.latent, facts.width)
    expected = {f"net.{name}": tuple(value.shape) for name, value in net.state_dict().items()}
    found = weights.read(stored, {**expected, "mean": (facts.latent,), "scale": (facts.latent,)})
    net.load_state_dict({name: found[f"net.{name}"] for name in net.state_dict()})
    standard = Standard(found["mean"], found["scale"])
    return CodeFlow(net.eval().requires_grad_(False), standard, facts)
