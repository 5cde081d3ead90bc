"""Networks that are asked about digits, made by hand, and installed."""

import json

import numpy as np
import onnx

from explorer.designs import installed, measuring
from tests.support.graphs import SIDE, VALUES, graph_of, node

CLASSES = ("left", "right", "none")


def classifier(*, seed=0, classes=3, logits=True):
    """A linear classifier of pictures of 8 x 8: ink on the left, ink on the right, or none."""
    weights = np.random.default_rng(seed).normal(0, 0.05, (VALUES, classes)).astype(np.float32)
    at = np.arange(VALUES) % SIDE
    weights[:, 0] += np.where(at < SIDE // 2, 0.6, -0.6)
    weights[:, 1] -= np.where(at < SIDE // 2, 0.6, -0.6)
    nodes = [node("Flatten", "x", "f"), node("MatMul", "f w", "l" if not logits else "y")]
    if not logits:
        nodes.append(node("Softmax", "l", "y", axis=1))
    return graph_of(nodes, {"x": [1, SIDE, SIDE]}, {"y": [classes]}, {"w": weights})


def regressor(*, broken=False):
    """The logarithm of the mean: unknown of an empty picture."""
    nodes = [
        node("Flatten", "x", "f"),
        node("ReduceMean", "f", "m", axes=[1], keepdims=1),
        node("Log" if not broken else "Neg", "m", "y"),
    ]
    return graph_of(nodes, {"x": [1, SIDE, SIDE]}, {"y": [1]})


def described(**more):
    """What property.json says of the classifier."""
    outputs = [{"key": f"side_{name}", "label": name} for name in CLASSES]
    return {
        "key": "side", "label": "Side", "kind": "classifier", "shape": [1, SIDE, SIDE],
        "softmax": True, "outputs": outputs, **more,
    }  # fmt: skip


def described_regressor(**more):
    """What property.json says of the regressor."""
    return {
        "key": "logs", "label": "Logs", "kind": "regressor", "shape": [SIDE, SIDE],
        "outputs": [{"key": "log_ink", "label": "Log ink", "unit": "nats", "digits": 1}], **more,
    }  # fmt: skip


def write_judge(folder, graph=None, description=None):
    """Write a folder to be added: the graph as a model or bytes, its description or text."""
    folder.mkdir(parents=True, exist_ok=True)
    graph = classifier() if graph is None else graph
    if isinstance(graph, bytes):
        (folder / "network.onnx").write_bytes(graph)
    else:
        onnx.save(graph, folder / "network.onnx")
    text = described() if description is None else description
    (folder / "property.json").write_text(text if isinstance(text, str) else json.dumps(text))
    return folder


def install(folder, graph=None, description=None):
    """Install what `write_judge` writes."""
    return installed.add([write_judge(folder, graph, description)], measuring.taken_keys())
