"""Training: from data to a checkpoint; a killed run resumes to identical results."""

import time
from collections.abc import Callable
from pathlib import Path

import torch

from explorer import checkpoint
from explorer.config import RunConfig
from explorer.data import DataSet
from explorer.run_states import LOG as LOG
from explorer.run_states import STATE as STATE
from explorer.run_states import WORK as WORK
from explorer.training_loop import (
    FinishedRunError,
    Follower,
    Progress,
    Run,
    StoppedRunError,
    Watch,
)


def train(
    config: RunConfig,
    data: DataSet,
    out: Path,
    *,
    resume: bool = False,
    init: checkpoint.Checkpoint | None = None,
    minutes: float | None = None,
    device: str = "cpu",
    beside: Path | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    watch: Watch | None = None,
    follower: Follower | None = None,
) -> RunConfig:
    """Train a model; write config, weights and snapshots of its pseudo-inputs to a folder.

    Every epoch derives its order and noise from (seed, epoch), so that a run that was killed and
    resumed computes the same numbers as one that was not.

    Args:
        config: The recipe.
        data: Its data set.
        out: The folder of the checkpoint; the state of the run is stored in its `training` folder.
        resume: Resume from the stored state.
        init: A checkpoint of the same architecture to initialise from. If its decoder is that of
            another kind of model, the new decoder is trained from scratch.
        minutes: Stop after the epoch in which this many minutes have passed.
        device: cpu or cuda.
        beside: The folder of the recipe, in which the file of a reference is sought first.
        report: Called after each epoch.
        watch: Called with an epoch, codes and the decoded plane, or None, where matching is kept.
        follower: Looks on, and may turn knobs, hold the run or stop it.

    Returns:
        The recipe, completed with what training has determined.

    Raises:
        TrainingError: If there is nothing to resume, `init` does not fit, or the loss diverges.
        StoppedRunError: If the follower stopped the run.
    """
    start = f"{init.slug}, hash {init.hash}" if init else None
    config = config.model_copy(
        update={"training": config.training.model_copy(update={"init": start})}
    )
    config = config.settled(data)
    run = Run(config, data, out, torch.device(device), beside)
    run.watch, run.follower = watch, follower
    if resume:
        run.restore()
    else:
        if init is not None:
            run.start_from(init)
        run.prepare()
    run.freeze()
    if follower is not None:
        follower.begin(run)
    started = time.monotonic()
    try:
        for progress in run.epochs():
            report(progress)
            if follower is not None:
                follower.epoch(run, progress)
            run.store_in_time()
            if minutes is not None and time.monotonic() - started > 60 * minutes:
                break
    except StoppedRunError:
        run.store()
        raise
    except FinishedRunError:
        run.settle()
    run.store()
    run.publish()
    return run.config
