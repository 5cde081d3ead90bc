"""The user's own images: a folder or an array, read as untrusted input."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from explorer import settings
from explorer.data import earlier
from explorer.data.arrays import read_arrays
from explorer.data.classes import by_letter, natural
from explorer.data.dataset import (
    BINARISATION_SEED,
    AbstractDataConfig,
    DataSet,
    SplitData,
    binarise,
    binarise_each,
)
from explorer.data.folders import read_folder
from explorer.data.found import Found, Wanted
from explorer.data.identity import HELD_OUT, SPLITS, content_ids, deal
from explorer.data.levels import Tone, tone_of
from explorer.data.limits import LARGEST_SIDE
from explorer.data.splits import split_up
from explorer.errors import DataError, DataMissingError
from explorer.sketch import PixelSketch

OWN = "pictures"
"""Folder of pictures that came in by a page, in the user folder; paths begin with it."""

_LEVEL = Field(None, allow_inf_nan=False, ge=-1e9, le=1e9)


class FilesConfig(AbstractDataConfig):
    """Your own images, from a folder or an array; about 80 / 10 / 10 %, seeded.

    `path` is a folder of pictures, a .npy file or a .npz file. Folders named train, val and test
    are splits, other folders are classes; an archive holds `x` and `y`, or `x_train` and so on,
    or one set of images of any name. Splits that are given are kept; those that lack are dealt
    from train. Arrays are n x h x w, n x c x h x w, n x h x w x c or n x d with d a square.
    A relative path is sought beside the recipe, then in the data directory, and must stay there.

    Samples are resized to height x width, or to the size of the first one, and converted to grey
    or colour as `channels` asks. Transparency becomes white. `black` and `white` are the raw
    values of 0 and 1 (of pictures in the units of 8 bits): by default the ends of the type, or,
    if less than a tenth of it is used, the next power of two. With `binary`, values are ink
    probabilities, sampled afresh in every batch; with `light`, they are brightness, as in
    photographs, and are shown unchanged in either theme; `invert` turns dark ink into 1.
    Where a recipe says none of these, they are guessed, said, and stored with the model.
    `skip_broken` goes on without files that cannot be read.

    A sample's split goes by a hash of its content, so that added samples never move others from
    training into test, and equal ones share a split. `split_rule` 2 is how files were read before
    they were interpreted so; 1 goes by position, as checkpoints did that name no rule.
    """

    title: ClassVar[str] = "Own files"
    kind: Literal["files"] = "files"
    path: str = Field(min_length=1, max_length=1024, pattern=r"^[^\x00]+$")
    height: int | None = Field(None, ge=1, le=LARGEST_SIDE)
    width: int | None = Field(None, ge=1, le=LARGEST_SIDE)
    channels: Literal[1, 3] = 1
    binary: bool = False
    light: bool | None = None
    seed: int = Field(0, ge=0, le=2**32 - 1)
    split_rule: Literal[1, 2, 3] = 3
    invert: bool | None = None
    black: float | None = _LEVEL
    white: float | None = _LEVEL
    skip_broken: bool = False

    @property
    def words(self) -> str:
        """The kind, and the name of the folder or file."""
        return f"{self.title}: {self.called}"[:80]

    @property
    def called(self) -> str:
        """The name of the folder or file; of pictures that came in by a page, that of the set."""
        path = Path(self.path)
        return path.parts[1] if self.path.startswith(f"{OWN}/") else path.name or self.path

    @property
    def binarised(self) -> bool:
        """Whether the recipe asks for binary samples."""
        return self.binary

    @property
    def preparation(self) -> str:
        """How values were read, as one sentence; empty where nothing is known."""
        if self.split_rule < 3 or self.white is None:
            return ""
        tone = "inverted, so that ink is 1" if self.invert else "light" if self.light else "ink"
        grey = "" if self.channels == 3 else f"; grey is {tone}"
        return f"Values from {self.black or 0:g} (black) to {self.white:g} (white){grey}."

    @model_validator(mode="after")
    def _fields_fit(self) -> "FilesConfig":
        if (self.height is None) != (self.width is None):
            raise ValueError("height and width belong together: give both or neither")
        if self.white is None and self.black is not None:
            raise ValueError("black needs white: give both, or white alone")
        if self.white is not None and self.white <= (self.black or 0):
            raise ValueError("white must be larger than black")
        if self.invert and self.light:
            raise ValueError("light is not inverted: give either light or invert")
        if self.invert and self.channels == 3:
            raise ValueError("colours are not inverted: leave invert out")
        asked = (self.invert, self.black, self.white, self.skip_broken or None)
        if self.split_rule < 3 and any(value is not None for value in asked):
            raise ValueError(
                "invert, black, white and skip_broken are of split_rule 3: leave split_rule out"
            )
        return self

    @property
    def identity(self) -> str:
        """The recipe as it was before the data settled the rest, with what was done to values."""
        newer = {"invert", "black", "white", "skip_broken"}
        guessed = {} if self.split_rule < 3 else {"light": None}
        before = self.model_copy(update=guessed)
        return before.model_dump_json(exclude={"seed", "split_rule"} | newer) + self.treated

    @property
    def treated(self) -> str:
        """The levels, unless they are those of 8 or 16 bits, and whether ink was inverted."""
        usual = self.white in (None, 255, 65535) and not self.black
        levels = "" if usual else f" {self.black or 0:g} to {self.white:g}"
        return levels + (" inverted" if self.invert else "")

    def settled(self, data: DataSet) -> "FilesConfig":
        """Return the recipe with what its data have determined, so that it never changes."""
        return self.model_copy(update=dict(data.settled))

    def load(
        self,
        root: Path,
        download: bool = False,
        *,
        beside: Path | None = None,
        links: bool = False,
    ) -> DataSet:
        """Read the images.

        Args:
            root: The data directory.
            download: Ignored.
            beside: The folder of the recipe, in which a relative path is sought first.
            links: Whether symbolic links are followed: for paths of the command line alone.
        """
        source = _locate(root, self.path, beside, links)
        if self.split_rule < 3:
            return self._load_as_before(source)
        found = (read_folder if source.is_dir() else read_arrays)(source, self._wanted(links))
        x, tone = found.x, self._tone(found)
        if tone.invert:
            x = 1 - x
        classes, labels = natural(found.classes)
        whole = SplitData(x, labels, content_ids(found.contents), np.array(found.names))
        rows, dealt = split_up(found, self.seed, source)
        train, valid, test = (whole.take(np.flatnonzero(rows[name])) for name in SPLITS)
        if self.binary:
            valid = binarise_each(valid, BINARISATION_SEED)
            test = binarise_each(test, BINARISATION_SEED + 1)
        levels = found.levels
        stretch = "" if levels.plain else f" {levels.black:g} to {levels.white:g}"
        settled: dict[str, object] = {"black": levels.black, "white": levels.white}
        if self.channels == 1:
            settled |= {"light": tone.light, "invert": tone.invert}
        elsewhere = beside is not None and source == beside / self.path and beside != root
        where = [f"Read beside the recipe; elsewhere it is found by `--data {beside}`."]
        alike = "All samples are equal: there is nothing to learn from them."
        alone = [alike] if len(set(found.contents)) == 1 else []
        notes = [
            *(where if elsewhere else []),
            *found.notes,
            *alone,
            levels.said,
            dealt,
            tone.said,
        ]
        return DataSet(
            train,
            valid,
            test,
            PixelSketch(
                height=x.shape[2],
                width=x.shape[3],
                channels=self.channels,
                light=tone.light or None,
            ),
            classes,
            dynamic=self.binary,
            numbered_by_content=True,
            notes=tuple(filter(None, notes)),
            treatment=stretch + (" inverted" if tone.invert else ""),
            settled=tuple(settled.items()),
        )

    def _wanted(self, links: bool) -> Wanted:
        size = None if self.height is None or self.width is None else (self.height, self.width)
        levels = None if self.white is None else (self.black or 0.0, self.white)
        return Wanted(size, self.channels, levels, self.skip_broken, links)

    def _tone(self, found: Found) -> Tone:
        if self.channels == 3:
            return Tone(bool(self.light), False)
        if self.invert is not None and self.light is not None:
            return Tone(self.light, self.invert)
        known = False if self.light is None and (self.binary or self.invert) else self.light
        guess = tone_of(found.x, known)
        if self.invert is None:
            return guess
        if self.invert or guess.invert:  # said by the recipe
            return Tone(False, self.invert)
        return guess

    def _load_as_before(self, source: Path) -> DataSet:
        size = None if self.height is None or self.width is None else (self.height, self.width)
        read = earlier.read_folder if source.is_dir() else earlier.read_file
        found = read(source, size, self.channels)
        classes, labels = by_letter(found.classes)
        names = np.array(found.names)
        if self.split_rule == 1:
            train, valid, test = self._by_position(
                SplitData(found.x, labels, np.arange(len(found.x)), names)
            )
        else:
            whole = SplitData(found.x, labels, content_ids(found.contents), names)
            rows = deal(found.contents, self.seed)
            train, valid, test = (whole.take(np.flatnonzero(rows[name])) for name in SPLITS)
            if self.binary:
                valid = binarise_each(valid, BINARISATION_SEED)
                test = binarise_each(test, BINARISATION_SEED + 1)
        height, width = found.x.shape[2:]
        light = self.light or None
        return DataSet(
            train,
            valid,
            test,
            PixelSketch(height=height, width=width, channels=self.channels, light=light),
            classes,
            dynamic=self.binary,
            numbered_by_content=self.split_rule == 2,
        )

    def _by_position(self, everything: SplitData) -> tuple[SplitData, SplitData, SplitData]:
        order = np.random.default_rng(self.seed).permutation(len(everything))
        held_out = round(HELD_OUT * len(everything))
        valid = everything.take(order[:held_out])
        test = everything.take(order[held_out : 2 * held_out])
        if self.binary:
            valid = replace(valid, x=binarise(valid.x, BINARISATION_SEED))
            test = replace(test, x=binarise(test.x, BINARISATION_SEED + 1))
        return everything.take(order[2 * held_out :]), valid, test


def _locate(root: Path, path: str, beside: Path | None, links: bool) -> Path:
    """Find a path beside the recipe or in the data directory, which it must not leave."""
    places = [root] if Path(path).is_absolute() else [*filter(None, [beside]), root]
    if path.startswith(f"{OWN}/"):
        places.append(settings.current().user)
    for place in places:
        source = place / path
        try:
            there = source.is_dir() or source.is_file()
            inside = Path(path).is_absolute() or (
                ".." not in Path(path).parts
                if links
                else source.resolve().is_relative_to(place.resolve())
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise DataError(
                f"{path!r} cannot be opened ({error}); give another file or folder."
            ) from error
        if not inside:
            raise DataError(
                f"{path!r} is outside the data directory; "
                f"give an absolute path, or move the files into {place}."
            )
        if there:
            return source
    where = " or ".join(dict.fromkeys(str((place / path).parent) for place in places))
    name = Path(path).name or path
    if Path(path).is_absolute():
        raise DataMissingError(f"{name} is not in {where}; put it there, or correct the path.")
    raise DataMissingError(
        f"{name} is not in {where}; put it there, "
        "or name the folder that holds it with --data or LATENT_EXPLORER_DATA."
    )
