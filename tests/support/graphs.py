"""Pairs of ONNX graphs made by hand, and the folders that hold them."""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
SIDE, LATENT = 8, 2
VALUES = SIDE * SIDE


def graph_of(nodes, inputs, outputs, weights=(), *, opsets=None, functions=(), **more):
    """Make a model: names and sizes of what goes in and out, with a dynamic batch."""

    def described(named):
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])
            for name, shape in named.items()
        ]

    graph = helper.make_graph(
        nodes,
        "made",
        described(inputs),
        described(outputs),
        [
            value if isinstance(value, TensorProto) else numpy_helper.from_array(value, name)
            for name, value in dict(weights).items()
        ],
        **more,
    )
    model = helper.make_model(
        graph,
        opset_imports=opsets or [helper.make_opsetid("", OPSET)],
        functions=list(functions),
    )
    model.ir_version = 8
    return model


def node(kind, inputs, outputs, **attributes):
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def encoder(*, spread=True, seed=0, flat=True):
    """A linear encoder with a log variance, as a model."""
    draw = np.random.default_rng(seed)
    weights = {
        "w": draw.normal(0, 0.2, (VALUES, LATENT)).astype(np.float32),
        "v": draw.normal(0, 0.05, (VALUES, LATENT)).astype(np.float32),
        "b": np.full(LATENT, -2, np.float32),
    }
    nodes = [node("Flatten", "x", "f"), node("MatMul", "f w", "mean")]
    outputs = {"mean": [LATENT]}
    if spread:
        nodes += [node("MatMul", "f v", "raw"), node("Add", "raw b", "log_variance")]
        outputs["log_variance"] = [LATENT]
    else:
        del weights["v"], weights["b"]
    shape = [VALUES] if flat else [1, SIDE, SIDE]
    return graph_of(nodes, {"x": shape}, outputs, weights)


def decoder(*, seed=1):
    """A decoder with one hidden layer that gives probabilities, as a model."""
    draw = np.random.default_rng(seed)
    weights = {
        "w": draw.normal(0, 1, (LATENT, 16)).astype(np.float32),
        "v": draw.normal(0, 1, (16, VALUES)).astype(np.float32),
    }
    nodes = [
        node("MatMul", "z w", "h"), node("Tanh", "h", "a"), node("MatMul", "a v", "l"),
        node("Sigmoid", "l", "x"),
    ]  # fmt: skip
    return graph_of(nodes, {"z": [LATENT]}, {"x": [VALUES]}, weights)


def described(**more):
    """What model.json says of such a pair on digits."""
    return {
        "data": {"kind": "digits"}, "latent": LATENT, "spread": "log_variance",
        "likelihood": "bernoulli", **more,
    }  # fmt: skip


def write_pair(folder, first=None, second=None, description=None):
    """Write a folder to be imported."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(encoder() if first is None else first, folder / "encoder.onnx")
    onnx.save(decoder() if second is None else second, folder / "decoder.onnx")
    (folder / "model.json").write_text(json.dumps(described() | (description or {})))
    return folder
