"""Hostile networks and descriptions: each is refused in a sentence, and nothing is installed."""

import json
import pickle

import numpy as np
import pytest

from explorer.designs import installed, measuring
from explorer.errors import DesignError
from tests.foreign.test_hostile import BYTES, GRAPHS
from tests.support.asked import classifier, described, described_regressor, regressor, write_judge
from tests.support.graphs import SIDE, VALUES, graph_of, node

pytestmark = pytest.mark.usefixtures("one_prober")

W = np.ones((VALUES, 3), np.float32)


def made(nodes, weights=(), **more):
    """A network of given nodes, from flat x to y."""
    return graph_of(nodes, {"x": [VALUES]}, {"y": [3]}, {"w": W, **dict(weights)}, **more)


def with_first_output(**more):
    told = described()
    told["outputs"][0] |= more
    return told


LINEAR = [node("MatMul", "x w", "l")]
NETWORKS = {
    "no number": made([*LINEAR, node("Mul", "l n", "y")], {"n": np.array(np.inf, np.float32)}),
    "all unknown": made([*LINEAR, node("Sub", "l l", "z"), node("Div", "z z", "y")]),
    "never small": made([*LINEAR, node("Mul", "l n", "y")], {"n": np.array(1e30, np.float32)}),
    "by its neighbours": made(
        [*LINEAR, node("ReduceMean", "l", "m", axes=[0], keepdims=1), node("Sub", "l m", "y")]
    ),
    "another shape": graph_of(
        [node("MatMul", "x w", "y")], {"x": [3]}, {"y": [3]}, {"w": np.ones((3, 3), np.float32)}
    ),
    "two results": graph_of(
        [node("MatMul", "x w", "y"), node("Relu", "y", "z")], {"x": [VALUES]},
        {"y": [3], "z": [3]}, {"w": W},
    ),
    "too few classes": classifier(classes=2),
    "too many classes": classifier(classes=4),
    "a random draw": made([*LINEAR, node("RandomNormalLike", "l", "y")]),
    "a loop": made([*LINEAR, node("Loop", "l", "y")]),
    "an own domain": made([node("MatMul", "x w", "y", domain="com.evil")]),
}  # fmt: skip
"""Graphs that parse."""

SHARED = (
    "operator Loop", "operator If", "function", "graph inside", "external weights above",
    "external weights anywhere", "weights beyond memory", "weights that overflow", "a cycle",
    "a huge tile", "a shape by values", "sparse weights",
)  # fmt: skip
TOLD = {
    "no json": "{",
    "a list": "[]",
    "deep": "[" * 100_000,
    "long": json.dumps(described(origin="x" * 300_000)),
    "an unknown field": described(evil=1),
    "a path as key": described(key="../side"),
    "a capital key": described(key="Side"),
    "a key of many letters": described(key="s" * 34),
    "a taken key": described(key="ink"),
    "a word of the links": described(key="number"),
    "a taken output": with_first_output(key="cl"),
    "a taken output of other points": with_first_output(key="cd_3"),
    "an output twice": with_first_output(key="side_right"),
    "an output like the margin": with_first_output(key="side_margin"),
    "a label of lines": with_first_output(label="a\nb"),
    "a label that turns the text": with_first_output(label="a\u202eb"),
    "a label of nothing": with_first_output(label=" "),
    "a label too long": with_first_output(label="x" * 41),
    "a unit too long": with_first_output(unit="x" * 21),
    "a unit of no letters": with_first_output(unit="\x00"),
    "too many digits": with_first_output(digits=99),
    "a shape of nothing": described(shape=[]),
    "a shape beyond": described(shape=[4096, 4096, 4096]),
    "a negative shape": described(shape=[1, -8, 8]),
    "an empty range": described(range=[1, 1]),
    "an endless range": described(range=[0, 1e308]),
    "a range of no numbers": json.dumps(described()).replace(
        '"softmax"', '"range": [NaN, 1], "softmax"'
    ),
    "one class": described(outputs=described()["outputs"][:1]),
    "too many outputs": described(outputs=[{"key": f"o{k}", "label": "o"} for k in range(201)]),
    "logits without softmax": described(softmax=False),
    "a regressor with softmax": described_regressor(softmax=True),
}
"""Descriptions beside a sound classifier."""


def refused(folder):
    with pytest.raises(DesignError) as caught:
        installed.add([folder], measuring.taken_keys())
    said = str(caught.value)
    assert said.endswith(".")
    assert "\n" not in said
    assert len(said) < 400
    assert not set("<>\u202e\x00") & set(said)
    assert measuring.networks() == ()
    assert not installed.folder().exists() or not list(installed.folder().iterdir())
    return said


@pytest.mark.parametrize("name", TOLD)
def test_a_hostile_description_is_refused_in_a_sentence(tmp_path, name):
    refused(write_judge(tmp_path / "side", None, TOLD[name]))


@pytest.mark.parametrize("name", [*NETWORKS, *SHARED, "text", "a pickle", "half", "deep nesting"])
def test_a_hostile_network_is_refused_in_a_sentence(tmp_path, name):
    graph = NETWORKS.get(name) or BYTES.get(name) or GRAPHS[name]()
    told = described(shape=[SIDE, SIDE])
    assert refused(write_judge(tmp_path / "side", graph, told)).startswith("network.onnx ")


def test_they_are_over_thirty():
    assert len(TOLD) >= 30
    assert len(NETWORKS) + len(SHARED) >= 20


@pytest.mark.parametrize("kind", ["link", "folder", "none", "two", "pickled", "large"])
def test_what_is_no_pair_of_files_is_refused(tmp_path, kind, monkeypatch):
    folder = write_judge(tmp_path / "side")
    path = folder / "network.onnx"
    if kind == "link":
        path.rename(tmp_path / "secret.onnx")
        path.symlink_to(tmp_path / "secret.onnx")
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "two":
        path.rename(folder / "one.onnx")
        (folder / "two.onnx").write_bytes(b"")
    elif kind == "large":
        monkeypatch.setattr(installed, "MOST_BYTES", 100)
    else:
        path.unlink()
    if kind == "pickled":
        (folder / "weights.pt").write_bytes(pickle.dumps({}))
    said = refused(folder)
    assert ("torch.onnx.export" in said) == (kind == "pickled")


def test_a_regressor_of_any_finite_values_is_sound(tmp_path):
    installed.add(
        [write_judge(tmp_path / "logs", regressor(broken=True), described_regressor())],
        measuring.taken_keys(),
    )
    assert measuring.networks()[0].family is not None
