"""Sizes and lengths before anything is cut, and what is cut."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
import soundfile
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from mmtrain.inspection import Measure, Rows, measures
from mmtrain.modality import AudioModality, Modality, SeriesModality, TabularModality, TextModality, VideoModality
from mmtrain.table import Table


def measured(modality: Modality, cells: Any, root: Path | None = None) -> list[Measure]:
    """Of a modality that is fitted on these cells."""
    table = Table(pl.DataFrame({"cell": cells}), "rows.csv", np.arange(1, len(cells) + 1), root)
    modality.fit(table)
    rows = SimpleNamespace(data=SimpleNamespace(modalities={"part": modality}), table=lambda split, most: table)
    return measures(cast(Rows, rows))


def test_sounds_are_measured_by_their_headers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds, rate in (("a.wav", 0.5, 8000), ("b.flac", 3, 1000), ("c.wav", 1, 16000)):
        soundfile.write(tmp_path / name, np.zeros((round(seconds * rate), 2)), rate)
    (tmp_path / "broken.wav").write_text("no sound")
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr(soundfile.SoundFile, "read", None)
    cells = ["a.wav", "b.flac", None, "c.wav", "broken.wav", "missing.wav", "folder"]
    found = measured(AudioModality(column="cell", max_seconds=1.0), cells, tmp_path)
    assert found == [Measure("part", "s", "0.5", "1", "3", 3, "max_seconds=1", 1)]


def test_clips_are_counted_in_frames(tmp_path: Path) -> None:
    pictures = [Image.new("L", (4, 4), level) for level in (0, 90, 180, 250)]
    pictures[0].save(tmp_path / "four.gif", save_all=True, append_images=pictures[1:])
    (tmp_path / "two").mkdir()
    for number in range(2):
        pictures[number].save(tmp_path / "two" / f"{number}.png")
    (tmp_path / "broken.gif").write_bytes(b"GIF89a")
    found = measured(VideoModality(column="cell", frames=3), ["four.gif", None, "two", "broken.gif", "missing.gif"], tmp_path)
    assert [measure.line for measure in found] == ["part: from 2 to 4, median 3 frames"]


def test_series_that_are_resampled_lose_nothing(tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text("x,note\n" + "1,a\n" * 5)
    cells = ["1 2 3", None, "long.csv", "4", "missing.csv"]
    found = measured(SeriesModality(column="cell", max_steps=2), cells, tmp_path)
    assert [measure.line for measure in found] == ["part: from 1 to 5, median 3 steps; max_steps=2 cuts 2 of 3 looked at"]
    [resampled] = measured(SeriesModality(column="cell", max_steps=2, resample=4), cells, tmp_path)
    assert resampled.line == "part: from 1 to 5, median 3 steps"


def test_words_and_pieces(tmp_path: Path) -> None:
    texts = ["red red, blue", "", None, "red"]
    assert measured(TextModality(column="cell", max_length=3, min_count=1), texts) == [
        Measure("part", "words", "1", "2.5", "4", 2, "max_length=3", 1)
    ]
    [pieces] = measured(TextModality(column="cell", vocabulary="bpe", max_words=1, max_length=3, min_count=1), texts)
    assert (pieces.unit, pieces.low, pieces.high, pieces.cut) == ("pieces", "3", "11", 1)


def test_ids_are_counted_before_the_tokenizer_cuts(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "red": 3}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["[CLS]", "[SEP]"])
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    modality = TextModality(column="cell", tokenizer=str(tmp_path), max_length=4)
    before = json.dumps(modality.recipe)
    found = measured(modality, ["red", "red red red red red", None, "red red"])
    assert [measure.line for measure in found] == ["part: from 3 to 7, median 4 ids; max_length=4 cuts 1 of 3 looked at"]
    assert json.dumps(modality.recipe) == before
    table = Table(pl.DataFrame({"cell": ["red red red red"]}), "rows.csv", np.arange(1, 2))
    assert len(modality.encode(table)[0]["ids"][0]) == 4


def test_what_has_no_length_and_what_is_not_there() -> None:
    assert measured(TabularModality(numeric=["cell"]), ["1", "2"]) == []
    assert measured(AudioModality(column="cell"), pl.Series([None], dtype=pl.String)) == []
