"""A hundred hostile pairs of graphs: each is refused in a sentence, and none ends the server."""

import hashlib
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from explorer import catalogue, checkpoint
from explorer.errors import CheckpointError
from explorer.runtime import verdicts
from explorer.runtime.verdicts import Pair, Prober
from tests.support.graphs import LATENT, VALUES, decoder, encoder, graph_of, node

LONGEST_SECONDS = 2.0

FORBIDDEN = """
    Loop If Scan SequenceMap NonZero RandomNormal RandomUniform RandomNormalLike RandomUniformLike
    Multinomial Bernoulli Unique NonMaxSuppression Compress StringNormalizer TfIdfVectorizer Range
    LSTM GRU RNN ScatterND TopK SequenceConstruct SequenceAt SplitToSequence ImageDecoder STFT DFT
    MelWeightMatrix RegexFullMatch StringConcat StringSplit QLinearConv MaxUnpool RoiAlign
    GridSample DeformConv Optional OptionalGetElement Einsum
"""


def made(nodes, weights=(), **more):
    """A decoder of given nodes, from z to x."""
    return graph_of(nodes, {"z": [LATENT]}, {"x": [VALUES]}, weights, **more)


def changed(**fields):
    """The usual decoder with one weight changed."""
    model = decoder()
    tensor = model.graph.initializer[0]
    for name, value in fields.items():
        if name == "dims":
            del tensor.dims[:]
            tensor.dims.extend(value)
        else:
            setattr(tensor, name, value)
    return model


def external(location):
    model = decoder()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return model


def with_node(*more, weights=()):
    """The usual decoder with further nodes that lead nowhere."""
    model = decoder()
    model.graph.node.extend(more)
    for name, value in dict(weights).items():
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    return model


def with_attribute(kind):
    model = decoder()
    attribute = model.graph.node[1].attribute.add()
    attribute.name, attribute.type = "body", kind
    if kind == AttributeProto.GRAPH:
        attribute.g.CopyFrom(decoder().graph)
    elif kind == AttributeProto.GRAPHS:
        attribute.graphs.add().CopyFrom(decoder().graph)
    else:
        attribute.ref_attr_name = "alpha"
    return model


def set_on(model, where, value):
    parts = where.split(".")
    owner = model
    for part in parts[:-1]:
        owner = getattr(owner, part)
    setattr(owner, parts[-1], value)
    return model


def opset(domain, version):
    model = decoder()
    model.opset_import.append(helper.make_opsetid(domain, version))
    return model


def functional():
    function = helper.make_function(
        "own", "Twice", ["a"], ["b"], [node("Add", "a a", "b")],
        [helper.make_opsetid("", 17)],
    )  # fmt: skip
    return made(
        [node("MatMul", "z w", "h"), helper.make_node("Twice", ["h"], ["x"], domain="own")],
        {"w": np.ones((LATENT, VALUES), np.float32)},
        functions=[function],
    )


def sparse():
    model = decoder()
    values = helper.make_tensor("s", TensorProto.FLOAT, [1], [1.0])
    where = helper.make_tensor("s_at", TensorProto.INT64, [1], [0])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, where, [4]))
    return model


def constant(**fields):
    tensor = helper.make_tensor("c", TensorProto.FLOAT, [1], [1.0])
    for name, value in fields.items():
        setattr(tensor, name, value)
    return with_node(node("Constant", "", "c", value=tensor))


def after(kind, weights=(), **attributes):
    """One node from z to x, whose further inputs are the weights."""
    names = " ".join(["z", *dict(weights)])
    return made([node(kind, names, "x", **attributes)], weights)


def finite(kind, at):
    """The usual decoder with a last step that breaks down."""
    model = decoder()
    model.graph.node[-1].output[0] = "fine"
    model.graph.initializer.append(numpy_helper.from_array(np.float32(at), "at"))
    inputs = "fine" if kind in ("Log", "Sqrt") else "fine at"
    if kind in ("Log", "Sqrt"):
        model.graph.node.append(node("Sub", "fine at", "less"))
        inputs = "less"
    model.graph.node.append(node(kind, inputs, "x"))
    return model


def bomb():
    """Intermediate results of which each is small enough, and all together are not."""
    nodes = [node("MatMul", "z w", "h0")]
    nodes += [node("Relu", f"h{k}", f"h{k + 1}") for k in range(12)]
    nodes += [node("MatMul", "h12 v", "x")]
    weights = {
        "w": np.ones((LATENT, 800_000), np.float32),
        "v": np.broadcast_to(np.float32(1), (1, 1)),
    }
    model = made(nodes[:-1], {"w": weights["w"]})
    model.graph.node.append(node("Slice", "h12 a b c", "x"))
    for name, value in {"a": [0], "b": [VALUES], "c": [1]}.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array(value), name))
    return model


def depending(kind):
    """A result whose size is computed from values."""
    count = [
        node("ReduceSum", "z axes", "sum", keepdims=0), node("Cast", "sum", "whole", to=7),
        node("Unsqueeze", "whole zero", "n"),
    ]  # fmt: skip
    weights = {
        "axes": np.array([0, 1]),
        "zero": np.array([0]),
        "w": np.ones((LATENT, VALUES), np.float32),
    }
    if kind == "ConstantOfShape":
        count += [node("ConstantOfShape", "n", "big"), node("ReduceSum", "big zero", "s")]
    else:
        count += [
            node("Tile", "zero n", "big"),
            node("ReduceSum", "big zero", "whole_s"),
            node("Cast", "whole_s", "s", to=1),
        ]
    return made([*count, node("MatMul", "z w", "h"), node("Add", "h s", "x")], weights)


def fixed(rows):
    model = decoder()
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = rows
    return model


def cycle():
    return made(
        [node("Add", "b z", "a"), node("Relu", "a", "b"), node("MatMul", "a w", "x")],
        {"w": np.ones((LATENT, VALUES), np.float32)},
    )


WHOLE = decoder().SerializeToString()
GRAPHS = {
    f"operator {kind}": (lambda kind=kind: with_node(node(kind, "z", "unused")))
    for kind in re.findall(r"\w+", FORBIDDEN)
} | {
    "domain of a node": lambda: with_node(
        helper.make_node("Run", ["z"], ["unused"], domain="com.evil")
    ),
    "domain of microsoft": lambda: with_node(
        helper.make_node("Gelu", ["z"], ["unused"], domain="com.microsoft")
    ),
    "domain of an opset": lambda: opset("com.evil", 1),
    "domain with markup": lambda: opset("<script>" * 20, 1),
    "opset of the past": lambda: opset("", 1),
    "opset of the future": lambda: opset("", 9999),
    "no opset": lambda: (lambda model: model.ClearField("opset_import") or model)(decoder()),
    "no such intermediate version": lambda: set_on(decoder(), "ir_version", 9999),
    "function": functional,
    "training": lambda: (lambda model: model.training_info.add() and model)(decoder()),
    "graph inside": lambda: with_attribute(AttributeProto.GRAPH),
    "graphs inside": lambda: with_attribute(AttributeProto.GRAPHS),
    "attribute of a function": lambda: with_attribute(AttributeProto.FLOAT),
    "sparse weights": sparse,
    "external weights above": lambda: external("../../secret.bin"),
    "external weights anywhere": lambda: external("/etc/passwd"),
    "external weights of the process": lambda: external("/proc/self/environ"),
    "external weights beside": lambda: external("weights.bin"),
    "external constant": lambda: constant(data_location=TensorProto.EXTERNAL),
    "weights of no type": lambda: changed(data_type=0),
    "weights of text": lambda: changed(data_type=TensorProto.STRING),
    "weights of complex numbers": lambda: changed(data_type=TensorProto.COMPLEX128),
    "weights without data": lambda: changed(dims=[10_000, 10_000]),
    "weights of a negative side": lambda: changed(dims=[-2, 16]),
    "weights beyond memory": lambda: changed(dims=[2**31, 2**31]),
    "weights that overflow": lambda: changed(dims=[2**62, 4]),
    "too few bytes": lambda: changed(raw_data=b"\0" * 7),
    "weights not a number": lambda: changed(raw_data=np.full(32, np.nan, "<f4").tobytes()),
    "weights infinite": lambda: changed(raw_data=np.full(32, np.inf, "<f4").tobytes()),
    "too many nodes": lambda: with_node(
        *[node("Relu", "z", f"r{k}") for k in range(20_001)]
    ),
    "no nodes": lambda: made([]),
    "two inputs": lambda: graph_of(
        [node("MatMul", "z w", "x")], {"z": [LATENT], "w": [VALUES]}, {"x": [VALUES]}
    ),
    "no input": lambda: graph_of(
        [node("Relu", "w", "x")], {}, {"x": [VALUES]}, {"w": np.ones((64, VALUES), np.float32)}
    ),
    "an input of nobody": lambda: with_node(node("Relu", "nobody", "unused")),
    "a fixed batch": lambda: fixed(8),
    "a fixed batch of one": lambda: fixed(1),
    "another length of a code": lambda: graph_of(
        [node("MatMul", "z w", "x")], {"z": [3]}, {"x": [VALUES]},
        {"w": np.ones((3, VALUES), np.float32)},
    ),
    "another size of samples": lambda: graph_of(
        [node("MatMul", "z w", "x")], {"z": [LATENT]}, {"x": [65]},
        {"w": np.ones((LATENT, 65), np.float32)},
    ),
    "two results": lambda: graph_of(
        [node("MatMul", "z w", "x"), node("Relu", "x", "y")], {"z": [LATENT]},
        {"x": [VALUES], "y": [VALUES]}, {"w": np.ones((LATENT, VALUES), np.float32)},
    ),
    "no result": lambda: graph_of([node("Relu", "z", "x")], {"z": [LATENT]}, {}),
    "a result without batch": lambda: made(
        [node("MatMul", "z w", "h"), node("ReduceSum", "h zero", "x", keepdims=0)],
        {"w": np.ones((LATENT, VALUES), np.float32), "zero": np.array([0])},
    ),
    "a result of whole numbers": lambda: made(
        [node("MatMul", "z w", "h"), node("Cast", "h", "x", to=7)],
        {"w": np.ones((LATENT, VALUES), np.float32)},
    ),
    "sizes that do not fit": lambda: made(
        [node("MatMul", "z w", "x")], {"w": np.ones((5, VALUES), np.float32)}
    ),
    "types that do not fit": lambda: made(
        [node("MatMul", "z w", "x")], {"w": np.ones((LATENT, VALUES), np.int64)}
    ),
    "a size by values": lambda: depending("ConstantOfShape"),
    "a repetition by values": lambda: depending("Tile"),
    "a shape by values": lambda: made(
        [
            node("Cast", "z", "whole", to=7), node("Flatten", "whole", "f", axis=0),
            node("Squeeze", "f zero", "s"), node("Reshape", "z s", "x"),
        ],
        {"zero": np.array([0])},
    ),
    "a huge tile": lambda: after("Tile", {"n": np.array([1, 2**40])}),
    "a huge expansion": lambda: after("Expand", {"n": np.array([2**30, 64, 2])}),
    "a huge padding": lambda: after("Pad", {"n": np.array([0, 0, 0, 2**40])}),
    "a huge constant": lambda: with_node(
        node("ConstantOfShape", "n", "big"), weights={"n": np.array([2**40])}
    ),
    "a negative constant": lambda: with_node(
        node("ConstantOfShape", "n", "big"), weights={"n": np.array([-5])}
    ),
    "results too large together": bomb,
    "a logarithm of nothing": lambda: finite("Log", 2.0),
    "a root of nothing": lambda: finite("Sqrt", 2.0),
    "a division by nothing": lambda: finite("Div", 0.0),
    "an infinite power": lambda: finite("Mul", 1e38),
    "a cycle": cycle,
    "a name given twice": lambda: with_node(node("Relu", "z", "h")),
    "an attribute of another type": lambda: made(
        [node("MatMul", "z w", "h"), node("Softmax", "h", "x", axis="one")],
        {"w": np.ones((LATENT, VALUES), np.float32)},
    ),
    "an axis beyond all": lambda: made(
        [node("MatMul", "z w", "h"), node("Softmax", "h", "x", axis=7)],
        {"w": np.ones((LATENT, VALUES), np.float32)},
    ),
    "an index beyond all": lambda: made(
        [node("MatMul", "z w", "h"), node("Gather", "h i", "x", axis=1)],
        {"w": np.ones((LATENT, VALUES), np.float32), "i": np.arange(VALUES) + 2**40},
    ),
}  # fmt: skip

BYTES = {
    "nothing": b"",
    "text": b"hello, this is no graph\n" * 10,
    "zeros": bytes(4096),
    "a quarter": WHOLE[: len(WHOLE) // 4],
    "half": WHOLE[: len(WHOLE) // 2],
    "all but a byte": WHOLE[:-1],
    "a pickle": pickle.dumps({"weights": [1.0] * 10}),
    "an archive": b"PK\x03\x04" + bytes(200),
    "a pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    **{f"noise {k}": np.random.default_rng(k).bytes(3000) for k in range(5)},
    **{
        f"a changed byte {k}": WHOLE[:at] + bytes([WHOLE[at] ^ 0xFF]) + WHOLE[at + 1 :]
        for k, at in enumerate((0, 1, 3))
    },
    "deep nesting": b"\x3a\xff\xff\xff\xff\x07" + b"\x3a\x7f" * 2000,
}


@pytest.fixture(scope="module")
def prober(tmp_path_factory):
    with Prober() as process:
        yield process


@pytest.mark.parametrize("name", [*GRAPHS, *BYTES])
def test_a_hostile_decoder_is_refused_in_a_sentence(prober, name):
    content = BYTES[name] if name in BYTES else GRAPHS[name]().SerializeToString()
    first = encoder(flat=True).SerializeToString()
    started = time.perf_counter()
    found = prober.ask(Pair(first, content, VALUES, LATENT, 2))
    assert time.perf_counter() - started < LONGEST_SECONDS
    assert not found.passed
    assert found.reason.startswith("decoder.onnx "), found.reason
    assert found.reason.endswith(".")
    assert len(found.reason) < 300
    assert not set("<>&\n") & set(found.reason)
    assert prober.ask(Pair(first, WHOLE, VALUES, LATENT, 2)).passed, "the prober survives it"


def test_they_are_a_hundred():
    assert len(GRAPHS) + len(BYTES) >= 100


def test_what_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setattr(verdicts, "WALL_SECONDS", 1)
    side = 5600
    nodes = [node("MatMul", "z w", "h0")]
    nodes += [node("MatMul", f"h{k} s", f"h{k + 1}") for k in range(1300)]
    nodes += [node("MatMul", "h1300 v", "x")]
    weights = {
        "w": np.zeros((LATENT, side), np.float32), "s": np.zeros((side, side), np.float32),
        "v": np.zeros((side, VALUES), np.float32),
    }  # fmt: skip
    slow = made(nodes, weights).SerializeToString()
    with Prober() as prober:
        started = time.perf_counter()
        found = prober.ask(Pair(encoder().SerializeToString(), slow, VALUES, LATENT, 2))
        assert time.perf_counter() - started < 10
    assert "takes too long" in found.reason


def forged(shelf, content, name="forged"):
    """A whole checkpoint whose decoder is another one, its recipe told so."""
    folder = shelf / name
    shutil.copytree(shelf / "gaussian", folder)
    (folder / "decoder.onnx").write_bytes(content)
    config = json.loads((folder / "config.json").read_text())
    config["model"]["decoder"] = hashlib.sha256(content).hexdigest()
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def entry_of(shelf, name, patience=None):
    return next(entry for entry in catalogue(shelf, patience) if entry.slug == name)


def test_a_folder_put_there_by_hand_goes_the_same_way(shelf):
    forged(shelf, GRAPHS["operator Loop"]().SerializeToString())
    found = entry_of(shelf, "forged")
    assert not found.healthy
    assert "Loop" in found.reason
    with pytest.raises(CheckpointError, match="Loop"):
        checkpoint.load(shelf / "forged")


def test_listing_does_not_wait_for_a_probe(shelf):
    shutil.rmtree(verdicts.settings.current().user / "verdicts")
    started = time.perf_counter()
    first = entry_of(shelf, "gaussian", 0.0)
    assert time.perf_counter() - started < LONGEST_SECONDS
    assert not first.healthy
    assert "being tried" in first.reason
    assert entry_of(shelf, "gaussian", 30.0).healthy


def test_a_verdict_is_remembered_by_content(shelf, monkeypatch):
    def never(self):
        raise AssertionError("probed again")

    monkeypatch.setattr(Prober, "__enter__", never)
    assert entry_of(shelf, "gaussian").healthy


@pytest.mark.parametrize("name", ["encoder.onnx", "model.safetensors", "atlas.npz", "more"])
def test_a_link_is_refused_wherever_it_leads(shelf, tmp_path, name):
    secret = tmp_path / "secret"
    secret.write_bytes((shelf / "gaussian" / "encoder.onnx").read_bytes())
    path = shelf / "gaussian" / name
    path.unlink(missing_ok=True)
    path.symlink_to(secret)
    found = entry_of(shelf, "gaussian")
    assert not found.healthy
    assert "link" in found.reason or name == "model.safetensors"


@pytest.mark.parametrize("kind", ["fifo", "folder", "large", "missing"])
def test_what_is_no_file_is_refused(shelf, kind, monkeypatch):
    path = shelf / "gaussian" / "decoder.onnx"
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "large":
        with path.open("wb") as stream:
            stream.truncate(verdicts.MOST_BYTES + 1)
    started = time.perf_counter()
    found = entry_of(shelf, "gaussian")
    assert time.perf_counter() - started < LONGEST_SECONDS
    assert not found.healthy
    assert "decoder.onnx" in found.reason


def test_another_graph_under_the_same_recipe_is_refused(shelf):
    (shelf / "gaussian" / "decoder.onnx").write_bytes(decoder(seed=9).SerializeToString())
    assert "not the file of this recipe" in entry_of(shelf, "gaussian").reason


def test_without_the_runtime_a_model_is_listed_with_the_remedy(shelf, monkeypatch):
    monkeypatch.setattr(verdicts, "available", lambda: False)
    found = entry_of(shelf, "gaussian")
    assert not found.healthy
    assert 'pip install -e ".[onnx]"' in found.reason


def test_the_probe_opens_no_file(tmp_path):
    """After its limits are set, the process cannot open a file, whatever a graph asks for."""
    code = (
        "from explorer.runtime import probe\nprobe._limit()\n"
        "try:\n    open('/etc/hosts')\nexcept OSError as error:\n    raise SystemExit(error.errno)"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert ended.returncode == 24, ended.stderr  # too many open files


def test_hand_made_pairs_are_what_onnx_itself_accepts():
    for model in (encoder(), encoder(spread=False), decoder()):
        onnx.checker.check_model(model, full_check=True)
