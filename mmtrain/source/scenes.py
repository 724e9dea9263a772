"""Generated pictures, captions and tones with planted truth."""

import io
import wave
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from PIL import Image, ImageDraw

from mmtrain.option import Count, Fraction
from mmtrain.source.splits import TEST, TRAIN, VAL, Splits
from mmtrain.table import Table

SIDE = 32  # pixels of a picture's side
RADIUS = 6  # a shape reaches this far from its centre, in pixels
RATE, SECONDS = 8000, 0.25  # of a tone
COLOURS = {"red": (220, 50, 50), "green": (60, 190, 60), "blue": (60, 90, 230), "yellow": (225, 205, 50)}
WORDS = {"circle": ("circle", "disc"), "square": ("square", "box"), "triangle": ("triangle", "wedge"), "cross": ("cross", "plus")}
HERTZ = {"low": 300.0, "middle": 600.0, "high": 1200.0}
CAPTIONS = ("a {colour} {shape}", "there is a {colour} {shape}", "one {shape} painted {colour}", "the {shape} here looks {colour}")


class Scenes:
    """A coloured shape in a noisy picture (32 x 32 pixels, PNG), a caption (4 wordings), a noisy tone (0.25 s at 8 kHz, WAV).

    Four tasks, each of which one must look for elsewhere:

    * `shape` (circle, square, triangle, cross) is REDUNDANT: the picture shows it, the caption names it, always truly.
    * `position` is UNIQUE to the picture: the shape's horizontal centre, uniform from 8 to 24 pixels.
    * `pitch` (low, middle, high: 300, 600, 1200 Hz, each give or take 10 %) is UNIQUE to the tone.
    * `match` (yes, no) is SYNERGY of picture and caption: yes where the caption names the picture's colour. The picture's
      colour is uniform over four, match a fair coin and a false colour uniform over the other three, all independent of
      shape, position and pitch. So neither picture, nor caption, nor tone alone says anything about `match`.

    The 96 combinations of shape, colour, match and false colour take turns, so that in a multiple of 96 rows all of this
    holds exactly; position, pitch, wording and noise are drawn freely. Rows depend on `seed` alone, never on the run's seed.
    `absent` of the cells of each modality and `unlabelled` of the labels of each task are left empty, at random.
    """

    columns = ["id", "picture", "caption", "tone", "shape", "position", "pitch", "match"]  # noqa: RUF012 - read statically

    def __init__(
        self,
        *,
        train: Count = 4032,
        val: Count = 480,
        test: Count = 960,
        seed: int = 0,
        absent: Fraction = 0.0,
        unlabelled: Fraction = 0.0,
    ) -> None:
        self.sizes = {TRAIN: train, VAL: val, TEST: test}
        self.seed, self.absent, self.unlabelled = seed, absent, unlabelled

    def tables(self) -> Splits:
        """Draw every split, each from a stream of its own."""
        tables = {name: self._table(name, number) for number, name in enumerate(self.sizes)}
        rows = {name: (name, np.arange(len(table))) for name, table in tables.items()}
        return Splits(tables, rows, {name: table.text("id") for name, table in tables.items()})

    def _table(self, split: str, number: int) -> Table:
        rows = self.sizes[split]
        random, hiding = (np.random.default_rng([abs(self.seed), number, stream]) for stream in (0, 1))
        scenes = [_scene(turn, random) for turn in _turns(rows, random)]
        frame = pl.DataFrame(scenes).select(pl.Series("id", [f"{split}-{row:05d}" for row in range(rows)]), pl.all())
        for names, share in ((("picture", "caption", "tone"), self.absent), (("shape", "position", "pitch", "match"), self.unlabelled)):
            hidden = {name: hiding.random(rows) < share for name in names}
            frame = frame.with_columns(pl.when(~pl.Series(where)).then(pl.col(name)).alias(name) for name, where in hidden.items())
        return Table(frame, f"scenes/{split}", np.arange(1, rows + 1))
