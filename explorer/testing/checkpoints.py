"""Laws of an opened checkpoint: the same bits in any batch, and after saving and loading."""

from pathlib import Path

import numpy as np
import torch

from explorer import checkpoint, weights
from explorer.checkpoint import Checkpoint
from explorer.inference import Engine
from explorer.strips import StripSpec, scale_strip
from explorer.testing.assertions import generator, random_samples, require, require_close


def check_batching_changes_nothing(
    opened: Checkpoint, sizes: tuple[int, ...] = (0, 1, 7, 64, 65, 200)
) -> None:
    """A row is decoded, encoded and scored to the same bits in any batch."""
    engine = Engine(opened, "cpu")
    z = np.random.default_rng(0).normal(size=(200, engine.space.size)).astype(np.float32)
    x = random_samples(200, engine.sketch).numpy()
    decoded, encoded = engine.decode(z), engine.encode(x)
    density = engine.log_prior(z) if engine.has_prior else None
    for n in sizes:
        some = engine.encode(x[:n])
        same: dict[str, tuple[np.ndarray, np.ndarray]] = {
            "decoded": (engine.decode(z[:n]), decoded[:n]),
            "encoded": (some.loc, encoded.loc[:n]),
        }
        if density is not None and encoded.scale is not None and some.scale is not None:
            same["scored"] = (engine.log_prior(z[:n]), density[:n])
            same["encoded with its spread"] = (some.scale, encoded.scale[:n])
        for what, (found, expected) in same.items():
            require(
                np.array_equal(found, expected), f"a row is {what} differently in a batch of {n}"
            )
    order = np.random.default_rng(1).permutation(200)
    require(
        np.allclose(engine.decode(z[order]), decoded[order], rtol=0, atol=_rounding(engine)),
        "a row is decoded differently at another position in its batch",
    )


def check_engine_agrees_with_model(opened: Checkpoint) -> None:
    """An engine computes what its model computes."""
    engine = Engine(opened, "cpu")
    x = random_samples(70, engine.sketch)
    z = torch.randn(70, engine.space.size, generator=generator(2))
    with torch.no_grad():
        q, encoded = opened.model.posterior(x).flat(), engine.encode(x.numpy())
        claim = "an engine encodes, decodes or scores differently from its model"
        require_close(torch.from_numpy(encoded.loc), q.loc, claim)
        mean = opened.model.likelihood(z).mean
        require_close(torch.from_numpy(engine.decode(z.numpy())), mean, claim)
        if opened.prior is not None and q.scale is not None and encoded.scale is not None:
            require_close(torch.from_numpy(encoded.scale), q.scale, claim)
            density = opened.model.latent_prior(opened.prior).log_prob(z)
            require_close(
                torch.from_numpy(engine.log_prior(z)), density, claim, atol=1e-4, rtol=1e-5
            )


def check_samples_are_decoded_codes(
    opened: Checkpoint, scales: tuple[float, ...] = (0.0, 0.7, 2.0)
) -> None:
    """A sample is a code, decoded and scored under the prior; the seed determines it."""
    engine = Engine(opened, "cpu")
    for scale in scales:
        sample = engine.sample(9, scale, seed=3)
        require(sample.z.shape == (9, engine.space.size), f"codes have the shape {sample.z.shape}")
        require(sample.x.shape == (9, *engine.sketch.shape), f"samples have {sample.x.shape}")
        require(
            sample.component.shape == sample.log_density.shape == (9,),
            "a sample does not have one component and one density",
        )
        require(
            sample.z.dtype == sample.x.dtype == sample.log_density.dtype == np.float32,
            "samples are not in float32",
        )
        if not engine.sequential:
            decoded = engine.decode(sample.z)
            require(np.array_equal(sample.x, decoded), "a sample is not its decoded code")
        for mine, again in zip(sample, engine.sample(9, scale, seed=3), strict=True):
            require(np.array_equal(mine, again), "the same seed gives a different image")


def check_frames_match_samples(opened: Checkpoint, tiles: int = 9) -> None:
    """A frame of the scale slider equals the samples drawn at that scale, bit for bit."""
    engine = Engine(opened, "cpu")
    scales = (0.0, 0.35, 1.0, 2.0)
    strip = scale_strip(engine, StripSpec(tiles=tiles, seed=5), scales)
    for frame, scale in enumerate(scales):
        sample = engine.sample(tiles, scale, seed=5)
        decoded = engine.decode(sample.z)
        for found, expected in (
            (strip.samples[frame], decoded if engine.sequential else sample.x),
            (strip.log_density[frame], sample.log_density),
            (strip.components, sample.component),
        ):
            require(
                np.allclose(found, expected, rtol=0, atol=_rounding(engine)),
                f"the frame at scale {scale} differs from samples at that scale",
            )


def check_checkpoint_round_trips(opened: Checkpoint, folder: Path) -> None:
    """A checkpoint saved in full precision and loaded again gives the same bits.

    Args:
        opened: A checkpoint whose kinds are registered.
        folder: Where to save it.
    """
    training = opened.config.training.model_copy(update={"half": False})
    config = opened.config.model_copy(update={"training": training})
    again = checkpoint.load(checkpoint.save(opened.model, opened.prior, config, folder))
    before, after = Engine(opened, "cpu"), Engine(again, "cpu")
    x = random_samples(9, before.sketch).numpy()
    one, other = before.encode(x), after.encode(x)
    same = [(one.loc, other.loc), (before.decode(one.loc), after.decode(one.loc))]
    if before.has_prior:
        assert one.scale is not None
        assert other.scale is not None
        z = before.draw(20, seed=1)[0]
        same += [
            (one.scale, other.scale),
            (z, after.draw(20, seed=1)[0]),
            (before.decode(z), after.decode(z)),
            (before.log_prior(z), after.log_prior(z)),
        ]
    for mine, theirs in same:
        require(np.array_equal(mine, theirs), "a checkpoint does not survive saving and loading")


def check_weights_round_trip(opened: Checkpoint, folder: Path) -> None:
    """Saved weights fit the model that the recipe alone builds, as loading requires."""
    config, sketch = opened.config, opened.config.sketch
    assert sketch is not None
    with torch.device("meta"):
        model = config.model.build(sketch)
        prior = config.prior.build(model.top, sketch) if config.prior else None
    for name, module, bare in (
        ("model", opened.model, model), ("prior", opened.prior, prior),
    ):  # fmt: skip
        if module is None or bare is None:
            continue
        stored = module.state_dict()
        expected = {key: tuple(tensor.shape) for key, tensor in bare.state_dict().items()}
        shapes = {key: tuple(tensor.shape) for key, tensor in stored.items()}
        require(
            shapes == expected,
            f"the {name}'s weights do not have the names and shapes that its recipe builds",
        )
        if not stored:
            continue
        path = folder / f"{name}.safetensors"
        path.write_bytes(weights.packed(stored, 32))
        for key, tensor in weights.read(path, expected).items():
            require(
                torch.equal(tensor, stored[key]),
                f"the tensor {key} does not survive saving and loading",
            )


def _rounding(engine: Engine) -> float:
    """Return the tolerance: a pixel-by-pixel decoder rounds by position, others do not."""
    return 1e-6 if engine.sequential else 0.0
