"""Generated pictures, captions and tones with planted truth."""

import io
import wave
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import polars as pl
from PIL import Image

from mmtrain.option import Count, Fraction, Range
from mmtrain.source.splits import TEST, TRAIN, VAL, Splits
from mmtrain.table import Table

SIDE, RADIUS = 32, 6  # of a picture and of the shape in it, in pixels
COLOURS = {"red": (220, 50, 50), "green": (60, 190, 60), "blue": (60, 90, 230), "yellow": (225, 205, 50)}
SHAPES = {"circle": ("circle", "disc"), "square": ("square", "box"), "triangle": ("triangle", "wedge"), "cross": ("cross", "plus")}
CAPTIONS = ("a {colour} {shape}", "there is a {colour} {shape}", "one {shape} painted {colour}", "the {shape} here looks {colour}")
LEFT, RIGHT = 8, 24  # between these the shape's centre lies across the picture, in pixels
PLACES = ("on the left", "in the middle", "on the right")
RATE, SAMPLES = 8000, 2000  # of a tone: a quarter of a second
HERTZ = {"low": 300.0, "middle": 600.0, "high": 1200.0}
TURNS = 96  # combinations of 4 shapes, 4 colours, match or not, 3 false colours


class Scenes:
    """A coloured shape in a noisy picture (32 x 32 pixels, PNG), a caption (4 wordings), a noisy tone (0.25 s at 8 kHz, WAV).

    Five tasks, each to be looked for elsewhere:

    * `shape` (circle, square, triangle, cross) is REDUNDANT: the picture shows it, the caption names it, always truly.
    * `position` is UNIQUE to the picture: the shape's horizontal centre, uniform from 8 to 24 pixels.
    * `colour` (red, green, blue, yellow) is PARTLY redundant: the picture shows it, the caption names one but lies half of the time.
    * `pitch` (low, middle, high: 300, 600, 1200 Hz, each give or take 10 %) is UNIQUE to the tone.
    * `match` (yes, no) is SYNERGY of picture and caption: yes where the caption names the picture's colour. The picture's
      colour is uniform over four, match a fair coin and a false colour uniform over the other three, all independent of
      shape, position and pitch. So neither picture, nor caption, nor tone alone says anything about `match`.

    `description` puts what the picture shows into words, always truly and in one wording: "a red circle on the left", its colour, its
    shape and in which third of the way from 8 to 24 pixels it stands.

    The 96 combinations of shape, colour, match and false colour take turns, so that in a multiple of 96 rows all of this
    holds exactly; position, pitch, wording and noise are drawn freely. Rows depend on `seed` alone, never on the run's seed.
    `absent` of the cells of each modality and `unlabelled` of the labels of each task are left empty, at random.
    """

    columns: ClassVar[list[str]] = ["id", "picture", "caption", "tone", "shape", "colour", "position", "pitch", "match", "description"]

    def __init__(
        self,
        *,
        train: Count = 4032,
        val: Count = 480,
        test: Count = 960,
        seed: Annotated[int, Range(0)] = 0,
        absent: Fraction = 0.0,
        unlabelled: Fraction = 0.0,
    ) -> None:
        self.sizes = {TRAIN: train, VAL: val, TEST: test}
        self.seed, self.absent, self.unlabelled = seed, absent, unlabelled

    def tables(self) -> Splits:
        """Draw every split, each from a stream of its own."""
        tables = {name: self._table(name, number) for number, name in enumerate(self.sizes)}
        rows = {name: (name, np.arange(len(table))) for name, table in tables.items()}
        return Splits(tables, rows, {name: table.frame["id"].to_list() for name, table in tables.items()})

    def _table(self, split: str, stream: int) -> Table:
        rows = self.sizes[split]
        random, hiding = (np.random.default_rng([self.seed, stream, use]) for use in (0, 1))
        frame = pl.DataFrame([{"id": f"{split}-{row:05d}"} | _scene(turn, random) for row, turn in enumerate(_turns(rows, random))])
        frame = frame.select(self.columns)
        for names, share in ((self.columns[1:4], self.absent), (self.columns[4:], self.unlabelled)):
            kept = {name: pl.Series(hiding.random(rows) >= share) for name in names}
            frame = frame.with_columns(pl.when(where).then(pl.col(name)).alias(name) for name, where in kept.items())
        return Table(frame, f"scenes/{split}", np.arange(1, rows + 1))


def _turns(rows: int, random: np.random.Generator) -> Iterator[int]:
    """Numbers below `TURNS` in random order, each as often as the next, up to one time."""
    whole = [random.permutation(TURNS) for _ in range(-(-rows // TURNS))]
    return iter(random.permutation(np.concatenate(whole)[:rows]).tolist())


def _scene(turn: int, random: np.random.Generator) -> dict[str, Any]:
    """One row; the digits of `turn` choose what must be balanced."""
    turn, false = divmod(turn, 3)
    turn, match = divmod(turn, 2)
    shape, colour = list(SHAPES)[turn // 4], turn % 4
    named = colour if match else (colour + 1 + false) % 4
    position, pitch = random.uniform(LEFT, RIGHT), _any(list(HERTZ), random)
    words = {"colour": list(COLOURS)[named], "shape": _any(SHAPES[shape], random)}
    return {
        "picture": _picture(shape, list(COLOURS.values())[colour], position, random),
        "caption": _any(CAPTIONS, random).format(**words),
        "tone": _tone(HERTZ[pitch], random),
        "shape": shape,
        "colour": list(COLOURS)[colour],
        "position": position,
        "pitch": pitch,
        "match": "yes" if match else "no",
        "description": f"a {list(COLOURS)[colour]} {shape} {PLACES[int((position - LEFT) / (RIGHT - LEFT) * len(PLACES))]}",
    }


def _any(words: Sequence[str], random: np.random.Generator) -> str:
    return words[int(random.integers(len(words)))]


def _picture(shape: str, colour: tuple[int, int, int], position: float, random: np.random.Generator) -> bytes:
    """A PNG; `position` is the shape's horizontal centre, its height in the picture is drawn."""
    across, above = np.abs(np.arange(SIDE) - position), (np.arange(SIDE) - random.uniform(8, 24))[:, None]
    match shape:
        case "circle":
            inside = across**2 + above**2 <= RADIUS**2
        case "square":
            inside = np.maximum(across, np.abs(above)) <= 0.85 * RADIUS
        case "triangle":
            inside = (across <= (above + RADIUS) / 1.8) & (above <= 0.8 * RADIUS)
        case _:  # a cross
            inside = (np.minimum(across, np.abs(above)) <= RADIUS / 3) & (np.maximum(across, np.abs(above)) <= RADIUS)
    clean = np.where(inside[..., None], colour, random.uniform(20, 80))
    noisy = clean + 12 * random.standard_normal((SIDE, SIDE, 3), np.float32)
    file = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "png", compress_level=0)  # noise does not compress
    return file.getvalue()


def _tone(hertz: float, random: np.random.Generator) -> bytes:
    """A WAV of 16 bits: one sine, up to 10 % off `hertz`, of any phase and loudness, and noise."""
    turns = hertz * random.uniform(0.9, 1.1) * np.arange(SAMPLES) / RATE + random.random()
    heard = random.uniform(0.2, 0.8) * np.sin(2 * np.pi * turns) + 0.05 * random.standard_normal(SAMPLES, np.float32)
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes((heard.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()
