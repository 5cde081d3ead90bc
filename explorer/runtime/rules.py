"""What a foreign graph may be: operators of an allow-list, static shapes, bounded sizes.

Only the process that probes graphs imports this module: what it reads may be hostile.
"""

import math
from collections.abc import Iterator

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

ROWS = 64
"""Rows of the largest batch that is ever run."""

MOST_NODES = 20_000
MOST_WEIGHTS = 100_000_000
MOST_VALUES = 64_000_000
"""Largest number of values of one intermediate result, for a whole batch."""
MOST_AT_ONCE = 512_000_000
"""Largest number of values of all intermediate results together."""
_OPSETS = range(9, onnx.defs.onnx_opset_version() + 1)

OPERATORS = frozenset({
    "Abs", "Add", "And", "ArgMax", "ArgMin", "Asin", "Atan", "AveragePool",
    "BatchNormalization", "Cast", "CastLike", "Ceil", "Celu", "Clip", "Concat", "Constant",
    "ConstantOfShape", "Conv", "ConvTranspose", "Cos", "Cosh", "DepthToSpace", "Div",
    "Dropout", "Elu", "Equal", "Erf", "Exp", "Expand", "EyeLike", "Flatten", "Floor", "Gather",
    "GatherElements", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater",
    "GreaterOrEqual", "GroupNormalization", "HardSigmoid", "HardSwish", "Identity",
    "InstanceNormalization", "LRN", "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual",
    "Log", "LogSoftmax", "LpNormalization", "MatMul", "Max", "MaxPool", "Mean", "Min", "Mish",
    "Mod", "Mul", "Neg", "Not", "Or", "PRelu", "Pad", "Pow", "RMSNormalization", "Reciprocal",
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
    "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Relu", "Reshape", "Resize",
    "Round", "Selu", "Shape", "Sigmoid", "Sign", "Sin", "Sinh", "Size", "Slice", "Softmax",
    "Softplus", "Softsign", "SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Swish",
    "Tan", "Tanh", "ThresholdedRelu", "Tile", "Transpose", "Unsqueeze", "Upsample", "Where",
    "Xor",
})  # fmt: skip
"""Operators of ONNX's own domain that compute the same from the same, without a graph inside."""

_KINDS = {
    TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.INT64,
    TensorProto.INT32, TensorProto.INT8, TensorProto.UINT8, TensorProto.BOOL,
}  # fmt: skip
_SIMPLE = {
    AttributeProto.FLOAT, AttributeProto.INT, AttributeProto.STRING, AttributeProto.TENSOR,
    AttributeProto.FLOATS, AttributeProto.INTS, AttributeProto.STRINGS,
}  # fmt: skip


class Refused(Exception):
    """A graph is refused; the message completes "encoder.onnx ..."."""


def examine(content: bytes, inputs: int, outputs: tuple[int, ...]) -> ModelProto:
    """Check everything about a graph that can be known without running it.

    Args:
        content: The bytes of the file.
        inputs: Values of one sample that goes in.
        outputs: Values of one sample of each result.

    Returns:
        The graph, with all its shapes for a batch of `ROWS`.

    Raises:
        Refused: If it breaks a rule.
    """
    model = ModelProto()
    try:
        model.ParseFromString(content)
    except Exception as error:
        raise Refused("is damaged or no ONNX graph; export it again") from error
    _check_whole(model)
    weights = 0
    for tensor in _tensors(model.graph):
        _check_tensor(tensor)
        weights += math.prod(tensor.dims)
        if weights > MOST_WEIGHTS:
            raise Refused(f"has over {MOST_WEIGHTS:,} weights; export a smaller network")
    for node in model.graph.node:
        _check_node(node)
    given = _only_input(model.graph)
    _fix_batch(model.graph, given)
    _check_sizes(_shaped(model), given, inputs, outputs)
    return model


def convolves(model: ModelProto) -> bool:
    """Whether a graph has convolutions."""
    return any(node.op_type in ("Conv", "ConvTranspose") for node in model.graph.node)


def _check_whole(model: ModelProto) -> None:
    if not model.HasField("graph") or not model.graph.node:
        raise Refused("is damaged or no ONNX graph; export it again")
    if model.functions or model.training_info:
        raise Refused("has functions of its own; export it without them")
    for opset in model.opset_import:
        if opset.domain not in ("", "ai.onnx"):
            raise Refused(
                f"needs operators of the domain {_word(opset.domain)}; "
                "export it with the standard ones"
            )
        if opset.version not in _OPSETS:
            raise Refused(
                f"is of opset {opset.version}; export it with opset {_OPSETS[0]} to {_OPSETS[-1]}"
            )
    if not model.opset_import:
        raise Refused("names no opset; export it again")
    graph = model.graph
    if graph.sparse_initializer or graph.quantization_annotation:
        raise Refused("has sparse or quantised weights; export it with plain ones")
    if len(graph.node) > MOST_NODES:
        raise Refused(f"has over {MOST_NODES:,} operators; export a smaller network")


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                yield attribute.t


def _check_tensor(tensor: TensorProto) -> None:
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise Refused("keeps weights in another file; export it as one file")
    if tensor.data_type not in _KINDS or tensor.HasField("segment"):
        raise Refused("has weights of an unknown type; export them as float32")
    if any(side < 0 for side in tensor.dims) or math.prod(tensor.dims) > MOST_WEIGHTS:
        raise Refused(f"has over {MOST_WEIGHTS:,} weights; export a smaller network")
    try:
        values = onnx.numpy_helper.to_array(tensor)
    except Exception as error:
        raise Refused("has damaged weights; export it again") from error
    if values.dtype.kind != "f":
        return
    # A clamp by infinity is none, and exporters write such ones.
    bound = values.size == 1 and not bool(np.isnan(values).any())
    if not bound and not bool(np.isfinite(values).all()):
        raise Refused("has weights that are not finite; train it again")


def _check_node(node: NodeProto) -> None:
    if node.domain not in ("", "ai.onnx"):
        raise Refused(
            f"uses an operator of the domain {_word(node.domain)}; "
            "export it with the standard ones"
        )
    if node.op_type not in OPERATORS:
        raise Refused(
            f"uses the operator {_word(node.op_type)}, which is not allowed here; "
            "export a network of plain layers, without loops, conditions or random numbers"
        )
    for attribute in node.attribute:
        if attribute.type not in _SIMPLE or attribute.HasField("g") or attribute.graphs:
            raise Refused("has a graph inside an operator; export it without control flow")
        if attribute.ref_attr_name or attribute.HasField("sparse_tensor"):
            raise Refused("has attributes of a function; export it without functions")


def _only_input(graph: GraphProto) -> str:
    stored = {tensor.name for tensor in graph.initializer}
    names = [value.name for value in graph.input if value.name not in stored]
    if len(names) != 1:
        raise Refused(f"has {len(names)} inputs; it has to have one")
    return names[0]


def _fix_batch(graph: GraphProto, given: str) -> None:
    """Set the batch to its largest, so that every size can be computed."""
    for value in graph.input:
        if value.name == given:
            shape = value.type.tensor_type.shape
            if not shape.dim or shape.dim[0].HasField("dim_value"):
                raise Refused("has a fixed batch; export it with a dynamic first axis")
            if value.type.tensor_type.elem_type != TensorProto.FLOAT:
                raise Refused("has an input that is not float32; export it with float32")
            shape.dim[0].dim_value = ROWS
    for value in (*graph.output, *graph.value_info):
        value.type.tensor_type.ClearField("shape")  # nothing is believed
    del graph.value_info[:]


def _shaped(model: ModelProto) -> ModelProto:
    try:
        # Weights are not needed for shapes, and a copy of all of them would be made.
        return onnx.shape_inference.infer_shapes(
            model, check_type=True, strict_mode=True, data_prop=True
        )
    except Exception as error:
        raise Refused("has operators that do not fit together; export it again") from error


def _check_sizes(model: ModelProto, given: str, inputs: int, outputs: tuple[int, ...]) -> None:
    graph = model.graph
    shapes: dict[str, tuple[int, ...]] = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = value.type.tensor_type.shape.dim
        if not value.type.HasField("tensor_type") or any(
            not dim.HasField("dim_value") or dim.dim_value < 0 for dim in dims
        ):
            continue
        if value.type.tensor_type.HasField("shape"):
            shapes[value.name] = tuple(dim.dim_value for dim in dims)
    total = 0
    for node in graph.node:
        for name in filter(None, node.output):
            if name not in shapes:
                raise Refused(
                    f"has a result of {_word(node.op_type)} whose size depends on values; "
                    "export it with fixed sizes"
                )
            size = math.prod(shapes[name])
            total += size
            if size > MOST_VALUES or total > MOST_AT_ONCE:
                raise Refused("has intermediate results that are too large; export it smaller")
    found = math.prod(shapes[given][1:]) if given in shapes else 0
    if found != inputs:
        raise Refused(f"takes {found:,} values for each sample; {inputs:,} are expected")
    results = [shapes.get(value.name, ()) for value in graph.output]
    for value, shape in zip(graph.output, results, strict=True):
        if value.type.tensor_type.elem_type != TensorProto.FLOAT:
            raise Refused("has a result that is not float32; export it with float32")
        if shape[:1] != (ROWS,):
            raise Refused("has a result without the batch as its first axis; export it with it")
    sizes = tuple(math.prod(shape[1:]) for shape in results)
    if sizes != outputs:
        said = " and ".join(f"{size:,}" for size in sizes) or "no"
        wanted = " and ".join(f"{size:,}" for size in outputs)
        raise Refused(f"gives {said} values for each sample; {wanted} are expected")


def _word(text: str) -> str:
    """Return a name out of a hostile file as a short printable word."""
    kept = "".join(letter for letter in text if letter.isalnum() or letter in "._-")
    return kept[:40] or "of no name"
