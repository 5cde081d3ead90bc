"""Parameters of a prior that come with a foreign model."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from explorer.errors import ExportError
from explorer.foreign.outputs import encoded, settled
from explorer.interfaces import AbstractPrior, AbstractPriorConfig, LatentSpace
from explorer.models.onnx import scale_of
from explorer.priors import (
    CodeMixtureConfig,
    FullGaussianConfig,
    StandardConfig,
    XVAEConfig,
)
from explorer.priors.full import FullGaussianPrior
from explorer.priors.gaussian import GaussianPrior
from explorer.priors.mixture import CodeMixturePrior
from explorer.sketch import CurveSketch, PixelSketch

_FORMS = '"standard", {"mean", "scale"}, {"mean", "covariance"} or {"weights", "means", "scales"}'


def prior_of(
    given: str | Mapping[str, Any], name: str, latent: int, sketch: PixelSketch | CurveSketch
) -> tuple[AbstractPriorConfig, AbstractPrior]:
    """Build the prior that was given by a word or by its parameters.

    Args:
        given: "standard", or arrays of one of the forms above.
        name: Name of the model.
        latent: Length of a code.
        sketch: What a sample is.

    Raises:
        ExportError: If the parameters are no prior; the message says which are.
    """
    space = LatentSpace.single(latent)
    if given == "standard":
        standard = StandardConfig()
        return standard, standard.build(space, sketch)
    if isinstance(given, str):
        raise ExportError(f"{given[:40]!r} is no prior; give {_FORMS}.")
    try:
        arrays = {
            str(key): np.asarray(
                value.detach().cpu() if isinstance(value, torch.Tensor) else value, np.float64
            )
            for key, value in given.items()
        }
        return _built(arrays, name, space, sketch)
    except (KeyError, ValueError, TypeError, RuntimeError, np.linalg.LinAlgError) as error:
        raise ExportError(
            f"The parameters of the prior do not fit {latent} units ({_why(error)}); "
            f"give {_FORMS}."
        ) from error


def own_prior(
    model: Any,  # noqa: ANN401 - a whole model of any kind
    encoder: Callable[..., Any],
) -> dict[str, np.ndarray] | None:
    """Return the mixture of a foreign VampPrior: the encoder's posteriors at its pseudo-inputs.

    Args:
        model: The whole model; pythae's keep their pseudo-inputs behind a layer.
        encoder: Its encoder.
    """
    layer, idle = getattr(model, "pseudo_inputs", None), getattr(model, "idle_input", None)
    if not callable(layer) or not isinstance(idle, torch.Tensor):
        return None
    device = next(model.parameters()).device
    with torch.no_grad():
        inputs = layer(idle.to(device))
        shape = getattr(getattr(model, "model_config", None), "input_dim", None)
        found = encoded(encoder(inputs if shape is None else inputs.reshape(-1, *shape)))
    kind = settled(found, None)
    if found.raw is None or kind is None:
        return None
    scale = scale_of(found.raw, kind)
    return {
        "weights": np.full(len(scale), 1 / len(scale)),
        "means": found.loc.double().cpu().numpy(),
        "scales": scale.double().cpu().numpy(),
    }


def _built(
    arrays: dict[str, np.ndarray],
    name: str,
    space: LatentSpace,
    sketch: PixelSketch | CurveSketch,
) -> tuple[AbstractPriorConfig, AbstractPrior]:
    if not all(np.isfinite(value).all() for value in arrays.values()):
        raise ValueError("not all are finite")
    keys = set(arrays)
    if keys == {"mean", "scale"}:
        _require(arrays, {"mean": (space.size,), "scale": (space.size,)}, positive="scale")
        moments = XVAEConfig(source=name)
        gaussian = moments.build(space, sketch)
        assert isinstance(gaussian, GaussianPrior)
        gaussian.loc.copy_(torch.from_numpy(arrays["mean"]))
        gaussian.scale.copy_(torch.from_numpy(arrays["scale"]))
        return moments, gaussian
    if keys == {"mean", "covariance"}:
        _require(arrays, {"mean": (space.size,), "covariance": (space.size, space.size)})
        full = FullGaussianConfig(source=name)
        whole = full.build(space, sketch)
        assert isinstance(whole, FullGaussianPrior)
        whole.take(arrays["mean"], arrays["covariance"])
        return full, whole
    if keys == {"weights", "means", "scales"}:
        count = len(arrays["weights"])
        shape = (count, space.size)
        _require(arrays, {"weights": (count,), "means": shape, "scales": shape}, positive="scales")
        if (arrays["weights"] <= 0).any():
            raise ValueError("weights have to be positive")
        mixture = CodeMixtureConfig(source=name, components=count)
        parts = mixture.build(space, sketch)
        assert isinstance(parts, CodeMixturePrior)
        weights = arrays["weights"] / arrays["weights"].sum()
        parts.logits.copy_(torch.from_numpy(np.log(weights)))
        parts.loc.copy_(torch.from_numpy(arrays["means"]))
        parts.scale.copy_(torch.from_numpy(arrays["scales"]))
        return mixture, parts
    raise ValueError(f"there is no prior of {', '.join(sorted(keys))[:80]}")


def _require(
    arrays: dict[str, np.ndarray], shapes: dict[str, tuple[int, ...]], positive: str = ""
) -> None:
    for key, shape in shapes.items():
        if arrays[key].shape != shape:
            raise ValueError(f"{key} has the shape {list(arrays[key].shape)}, not {list(shape)}")
    if positive and (arrays[positive] <= 0).any():
        raise ValueError(f"{positive} has to be positive")


def _why(error: Exception) -> str:
    return " ".join(str(error).split())[:160].rstrip(".")
