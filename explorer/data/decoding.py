"""Decoding of images from outside: opened bounded, flattened, and resized to a sample."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from explorer.errors import DataError

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF")
_PICTURE_PIXELS = 50 * 10**6


def open_picture(
    source: Path | IO[bytes] | io.BufferedIOBase, path: Path, most_pixels: int = _PICTURE_PIXELS
) -> Image.Image:
    """Read an image's header and refuse it before decoding if it is too large.

    Raises:
        DataError: If it is too large or not an image.
    """
    with reading(path):
        image = Image.open(cast("IO[bytes]", source), formats=_FORMATS)
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
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("L" if channels == 1 else "RGB")
    height, width = size
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(picture)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


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
