"""Saved checkpoints load identically, and no damaged folder affects the others."""

import contextlib
import dataclasses
import io
import json
import math
import os
import shutil
import struct
import threading
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load as deserialise
from safetensors.torch import save as serialise

from explorer import checkpoint, weights
from explorer.checkpoint import CONFIG, METRICS, WEIGHTS, Metric, catalogue, load, save
from explorer.config import RunConfig
from explorer.errors import CheckpointError, UnknownCheckpointError
from explorer.projection import VERSION, Atlas, load_atlas, save_atlas

PIXELS = {"kind": "pixels", "height": 8, "width": 8}
CURVE = {"kind": "curve", "x": [0.0, 0.5, 1.0], "loc": [0.0, 0.1, 0.0], "scale": [1.0, 2.0, 0.5]}
LONGEST_REASON = 500


def recipe(model=None, prior=None, sketch=None, **training):
    return RunConfig.model_validate(
        {
            "data": {"kind": "digits"},
            "model": {"kind": "vae", "latent": 2, "hidden": [8]} | (model or {}),
            "prior": prior or {"kind": "vamp", "components": 3},
            "training": training,
            "sketch": sketch or PIXELS,
        }
    )


def write_checkpoint(folder, config=None, seed=0):
    config = config or recipe()
    torch.manual_seed(seed)
    model, prior = config.build()
    save(model, prior, config, folder)
    return model, prior


def metric(value=1.0, **more):
    return Metric(value=value, n=10, unit="nats", **more)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    for name in ("user", "shipped"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path / "user"))
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(tmp_path / "shipped"))
    monkeypatch.delenv("LATENT_EXPLORER_DATA", raising=False)


@pytest.fixture
def shipped(tmp_path):
    return tmp_path / "shipped"


# Round trips

PRIORS = st.one_of(
    st.just({"kind": "standard"}),
    st.builds(
        lambda kind, k: {"kind": kind, "components": k},
        st.sampled_from(["mog", "vamp"]),
        st.integers(1, 5),
    ),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    latent=st.integers(1, 6),
    hidden=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    likelihood=st.sampled_from(["bernoulli", "gaussian"]),
    prior=st.none() | PRIORS,
    sketch=st.sampled_from([PIXELS, CURVE]),
    half=st.booleans(),
    seed=st.integers(0, 100),
)
def test_a_saved_checkpoint_comes_back_equal(
    tmp_path_factory, latent, hidden, likelihood, prior, sketch, half, seed
):
    folder = tmp_path_factory.mktemp("round") / "digits-trip"
    config = RunConfig.model_validate(
        {
            "data": {"kind": "digits"},
            "model": {
                "kind": "vae" if prior else "ae",
                "latent": latent,
                "hidden": hidden,
                "likelihood": likelihood,
            },
            "prior": prior,
            "training": {"half": half, "seed": seed},
            "sketch": sketch,
        }
    )
    model, own_prior = write_checkpoint(folder, config, seed)
    opened = load(folder)
    assert opened.config == config
    assert opened.slug == "digits-trip"
    assert (opened.prior is None) == (prior is None)
    assert not opened.model.training
    pairs = [(model, opened.model)] + ([(own_prior, opened.prior)] if own_prior else [])
    for before, after in pairs:
        found = after.state_dict()
        assert found.keys() == before.state_dict().keys()
        for name, tensor in before.state_dict().items():
            small = half and tensor.ndim > 1
            expected = tensor.half().float() if small else tensor
            torch.testing.assert_close(found[name], expected, rtol=0, atol=0)
            assert found[name].dtype == torch.float32
    write_checkpoint(folder.parent / "again", config, seed)
    assert load(folder.parent / "again").hash == opened.hash


@pytest.mark.parametrize("half", [True, False])
def test_only_matrices_are_stored_in_half_precision(tmp_path, half):
    write_checkpoint(tmp_path / "one", recipe(prior={"kind": "mog", "components": 3}, half=half))
    with safe_open(tmp_path / "one" / WEIGHTS, framework="pt") as stored:
        kinds = {
            name: (stored.get_tensor(name).ndim, stored.get_slice(name).get_dtype())
            for name in stored.keys()  # noqa: SIM118 - not a dictionary
        }
    assert {dtype for ndim, dtype in kinds.values() if ndim == 1} == {"F32"}
    assert {dtype for ndim, dtype in kinds.values() if ndim > 1} == {"F16" if half else "F32"}


@pytest.mark.parametrize("kind", ["vamp", "vamp-data"])
def test_eight_bits_keep_each_row_to_half_a_step(tmp_path, kind):
    config = recipe({"hidden": [40]}, {"kind": kind, "components": 20}, bits=8)
    model, prior = write_checkpoint(tmp_path / "one", config)
    opened = load(tmp_path / "one")
    exact = 0
    for before, after in ((model, opened.model), (prior, opened.prior)):
        for name, tensor in before.state_dict().items():
            found = after.state_dict()[name]
            if tensor.ndim > 1 and name.endswith(("weight", "inputs")):
                step = tensor.flatten(1).abs().amax(1) / 127
                error = (found - tensor).flatten(1).abs().amax(1)
                assert bool((error <= 0.501 * step).all())
                assert float(error.max()) > 0
            else:
                torch.testing.assert_close(found, tensor, rtol=1e-3, atol=0)
                exact += 1
    assert exact > 3
    write_checkpoint(tmp_path / "half", recipe({"hidden": [40]}, config.prior.model_dump()))
    sizes = [(tmp_path / name / WEIGHTS).stat().st_size for name in ("one", "half")]
    assert sizes[0] < 0.7 * sizes[1]


def test_a_row_of_zeros_and_what_is_no_weight_bear_eight_bits():
    found = {"a.weight": torch.zeros(2, 3), "prior.scale": torch.full((2, 3), 1e-4)}
    kept = deserialise(weights.packed(found, 8))
    assert kept["a.weight"].dtype == torch.int8
    assert kept["prior.scale"].dtype == torch.float16
    assert bool((kept["a.weight.step"] > 0).all())


def test_the_hash_is_of_config_and_weights_alone(tmp_path):
    folder = tmp_path / "one"
    model, prior = write_checkpoint(folder)
    first = load(folder).hash
    for name in (checkpoint.CARD, METRICS, checkpoint.ATLAS, checkpoint.PREVIEW):
        (folder / name).write_bytes(b"{}")
    assert load(folder).hash == first
    with torch.no_grad():
        model.loc.bias[0] += 1
    save(model, prior, recipe(), folder)
    weights_changed = load(folder).hash
    assert weights_changed != first
    save(model, prior, recipe(seed=15), folder)
    assert load(folder).hash not in (first, weights_changed)


def test_metrics_come_back_equal(tmp_path):
    metrics = {
        "elbo": metric(-1.5, se=0.25, seed=0, samples=500),
        "precision": metric(0.5, null=1),
    }
    checkpoint.write_metrics(tmp_path, metrics)
    assert checkpoint.read_metrics(tmp_path) == metrics


def test_results_of_the_user_lie_over_the_shipped_ones(shipped):
    write_checkpoint(shipped / "one")
    checkpoint.write_metrics(shipped / "one", {"elbo": metric(1), "kl": metric(2)})
    results = checkpoint.results_folder(load("one").hash)
    results.mkdir(parents=True)
    checkpoint.write_metrics(results, {"elbo": metric(3)})
    np.savez(results / "likelihood.npz", mine=np.ones(2))
    values = {name: found.value for name, found in load("one").metrics.items()}
    assert values == {"elbo": 3, "kl": 2}
    assert catalogue()[0].metrics == load("one").metrics
    assert load("one").arrays("likelihood.npz").keys() == {"mine"}
    assert load("one").arrays("absent.npz") == {}


def test_results_of_other_weights_are_not_laid_over(shipped):
    write_checkpoint(shipped / "one")
    results = checkpoint.results_folder(load("one").hash)
    results.mkdir(parents=True)
    checkpoint.write_metrics(results, {"elbo": metric(3)})
    write_checkpoint(shipped / "one", seed=1)
    assert load("one").metrics == {}


def test_damaged_results_of_the_user_leave_the_shipped_ones(shipped):
    write_checkpoint(shipped / "one")
    checkpoint.write_metrics(shipped / "one", {"elbo": metric(1)})
    results = checkpoint.results_folder(load("one").hash)
    results.mkdir(parents=True)
    (results / METRICS).write_text("[")
    assert load("one").metrics["elbo"].value == 1


# Catalogue and slugs


def test_the_catalogue_lists_healthy_and_broken(shipped, tmp_path):
    write_checkpoint(shipped / "b-healthy")
    (shipped / "a-empty").mkdir()
    (shipped / ".hidden").mkdir()
    (shipped / "README.md").write_text("no checkpoint")
    write_checkpoint(tmp_path / "user" / "checkpoints" / "mine", recipe(prior={"kind": "mog"}))
    entries = {entry.slug: entry for entry in catalogue()}
    assert list(entries) == ["a-empty", "b-healthy", "mine"]
    assert not entries["a-empty"].healthy
    assert (entries["b-healthy"].healthy, entries["b-healthy"].reason) == (True, "")
    facts = ("digits", "vae", "mog", 2)
    mine = entries["mine"]
    assert (mine.data, mine.model, mine.prior, mine.latent) == facts
    assert mine.hash == mine.open().hash
    with pytest.raises(CheckpointError, match=r"config\.json"):
        entries["a-empty"].open()


@pytest.fixture
def results_only(shipped):
    """A folder with a recipe and numbers, whose weights were taken away."""
    write_checkpoint(shipped / "numbers", recipe(prior={"kind": "mog"}))
    checkpoint.write_metrics(shipped / "numbers", {"elbo": metric(-3, se=0.5)})
    (shipped / "numbers" / WEIGHTS).unlink()
    return shipped / "numbers"


def test_a_folder_without_weights_is_listed_for_its_numbers(results_only):
    (entry,) = catalogue()
    assert (entry.healthy, entry.results_only) == (False, True)
    facts = (entry.slug, entry.data, entry.model, entry.prior, entry.latent, entry.hash)
    assert facts == ("numbers", "digits", "vae", "mog", 2, "")
    assert entry.metrics == {"elbo": metric(-3, se=0.5)}
    assert entry.config == recipe(prior={"kind": "mog"})
    assert "weights" in entry.reason
    assert len(entry.reason.splitlines()) == 1
    said = entry.as_json()
    assert (said["healthy"], said["results_only"]) == (False, True)
    assert said["metrics"] == {"elbo": {"value": -3.0, "se": 0.5, "n": 10, "unit": "nats"}}
    for opening in (entry.open, lambda: load("numbers")):
        with pytest.raises(CheckpointError, match=WEIGHTS):
            opening()


def test_one_with_weights_is_not_results_only(shipped):
    write_checkpoint(shipped / "one")
    checkpoint.write_metrics(shipped / "one", {"elbo": metric(1)})
    (entry,) = catalogue()
    assert (entry.healthy, entry.results_only) == (True, False)
    assert entry.as_json()["results_only"] is False


@pytest.mark.parametrize("gone", [METRICS, CONFIG])
def test_without_weights_and_numbers_or_recipe_a_folder_is_broken(results_only, gone):
    (results_only / gone).unlink()
    (entry,) = catalogue()
    assert (entry.healthy, entry.results_only, entry.metrics) == (False, False, {})
    assert entry.reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (METRICS, "["),
        (METRICS, '{"elbo": {"value": "high", "n": 1, "unit": "nats"}}'),
        (METRICS, '{"elbo": {"value": NaN, "n": 1, "unit": "nats"}}'),
        (CONFIG, "{}"),
        (CONFIG, "["),
    ],
)
def test_damaged_numbers_without_weights_are_broken_and_stop_no_other(
    results_only, shipped, name, content
):
    write_checkpoint(shipped / "sound")
    (results_only / name).write_text(content)
    numbers, sound = catalogue()
    assert (numbers.healthy, numbers.results_only) == (False, False)
    assert numbers.reason.startswith(name)
    assert sound.healthy


def test_empty_weights_are_broken_and_not_absent(results_only):
    (results_only / WEIGHTS).write_bytes(b"")
    (entry,) = catalogue()
    assert (entry.healthy, entry.results_only) == (False, False)


def test_folders_that_begin_with_a_line_are_no_checkpoints(shipped, tmp_path):
    write_checkpoint(shipped / "_features")
    (tmp_path / "user" / "checkpoints" / "_features").mkdir(parents=True)
    write_checkpoint(shipped / "a_b")
    assert [entry.slug for entry in catalogue()] == ["a_b"]


def test_a_shipped_checkpoint_hides_one_of_the_user_with_its_name(shipped, tmp_path):
    write_checkpoint(shipped / "one")
    write_checkpoint(tmp_path / "user" / "checkpoints" / "one", seed=1)
    assert [entry.folder.parent for entry in catalogue()] == [shipped]
    assert load("one").folder.parent == shipped


def test_a_folder_that_is_not_there_lists_nothing(tmp_path):
    assert catalogue(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    "slug",
    [
        "",
        ".",
        "..",
        "/",
        "a/b",
        "../shipped/x",
        "one/..x",
        "absent",
        "\0",
        "one\n",
        "x" * 5000,
        "é",
    ],
    ids=lambda slug: ascii(slug[:20]),
)
def test_an_unknown_slug_is_said_to_be_unknown(shipped, slug):
    write_checkpoint(shipped / "one")
    with pytest.raises(UnknownCheckpointError) as caught:
        load(slug)
    assert len(str(caught.value)) < LONGEST_REASON


# Atomic writing


def test_writing_leaves_nothing_beside(tmp_path):
    write_checkpoint(tmp_path / "one")
    assert {path.name for path in (tmp_path / "one").iterdir()} == {CONFIG, WEIGHTS}


def test_a_reader_never_sees_half_a_file(tmp_path):
    path = tmp_path / "file"
    whole = [bytes([letter]) * 2_000_000 for letter in b"ab"]
    checkpoint.write(path, whole[0])
    ended = threading.Event()

    def keep_writing():
        for turn in range(60):
            checkpoint.write(path, whole[turn % 2])
        ended.set()

    writer = threading.Thread(target=keep_writing)
    writer.start()
    while not ended.is_set():
        assert path.read_bytes() in whole
    writer.join()
    assert [found.name for found in tmp_path.iterdir() if found.is_file()] == ["file"]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    checkpoint.write(path, b"old")
    with pytest.raises(TypeError):
        checkpoint.write(path, [])  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"


# Mutated checkpoints


def text(name, content):
    def change(folder):
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return change


def field(path, value):
    """Set a field of the config; `...` removes it."""

    def change(folder):
        whole = json.loads((folder / CONFIG).read_text())
        *parents, last = path.split(".")
        place = whole
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is ...:
            del place[last]
        else:
            place[last] = value
        (folder / CONFIG).write_text(json.dumps(whole))

    return change


def both(one, other):
    def change(folder):
        one(folder)
        other(folder)

    return change


def raw_header(rewrite):
    """Rewrite the JSON header of the weights, as bytes."""

    def change(folder):
        content = (folder / WEIGHTS).read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        header = rewrite(content[8 : 8 + length])
        (folder / WEIGHTS).write_bytes(
            struct.pack("<Q", len(header)) + header + content[8 + length :]
        )

    return change


def header(rewrite):
    def change_json(old):
        found = json.loads(old)
        rewrite(found)
        return json.dumps(found).encode()

    return raw_header(change_json)


def tensors(rewrite):
    """Rewrite the stored tensors."""

    def change(folder):
        with safe_open(folder / WEIGHTS, framework="pt") as stored:
            found = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        rewrite(found)
        (folder / WEIGHTS).write_bytes(serialise(found))

    return change


def replaced(name, make):
    def rewrite(found):
        found[name] = make(found[name])

    return tensors(rewrite)


def in_eight_bits(change=lambda found: None):
    """Store the first matrix as integers, and change what lies beside it."""

    def rewrite(found):
        step = found[WEIGHT].float().abs().amax(1) / 127
        found[WEIGHT] = (found[WEIGHT].float() / step[:, None]).round().to(torch.int8)
        found[f"{WEIGHT}.step"] = step
        change(found)

    return tensors(rewrite)


def cut(share):
    def change(folder):
        content = (folder / WEIGHTS).read_bytes()
        (folder / WEIGHTS).write_bytes(content[: int(share * len(content))])

    return change


def flipped(seed, first, last):
    """Flip a bit between two offsets of the weights."""

    def change(folder):
        content = bytearray((folder / WEIGHTS).read_bytes())
        random = np.random.default_rng(seed)
        content[random.integers(first, min(last, len(content)))] ^= 1 << random.integers(8)
        (folder / WEIGHTS).write_bytes(bytes(content))

    return change


def starting(prefix):
    def change(folder):
        (folder / WEIGHTS).write_bytes(prefix + (folder / WEIGHTS).read_bytes()[8:])

    return change


def removed(name):
    return lambda folder: (folder / name).unlink()


def directory(name):
    def change(folder):
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir()

    return change


def loop(name):
    def change(folder):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(folder / name)

    return change


def dangling(name):
    def change(folder):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(folder / "nowhere")

    return change


def pipe(name):
    def change(folder):
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return change


def unreadable(name):
    def change(folder):
        if os.geteuid() == 0:
            pytest.skip("root may read everything")
        (folder / name).chmod(0)

    return change


def with_value(value):
    def make(tensor):
        tensor = tensor.clone()
        tensor.view(-1)[0] = value
        return tensor

    return make


def no_prior_tensors(found):
    for name in [name for name in found if name.startswith("prior.")]:
        del found[name]


def renamed(found):
    found["model.encoder.9.linear.bias"] = found.pop("model.encoder.0.linear.bias")


def overlapping(found):
    one, other = [name for name in found if name != "__metadata__"][:2]
    found[one]["data_offsets"] = found[other]["data_offsets"]


def longer_header(found):
    next(iter(found.values()))["data_offsets"][1] += 10**12


def bad_metadata(found):
    found["__metadata__"] = {"format": 3}


BIAS, SCALE, WEIGHT = "model.loc.bias", "model.reference_scale", "model.loc.weight"
CONFIG_BROKEN = {
    "missing": removed(CONFIG),
    "empty": text(CONFIG, ""),
    "blank": text(CONFIG, " \n "),
    "not JSON": text(CONFIG, "model: vae"),
    "half": text(CONFIG, '{"data": {"kind": "dig'),
    "not UTF-8": text(CONFIG, b"\xff\xfe{}"),
    "a byte order mark": text(CONFIG, b"\xef\xbb\xbf{}"),
    "null": text(CONFIG, "null"),
    "list": text(CONFIG, "[]"),
    "number": text(CONFIG, "1"),
    "nested deeply": text(CONFIG, "[" * 900_000 + "]" * 900_000),
    "nested objects": text(CONFIG, '{"data":' * 100_000 + "1" + "}" * 100_000),
    "a million zeros": text(CONFIG, "0" * 1_000_000),
    "a number of a million digits": text(CONFIG, '{"data": 1' + "0" * 1_000_000 + "}"),
    "five megabytes": text(CONFIG, '{"data":"' + "x" * 5_000_000 + '"}'),
    "no data": field("data", ...),
    "no model": field("model", ...),
    "unknown data": field("data.kind", "cats"),
    "unknown model": field("model.kind", "gan"),
    "unknown prior": field("prior.kind", "vamp2"),
    "a kind of 100 kB": field("prior.kind", "x" * 100_000),
    "a kind of two lines": field("prior.kind", "vamp\nmog"),
    "a kind that is a list": field("prior.kind", ["vamp"]),
    "an extra field": field("model.dropout", 0.5),
    "an extra field at the top": field("os.system", "true"),
    "an extra field of 100 kB": field("x" * 100_000, 1),
    "an extra field of two lines": field("a\nb", 1),
    "latent negative": field("model.latent", -1),
    "latent zero": field("model.latent", 0),
    "latent huge": field("model.latent", 10**30),
    "latent a fraction": field("model.latent", 2.5),
    "latent another": field("model.latent", 3),
    "latent infinite": field("model.latent", math.inf),
    "hidden empty": field("model.hidden", []),
    "hidden absurd": field("model.hidden", [10**9]),
    "hidden many": field("model.hidden", [8] * 100_000),
    "hidden negative": field("model.hidden", [-8]),
    "hidden other": field("model.hidden", [9]),
    "hidden deeper": field("model.hidden", [8, 8]),
    "an autoencoder with a prior": field("model.kind", "ae"),
    "a VAE without a prior": field("prior", None),
    "components none": field("prior.components", 0),
    "components many": field("prior.components", 10**9),
    "components other": field("prior.components", 4),
    "spread zero": field("prior.spread", 0),
    "spread not a number": field("prior.spread", math.nan),
    "likelihood other": field("model.likelihood", "gaussian"),
    "likelihood unknown": field("model.likelihood", "poisson"),
    "sketch missing": field("sketch", ...),
    "sketch null": field("sketch", None),
    "sketch unknown": field("sketch", {"kind": "voxels"}),
    "sketch of another size": field("sketch.height", 9),
    "sketch absurd": field("sketch.height", 10**6),
    "too many parameters": both(
        field("sketch", PIXELS | {"height": 512, "width": 512}),
        field("model.hidden", [4096] * 6),
    ),
    "sketch a curve": field("sketch", CURVE),
    "sketch with NaN": field("sketch", CURVE | {"loc": [0.0, math.nan, 0.0]}),
    "sketch with infinity": field("sketch", CURVE | {"x": [0.0, math.inf, 0.0]}),
    "sketch of scale zero": field("sketch", CURVE | {"scale": [1.0, 0.0, 1.0]}),
    "sketch of unequal lengths": field("sketch", CURVE | {"x": [0.0, 1.0]}),
    "learning rate NaN": field("training.learning_rate", math.nan),
    "epochs a text": field("training.epochs", "many"),
    "a directory": directory(CONFIG),
    "a link to itself": loop(CONFIG),
    "a link to nowhere": dangling(CONFIG),
    "a pipe": pipe(CONFIG),
    "unreadable": unreadable(CONFIG),
}
WEIGHTS_BROKEN = {
    "missing": removed(WEIGHTS),
    "empty": text(WEIGHTS, b""),
    "a pickle": text(WEIGHTS, b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00]\x94."),
    "a text": text(WEIGHTS, "these are no weights"),
    "only a length": text(WEIGHTS, struct.pack("<Q", 16)),
    **{f"cut at {share}": cut(share) for share in (0.001, 0.01, 0.1, 0.3, 0.5, 0.9, 0.999)},
    "longer": lambda folder: (folder / WEIGHTS).write_bytes(
        (folder / WEIGHTS).read_bytes() + b"tail"
    ),
    "header length huge": starting(struct.pack("<Q", 2**63)),
    "header length all ones": starting(b"\xff" * 8),
    "header length zero": starting(bytes(8)),
    "header length beyond": starting(struct.pack("<Q", 99_000_000)),
    "header not JSON": raw_header(lambda old: b"}" + old[1:]),
    "header not UTF-8": raw_header(lambda old: old.replace(b"model", b"\xff\xfeode", 1)),
    "header a list": raw_header(lambda old: b"[]"),
    "header nested": raw_header(lambda old: b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    "header overlapping": header(overlapping),
    "header beyond the file": header(longer_header),
    "metadata not texts": header(bad_metadata),
    "a tensor missing": tensors(lambda found: found.pop(BIAS)),
    "all missing": tensors(lambda found: found.clear()),
    "the prior missing": tensors(no_prior_tensors),
    "a tensor too many": tensors(lambda found: found.update(extra=torch.ones(2))),
    "a tensor with a name of 100 kB": tensors(
        lambda found: found.update({"x" * 10**5: torch.ones(1)})
    ),
    "a tensor with a name of two lines": tensors(
        lambda found: found.update({"a\nb": torch.ones(1)})
    ),
    "a tensor renamed": tensors(renamed),
    "another shape": replaced(BIAS, lambda old: torch.zeros(3)),
    "transposed": replaced(WEIGHT, lambda old: old.T.contiguous()),
    "a scalar": replaced(BIAS, lambda old: torch.tensor(0.0)),
    "no rows": replaced(BIAS, lambda old: torch.zeros(0)),
    "integers": replaced(BIAS, lambda old: old.long()),
    "booleans": replaced(BIAS, lambda old: old > 0),
    "bfloat16": replaced(WEIGHT, lambda old: old.bfloat16()),
    "float64": replaced(WEIGHT, lambda old: old.double()),
    "integers without their step": in_eight_bits(lambda found: found.pop(f"{WEIGHT}.step")),
    "a step of zero": in_eight_bits(lambda found: found[f"{WEIGHT}.step"].zero_()),
    "a negative step": in_eight_bits(lambda found: found[f"{WEIGHT}.step"].neg_()),
    "a step that overflows": in_eight_bits(lambda found: found[f"{WEIGHT}.step"].fill_(3e38)),
    "a step that is no number": in_eight_bits(
        lambda found: found[f"{WEIGHT}.step"].fill_(math.nan)
    ),
    "steps too few": in_eight_bits(lambda found: found.update({f"{WEIGHT}.step": torch.ones(1)})),
    "a step of integers": in_eight_bits(
        lambda found: found.update({f"{WEIGHT}.step": found[f"{WEIGHT}.step"].long()})
    ),
    "a step beside floats": tensors(lambda found: found.update({f"{WEIGHT}.step": torch.ones(2)})),
    "a vector of eight bits": replaced(BIAS, lambda old: old.to(torch.int8)),
    "complex": replaced(BIAS, lambda old: old.to(torch.complex64)),
    "NaN": replaced(WEIGHT, with_value(math.nan)),
    "infinity": replaced(BIAS, with_value(math.inf)),
    "NaN in the prior": replaced("prior.inputs", with_value(math.nan)),
    "a scale of zero": replaced(SCALE, with_value(0.0)),
    "a negative scale": replaced(SCALE, with_value(-1.0)),
    "a directory": directory(WEIGHTS),
    "a link to itself": loop(WEIGHTS),
    "a pipe": pipe(WEIGHTS),
    "unreadable": unreadable(WEIGHTS),
}
NUMBER = {"value": 1.0, "n": 3, "unit": "nats"}


def measured(**changes):
    return text(METRICS, json.dumps({"elbo": NUMBER | changes}))


METRICS_BROKEN = {
    "not JSON": text(METRICS, "elbo: 1"),
    "empty": text(METRICS, ""),
    "a list": text(METRICS, "[1, 2]"),
    "texts": text(METRICS, '{"elbo": "good"}'),
    "bare numbers": text(METRICS, '{"elbo": 1.0}'),
    "NaN": text(METRICS, '{"elbo": {"value": NaN, "n": 3, "unit": "nats"}}'),
    "infinity": text(METRICS, '{"elbo": {"value": 1e999, "n": 3, "unit": "nats"}}'),
    "negative n": measured(n=-1),
    "n a fraction": measured(n=1.5),
    "an error that is NaN": measured(se=math.nan),
    "a unit of 1 kB": measured(unit="x" * 1000),
    "an extra field": measured(note="best"),
    "nested deeply": text(METRICS, "[" * 900_000),
    "five megabytes": text(METRICS, " " * 5_000_000),
    "a name of 100 kB": text(METRICS, json.dumps({"x" * 10**5: 1})),
    "unreadable": unreadable(METRICS),
}
HARMLESS = {
    "nothing": lambda folder: None,
    "a matrix in eight bits": in_eight_bits(),
    "no metrics": removed(METRICS),
    "metrics empty": text(METRICS, "{}"),
    "metrics a directory": directory(METRICS),
    "metrics a link to itself": loop(METRICS),
    "another file": text("notes.txt", "hello"),
    "a stray part": text(".config.json.7.part", "{"),
    "a damaged atlas": text(checkpoint.ATLAS, b"PK"),
    "a damaged preview": text(checkpoint.PREVIEW, b"\x89PNG"),
    "a card of bytes": text(checkpoint.CARD, b"\xff"),
    "no training": field("training", ...),
    "float32 matrices": tensors(
        lambda found: found.update({name: old.float() for name, old in found.items()})
    ),
    "metadata": header(lambda found: found.update(__metadata__={"by": "hand"})),
}
ANY = {
    **{f"header bit {seed}": flipped(seed, 0, 400) for seed in range(25)},
    **{f"data bit {seed}": flipped(seed, 1200, 10**9) for seed in range(10)},
}
MUTATIONS = [
    pytest.param(change, healthy, id=f"{group}: {name}")
    for group, healthy, table in (
        ("config", False, CONFIG_BROKEN),
        ("weights", False, WEIGHTS_BROKEN),
        ("metrics", False, METRICS_BROKEN),
        ("harmless", True, HARMLESS),
        ("flipped", None, ANY),
    )
    for name, change in table.items()
]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pristine") / "base"
    write_checkpoint(folder)
    checkpoint.write_metrics(folder, {"elbo": metric()})
    return folder


def test_the_table_of_mutations_is_long():
    assert len(MUTATIONS) >= 60


@pytest.mark.parametrize(("change", "healthy"), MUTATIONS)
def test_a_mutated_checkpoint_stops_no_other(pristine, shipped, change, healthy):
    for name in ("a-before", "m-mutated", "z-after"):
        shutil.copytree(pristine, shipped / name)
    change(shipped / "m-mutated")
    entries = {entry.slug: entry for entry in catalogue()}
    assert list(entries) == ["a-before", "m-mutated", "z-after"]
    assert entries["a-before"].healthy
    assert entries["z-after"].healthy
    mutated = entries["m-mutated"]
    if healthy is not None:
        assert mutated.healthy == healthy, mutated.reason
    json.dumps(mutated.as_json(), allow_nan=False)
    if mutated.healthy:
        assert mutated.open().hash == mutated.hash
        assert mutated.reason == ""
        return
    assert mutated.reason.endswith(".")
    assert len(mutated.reason.splitlines()) == 1
    assert len(mutated.reason) < LONGEST_REASON
    with pytest.raises((CheckpointError, OSError)):
        mutated.open()


@pytest.mark.parametrize("name", ["m-loop", "m-nowhere"])
def test_a_link_in_the_place_of_a_checkpoint_stops_no_other(pristine, shipped, name):
    shutil.copytree(pristine, shipped / "z-after")
    (shipped / name).symlink_to(shipped / (name if name == "m-loop" else "gone"))
    assert [entry.slug for entry in catalogue() if entry.healthy] == ["z-after"]


# Arrays


def npz(**arrays):
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def zipped(method=zipfile.ZIP_DEFLATED, **members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return stream.getvalue()


def npy(descr, shape, content=b""):
    head = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    head = head.ljust(118 - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + content


def damaged(seed):
    content = bytearray(npz(a=np.random.default_rng(0).random(400), b=np.arange(50)))
    random = np.random.default_rng(seed)
    content[random.integers(30, len(content))] ^= 1 << random.integers(8)
    return bytes(content)


def encrypted():
    content = bytearray(zipped(a_npy=npy("<f4", (1,), bytes(4))))
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


WHOLE = npz(a=np.random.default_rng(0).random(400))
BAD_ARRAYS = {
    "a pickle inside": npz(a=np.array([{"x": 1}], dtype=object)),
    "a bare pickle": b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00]\x94.",
    "empty": b"",
    "a text": b"no archive",
    **{f"cut at {share}": WHOLE[: int(share * len(WHOLE))] for share in (0.01, 0.3, 0.7, 0.99)},
    "a shape beyond memory": zipped(a_npy=npy("<f8", (10**14,))),
    "a shape beyond integers": zipped(a_npy=npy("<f8", (10**30,))),
    "a negative shape": zipped(a_npy=npy("<f8", (-5,))),
    "a header that is no array": zipped(a_npy=b"\x93NUMPY\x01\x00\x04\x00abc\n"),
    "a member that is no array": zipped(a_npy=b"hello"),
    "a member without a suffix": zipped(a=b"hello"),
    "encrypted": encrypted(),
}


@pytest.mark.parametrize("content", BAD_ARRAYS.values(), ids=BAD_ARRAYS.keys())
def test_arrays_that_are_no_plain_arrays_are_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        checkpoint.read_arrays(tmp_path / "a.npz")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_in_arrays_is_noticed_or_harmless(tmp_path, seed):
    (tmp_path / "a.npz").write_bytes(damaged(seed))
    with contextlib.suppress(CheckpointError):
        found = checkpoint.read_arrays(tmp_path / "a.npz")
        assert all(isinstance(value, np.ndarray) for value in found.values())


def test_an_archive_that_unpacks_to_too_much_is_refused_before(tmp_path, monkeypatch):
    (tmp_path / "a.npz").write_bytes(npz(a=np.zeros(2_000_000)))
    monkeypatch.setattr(checkpoint, "MAX_ARRAY_BYTES", 10_000_000)
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("it was unpacked"))
    with pytest.raises(CheckpointError, match="unpacks to over 10 MB"):
        checkpoint.read_arrays(tmp_path / "a.npz")


def test_arrays_come_back_equal(tmp_path):
    arrays = {"a": np.arange(6).reshape(2, 3), "b": np.array(["x", "yz"]), "c": np.float16(0.5)}
    (tmp_path / "a.npz").write_bytes(npz(**arrays))
    found = checkpoint.read_arrays(tmp_path / "a.npz")
    assert found.keys() == arrays.keys()
    for name, value in arrays.items():
        np.testing.assert_array_equal(found[name], value)


# The atlas

CODES = 20


@pytest.fixture
def opened(shipped):
    write_checkpoint(shipped / "one")
    return load("one")


def atlas_of(opened):
    random = np.random.default_rng(0)
    one = {
        name: random.random(CODES).astype(np.float16).astype(np.float32)
        for name in ("trust", "kl", "reconstruction", "log_prior")
    }
    codes = random.normal(size=(CODES, 2)).astype(np.float16).astype(np.float32)
    return Atlas(
        method="plane",
        codes=codes,
        scale=np.full((CODES, 2), 0.25, np.float32),
        xy=codes,
        split=np.zeros(CODES, np.uint8),
        ids=np.arange(CODES, dtype=np.int32),
        label=np.full(CODES, -1, np.int16),
        sample_xy=np.zeros((5, 2), np.float32),
        prototype_xy=np.zeros((0, 2), np.float32),
        classes=("zero", "one"),
        hash=opened.hash,
        **one,
    )


def test_an_atlas_comes_back_equal(opened):
    atlas = atlas_of(opened)
    assert load_atlas(opened) is None
    checkpoint.write(opened.folder / checkpoint.ATLAS, save_atlas(atlas))
    found = load_atlas(opened)
    for name, value in atlas._asdict().items():
        np.testing.assert_array_equal(getattr(found, name), value, err_msg=name)


def test_an_atlas_of_other_weights_is_ignored(opened, shipped):
    checkpoint.write(opened.folder / checkpoint.ATLAS, save_atlas(atlas_of(opened)))
    write_checkpoint(shipped / "one", seed=1)
    assert load_atlas(load("one")) is None


NAN = np.full(CODES, np.nan, np.float32)
BAD_ATLASES = {
    "another version": {"version": VERSION + 1},
    "a version that is a text": {"version": "one"},
    "versions": {"version": np.ones(2)},
    "no codes": {"codes": None},
    "no hash": {"hash": None},
    "too few places": {"xy": np.zeros((3, 2), np.float32)},
    "three dimensions": {"xy": np.zeros((CODES, 3), np.float32)},
    "codes of another size": {"codes": np.zeros((CODES, 3), np.float16)},
    "one code": {"codes": np.float32(1)},
    "a flat map": {"sample_xy": np.zeros(5, np.float32)},
    "prototypes in 3-D": {"prototype_xy": np.zeros((5, 3), np.float32)},
    "NaN in trust": {"trust": NAN},
    "NaN in codes": {"codes": np.stack([NAN, NAN], 1)},
    "NaN in samples": {"sample_xy": np.full((5, 2), np.nan)},
    "infinite KL": {"kl": np.full(CODES, np.inf)},
    "texts for places": {"xy": np.full((CODES, 2), "left")},
    "texts for trust": {"trust": np.full(CODES, "high")},
    "complex places": {"xy": np.zeros((CODES, 2), np.complex64)},
    "labels that are texts": {"label": np.full(CODES, "seven")},
    "a split beyond": {"split": np.full(CODES, 9, np.uint8)},
    "one class": {"classes": np.array("zero")},
}


@pytest.mark.parametrize("changes", BAD_ATLASES.values(), ids=BAD_ATLASES.keys())
def test_a_damaged_atlas_is_refused_in_one_sentence(opened, changes):
    stored = {"version": VERSION, **atlas_of(opened)._asdict()} | changes
    stored = {name: value for name, value in stored.items() if value is not None}
    (opened.folder / checkpoint.ATLAS).write_bytes(npz(**stored))
    with pytest.raises(CheckpointError) as caught:
        load_atlas(opened)
    assert len(str(caught.value).splitlines()) == 1


def test_an_atlas_of_too_many_codes_is_refused(opened, monkeypatch):
    monkeypatch.setattr("explorer.projection.MOST_CODES", CODES - 1)
    checkpoint.write(opened.folder / checkpoint.ATLAS, save_atlas(atlas_of(opened)))
    with pytest.raises(CheckpointError, match="too many codes"):
        load_atlas(opened)


def test_an_entry_is_plain_data(opened):
    entry = catalogue()[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        entry.slug = "other"  # type: ignore[misc]
