"""The device and the number of threads a computation uses."""

import os

import torch
from torch import nn

from explorer.errors import DeviceError

_CONVOLVED = 128


def resolve_device(name: str) -> str:
    """Resolve auto, cpu or cuda to an available device.

    Raises:
        DeviceError: If it is unknown or unavailable.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(name).type
    except RuntimeError:
        kind = ""
    if kind not in ("cpu", "cuda"):
        raise DeviceError(f"{name} is not a known device; use auto, cpu or cuda.")
    if kind == "cuda" and not torch.cuda.is_available():
        raise DeviceError(f"{name} was requested, but torch finds no GPU; use --device cpu.")
    return name


def at_once(network: nn.Module, most: int) -> int:
    """Return how many samples to pass through a network at once, at most `most`.

    On a CPU the activations of 128 images stay in the cache between convolutions: several times as
    fast as with 2,000.
    """
    convolves = any(isinstance(part, nn.Conv2d) for part in network.modules())
    on_cpu = all(tensor.device.type == "cpu" for tensor in network.parameters())
    return min(most, _CONVOLVED) if convolves and on_cpu else most


def limit_threads() -> None:
    """Use half of the cores: two threads on two busy cores were 37 times slower than one."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    torch.set_num_threads(max(1, cores // 2))
    if torch.cuda.is_available():
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False
