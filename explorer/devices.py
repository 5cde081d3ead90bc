"""The device, the number of threads and the turn a computation takes."""

import os
import threading
from collections import deque
from types import TracebackType

import torch
from torch import nn

from explorer.errors import DeviceError

_CONVOLVED = 128

MOST_THREADS = 2
"""Threads of a computation whose result is the same bit by bit, wherever it is repeated.

With more of them sums are split in another way, and the last bits of a sample differ.
"""


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
    on_cpu = all(tensor.device.type == "cpu" for tensor in network.parameters())
    return min(most, _CONVOLVED) if convolves(network) and on_cpu else most


def convolves(network: nn.Module) -> bool:
    """Whether a network has convolutions; one that is not of torch says it itself."""
    return any(
        isinstance(part, nn.Conv2d) or getattr(part, "convolves", False)
        for part in network.modules()
    )


def limit_threads() -> None:
    """Use half of the cores, at most `MOST_THREADS`.

    Two threads on two busy cores were 37 times slower than one.
    """
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    torch.set_num_threads(min(MOST_THREADS, max(1, cores // 2)))
    if torch.cuda.is_available():
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False


class Turns:
    """A reentrant lock that threads get in the order in which they asked for it.

    Python's own is usually taken again by the thread that has just released it: a page would wait
    for the whole of a long computation, although that releases the lock after every block.
    While a thread has it, torch uses at most `MOST_THREADS`.
    """

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._waiting: deque[tuple[int, threading.Lock]] = deque()
        self._owner: int | None = None
        self._depth = 0
        self._usual = 0

    def __enter__(self) -> None:
        own = threading.get_ident()
        with self._gate:
            if self._owner in (None, own):
                self._owner = own
                self._depth += 1
                if self._depth == 1:
                    self._limit()
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append((own, turn))
        turn.acquire()  # until the thread before hands the lock on
        self._limit()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._gate:
            self._depth -= 1
            if self._depth:
                return
            if self._usual:
                torch.set_num_threads(self._usual)
            self._owner = None
            if self._waiting:
                self._owner, turn = self._waiting.popleft()
                self._depth = 1
                turn.release()

    def _limit(self) -> None:
        """Take the threads away that would change the result."""
        usual = torch.get_num_threads()
        self._usual = usual if usual > MOST_THREADS else 0
        if self._usual:
            torch.set_num_threads(MOST_THREADS)
