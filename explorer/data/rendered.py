"""Sets of rendered pictures: emoji in colour, and the glyphs of typefaces."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.lib.npyio import NpzFile

from explorer.data.dataset import AbstractDataConfig, DataSet, SplitData, Values, require, verify
from explorer.data.pictures import middles
from explorer.sketch import PixelSketch

_SIDE = 32


class _Archive(NamedTuple):
    path: str
    size: int
    sha256: str


_EMOJI = _Archive(
    "Emoji/emoji_32.npz",
    1_786_521,
    "286d9f0d57ac16810dca0264a37511d1b2d7014d3e6ec8e4f9e89515c75aca6a",
)
_GLYPHS = _Archive(
    "Glyphs/glyphs_32.npz",
    9_919_771,
    "bbb645643999342a823d7fe78503d7347e4fc0d8814a8fdabb8a74129dddeb43",
)


class EmojiConfig(AbstractDataConfig):
    """Emoji in colour on white, 32 x 32; 1,496 / 187 / 187 as given, in Unicode's nine groups.

    A value is its bin's midpoint, (v + 0.5) / 256. Some flags and families have one picture
    under several names: two validation pictures and a test picture also occur in training.

    References:
        Noto Color Emoji 2.042 (SIL Open Font License 1.1), one skin tone of each emoji.
        Unicode emoji-test 15.0, for names and groups.
    """

    title: ClassVar[str] = "Emoji"
    fixed: ClassVar[bool] = True
    values: ClassVar[Values] = "grey"
    kind: Literal["emoji"] = "emoji"

    def load(self, root: Path, download: bool = False) -> DataSet:
        """Read one archive in `Emoji`; download is ignored."""
        with _opened(root, _EMOJI, self.title) as stored:
            pictures = stored["images"].transpose(0, 3, 1, 2)
            group, split = stored["group"].astype(np.int64), stored["split"]
            names = stored["names"]
            classes = tuple(str(name) for name in stored["groups"])

        def part(number: int) -> SplitData:
            rows = np.flatnonzero(split == number)
            return SplitData(
                middles(np.ascontiguousarray(pictures[rows])), group[rows], rows, names[rows]
            )

        return DataSet(
            train=part(0),
            valid=part(1),
            test=part(2),
            sketch=PixelSketch(height=_SIDE, width=_SIDE, channels=3),
            classes=classes,
        )


class GlyphsConfig(AbstractDataConfig):
    """Letters and digits of 994 typefaces, 32 x 32; 795 / 99 / 100 typefaces of 62 characters.

    Families are never divided between splits. A pixel is its bin's midpoint, (v + 0.5) / 256; a
    row counts characters within typefaces. 145 validation pictures equal one of another family
    in training; no test picture does.

    References:
        Typefaces of Debian's texlive-fonts-extra 2022, at one scale and one baseline each.
    """

    title: ClassVar[str] = "Glyphs"
    fixed: ClassVar[bool] = True
    values: ClassVar[Values] = "grey"
    kind: Literal["glyphs"] = "glyphs"

    def load(self, root: Path, download: bool = False) -> DataSet:
        """Read one archive in `Glyphs`; download is ignored."""
        with _opened(root, _GLYPHS, self.title) as stored:
            pictures = stored["images"]
            classes = tuple(str(character) for character in stored["characters"])
            split, typefaces = stored["split"], stored["names"]
        each = len(classes)

        def part(number: int) -> SplitData:
            faces = np.flatnonzero(split == number)
            return SplitData(
                middles(pictures[faces].reshape(-1, 1, _SIDE, _SIDE)),
                np.tile(np.arange(each), len(faces)),
                (faces[:, None] * each + np.arange(each)).ravel(),
                np.repeat(typefaces[faces], each),
            )

        return DataSet(
            train=part(0),
            valid=part(1),
            test=part(2),
            sketch=PixelSketch(height=_SIDE, width=_SIDE),
            classes=classes,
        )


@contextmanager
def _opened(root: Path, archive: _Archive, what: str) -> Iterator[NpzFile]:
    """Open an archive whose every byte is verified, without reading more of it than expected."""
    path = require(root / archive.path, what)
    with path.open("rb") as stream:
        content = stream.read(archive.size + 1)
    verify(content, archive.sha256, path, "sha256")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        yield stored
