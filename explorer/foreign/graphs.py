"""Networks of torch as ONNX graphs, each compared with what it was."""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.errors import ExportError
from explorer.foreign.outputs import (
    Network,
    Wrapped,
    decoded,
    encoded,
    modules_of,
    settled,
)
from explorer.models.onnx import MOST_VALUES, Spread

_TRIED = 64
"""Samples of the dry run."""

_LONGEST_CODE = 4096


def is_spatial(code: tuple[int, ...]) -> bool:
    """Whether the shape of a code has channels, height and width, and is no column of units."""
    return len(code) == 3 and code[1] * code[2] > 1


class Exported(NamedTuple):
    """Two graphs, and what was found out about the networks in them."""

    encoder: bytes
    decoder: bytes
    latent: int
    spread: Spread | None
    logits: bool
    code: tuple[int, ...]
    original: Callable[[Tensor], Tensor]
    """Decodes rows of codes by the original networks."""


def export(
    encoder: Network,
    decoder: Network,
    x: Float[Tensor, "samples channels height width"],
    *,
    likelihood: str,
    spread: Spread | None,
    logits: bool | None,
) -> Exported:
    """Trace both networks; which shapes and results they have is found by a dry run.

    Args:
        encoder: The encoder.
        decoder: The decoder.
        x: Samples, in the values the model was trained on.
        likelihood: The likelihood.
        spread: What the encoder's second result is, if it cannot be told.
        logits: Whether the decoder gives logits, if it cannot be told.

    Raises:
        ExportError: If they cannot be called, told or traced.
    """
    rows = x[:_TRIED]
    shape, first = _tried(encoder, rows)
    result = encoded(first)
    again = encoded(_quiet(encoder, rows[: len(result.loc)].reshape(-1, *shape)))
    if not torch.allclose(again.loc, result.loc, rtol=1e-3, atol=1e-4):
        raise ExportError(
            "The encoder draws random numbers; let it return its mean and its spread, "
            "not a sample."
        )
    kind = settled(result, spread)
    code = tuple(result.loc.shape[1:])
    latent = int(np.prod(code)) if code else 0
    longest = MOST_VALUES if is_spatial(code) else _LONGEST_CODE
    if len(result.loc) != len(rows) or not 1 <= latent <= longest:
        raise ExportError(
            f"The encoder gives the shape {list(result.loc.shape)} for {len(rows)} samples; "
            f"it has to give one code of at most {longest:,} units for each."
        )

    def picked(found: Any) -> tuple[Tensor, ...]:  # noqa: ANN401 - anything at all
        parts = encoded(found)
        return (parts.loc,) if parts.raw is None or kind is None else (parts.loc, parts.raw)

    drawn, known = decoded(_call(decoder, result.loc.reshape(-1, *code), "The decoder"))
    if drawn.flatten(1).shape != rows.flatten(1).shape:
        raise ExportError(
            f"The decoder gives the shape {list(drawn.shape)} for samples of {list(rows.shape)}; "
            "it has to give as many values."
        )
    inside = bool((drawn >= -1e-4).all() and (drawn <= 1 + 1e-4).all())
    as_logits = likelihood == "bernoulli" and (known or (not inside if logits is None else logits))
    whole = Wrapped(decoder, code, lambda found: (decoded(found)[0],))
    return Exported(
        traced(Wrapped(encoder, shape, picked), rows[:2], "encoder"),
        traced(whole, result.loc[:2].flatten(1), "decoder"),
        latent,
        kind,
        as_logits,
        code,
        lambda z: whole(z)[0],
    )


@contextmanager
def at_rest(*networks: Any) -> Iterator[None]:  # noqa: ANN401 - also a whole model
    """Have all modules on the CPU and in evaluation mode, and put them back as they were."""
    modules = modules_of(*networks)
    training = [(part, part.training) for module in modules for part in module.modules()]
    places = [
        (module, next((tensor.device for tensor in module.parameters()), torch.device("cpu")))
        for module in modules
    ]
    try:
        for module in modules:
            module.cpu().eval()
        with torch.no_grad():
            yield
    finally:
        for module, place in places:
            module.to(place)
        for part, was in training:
            part.training = was


def _tried(encoder: Network, rows: Tensor) -> tuple[tuple[int, ...], Any]:
    """Find the shape that an encoder takes: as pictures, without channels, or as flat rows."""
    shapes = [tuple(rows.shape[1:]), (int(np.prod(rows.shape[1:])),)]
    if rows.shape[1] == 1:
        shapes.insert(1, tuple(rows.shape[2:]))
    failed: Exception | None = None
    for shape in shapes:
        try:
            found = _quiet(encoder, rows.reshape(-1, *shape))
            if len(encoded(found).loc) == len(rows):
                return shape, found
        except ExportError:
            raise
        except Exception as error:
            failed = failed or error
    why = f" ({_line(failed)})" if failed is not None else ""
    listed = ", ".join(str(list(shape)) for shape in shapes)
    raise ExportError(
        f"The encoder takes samples of none of the shapes {listed}{why}; "
        "give the data as it takes them."
    ) from failed


def _call(network: Network, rows: Tensor, where: str) -> Any:  # noqa: ANN401 - anything at all
    try:
        return _quiet(network, rows)
    except Exception as error:
        raise ExportError(
            f"{where} fails on codes of the shape {list(rows.shape)} ({_line(error)})."
        ) from error


def _quiet(network: Network, rows: Tensor) -> Any:  # noqa: ANN401 - anything at all
    with torch.no_grad():
        return network(rows)


def traced(network: nn.Module, rows: Tensor, name: str) -> bytes:
    """Trace a network with a dynamic batch.

    Raises:
        ExportError: If it cannot be traced.
    """
    dynamic = torch.export.Dim.DYNAMIC
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the exporter about itself
            program = torch.onnx.export(
                network.eval(),
                (rows.clone(memory_format=torch.contiguous_format),),
                input_names=["x"],
                dynamic_shapes=({0: dynamic},),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
            assert program is not None
            content: bytes = program.model_proto.SerializeToString()
    except Exception as error:
        raise ExportError(
            f"The {name} cannot be written as an ONNX graph ({_line(error)}); "
            "write it without conditions on values, or give encoder and decoder as modules."
        ) from error
    return content


def _line(error: Exception) -> str:
    words = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split()) or type(error).__name__
    return words if len(words) <= 160 else f"{words[:159]}\N{HORIZONTAL ELLIPSIS}"
