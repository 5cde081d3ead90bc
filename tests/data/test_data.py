"""Data sets are as documented, and damaged files are reported in one sentence."""

import io
import shutil
import zipfile
import zlib
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import TypeAdapter, ValidationError
from scipy.spatial.distance import cdist

from explorer.data import (
    AirfoilsConfig,
    CaltechConfig,
    DigitsConfig,
    FashionConfig,
    FilesConfig,
    FreyConfig,
    MnistConfig,
    NacaConfig,
    OmniglotConfig,
    StaticMnistConfig,
)
from explorer.data.airfoils import (
    TWINS_CHORDS,
    naca_section,
    parse_coordinates,
    resample,
    stations,
)
from explorer.data.files import SUFFIXES
from explorer.errors import DataError, DataMissingError
from explorer.registry import DataConfig
from explorer.settings import current
from explorer.testing import data as laws

SPLITS = ("train", "valid", "test")
SIZES = {
    "digits": (DigitsConfig(), (1297, 250, 250), ""),
    "mnist": (MnistConfig(), (50_000, 10_000, 10_000), "MNIST/raw/train-images-idx3-ubyte.gz"),
    "mnist-static": (
        StaticMnistConfig(),
        (50_000, 10_000, 10_000),
        "MNIST_static/binarized_mnist_train.amat.gz",
    ),
    "fashion": (
        FashionConfig(),
        (50_000, 10_000, 10_000),
        "FashionMNIST/raw/train-images-idx3-ubyte.gz",
    ),
    "omniglot28": (OmniglotConfig(), (23_000, 1345, 8115), "OMNIGLOT/omniglot_28_area.npz"),
    "caltech-silhouettes": (
        CaltechConfig(),
        (4100, 2264, 2307),
        "Caltech101Silhouettes/caltech101_silhouettes_28_split1.mat",
    ),
    "frey": (FreyConfig(), (1565, 200, 200), "Freyfaces/freyfaces.npz"),
    "airfoils": (AirfoilsConfig(), (1237, 154, 154), "Airfoils/uiuc_dat.zip"),
    "naca": (NacaConfig(), (1200, 150, 150), ""),
}
ARCHIVES = {kind: file for kind, (_, _, file) in SIZES.items() if file}


@cache
def read(kind):
    config, _, file = SIZES[kind]
    root = current().data
    if file and not (root / file).is_file():
        pytest.skip(f"{file} is not below the data root; name one with LATENT_EXPLORER_DATA")
    return config.load(root)


def one_sentence(error):
    message = str(error.value)
    ours = "TypeCheck" in message  # a mistake of the reader, not of the file
    return not ours and "\n" not in message and message.endswith(".") and ". " not in message


def chord_heights(kind, split="train"):
    data = read(kind)
    return data.sketch.heights(data.split(split).x)


# Every data set


@pytest.mark.parametrize("kind", SIZES)
def test_splits_have_the_promised_sizes_and_share_no_row(kind):
    data, sizes = read(kind), SIZES[kind][1]
    assert tuple(len(data.split(name)) for name in SPLITS) == sizes
    if kind in ("mnist", "fashion"):  # their test splits have sources of their own
        assert not set(data.train.ids) & set(data.valid.ids)
    elif kind != "mnist-static":  # as are all three of the static files
        rows = np.concatenate([data.split(name).ids for name in SPLITS])
        assert len(np.unique(rows)) == len(rows)


@pytest.mark.parametrize("kind", SIZES)
def test_samples_fit_their_sketch(kind):
    laws.samples_fit_their_sketch(read(kind))


@pytest.mark.parametrize("kind", ["digits", "naca", "omniglot28", "frey"])
def test_reading_twice_gives_the_same_numbers(kind, tmp_path):
    config, _, file = SIZES[kind]
    again = config.load(current().data if file else tmp_path)
    laws.reading_twice_gives_the_same_numbers(read(kind), again)


@pytest.mark.parametrize("kind", ["digits", "mnist", "omniglot28"])
def test_dynamic_pictures_are_grey_to_train_on_and_binary_to_test_on(kind):
    laws.dynamic_pictures_are_grey_to_train_on_and_binary_to_test_on(read(kind))


@pytest.mark.parametrize("kind", [*SIZES, "files"])
def test_recipes_name_data_by_kind(kind):
    fields = {"kind": kind} | ({"path": "mine"} if kind == "files" else {})
    config = TypeAdapter(DataConfig).validate_python(fields)
    assert config.kind == kind
    with pytest.raises(ValidationError):
        TypeAdapter(DataConfig).validate_python(fields | {"unknown": 1})


# Files of known content


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_absent_file_is_named_with_its_folder(kind, tmp_path):
    with pytest.raises(DataMissingError) as error:
        SIZES[kind][0].load(tmp_path)
    file = tmp_path / ARCHIVES[kind]
    assert file.name in str(error.value)
    assert str(file.parent) in str(error.value)
    assert one_sentence(error)


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_truncated_file_is_named(kind, tmp_path):
    source, file = current().data / ARCHIVES[kind], tmp_path / ARCHIVES[kind]
    if not source.is_file():
        pytest.skip(f"{ARCHIVES[kind]} is not below the data root")
    file.parent.mkdir(parents=True)
    file.write_bytes(source.read_bytes()[:100_000])
    with pytest.raises(DataError, match=file.name) as error:
        SIZES[kind][0].load(tmp_path)
    assert one_sentence(error)


@pytest.mark.parametrize("kind", ["fashion", "omniglot28", "caltech-silhouettes", "frey"])
@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\x1f\x8b\x08", b"PK\x03\x04", b"MATLAB 5.0 MAT-file", b"\x80\x04N."],
    ids=["empty", "text", "gzip", "zip", "matlab", "pickle"],
)
def test_a_file_of_nonsense_is_named_in_one_sentence(kind, content, tmp_path):
    file = tmp_path / ARCHIVES[kind]
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(DataError, match=file.name) as error:
        SIZES[kind][0].load(tmp_path)
    assert one_sentence(error)


@pytest.mark.parametrize("kind", ["fashion", "omniglot28", "caltech-silhouettes", "frey"])
def test_one_changed_byte_is_noticed(kind, tmp_path):
    source, file = current().data / ARCHIVES[kind], tmp_path / ARCHIVES[kind]
    if not source.is_file():
        pytest.skip(f"{ARCHIVES[kind]} is not below the data root")
    content = bytearray(source.read_bytes())
    content[len(content) // 2] ^= 1
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(DataError, match="is not the expected file") as error:
        SIZES[kind][0].load(tmp_path)
    assert one_sentence(error)


def test_a_file_of_another_content_is_named_with_its_checksum(tmp_path):
    source = current().data / "MNIST_static"
    if not source.is_dir():
        pytest.skip("MNIST_static is not below the data root")
    folder = tmp_path / "MNIST_static"
    folder.mkdir()
    name = "binarized_mnist_train.amat.gz"
    shutil.copy(source / "binarized_mnist_valid.amat.gz", folder / name)
    with pytest.raises(DataError, match=f"{name} is not the expected file .sha1"):
        StaticMnistConfig().load(tmp_path)


def test_static_mnist_is_larochelles():
    data = read("mnist-static")
    assert not data.dynamic
    means = [float(data.split(name).x.mean()) for name in SPLITS]
    assert means == pytest.approx([0.1306, 0.1311, 0.1325], abs=5e-5)
    assert set(np.unique(data.test.x)) == {0.0, 1.0}
    if (current().data / "MNIST_static" / "labels_recovered.npz").is_file():
        assert data.classes == tuple("0123456789")
        assert np.bincount(data.test.labels, minlength=10).min() > 800


# Further pictures


@pytest.mark.parametrize(("kind", "least", "greatest"), [("fashion", 0, 255), ("frey", 8, 238)])
def test_pixels_of_eight_bits_lie_in_the_middles_of_their_bins(kind, least, greatest):
    data = read(kind)
    assert not data.dynamic
    levels = np.concatenate([np.unique(data.split(name).x) for name in SPLITS]) * 256 - 0.5
    np.testing.assert_array_equal(levels, np.rint(levels))
    assert (levels.min(), levels.max()) == (least, greatest)


def test_fashion_has_ten_classes_of_one_size():
    data = read("fashion")
    assert len(data.classes) == 10
    both = np.concatenate([data.train.labels, data.valid.labels])
    assert set(np.bincount(both)) == {6000}
    assert set(np.bincount(data.test.labels)) == {1000}
    np.testing.assert_array_equal(data.valid.ids, np.arange(50_000, 60_000))
    ink = {
        name: data.test.x[data.test.labels == label].mean((0, 1))
        for label, name in enumerate(data.classes)
    }
    assert ink["Trouser"][:, 12:16].mean() > 2 * ink["Trouser"][:, :8].mean()
    assert ink["Sandal"][14:].mean() > 1.5 * ink["Sandal"][:14].mean()


def test_test_drawings_of_omniglot_are_by_other_hands():
    data = read("omniglot28")
    path = current().data / ARCHIVES["omniglot28"]
    with np.load(path, allow_pickle=False) as stored:
        drawing, images, alphabet = (stored[key] for key in ("drawing", "images", "alphabet"))
    for name in ("train", "valid"):
        assert drawing[data.split(name).ids].max() == 15
    assert set(drawing[data.test.ids]) == {16, 17, 18, 19, 20}
    train = data.train
    np.testing.assert_allclose(train.x[:, 0], images[train.ids] / 255, atol=1e-6)
    assert len(data.classes) == 50
    assert not any("_" in name for name in data.classes)
    for name in SPLITS:
        np.testing.assert_array_equal(data.split(name).labels, alphabet[data.split(name).ids])
    for name in ("valid", "test"):
        split = data.split(name)
        grey = images[split.ids] / 255
        error = np.sqrt((grey * (1 - grey)).sum())
        assert abs(split.x.sum() - grey.sum()) < 4 * error
        assert not split.x[:, 0][grey == 0].any()
        assert split.x[:, 0][grey == 1].all()


def test_silhouettes_stand_upright_and_are_the_ink():
    data = read("caltech-silhouettes")
    assert not data.dynamic
    assert len(data.classes) == 101
    for name in SPLITS:
        x = data.split(name).x[:, 0]
        assert set(np.unique(x)) == {0.0, 1.0}
        assert x[:, [0, 0, -1, -1], [0, -1, 0, -1]].mean() < 0.05
        assert x[:, 12:16, 12:16].mean() > 0.75

    def mean_of(name):
        split = data.train
        return split.x[split.labels == data.classes.index(name), 0].mean(0)

    assert mean_of("umbrella")[:14].sum() > 2 * mean_of("umbrella")[14:].sum()
    assert mean_of("pyramid")[14:].sum() > 2 * mean_of("pyramid")[:14].sum()
    places = (np.arange(28) - 13.5) ** 2
    for name, wide in (("Airplanes Side 2", True), ("lamp", False)):
        mean = mean_of(name)
        assert ((mean.sum(0) @ places) > (mean.sum(1) @ places)) == wide


def test_frey_faces_are_shuffled_and_keep_their_rows():
    data = read("frey")
    assert data.sketch.shape == (1, 28, 20)
    with np.load(current().data / ARCHIVES["frey"], allow_pickle=False) as stored:
        images = stored["images"]
    rows = np.concatenate([data.split(name).ids for name in SPLITS])
    assert sorted(rows) == list(range(1965))
    for name in SPLITS:
        split = data.split(name)
        np.testing.assert_array_equal(split.x[:, 0], (images[split.ids] + np.float32(0.5)) / 256)
    assert (np.diff(data.train.ids) == 1).mean() < 0.01


# Wing sections


@pytest.mark.parametrize("kind", ["airfoils", "naca"])
def test_sections_are_standardised_with_the_training_moments(kind):
    x = read(kind).train.x.astype(np.float64)
    varies = np.asarray(read(kind).sketch.scale) > 1.5e-6
    assert varies.sum() >= 126  # a closed trailing edge does not vary
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=0)[varies], 1, atol=1e-5)


@pytest.mark.parametrize("kind", ["airfoils", "naca"])
def test_drawn_sections_are_sane(kind):
    assert read(kind).sketch.stations()[64] == 0
    for name in SPLITS:
        heights = chord_heights(kind, name)
        assert (heights[:, 64] == 0).all()
        thickness = heights[:, :64] - heights[:, :64:-1]
        assert thickness.min() > -0.003
        assert thickness.max(axis=1).min() > 0.005
        assert thickness.max() < 0.6


def test_drawn_sections_return_to_the_files_units():
    source = current().data / ARCHIVES["airfoils"]
    data = read("airfoils")
    with zipfile.ZipFile(source) as archive:
        names = sorted(archive.namelist())
        for row in range(0, 150, 10):
            text = archive.read(names[data.test.ids[row]]).decode("latin-1")
            drawn = np.delete(data.sketch.heights(data.test.x[row]), 64)
            np.testing.assert_allclose(drawn, resample(parse_coordinates(text)), atol=1e-6)


def test_near_twins_never_lie_in_two_splits():
    heights = {name: chord_heights("airfoils", name) for name in SPLITS}
    for one, other in (("train", "valid"), ("train", "test"), ("valid", "test")):
        distance = cdist(heights[one], heights[other], "chebyshev").min()
        assert distance >= TWINS_CHORDS - 1e-6


def test_stations_run_from_the_trailing_edge_to_the_nose_and_back():
    x = stations()
    assert x.shape == (128,)
    assert x[0] == x[-1] == 1
    assert (np.diff(x[:64]) < 0).all()
    np.testing.assert_array_equal(x[:64], x[:63:-1])


def naca_0012_half_thickness(x):
    return 0.6 * (0.2969 * np.sqrt(x) - 0.1260 * x - 0.3516 * x**2 + 0.2843 * x**3 - 0.1036 * x**4)


def test_naca_0012_is_its_closed_form():
    heights, x = naca_section("0012"), stations()
    expected = naca_0012_half_thickness(x)
    np.testing.assert_allclose(heights[:64], expected[:64], atol=1e-6)
    np.testing.assert_allclose(heights[64:], -expected[64:], atol=1e-6)
    assert (heights[:64] - heights[:63:-1]).max() == pytest.approx(0.12, abs=1e-3)


@pytest.mark.parametrize(
    ("code", "camber", "position"),
    [("2412", 0.02, 0.4), ("4415", 0.04, 0.4), ("23012", 0.0184, 0.15)],
)
def test_naca_camber_has_its_height_and_place(code, camber, position):
    heights, x = naca_section(code), stations()[63::-1]
    line = ((heights[:64] + heights[:63:-1]) / 2)[::-1]
    assert line.max() == pytest.approx(camber, abs=2e-4)
    assert np.interp(position, x, line) == pytest.approx(camber, abs=3e-4)
    thickness = (heights[:64] - heights[:63:-1]).max()
    assert thickness == pytest.approx(int(code[-2:]) / 100, abs=1e-3)


@pytest.mark.parametrize(
    "code", ["", "12", "0000", "2012", "26012", "23112", "abcd", "²412", "24120000"]
)
def test_unknown_naca_codes_are_refused(code):
    with pytest.raises(DataError) as error:
        naca_section(code)
    assert one_sentence(error)


def contour(points=60):
    x = (1 - np.cos(np.linspace(0, np.pi, points))) / 2
    upper = np.stack([x, naca_0012_half_thickness(x)], axis=1)
    return upper, upper * [1, -1]


def write(rows):
    return "\n".join(f"{x:.7f} {y:.7f}" for x, y in rows)


def layouts():
    upper, lower = contour()
    selig = np.concatenate([upper[::-1], lower[1:]])
    return {
        "selig": "NACA 0012\n" + write(selig),
        "selig without a name": write(selig),
        "selig from below": "NACA 0012\n# reversed\n" + write(selig[::-1]),
        "selig in percent": "NACA 0012\n" + write(selig * 100),
        "lednicer": f"NACA 0012\n 60. 60.\n\n{write(upper)}\n\n{write(lower)}\n",
        "lednicer with CRLF": f"NACA 0012\n60 60\n{write(upper)}\n\n{write(lower)}".replace(
            "\n", "\r\n"
        ),
        "lednicer without counts": f"NACA 0012\n{write(upper)}\n\n{write(lower)}",
        "turned and moved": "NACA 0012\n" + write(selig @ [[0.96, 0.28], [-0.28, 0.96]] + 0.3),
    }


@pytest.mark.parametrize("text", layouts().values(), ids=layouts().keys())
def test_every_layout_of_coordinates_gives_the_same_section(text):
    np.testing.assert_allclose(resample(parse_coordinates(text)), naca_section("0012"), atol=2e-4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NACA 0012\n",
        "NACA 0012\n1 0\n0 0\n1 0\n",
        layouts()["lednicer"].replace("60. 60.", "60. 59."),
        layouts()["selig"] + "\nnan 0",
        layouts()["selig"] + "\n0.5 inf",
        write(np.tile([[0.5, 0.5]], (40, 1))),
        write(np.concatenate([contour()[0][::-1], contour()[0][1:]])),
        write(np.concatenate([contour()[0][::-1], contour()[1][1:]]) * [1, 9]),
        write(np.random.default_rng(0).random((40, 2))),
        "\n".join(layouts()["selig"].split("\n")[25:]),
    ],
    ids=[
        "empty",
        "name",
        "three",
        "counts",
        "nan",
        "inf",
        "point",
        "flat",
        "thick",
        "noise",
        "half",
    ],
)
def test_what_is_no_section_is_refused_in_one_sentence(text):
    with pytest.raises(DataError) as error:
        resample(parse_coordinates(text))
    assert one_sentence(error)


# The user's own pictures


def paint(path, shape=(6, 5), value=None, mode="L", **options):
    rng = np.random.default_rng(zlib.crc32(path.name.encode()))
    channels = () if mode == "L" else (len(mode),)
    pixels = rng.integers(0, 256, (*shape, *channels), np.uint8)
    if value is not None:
        pixels[:] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return pixels


def test_a_folder_of_pictures_comes_back_as_it_was(tmp_path):
    pixels = np.stack([paint(tmp_path / "mine" / f"{row:03}.png") for row in range(40)])
    data = FilesConfig(path="mine").load(tmp_path)
    assert [len(data.split(name)) for name in SPLITS] == [32, 4, 4]
    assert data.sketch.shape == (1, 6, 5)
    assert data.train.labels is None
    for name in SPLITS:
        split = data.split(name)
        np.testing.assert_allclose(split.x[:, 0], pixels[split.ids] / 255, atol=1e-6)


def test_sub_folders_name_the_classes(tmp_path):
    for row in range(36):
        paint(tmp_path / "mine" / ("cat", "dog", "elk")[row % 3] / f"{row}.png", value=row % 3)
    data = FilesConfig(path=str(tmp_path / "mine")).load(tmp_path)
    assert data.classes == ("cat", "dog", "elk")
    for name in SPLITS:
        split = data.split(name)
        np.testing.assert_array_equal(np.rint(split.x[:, 0, 0, 0] * 255), split.labels)


def test_every_format_of_picture_is_read_in_colour_and_resized(tmp_path):
    for row in range(30):
        suffix = (*SUFFIXES, ".PNG")[row % (len(SUFFIXES) + 1)]
        paint(tmp_path / f"{row}{suffix}", (20, 30), (200, 100, 50), "RGB")
    (tmp_path / "notes.txt").write_text("not a picture")
    data = FilesConfig(path=".", height=8, width=9, channels=3).load(tmp_path)
    assert data.train.x.shape == (24, 3, 8, 9)
    spread = np.abs(data.train.x * 255 - np.array([200, 100, 50])[:, None, None]).max()
    assert spread < 26  # a gif's palette and a jpeg are not exact


def test_what_is_transparent_becomes_white_and_sixteen_bits_become_grey(tmp_path):
    for row in range(30):
        paint(tmp_path / "clear" / f"{row}.png", value=(0, 0, 0, 0), mode="RGBA")
        deep = tmp_path / "deep" / f"{row}.png"
        deep.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((4, 4), 257 * 100, np.uint16)).save(deep)
    assert (FilesConfig(path="clear").load(tmp_path).train.x == 1).all()
    grey = FilesConfig(path="deep").load(tmp_path).train.x
    np.testing.assert_allclose(grey, 100 / 255, atol=1e-6)


def test_binary_pictures_are_drawn_once_for_validation_and_test(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((60, 4, 4)))
    config = FilesConfig(path="x.npy", binary=True)
    data, again = config.load(tmp_path), config.load(tmp_path)
    assert data.dynamic
    assert ((data.train.x > 0) & (data.train.x < 1)).any()
    for name in ("valid", "test"):
        assert set(np.unique(data.split(name).x)) == {0.0, 1.0}
        np.testing.assert_array_equal(data.split(name).x, again.split(name).x)


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(30, 60),
    height=st.integers(1, 9).filter(lambda side: side not in (1, 3)),
    width=st.integers(1, 9).filter(lambda side: side not in (1, 3)),
    colours=st.sampled_from([1, 3]),
    layout=st.sampled_from(["grey", "first", "last", "flat"]),
    dtype=st.sampled_from([np.uint8, np.float16, np.float32, np.float64]),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 9),
)
def test_arrays_of_every_layout_come_back(
    tmp_path_factory, samples, height, width, colours, layout, dtype, channels, seed
):
    colours = 1 if layout in ("grey", "flat") else colours
    width = height if layout == "flat" else width
    top = 255 if dtype is np.uint8 else 1
    pictures = (
        np.random.default_rng(seed).random((samples, colours, height, width)) * top
    ).astype(dtype)
    array = {
        "grey": pictures[:, 0],
        "first": pictures,
        "last": pictures.transpose(0, 2, 3, 1),
        "flat": pictures.reshape(samples, -1),
    }[layout]
    path = tmp_path_factory.mktemp("arrays") / "x.npy"
    np.save(path, array)
    data = FilesConfig(path=str(path), channels=channels, seed=seed).load(path.parent)
    assert data.sketch.shape == (channels, height, width)
    rows = np.concatenate([data.split(name).ids for name in SPLITS])
    assert sorted(rows) == list(range(samples))
    if channels >= colours:
        expected = np.repeat(pictures / np.float64(top), channels // colours, axis=1)
        np.testing.assert_allclose(data.train.x, expected[data.train.ids], atol=1e-6)


def test_labels_of_an_archive_become_classes(tmp_path):
    words = np.array(["b", "a", "c"] * 12)
    np.savez(tmp_path / "words.npz", images=np.zeros((36, 4, 4), np.uint8), y=words)
    data = FilesConfig(path="words.npz").load(tmp_path)
    assert data.classes == ("a", "b", "c")
    assert [data.classes[label] for label in data.test.labels] == list(words[data.test.ids])
    np.savez_compressed(tmp_path / "whole.npz", x=np.zeros((36, 16)), labels=np.arange(36) % 2 * 7)
    assert FilesConfig(path="whole.npz").load(tmp_path).classes == ("0", "7")


def test_arrays_are_resized_as_asked(tmp_path):
    np.save(tmp_path / "x.npy", np.full((30, 300, 200), 0.25, np.float32))
    with pytest.raises(DataError, match="set height and width"):
        FilesConfig(path="x.npy").load(tmp_path)
    data = FilesConfig(path="x.npy", height=6, width=4).load(tmp_path)
    np.testing.assert_allclose(data.train.x, np.full((24, 1, 6, 4), 0.25), atol=1e-6)
    np.save(tmp_path / "flat.npy", np.zeros((30, 24)))
    assert FilesConfig(path="flat.npy", height=6, width=4).load(tmp_path).sketch.shape == (1, 6, 4)


def header(shape, dtype="|u1"):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    return stream.getvalue()


def packed(**members):
    stream = io.BytesIO()
    np.savez(stream, **members)
    return stream.getvalue()


def saved(array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


ZEROS = np.zeros((30, 4, 4), np.uint8)
BAD_ARRAYS = {
    "empty": ("x.npy", b""),
    "empty archive": ("x.npz", b""),
    "text": ("x.npy", b"hello"),
    "truncated": ("x.npy", saved(ZEROS)[:-9]),
    "pickle": ("x.npy", b"\x80\x04N."),
    "objects": ("x.npy", saved(np.array([{}] * 30))),
    "objects in an archive": ("x.npz", packed(x=np.array([{}] * 30, dtype=object))),
    "whole numbers": ("x.npy", saved(ZEROS.astype(np.int64))),
    "words": ("x.npy", saved(np.full((30, 4), "a"))),
    "too bright": ("x.npy", saved(ZEROS + 2.0)),
    "negative": ("x.npy", saved(ZEROS - 0.5)),
    "not a number": ("x.npy", saved(ZEROS * np.nan)),
    "infinite": ("x.npy", saved(np.full((30, 4, 4), np.inf))),
    "no square": ("x.npy", saved(np.zeros((30, 15)))),
    "one number": ("x.npy", saved(np.array(0.5))),
    "no pixels": ("x.npy", saved(np.zeros((30, 0, 4)))),
    "five axes": ("x.npy", saved(np.zeros((30, 1, 1, 4, 4)))),
    "two channels": ("x.npy", saved(np.zeros((30, 2, 4, 4)))),
    "too few": ("x.npy", saved(ZEROS[:29])),
    "too many": ("x.npy", saved(np.zeros((100_001, 1), np.uint8))),
    "too large": ("x.npy", header((10_000, 1000, 1000))),
    "beyond all memory": ("x.npy", header((2**62, 2**62))),
    "negative shape": ("x.npy", header((-30, 4, 4))),
    "nested header": ("x.npy", b"\x93NUMPY\x01\x00\x70\x17" + b"(" * 6000),
    "other names": ("x.npz", packed(pictures=ZEROS)),
    "other labels": ("x.npz", packed(x=ZEROS, y=np.zeros(29, int))),
    "fractional labels": ("x.npz", packed(x=ZEROS, y=np.zeros(30))),
    "another ending": ("x.csv", b"0,0"),
}


@pytest.mark.parametrize(("name", "content"), BAD_ARRAYS.values(), ids=BAD_ARRAYS.keys())
def test_a_bad_array_is_named_in_one_sentence(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name) as error:
        FilesConfig(path=name).load(tmp_path)
    assert one_sentence(error)


def test_a_damaged_archive_is_named(tmp_path):
    content = bytearray(packed(x=np.random.default_rng(0).random((30, 9, 9))))
    content[5000] ^= 255
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npz"):
        FilesConfig(path="x.npz").load(tmp_path)


def bomb():
    """Write the header of a png of 30,000 x 30,000 pixels, and no more."""
    size = (30_000).to_bytes(4, "big") * 2
    chunk = b"IHDR" + size + b"\x08\x00\x00\x00\x00"
    body = len(chunk[4:]).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + body + b"\0\0\0\0IDAT" + zlib.crc32(b"IDAT").to_bytes(4, "big")


BAD_PICTURES = {
    "empty": b"",
    "text": b"hello",
    "bomb": bomb(),
    "large": bomb().replace((30_000).to_bytes(4, "big") * 2, (8000).to_bytes(4, "big") * 2),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
}


@pytest.mark.parametrize("content", BAD_PICTURES.values(), ids=BAD_PICTURES.keys())
@pytest.mark.parametrize("name", ["00.png", "99.png"])  # the first sets the size
def test_a_bad_picture_is_named_in_one_sentence(name, content, tmp_path):
    for row in range(30):
        paint(tmp_path / f"{row + 10}.png")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name) as error:
        FilesConfig(path=".").load(tmp_path)
    assert one_sentence(error)


def test_a_truncated_picture_is_named(tmp_path):
    for row in range(30):
        paint(tmp_path / f"{row}.png", (40, 40))
    whole = (tmp_path / "7.png").read_bytes()
    (tmp_path / "7.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"7\.png"):
        FilesConfig(path=".").load(tmp_path)


def test_a_folder_that_is_no_data_set_is_refused(tmp_path):
    with pytest.raises(DataError, match="has 0 samples"):
        FilesConfig(path=".").load(tmp_path)
    paint(tmp_path / "loose.png")
    paint(tmp_path / "cat" / "sorted.png")
    with pytest.raises(DataError, match="both beside and inside"):
        FilesConfig(path=".").load(tmp_path)


def test_large_pictures_need_a_size(tmp_path):
    for row in range(30):
        paint(tmp_path / f"{row}.png", (200, 100))
    with pytest.raises(DataError, match="200 x 100 pixels; set height and width"):
        FilesConfig(path=".").load(tmp_path)
    assert FilesConfig(path=".", height=20, width=10).load(tmp_path).sketch.shape == (1, 20, 10)


def test_relative_paths_stay_below_the_data_root(tmp_path):
    np.save(tmp_path / "x.npy", ZEROS)
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(DataError, match="is outside the data directory") as error:
        FilesConfig(path="../x.npy").load(root)
    assert one_sentence(error)
    assert len(FilesConfig(path=str(tmp_path / "x.npy")).load(root).train) == 24


def test_absent_files_are_named_with_their_folder(tmp_path):
    with pytest.raises(DataMissingError, match=r"mine\.npy is not in") as error:
        FilesConfig(path="mine.npy").load(tmp_path)
    assert str(tmp_path) in str(error.value)
    assert one_sentence(error)


@pytest.mark.parametrize(
    "fields",
    [
        {"path": ""},
        {"path": "a\0b"},
        {"path": "x", "height": 8},
        {"path": "x", "height": 129, "width": 8},
        {"path": "x", "channels": 2},
        {"path": "x", "seed": -1},
    ],
    ids=["nothing", "nul", "lone", "large", "two", "negative"],
)
def test_impossible_recipes_are_refused(fields):
    with pytest.raises(ValidationError):
        FilesConfig(**fields)
