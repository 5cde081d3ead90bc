"""Decoding of images from outside: opened bounded, flattened, and resized to a sample."""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal, NamedTuple, cast

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps, UnidentifiedImageError, features

from explorer.errors import DataError

_SUFFIXES = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jfif", ".jpe"),
    "BMP": (".bmp",),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".pgm", ".ppm", ".pbm", ".pnm"),
    "AVIF": (".avif",),
}
_FORMATS = tuple(name for name in _SUFFIXES if name != "AVIF" or features.check("avif"))

SUFFIXES = tuple(suffix for name in _FORMATS for suffix in _SUFFIXES[name])
"""Image file extensions; of an animation or a stack the first frame is read."""

NAMES = ", ".join({"WEBP": "WebP", "PPM": "PGM/PPM"}.get(name, name) for name in _FORMATS)
"""The formats that are read, for messages."""

_PICTURE_PIXELS = 50 * 10**6

_SIGNATURES = (
    (0, b"%PDF", "PDF"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%!PS", "PostScript"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\x76\x2f\x31\x01", "OpenEXR"),
    (0, b"\0\0\x01\0", "an icon (ICO)"),
    (0, b"DDS ", "DDS"),
    (0, b"qoif", "QOI"),
    (0, b"FORM", "IFF"),
    (0, b"gimp xcf", "a GIMP file (XCF)"),
    (0, b"SIMPLE  =", "FITS"),
    (0, b"\x89HDF", "HDF5"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"7z\xbc\xaf", "a 7-Zip archive"),
    (0, b"\xd0\xcf\x11\xe0", "an Office document"),
    (0, b"FUJIFILM", "a camera's raw file (RAF)"),
    (0, b"\x1aE\xdf\xa3", "a video (Matroska)"),
    (128, b"DICM", "DICOM"),
)
_BRANDS = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"crx ": "a camera's raw file (CR3)",
    b"qt  ": "a video (QuickTime)",
    b"isom": "a video (MP4)",
    b"mp41": "a video (MP4)",
    b"mp42": "a video (MP4)",
} | dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC")
_POINTER = b"version https://git-lfs.github.com/spec/"


def open_picture(
    source: Path | IO[bytes] | io.BufferedIOBase, path: Path, most_pixels: int = _PICTURE_PIXELS
) -> Image.Image:
    """Read an image's header and refuse it before decoding if it is too large.

    Raises:
        DataError: If it is too large, damaged, or of a format that is not read; the message says
            which format that is.
    """
    with reading(path):
        try:
            image = Image.open(cast("IO[bytes]", source), formats=_FORMATS)
        except UnidentifiedImageError as error:
            raise DataError(_unidentified(_start(source), path)) from error
    pixels = image.width * image.height
    if pixels > most_pixels:
        image.close()
        raise DataError(
            f"{path} has {pixels / 1e6:.0f} million pixels; "
            f"shrink it to at most {most_pixels / 1e6:.0f} million."
        )
    return image


def decode_picture(
    image: Image.Image, size: tuple[int, int], channels: int
) -> UInt8[np.ndarray, "channels height width"]:
    """Apply an image's orientation, flatten it onto white, and resize it to height and width."""
    picture = ImageOps.exif_transpose(image)
    if picture.mode.startswith("I"):  # 16-bit greyscale, which Pillow would clip
        grey = np.clip(np.asarray(picture).astype(np.int64) // 257, 0, 255)
        picture = Image.fromarray(grey.astype(np.uint8))
    return _planes(_resized(_flat(picture, channels), size))


class Extent(NamedTuple):
    """The extremes of a picture before it was resized, and what it is stored as."""

    low: float
    high: float
    kind: Literal["uint8", "uint16", "float"]


def decode_levels(
    image: Image.Image, size: tuple[int, int], channels: int
) -> tuple[Float[np.ndarray, "channels height width"], Extent]:
    """Decode as `decode_picture` does, but lose none of 16 bits, nor the range of floats.

    Returns:
        Values in the units of 8 bits (16 bits are divided by 257, floats are as they are), and
        their extent in the same units.
    """
    picture = ImageOps.exif_transpose(image)
    if not picture.mode.startswith(("I", "F")):
        picture = _flat(picture, channels)
        pixels = np.asarray(picture)
        low, high = float(pixels.min()), float(pixels.max())
        small = _planes(_resized(picture, size)).astype(np.float32)
        return small, Extent(low, high, "uint8")
    values = np.asarray(picture).astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError("it has values that are not finite")
    clear = picture.info.get("transparency")
    if isinstance(clear, int):  # one value of grey is transparent
        values = np.where(values == clear, np.float32(65535), values)
    if picture.mode.startswith("I"):
        values = values / np.float32(257)
    plane = np.asarray(_resized(Image.fromarray(values), size))
    whole = np.repeat(plane[None], channels, axis=0)
    kind: Literal["float", "uint16"] = "float" if picture.mode == "F" else "uint16"
    return whole, Extent(float(values.min()), float(values.max()), kind)


def is_pointer(start: bytes) -> bool:
    """Whether a file that starts so is Git LFS's pointer to another."""
    return start.startswith(_POINTER)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn any exception caused by a damaged file into a one-sentence DataError."""
    try:
        yield
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(
            f"{path} has far too many pixels; "
            f"shrink it to at most {_PICTURE_PIXELS / 1e6:.0f} million."
        ) from error
    except Exception as error:  # numpy, zipfile and Pillow raise almost anything on a bad header
        raise DataError(
            f"{path} cannot be read ({type(error).__name__}); "
            "it may be damaged: replace or remove it."
        ) from error


def _flat(picture: Image.Image, channels: int) -> Image.Image:
    """Lay an image on white, as grey or colour."""
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("L" if channels == 1 else "RGB")


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    height, width = size
    if picture.size == (width, height):
        return picture
    return picture.resize((width, height), Image.Resampling.BILINEAR)


def _planes(picture: Image.Image) -> UInt8[np.ndarray, "channels height width"]:
    pixels = np.asarray(picture)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _start(source: Path | IO[bytes] | io.BufferedIOBase) -> bytes:
    if isinstance(source, Path):
        with source.open("rb") as stream:
            return stream.read(512)
    source.seek(0)
    return source.read(512)


def _unidentified(start: bytes, path: Path) -> str:
    if is_pointer(start):
        return f"{path} is a Git LFS pointer, not the file itself; run `git lfs pull`."
    if found := _format(start):
        return f"{path} is {found}, which is not read; save it as one of {NAMES}."
    return (
        f"{path} cannot be read as a picture and may be damaged; "
        f"give one of {NAMES}, or remove it."
    )


def _format(start: bytes) -> str:
    if start[4:8] == b"ftyp":
        return _BRANDS.get(start[8:12], "a video or another format of that family")
    for offset, sign, name in _SIGNATURES:
        if start[offset:].startswith(sign):
            return name
    text = start.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if text.startswith((b"<svg", b"<?xml")):
        return "SVG" if b"<svg" in text or b"svg" in text else "XML"
    return "a web page (HTML)" if text.startswith((b"<!doctype html", b"<html")) else ""


def picture_levels(
    image: Image.Image, most: int
) -> tuple[
    Float[np.ndarray, "height width channels"], Float[np.ndarray, "height width"] | None, float
]:
    """Read an image as grey or colour, upright, from 0 to 1 of what its type can hold.

    Args:
        image: An image, of any depth.
        most: Number of pixels above which it is averaged over blocks.

    Returns:
        Its levels, not laid on anything; its opacity, None if all of it is opaque; and the value
        of 1 as it is stored, as 255 or 65535.
    """
    picture = ImageOps.exif_transpose(image)
    alpha, full = None, 255.0
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture).astype(np.float32)
        if not np.isfinite(values).all():
            raise ValueError("not finite")
        top = float(values.max())
        full = next((full for full in (1.0, 255.0, 65535.0) if top <= full), top)
        if picture.mode.startswith("I"):
            full = max(full, 65535.0)
        if isinstance(clear := picture.info.get("transparency"), int):  # one value of grey
            alpha = Image.fromarray((values != clear).astype(np.float32))
        picture = Image.fromarray((values / np.float32(full)).clip(0, 1))
    elif picture.has_transparency_data:
        picture = picture.convert("RGBA")
    else:
        picture = picture.convert("L" if picture.mode in ("1", "L") else "RGB")
    factor = math.ceil(math.sqrt(picture.width * picture.height / most))
    if factor > 1:
        picture, alpha = picture.reduce(factor), alpha and alpha.reduce(factor)
    levels = np.asarray(picture, np.float32)
    levels = levels[..., None] if levels.ndim == 2 else levels
    if picture.mode != "F":
        levels = levels / np.float32(255)
    opacity = None if alpha is None else np.asarray(alpha)
    if picture.mode == "RGBA":
        levels, opacity = levels[..., :3], levels[..., 3]
    return levels, opacity if opacity is not None and opacity.min() < 1 else None, full
