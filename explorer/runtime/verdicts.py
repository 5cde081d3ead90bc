"""Which pairs of foreign networks may be opened: those that passed their probe, by content."""

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


@dataclass(frozen=True)
class Pair:
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
    encoder, decoder = (_content(folder / name) for name in NAMES)
    return encoder, decoder


def _content(path: Path) -> bytes:
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
        if found.st_size > MOST_BYTES:
            raise CheckpointError(
                f"{path.name} is over {MOST_BYTES // 10**6} MB; export a smaller network."
            )
        return stream.read(MOST_BYTES)


_NO_WAIT = getattr(os, "O_NONBLOCK", 0)


class Prober:
    """The process that probes; it may be asked about several pairs, one after the other."""

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

    def ask(self, pair: Pair) -> Verdict:
        """Probe a pair, and remember the verdict."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watch = threading.Timer(WALL_SECONDS + _GRACE_SECONDS, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            request: dict[str, Any] = {
                "values": pair.values, "latent": pair.latent, "codes": pair.codes,
                "seconds": WALL_SECONDS,
                "sizes": [len(pair.encoder), len(pair.decoder)],
            }  # fmt: skip
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.write(pair.encoder)
            self._process.stdin.write(pair.decoder)
            self._process.stdin.flush()
            found = Verdict.model_validate_json(self._process.stdout.readline())
        except (OSError, ValidationError):
            return Verdict(
                passed=False,
                reason="The process that tries foreign networks ended; try again.",
            )
        finally:
            watch.cancel()
        _remember(pair, found)
        return found


def verdict(pair: Pair) -> Verdict:
    """Return the verdict on a pair, probing it now if it is not known."""
    found = known(pair)
    if found is None:
        with Prober() as prober:
            found = prober.ask(pair)
    return found


def known(pair: Pair) -> Verdict | None:
    """Return the verdict on a pair if it was probed before."""
    path = _place(pair)
    try:
        return Verdict.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


class _Queue:
    """Pairs that are probed in the background, one after the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, Pair] = {}
        self._thread: threading.Thread | None = None

    def add(self, pairs: Sequence[Pair]) -> threading.Thread:
        with self._lock:
            self._waiting |= {pair.key: pair for pair in pairs}
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
                    pair = self._waiting[key]
                prober.ask(pair)
                with self._lock:
                    self._waiting.pop(key, None)


_QUEUE = _Queue()


def soon(pair: Pair, patience: float) -> Verdict | None:
    """Return the verdict on a pair; probe it in the background, waiting only so many seconds."""
    found = known(pair)
    if found is not None:
        return found
    waited = _QUEUE.add([pair])
    waited.join(patience)
    return known(pair)


def _remember(pair: Pair, found: Verdict) -> None:
    path = _place(pair)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
        part.write_text(found.model_dump_json())
        part.replace(path)
    except OSError:
        pass  # it is probed again next time


def _place(pair: Pair) -> Path:
    return settings.current().user / "verdicts" / f"{pair.key}.json"
