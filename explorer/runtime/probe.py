"""The process that probes foreign graphs: each in a child of its own, within hard limits.

It reads requests from its standard input (a line of JSON, then the bytes of both graphs) and
answers each by a line of JSON. It imports neither torch nor anything that reads files.
"""

import contextlib
import json
import os
import select
import signal
import sys
import time
from typing import Any, BinaryIO

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from explorer.runtime import rules

MEMORY_BYTES = 6 * 2**30
CPU_SECONDS = 20
FINITE = 1e6
"""Largest magnitude of what a network may give for ordinary inputs."""

SLOWEST = 0.25
"""Longest time of the processor, in seconds, of a batch of a network that gives properties."""

_BLOCK = 1 << 20
_AWAY = 1e-3


def main() -> None:
    """Answer requests until the input ends."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever else is printed is no answer
    onnxruntime.set_default_logger_severity(4)
    _run_something()
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        graphs = [_exactly(sys.stdin.buffer, size) for size in request["sizes"]]
        started = time.perf_counter()
        found = _in_child(request, graphs) if hasattr(os, "fork") else _judge(request, graphs)
        found["seconds"] = round(time.perf_counter() - started, 3)
        answers.write(json.dumps(found).encode() + b"\n")


def _run_something() -> None:
    """Run a graph that we know, so that all of the runtime is read from disk before any limit."""
    shape = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "own", [shape], [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    x = np.random.default_rng(0).random((2, 1)).astype("float32")
    _session(model.SerializeToString()).run(None, {"x": x})
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    onnx.numpy_helper.to_array(onnx.numpy_helper.from_array(x))


def _in_child(request: dict[str, Any], graphs: list[bytes]) -> dict[str, Any]:
    """Judge in a forked child; whatever happens to it is an answer, too."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            _limit()
            answer = json.dumps(_judge(request, graphs)).encode()
            os.write(writing, answer)
            code = 0
        except BaseException:  # it ends here in any case
            code = 1
        finally:
            os._exit(code)
    os.close(writing)
    answer, until = b"", time.monotonic() + request["seconds"]
    with os.fdopen(reading, "rb", buffering=0) as stream:
        while (left := until - time.monotonic()) > 0 and select.select([stream], [], [], left)[0]:
            part = stream.read(65536)
            if not part:
                break
            answer += part
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if answer:
        with contextlib.suppress(ValueError):
            return dict(json.loads(answer))
    late = time.monotonic() >= until or (
        os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
    )
    why = "takes too long" if late else "ended the process that tried it, or needs too much memory"
    return {"passed": False, "reason": f"The pair of networks {why}; export smaller ones."}


def _limit() -> None:
    """Bound memory, time and files of this process, for good: no further file can be opened."""
    import resource

    def at_most(kind: int, value: int) -> None:
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))

    at_most(resource.RLIMIT_AS, MEMORY_BYTES)
    at_most(resource.RLIMIT_CPU, CPU_SECONDS)
    at_most(resource.RLIMIT_CORE, 0)
    at_most(resource.RLIMIT_FSIZE, 0)
    at_most(resource.RLIMIT_NOFILE, 0)


def _judge(request: dict[str, Any], graphs: list[bytes]) -> dict[str, Any]:
    """Examine all graphs, then run each for one row, three and a whole batch."""
    convolves, pace = [], 0.0
    for plan, content in zip(request["plans"], graphs, strict=True):
        name = plan["name"]
        try:
            sizes = tuple(plan["outputs"])
            convolves.append(rules.convolves(rules.examine(content, plan["inputs"], sizes)))
            pace = max(pace, _try(_session(content), plan))
        except rules.Refused as error:
            return {"passed": False, "reason": f"{name} {error}."}
        except MemoryError:
            return {"passed": False, "reason": f"{name} needs too much memory; export it smaller."}
        except Exception as error:
            kind = type(error).__name__
            return {"passed": False, "reason": f"{name} cannot be run ({kind}); export it again."}
    return {
        "passed": True, "reason": "", "convolves": any(convolves), "pace": round(pace, 4),
    }  # fmt: skip


def _try(session: onnxruntime.InferenceSession, plan: dict[str, Any]) -> float:
    """Run a graph on noise, and check what it gives; return the seconds of a whole batch."""
    given = session.get_inputs()[0]
    shape = [side for side in given.shape[1:]]
    batches, seconds = [], 0.0
    for rows in (1, 3, rules.ROWS):
        noise = np.random.default_rng(rows)
        if plan["noise"] is None:
            x = noise.standard_normal((rows, *shape))
        else:
            low, high = plan["noise"]
            x = low + (high - low) * noise.random((rows, *shape))
        started = time.process_time()
        results = session.run(None, {given.name: x.astype(np.float32)})
        seconds = time.process_time() - started
        for found, size in zip(results, plan["outputs"], strict=True):
            if found.shape[0] != rows or found.size != rows * size:
                raise rules.Refused("gives results of another size than it says")
            good = np.isfinite(found) & (np.abs(np.nan_to_num(found)) <= FINITE)
            if not (good.any() if plan["unknown"] else good.all()):
                raise rules.Refused("gives values that are not finite; train it again")
        batches.append((x.astype(np.float32), results))
    if plan["shares"]:
        _check_shares([found for _, results in batches for found in results])
    if plan["unknown"]:
        _check_alone(session, given.name, *batches[-1])
        if seconds > SLOWEST:
            raise rules.Refused(
                f"takes {seconds:.1f} s for {rules.ROWS} samples, and pages ask about "
                "thousands; train a smaller one"
            )
    return seconds


def _check_shares(found: list[np.ndarray]) -> None:
    for part in found:
        known = part[np.isfinite(part).all(1)]
        total = known.sum(1)
        if len(known) and (known.min() < -_AWAY or np.abs(total - 1).max() > 10 * _AWAY):
            raise rules.Refused(
                "gives values that are no probabilities of classes; "
                'write "softmax": true if they are logits'
            )


def _check_alone(
    session: onnxruntime.InferenceSession, name: str, x: np.ndarray, results: list[np.ndarray]
) -> None:
    """A sample has the same value whatever is beside it: pages ask in blocks of any size."""
    for whole, alone in zip(results, session.run(None, {name: x[:1]}), strict=True):
        if not np.allclose(whole[:1], alone, rtol=_AWAY, atol=_AWAY, equal_nan=True):
            raise rules.Refused(
                "gives a sample another value when others are beside it; "
                "export it for evaluation, without statistics of the batch"
            )


def _session(content: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _exactly(stream: BinaryIO, size: int) -> bytes:
    parts, left = [], size
    while left:
        part = stream.read(min(left, _BLOCK))
        if not part:
            raise EOFError
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


if __name__ == "__main__":
    main()
