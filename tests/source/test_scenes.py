"""The planted truth is there, to the bit where it is promised so."""

import io
import wave
from collections import Counter

import numpy as np
import polars as pl
import pytest
from PIL import Image

from mmtrain.source import Scenes
from mmtrain.source.scenes import COLOURS, HERTZ, SHAPES, TURNS
from mmtrain.table import Table

ROWS = 3 * TURNS


@pytest.fixture(scope="module")
def scenes() -> Table:
    return Scenes(train=ROWS, val=1, test=1).tables().tables["train"]


def pixels_of(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture))).astype(float)


def shape_of(picture: bytes) -> np.ndarray:
    """Which pixels are coloured: the background is grey."""
    pixels = pixels_of(picture)
    return pixels.max(2) - pixels.min(2) > 80


def seen_colour(picture: bytes) -> str:
    mean = pixels_of(picture)[shape_of(picture)].mean(0)
    return min(COLOURS, key=lambda name: float(np.abs(mean - COLOURS[name]).sum()))


def named_colour(caption: str) -> str:
    return next(word for word in caption.split() if word in COLOURS)


def named_shape(caption: str) -> str:
    return next(shape for shape, words in SHAPES.items() if set(words) & set(caption.split()))


def test_rows_depend_on_their_own_seed_alone() -> None:
    np.random.seed(1)
    first = Scenes(train=20, val=5, test=5, seed=3).tables()
    np.random.seed(2)
    again, other = Scenes(train=20, val=5, test=5, seed=3).tables(), Scenes(train=20, val=5, test=5, seed=4).tables()
    for split in ("train", "val", "test"):
        assert first.tables[split].frame.equals(again.tables[split].frame)
        assert not first.tables[split].frame.equals(other.tables[split].frame)
    assert first.ids["val"] == ["val-00000", "val-00001", "val-00002", "val-00003", "val-00004"]
    assert {split: (table, list(rows)) for split, (table, rows) in first.rows.items()}["test"] == ("test", [0, 1, 2, 3, 4])


def test_splits_show_different_scenes() -> None:
    tables = Scenes(train=200, val=200, test=200).tables().tables
    pictures = [picture for table in tables.values() for picture in table.frame["picture"]]
    assert len(set(pictures)) == 600


def test_columns_are_those_that_the_check_reads(scenes: Table) -> None:
    assert scenes.frame.columns == Scenes.columns


def test_picture_and_caption_each_tell_the_shape(scenes: Table) -> None:
    assert [named_shape(caption) for caption in scenes.frame["caption"]] == scenes.frame["shape"].to_list()
    areas: dict[str, list[int]] = {shape: [] for shape in SHAPES}
    for picture, shape in scenes.frame.select("picture", "shape").iter_rows():
        areas[shape].append(int(shape_of(picture).sum()))
    assert {shape: round(np.mean(found) / 10) for shape, found in areas.items()} == {"circle": 11, "square": 10, "triangle": 6, "cross": 8}


def test_colour_is_the_pictures_whatever_the_caption_says(scenes: Table) -> None:
    assert [seen_colour(picture) for picture in scenes.frame["picture"]] == scenes.frame["colour"].to_list()
    lies = [named_colour(caption) != colour for caption, colour in scenes.frame.select("caption", "colour").iter_rows()]
    assert sum(lies) == ROWS / 2


def test_position_is_the_centre_of_the_shape(scenes: Table) -> None:
    centres = [np.nonzero(shape_of(picture))[1].mean() for picture in scenes.frame["picture"]]
    np.testing.assert_allclose(centres, scenes.frame["position"], atol=0.6)
    assert scenes.frame["position"].is_between(8, 24).all()


def test_pitch_is_what_the_tone_sounds_like(scenes: Table) -> None:
    for tone, pitch in scenes.frame.select("tone", "pitch").iter_rows():
        with wave.open(io.BytesIO(tone)) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (8000, 1, 2000)
            samples = np.frombuffer(sound.readframes(2000), "<i2")
        hertz = np.abs(np.fft.rfft(samples)).argmax() * 8000 / 2000
        assert 0.88 < hertz / HERTZ[pitch] < 1.12


def test_match_is_whether_the_caption_names_the_pictures_colour(scenes: Table) -> None:
    fits = [seen_colour(picture) == named_colour(caption) for picture, caption in scenes.frame.select("picture", "caption").iter_rows()]
    assert ["yes" if fit else "no" for fit in fits] == scenes.frame["match"].to_list()


def test_description_says_what_the_picture_shows(scenes: Table) -> None:
    for picture, shape, said in scenes.frame.select("picture", "shape", "description").iter_rows():
        _, colour, named, *place = said.split()
        assert (colour, named) == (seen_colour(picture), shape)
        centre = (np.nonzero(shape_of(picture))[1].mean() - 8) / 16
        middle = {"on the left": 1 / 6, "in the middle": 1 / 2, "on the right": 5 / 6}[" ".join(place)]
        assert abs(centre - middle) < 1 / 6 + 0.04
    assert len(set(scenes.frame["description"])) == 48


def test_descriptions_change_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that figures of old runs stay those of new ones."""
    source = Scenes(train=50, val=1, test=1, absent=0.3, unlabelled=0.4)
    frame = source.tables().tables["train"].frame
    assert 0 < frame["description"].null_count() < 50
    monkeypatch.setattr(Scenes, "columns", Scenes.columns[:-1])
    assert source.tables().tables["train"].frame.equals(frame.drop("description"))


def test_neither_picture_nor_caption_alone_says_anything_of_match(scenes: Table) -> None:
    """Of every colour and shape that a picture shows, and that a caption names, exactly half the rows match."""
    colours = {"picture": map(seen_colour, scenes.frame["picture"]), "caption": map(named_colour, scenes.frame["caption"])}
    for found in colours.values():
        counts = Counter(zip(found, scenes.frame["shape"], scenes.frame["match"], strict=True))
        assert counts == dict.fromkeys([(colour, shape, match) for colour in COLOURS for shape in SHAPES for match in ("yes", "no")], 9)


def test_any_number_of_rows_is_balanced_up_to_one() -> None:
    frame = Scenes(train=100, val=1, test=7).tables().tables["train"].frame
    colours = [seen_colour(picture) for picture in frame["picture"]]
    counts = Counter(zip(colours, map(named_colour, frame["caption"]), frame["shape"], strict=True))
    assert sum(counts.values()) == 100
    assert len({key for key in counts if key[0] != key[1]}) == 48
    assert max(count for key, count in counts.items() if key[0] != key[1]) <= 2


def test_cells_and_labels_are_left_empty_without_changing_the_others() -> None:
    full = Scenes(train=400, val=1, test=1).tables().tables["train"].frame
    holes = Scenes(train=400, val=1, test=1, absent=0.3, unlabelled=0.6).tables().tables["train"].frame
    for column, share in {
        "id": 0,
        "picture": 0.3,
        "caption": 0.3,
        "tone": 0.3,
        "shape": 0.6,
        "colour": 0.6,
        "position": 0.6,
        "match": 0.6,
    }.items():
        assert holes[column].null_count() / 400 == pytest.approx(share, abs=0.08)
        kept = holes[column].is_not_null()
        assert holes.filter(kept)[column].equals(full.filter(kept)[column])
    assert pl.DataFrame({"both": holes["picture"].is_null() & holes["tone"].is_null()})["both"].mean() == pytest.approx(0.09, abs=0.05)
