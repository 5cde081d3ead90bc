"""What do the networks of other people return? Told by names and by what they give for data."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution

from explorer.errors import ExportError
from explorer.models.onnx import Spread

Network = nn.Module | Callable[..., Any]

_MEANS = ("embedding", "mu", "mean", "loc", "z_mean", "z_mu")
_SPREADS: dict[str, Spread] = {
    "log_covariance": "log_variance", "log_var": "log_variance", "logvar": "log_variance",
    "log_variance": "log_variance", "z_log_var": "log_variance",
    "variance": "variance", "var": "variance",
    "sigma": "scale", "std": "scale", "scale": "scale", "stddev": "scale",
}  # fmt: skip
_DECODED = ("reconstruction", "sample", "recon_x", "x_hat", "mean")
_LARGEST_SCALE = 1.0


class Result(NamedTuple):
    """What an encoder gave: a mean, and perhaps a spread, of which it may be told what it is."""

    loc: Tensor
    raw: Tensor | None
    spread: Spread | None


def encoded(found: Any, where: str = "The encoder") -> Result:  # noqa: ANN401 - anything at all
    """Find mean and spread in what an encoder returned.

    Raises:
        ExportError: If it cannot be told; the message says what to return.
    """
    if isinstance(found, Tensor):
        return Result(found, None, None)
    if hasattr(found, "latent_dist"):
        found = found.latent_dist
    if isinstance(found, Distribution):
        return Result(found.mean, found.stddev, "scale")
    if hasattr(found, "mean") and hasattr(found, "std") and isinstance(found.std, Tensor):
        return Result(found.mean, found.std, "scale")
    fields = _fields(found)
    loc = next((fields[name] for name in _MEANS if name in fields), None)
    if loc is not None:
        name = next((name for name in _SPREADS if name in fields), None)
        return (
            Result(loc, None, None) if name is None else Result(loc, fields[name], _SPREADS[name])
        )
    if isinstance(found, tuple | list):
        parts = [part for part in found if isinstance(part, Tensor)]
        if len(parts) == len(found) == 1:
            return Result(parts[0], None, None)
        if len(parts) == len(found) == 2 and parts[0].shape == parts[1].shape:
            return Result(parts[0], parts[1], None)
    raise ExportError(
        f"{where} returns {_described(found)}, in which mean and spread cannot be told; "
        "return the mean, (mean, log variance) or (mean, standard deviation), "
        "for example `encoder=lambda x: model.encode(x)[:2]`."
    )


def settled(found: Result, given: Spread | None) -> Spread | None:
    """Tell what the second result of an encoder is, from its values for data.

    Raises:
        ExportError: If it cannot be told.
    """
    if found.raw is None:
        return None
    if given is not None:
        return given
    if found.spread is not None:
        return found.spread
    if bool((found.raw < 0).any()):
        return "log_variance"
    if float(found.raw.max()) <= _LARGEST_SCALE:
        return "scale"
    raise ExportError(
        "It cannot be told whether the encoder’s second result is a log variance or a standard "
        'deviation; say `spread="log_variance"`, `spread="variance"` or `spread="scale"`.'
    )


def decoded(found: Any) -> tuple[Tensor, bool]:  # noqa: ANN401 - anything at all
    """Find the decoded values in what a decoder returned, and whether they are known as logits.

    Raises:
        ExportError: If there are none.
    """
    if isinstance(found, Tensor):
        return found, False
    if isinstance(found, Distribution):
        base = getattr(found, "base_dist", found)
        if isinstance(base, torch.distributions.Bernoulli):
            return base.logits, True
        return found.mean, False
    fields = _fields(found)
    for name in _DECODED:
        if name in fields:
            return fields[name], False
    if isinstance(found, tuple | list) and found and isinstance(found[0], Tensor):
        return found[0], False
    raise ExportError(
        f"The decoder returns {_described(found)}; return the decoded values as a tensor."
    )


def pair(
    model: Any,  # noqa: ANN401 - also a whole model of any kind
    decoder: Network | None,
) -> tuple[Network, Network]:
    """Return encoder and decoder: as given, or as the parts or methods of one model.

    Raises:
        ExportError: If a single model has none.
    """
    if decoder is not None:
        whole: Network = model
        return whole, decoder
    for names in (("encoder", "decoder"), ("encode", "decode")):
        parts = [getattr(model, name, None) for name in names]
        # The parts of a diffusers model lack the layers between them and the code.
        if names[0] == "encoder" and hasattr(model, "quant_conv"):
            continue
        if all(map(callable, parts)):
            first, second = parts
            assert first is not None
            assert second is not None
            return first, second
    raise ExportError(
        f"{type(model).__name__} has no encoder and decoder, and no encode and decode; "
        "call `export_model(encoder, decoder, ...)`."
    )


class Wrapped(nn.Module):
    """A network that takes and returns plain rows of tensors, to be traced.

    Args:
        network: A module, or any callable.
        shape: Shape of one input of it.
        pick: Finds the tensors in what it returns.
    """

    def __init__(
        self,
        network: Network,
        shape: tuple[int, ...],
        pick: Callable[[Any], tuple[Tensor, ...]],
    ) -> None:
        super().__init__()
        # Registered, so that their weights are traced as weights.
        self.owners = nn.ModuleList(modules_of(network))
        self.network = [network]
        self.shape, self.pick = shape, pick

    def forward(self, rows: Float[Tensor, "batch *values"]) -> tuple[Tensor, ...]:
        """Apply the network."""
        found = self.network[0](rows.reshape(-1, *self.shape))
        return tuple(part.flatten(1) for part in self.pick(found))


def modules_of(*networks: Any) -> list[nn.Module]:  # noqa: ANN401 - also a whole model
    """List the modules behind networks, each once: themselves, bound to methods, or enclosed."""
    found: dict[int, nn.Module] = {}
    for network in networks:
        held = [network, getattr(network, "__self__", None)]
        held += [cell.cell_contents for cell in getattr(network, "__closure__", None) or ()]
        code = getattr(network, "__code__", None)
        known = getattr(network, "__globals__", {})
        held += [known.get(name) for name in (code.co_names if code is not None else ())]
        found |= {id(item): item for item in held if isinstance(item, nn.Module)}
    return list(found.values())


def _fields(found: Any) -> Mapping[str, Tensor]:  # noqa: ANN401 - anything at all
    """Return the named tensors of a mapping, a data class or a named tuple."""
    if isinstance(found, Mapping):
        named = dict(found)
    elif hasattr(found, "_asdict"):
        named = found._asdict()
    else:
        named = dict(vars(found)) if hasattr(found, "__dict__") else {}
    return {str(name): part for name, part in named.items() if isinstance(part, Tensor)}


def _described(found: Any) -> str:  # noqa: ANN401 - anything at all
    if isinstance(found, tuple | list):
        return f"{len(found)} values"
    return f"a {type(found).__name__}"
