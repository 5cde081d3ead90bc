"""Weight files in single, half or 8-bit precision, validated on reading."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from explorer.config import one_line
from explorer.data.decoding import is_pointer
from explorer.errors import CheckpointError

_MAX_BYTES = 1_000_000_000
_STEP = ".step"
"""Suffix of the tensor with the row scales of a matrix of 8-bit integers."""

_FLOATS = ("F16", "F32")
_LARGEST = 127
_IN_EIGHT_BITS = (".weight", ".inputs")

Bits = Literal[8, 16, 32]


def packed(tensors: Mapping[str, Tensor], bits: Bits) -> bytes:
    """Serialise weights: vectors in single precision, matrices in `bits`.

    With 8 bits a matrix of weights or pseudo-inputs is stored as integers from -127 to 127 and
    one scale per row (of a convolution: per output channel); other matrices, which
    may hold standard deviations, are stored in half precision.
    """
    kept: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        value = tensor.detach().cpu()
        if bits == 8 and value.ndim > 1 and name.endswith(_IN_EIGHT_BITS):
            step = value.float().flatten(1).abs().amax(1) / _LARGEST
            step[step == 0] = 1
            whole = (value.float() / _by_row(step, value)).round()
            kept |= {name: whole.to(torch.int8).contiguous(), name + _STEP: step}
        else:
            kind = torch.float16 if bits < 32 and value.ndim > 1 else torch.float32
            kept[name] = value.to(kind).contiguous()
    return serialise(kept)


def read(path: Path, expected: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Read weights of known names and shapes in single precision.

    Raises:
        CheckpointError: If the file is damaged, too big, or holds anything else.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise CheckpointError(
            f"{path.name} is over {_MAX_BYTES // 10**9} GB; it was not written by Latent Explorer."
        )
    with path.open("rb") as stream:
        if is_pointer(stream.read(64)):
            raise CheckpointError(
                f"{path.name} is a Git LFS pointer, not the weights themselves; "
                "run `git lfs pull`."
            )
    try:
        with safe_open(path, framework="pt") as stored:
            kinds = {name: str(stored.get_slice(name).get_dtype()) for name in stored.keys()}  # noqa: SIM118 - not a dictionary
            steps = {
                name + _STEP: expected[name][:1]
                for name, kind in kinds.items()
                if kind == "I8" and len(expected.get(name, ())) > 1
            }
            wanted = {**expected, **steps}
            for name in sorted(kinds.keys() ^ wanted.keys()):
                state = "lacks" if name in wanted else "has an unknown tensor"
                raise CheckpointError(
                    f"{path.name} {state} {one_line(name, 80)}; config and weights do not match."
                )
            for name, shape in wanted.items():
                found = tuple(stored.get_slice(name).get_shape())
                if found != shape or not (kinds[name] in _FLOATS or name + _STEP in steps):
                    raise CheckpointError(
                        f"{path.name}: {name} is {kinds[name]} {list(found)}, expected F16, F32, "
                        f"or I8 with scales, {list(shape)}; "
                        "config and weights do not match."
                    )
            tensors = {name: stored.get_tensor(name).float() for name in wanted}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path.name} cannot be read ({error}); copy it again.") from error
    for name in steps:
        whole = tensors[name.removesuffix(_STEP)]
        whole *= _by_row(tensors[name], whole)
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(f"{path.name}: {name} has non-finite values; train it again.")
        positive = name in steps or (name.endswith("scale") and "log" not in name)
        if positive and bool((tensor <= 0).any()):
            raise CheckpointError(f"{path.name}: {name} must be positive; train it again.")
    return {name: tensors[name] for name in expected}


def _by_row(step: Tensor, value: Tensor) -> Tensor:
    return step.reshape(-1, *(1,) * (value.ndim - 1))
