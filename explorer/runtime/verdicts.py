"""Which foreign networks may be opened: those that passed their probe, by content."""

import contextlib
import hashlib
import importlib.util
import json
import os
import stat
import subprocess
import sys
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from explorer import settings
from explorer.errors import CheckpointError

RULES = 1
"""Version of the rules: another one has everything probed again."""

NAMES = ("encoder.onnx", "decoder.onnx")
NETWORK = "network.onnx"
"""What a graph that is asked about samples is called."""
MOST_BYTES = 450_000_000
WALL_SECONDS = 30
_GRACE_SECONDS = 15
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from explorer.runtime.probe import main; main()"
)


class Verdict(BaseModel):
    """What the probe of a pair of networks found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: bool
    reason: str = Field("", max_length=400)
    convolves: bool = False
    seconds: float = Field(0.0, ge=0, allow_inf_nan=False)
    pace: float = Field(0.0, ge=0, allow_inf_nan=False, description="Seconds of a whole batch.")


class AbstractGraphs(ABC):
    """Graphs as they were read, once, and what is expected of them."""

    @property
    @abstractmethod
    def key(self) -> str:
        """What a verdict is remembered by: the content, the expectation, rules and runtime."""

    @property
    @abstractmethod
    def contents(self) -> tuple[bytes, ...]:
        """The bytes of each."""

    @property
    @abstractmethod
    def plans(self) -> list[dict[str, object]]:
        """What is expected of each, for the probe."""


@dataclass(frozen=True)
class Pair(AbstractGraphs):
    """Two graphs as they were read, once, and what is expected of them.

    Args:
        encoder: Content of encoder.onnx.
        decoder: Content of decoder.onnx.
        values: Values of one sample.
        latent: Length of a code.
        codes: Results of the encoder: 1, or 2 with a spread.
    """

    encoder: bytes
    decoder: bytes
    values: int
    latent: int
    codes: Literal[1, 2]

    @property
    def key(self) -> str:
        """What a verdict is remembered by: the content, the expectation, rules and runtime."""
        facts = (RULES, runtime(), self.values, self.latent, self.codes)
        digest = hashlib.sha256(repr(facts).encode())
        for content in (self.encoder, self.decoder):
            digest.update(hashlib.sha256(content).digest())
        return digest.hexdigest()

    @property
    def contents(self) -> tuple[bytes, ...]:
        """The bytes of both."""
        return self.encoder, self.decoder

    @property
    def plans(self) -> list[dict[str, object]]:
        """What the probe expects: an encoder is tried on noise in [0, 1], a decoder on normal."""
        return [
            _plan(NAMES[0], self.values, (self.latent,) * self.codes, (0.0, 1.0)),
            _plan(NAMES[1], self.latent, (self.values,), None),
        ]


@dataclass(frozen=True)
class Single(AbstractGraphs):
    """A graph that is asked about samples, as it was read, once, and what is expected of it.

    Args:
        content: Content of the file.
        values: Values of one sample.
        outputs: Values of its result.
        range: The values between which it is tried.
        shares: Whether the result are probabilities that sum to one.
    """

    content: bytes
    values: int
    outputs: int
    range: tuple[float, float] = (0.0, 1.0)
    shares: bool = False

    @property
    def key(self) -> str:
        """What a verdict is remembered by: the content, the expectation, rules and runtime."""
        facts = (RULES, runtime(), self.values, self.outputs, self.range, self.shares)
        digest = hashlib.sha256(repr(facts).encode())
        digest.update(hashlib.sha256(self.content).digest())
        return digest.hexdigest()

    @property
    def contents(self) -> tuple[bytes, ...]:
        """The bytes, alone."""
        return (self.content,)

    @property
    def plans(self) -> list[dict[str, object]]:
        """What the probe expects; a value that is not finite is unknown."""
        return [
            _plan(NETWORK, self.values, (self.outputs,), self.range, True, self.shares),
        ]


def _plan(
    name: str,
    inputs: int,
    outputs: tuple[int, ...],
    noise: tuple[float, float] | None,
    unknown: bool = False,
    shares: bool = False,
) -> dict[str, object]:
    return {
        "name": name, "inputs": inputs, "outputs": outputs, "noise": noise, "unknown": unknown,
        "shares": shares,
    }  # fmt: skip


def available() -> bool:
    """Whether the packages that examine and run foreign networks are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("onnx", "onnxruntime"))


def runtime() -> str:
    """Return the versions of what examines and runs a graph."""
    return f"onnx {version('onnx')}, onnxruntime {version('onnxruntime')}"


def require() -> None:
    """Check that foreign networks can be run here.

    Raises:
        CheckpointError: If the packages are missing.
    """
    if not available():
        raise CheckpointError(
            "Its networks are ONNX graphs, and onnxruntime is not installed: "
            'pip install -e ".[onnx]".'
        )


def require_exporter() -> None:
    """Check that networks of torch can be written as graphs here.

    Raises:
        CheckpointError: If the package is missing.
    """
    if importlib.util.find_spec("onnxscript") is None:
        raise CheckpointError(
            "Networks of PyTorch are written by onnxscript, which is not installed: "
            'pip install -e ".[onnx]".'
        )


def read(folder: Path) -> tuple[bytes, bytes]:
    """Read both graphs of a folder, each once; links are not followed.

    Raises:
        CheckpointError: If one is missing, a link, no file, or too large.
    """
    for path in folder.iterdir():
        if path.is_symlink():
            raise CheckpointError(
                f"{path.name[:80]} is a link, and a folder with foreign networks has none; "
                "copy the file."
            )
    encoder, decoder = (read_file(folder / name) for name in NAMES)
    return encoder, decoder


def read_file(path: Path, most: int = MOST_BYTES) -> bytes:
    """Read a file once, if it is one and no link.

    Raises:
        CheckpointError: If it is missing, a link, no file, or larger than `most` bytes.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | _NO_WAIT)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path.parent.name} has no {path.name}; write it with `explorer.export_model`."
        ) from error
    except OSError as error:
        raise CheckpointError(f"{path.name} cannot be read ({error.strerror}).") from error
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        os.close(handle)
        raise CheckpointError(f"{path.name} is no file; export it again.")
    with os.fdopen(handle, "rb") as stream:
        if found.st_size > most:
            raise CheckpointError(
                f"{path.name} is over {most / 10**6:g} MB; export a smaller network."
            )
        return stream.read(most)


_NO_WAIT = getattr(os, "O_NONBLOCK", 0)


class Prober:
    """The process that probes; it may be asked about several graphs, one after the other."""

    def __enter__(self) -> "Prober":
        self._nowhere = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, str(settings.PACKAGE.parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._nowhere.name,
            env=settings.environment() | {"OMP_NUM_THREADS": "1"},
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self._nowhere.cleanup()

    def ask(self, graphs: AbstractGraphs) -> Verdict:
        """Probe graphs, and remember the verdict."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watch = threading.Timer(WALL_SECONDS + _GRACE_SECONDS, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            request: dict[str, Any] = {
                "plans": graphs.plans,
                "seconds": WALL_SECONDS,
                "sizes": [len(content) for content in graphs.contents],
            }
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            for content in graphs.contents:
                self._process.stdin.write(content)
            self._process.stdin.flush()
            found = Verdict.model_validate_json(self._process.stdout.readline())
        except (OSError, ValidationError):
            return Verdict(
                passed=False,
                reason="The process that tries foreign networks ended; try again.",
            )
        finally:
            watch.cancel()
        _remember(graphs, found)
        return found


def verdict(graphs: AbstractGraphs) -> Verdict:
    """Return the verdict on graphs, probing them now if it is not known."""
    found = known(graphs)
    if found is None:
        with Prober() as prober:
            found = prober.ask(graphs)
    return found


def known(graphs: AbstractGraphs) -> Verdict | None:
    """Return the verdict on graphs if they were probed before."""
    path = _place(graphs)
    try:
        return Verdict.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


class _Queue:
    """Graphs that are probed in the background, one after the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, AbstractGraphs] = {}
        self._thread: threading.Thread | None = None

    def add(self, added: Sequence[AbstractGraphs]) -> threading.Thread:
        with self._lock:
            self._waiting |= {graphs.key: graphs for graphs in added}
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
            return self._thread

    def _work(self) -> None:
        with Prober() as prober:
            while True:
                with self._lock:
                    if not self._waiting:
                        self._thread = None
                        return
                    key = next(iter(self._waiting))
                    graphs = self._waiting[key]
                prober.ask(graphs)
                with self._lock:
                    self._waiting.pop(key, None)


_QUEUE = _Queue()


def soon(graphs: AbstractGraphs, patience: float) -> Verdict | None:
    """Return the verdict on graphs; probe them in the background, waiting only so many seconds."""
    found = known(graphs)
    if found is not None:
        return found
    waited = _QUEUE.add([graphs])
    waited.join(patience)
    return known(graphs)


def _remember(graphs: AbstractGraphs, found: Verdict) -> None:
    path = _place(graphs)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
        part.write_text(found.model_dump_json())
        part.replace(path)
    except OSError:
        pass  # it is probed again next time


def _place(graphs: AbstractGraphs) -> Path:
    return settings.current().user / "verdicts" / f"{graphs.key}.json"
