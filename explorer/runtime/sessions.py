"""Runs graphs that have passed: in bounded blocks, on one thread, and never for ever."""

import threading
import time
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from explorer.errors import CheckpointError, DeviceError

ROWS = 64
"""Rows of a block: what the probe has tried."""

LONGEST_SECONDS = 30.0
"""Time after which a run is ended."""


@runtime_checkable
class _Run(Protocol):
    """Options of a run, by which it can be ended."""

    terminate: bool


class Network:
    """A graph that has passed its probe.

    Args:
        content: The bytes that passed.
        name: What it is called in messages.
        device: cpu or cuda.
        finite: Whether a value that is not finite is an error.
        longest: Seconds after which a block is ended.
    """

    def __init__(
        self,
        content: bytes,
        name: str,
        device: str = "cpu",
        *,
        finite: bool = True,
        longest: float = LONGEST_SECONDS,
    ) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # One thread: with more, the order of a sum may depend on how busy the machine is.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        on_gpu = (
            device == "cuda" and "CUDAExecutionProvider" in onnxruntime.get_available_providers()
        )
        cuda = [("CUDAExecutionProvider", {"use_tf32": "0"})] if on_gpu else []
        self.name, self._finite, self._longest = name, finite, longest
        self._session = onnxruntime.InferenceSession(
            content, options, providers=[*cuda, "CPUExecutionProvider"]
        )
        given = self._session.get_inputs()[0]
        self._input = given.name
        self.shape: tuple[int, ...] = tuple(int(side) for side in given.shape[1:])

    def __call__(self, rows: Float[np.ndarray, "batch *values"]) -> list[np.ndarray]:
        """Run on rows of values, in blocks of at most 64.

        Raises:
            CheckpointError: If it gives values that are not finite.
            DeviceError: If it takes too long.
        """
        x = np.ascontiguousarray(rows, np.float32).reshape(len(rows), *self.shape)
        parts = [self._run(x[start : start + ROWS]) for start in range(0, max(len(x), 1), ROWS)]
        whole = [np.concatenate(part) for part in zip(*parts, strict=True)]
        if self._finite and not all(np.isfinite(part).all() for part in whole):
            raise CheckpointError(
                f"{self.name} gives values that are not finite for this input; "
                "choose another input, or train it again."
            )
        return whole

    def _run(self, block: np.ndarray) -> list[np.ndarray]:
        import onnxruntime

        options = onnxruntime.RunOptions()
        number = _WATCH.begin(options, self._longest)
        try:
            return list(self._session.run(None, {self._input: block}, options))
        except Exception as error:
            raise DeviceError(
                f"{self.name} was ended: it takes too long or does not fit into memory; "
                "export a smaller network."
            ) from error
        finally:
            _WATCH.end(number)


class _Watchdog:
    """One thread that ends every run that takes too long."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: dict[int, tuple[float, _Run]] = {}
        self._next = 0
        self._thread: threading.Thread | None = None

    def begin(self, options: _Run, longest: float) -> int:
        with self._changed:
            self._next += 1
            self._running[self._next] = (time.monotonic() + longest, options)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()
            return self._next

    def end(self, number: int) -> None:
        with self._changed:
            self._running.pop(number, None)

    def _watch(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                for late, options in self._running.values():
                    if late <= now:
                        options.terminate = True
            time.sleep(1.0)


_WATCH = _Watchdog()
