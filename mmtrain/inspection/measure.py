"""How large pictures are, and how long texts, sounds, clips and series, before any is cut."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import soundfile
from PIL import Image

from mmtrain.inspection.rows import Rows
from mmtrain.modality import AudioModality, ImageModality, Modality, SeriesModality, TextModality, VideoModality
from mmtrain.modality.cell import UnreadableError, describe, encoded_file, filled_cells
from mmtrain.modality.clip import count_frames
from mmtrain.modality.numbers import number_cells
from mmtrain.modality.recording import read
from mmtrain.source import TRAIN
from mmtrain.table import Table

CELLS, FILES = 2000, 200  # train rows that are measured
ENDLESS = 10**9


@dataclass(frozen=True)
class Measure:
    """Lengths of `looked` train rows in `unit`; `cut` of them exceed `limit`. Of pictures the shorter and the longer side are measured."""

    modality: str
    unit: str
    low: str
    middle: str
    high: str
    looked: int
    limit: str = ""
    cut: int = 0

    @property
    def line(self) -> str:
        """In one line."""
        spread = f"all {self.low}" if self.low == self.high else f"from {self.low} to {self.high}, median {self.middle}"
        cut = f"; {self.limit} cuts {self.cut:,} of {self.looked:,} looked at" if self.cut else ""
        return f"{self.modality}: {spread} {self.unit}{cut}"


def measures(rows: Rows) -> list[Measure]:
    """Of every modality that has a size or a length."""
    found = [_measure(name, modality, rows) for name, modality in rows.data.modalities.items()]
    return [measure for measure in found if measure is not None]


def _measure(name: str, modality: Modality, rows: Rows) -> Measure | None:
    table = rows.table(TRAIN, most=FILES if modality.files else CELLS)
    match modality:
        case ImageModality():
            return _picture_sizes(name, modality.column, table)
        case AudioModality():
            return _spread(name, "s", list(_seconds(modality, table)), "max_seconds", modality.max_seconds)
        case VideoModality():
            return _spread(name, "frames", list(_frames(modality, table)))
        case SeriesModality(resample=None):
            return _spread(name, "steps", list(_steps(modality, table)), "max_steps", modality.max_steps)
        case SeriesModality():  # every step has its share in what is resampled
            return _spread(name, "steps", list(_steps(modality, table)))
        case TextModality():
            return _spread(name, _text_unit(modality), _text_lengths(modality, table), "max_length", modality.max_length)
    return None


def _spread(name: str, unit: str, lengths: Sequence[float], option: str = "", limit: float = ENDLESS) -> Measure | None:
    """Of the rows that are not empty; `option` cuts what is longer than `limit`."""
    lengths = [length for length in lengths if length]
    if not lengths:
        return None
    low, middle, high = (f"{length:,.4g}" for length in np.quantile(lengths, [0, 0.5, 1]))
    cut = sum(length > limit for length in lengths)
    return Measure(name, unit, low, middle, high, len(lengths), f"{option}={limit:g}" if option else "", cut)


def _seconds(modality: AudioModality, table: Table) -> Iterator[float]:
    """By the files' headers: nothing is decoded."""
    for _, cell in filled_cells(table, modality.column):
        with (
            suppress(UnreadableError, OSError, TypeError, soundfile.LibsndfileError),  # told elsewhere
            soundfile.SoundFile(encoded_file(table, cell)) as sound,
        ):
            yield sound.frames / sound.samplerate


def _frames(modality: VideoModality, table: Table) -> Iterator[int]:
    for _, cell in filled_cells(table, modality.column):
        with suppress(Exception):  # a broken file may make its reader raise anything; told elsewhere
            yield count_frames(encoded_file(table, cell), describe(cell))


def _steps(modality: SeriesModality, table: Table) -> Iterator[int]:
    for _, cell in number_cells(table, modality.column):
        with suppress(UnreadableError):
            yield len(read(table, cell, modality.separator, modality.channels).values)


def _text_unit(modality: TextModality) -> str:
    """What is counted: a tokenizer's ids, special ones among them, or pieces of words, or words."""
    if modality.tokenizer is not None:
        return "ids"
    return "words" if modality.options["vocabulary"] == "word" else "pieces"


def _text_lengths(modality: TextModality, table: Table) -> list[int]:
    """What a modality that cuts nothing numbers, with the same vocabulary: a tokenizer cuts by itself."""
    options = modality.recipe | {"max_length": ENDLESS, "letters": 0}
    endless = TextModality(column=options.pop("columns"), **options)
    endless.load_state(modality.state())
    ids = endless.encode(table)[0]["ids"]
    return [len(row) for row in ids]


def _picture_sizes(name: str, column: str, table: Table) -> Measure | None:
    sizes = []
    for _, cell in filled_cells(table, column):
        with suppress(UnreadableError, OSError, ValueError), Image.open(encoded_file(table, cell)) as picture:  # told elsewhere
            sizes.append(picture.size)
    if not sizes:
        return None
    sizes.sort(key=lambda size: size[0] * size[1])
    low, middle, high = (f"{width} x {height}" for width, height in (sizes[0], sizes[len(sizes) // 2], sizes[-1]))
    return Measure(name, "pixels", low, middle, high, len(sizes))
