"""Whatever is wrong with a checkpoint is said in one sentence and stops no other."""

import json
import math
import os
import shutil
import struct

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save as serialise

from explorer import checkpoint
from explorer.checkpoint import CONFIG, METRICS, WEIGHTS, catalogue
from explorer.errors import CheckpointError
from tests.support.checkpoints import CURVE, LONGEST_REASON, PIXELS, metric, write_checkpoint


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
    "a pointer": text(WEIGHTS, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
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
    "twenty thousand": text(METRICS, json.dumps({f"m{n}": NUMBER for n in range(20_000)})),
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
