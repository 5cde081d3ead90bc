"""Which device a computation runs on, and with how many threads."""

import os

import torch
from torch import nn

from explorer.errors import DeviceError

_CONVOLVED = 128


def resolve_device(name: str) -> str:
    """Turn auto, cpu or cuda into a device that is there.

    Raises:
        DeviceError: If it is unknown or absent.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(name).type
    except RuntimeError:
        kind = ""
    if kind not in ("cpu", "cuda"):
        raise DeviceError(f"{name} is not a device this program knows; use auto, cpu or cuda.")
    if kind == "cuda" and not torch.cuda.is_available():
        raise DeviceError(f"{name} was asked for, but torch sees no GPU; use --device cpu.")
    return name


def at_once(network: nn.Module, most: int) -> int:
    """Return how many samples go through a network together, at most `most`.

    On a CPU what lies between convolutions of 128 pictures stays in the cache: several times as
    fast as with 2,000.
    """
    convolves = any(isinstance(part, nn.Conv2d) for part in network.modules())
    on_cpu = all(tensor.device.type == "cpu" for tensor in network.parameters())
    return min(most, _CONVOLVED) if convolves and on_cpu else most


def limit_threads() -> None:
    """Leave room for others: two threads on two busy cores were 37 times slower than one."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    torch.set_num_threads(max(1, cores // 2))
    if torch.cuda.is_available():
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False
