"""From clips to a trained model: files of many formats, three of them broken on purpose, and clips made here."""

import csv
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from mmtrain.cli import main
from mmtrain.modality import AudioModality, VideoModality
from mmtrain.table import Table

CONFIG = """\
# @package _global_
# Clips.
defaults:
  - /source@data: table
  - /modality@data.modalities.clip: video
  - /modality@data.modalities.tone: audio
  - /task@tasks.label: classification
  - _self_
data:
  name: clips
  root: {root}
  train: rows.csv
  split_column: split
  modalities:
    clip: {{column: clip, frames: 2, stored: 4, height: 8, width: 8}}
    tone: {{column: tone, sample_rate: 4000, max_seconds: 0.5}}
tasks:
  label: {{column: label}}
"""

Train = Callable[..., int]
Rows = list[dict[str, str]]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Rows], None]:
    """The table with these cells, a made label beside them; splits take turns."""

    def written(rows: Rows) -> None:
        for number, row in enumerate(rows):
            row |= {"label": "ab"[number % 2], "split": ("train", "val", "train", "test")[number // 2 % 4]}
        pl.DataFrame(rows).write_csv(tmp_path / "rows.csv")
        (tmp_path / "configs" / "data").mkdir(parents=True, exist_ok=True)
        (tmp_path / "configs" / "data" / "clips.yaml").write_text(CONFIG.format(root=tmp_path), "utf-8")

    return written


@pytest.fixture
def train(tmp_path: Path) -> Train:
    def trained(*overrides: str) -> int:
        quick = ["training.steps=2", "training.batch_size=8", "training.threads=1"]
        folders = [f"--config-dir={tmp_path / 'configs'}", f"data.cache={tmp_path / 'cache'}", f"hydra.run.dir={tmp_path / 'run'}"]
        return main(["train", "data=clips", *quick, *folders, *overrides])

    return trained


def finished(run: Path) -> bool:
    return json.loads((run / "results.json").read_text("utf-8"))["status"] == "finished"


@pytest.fixture
def files() -> Rows:
    """What the real set says of its files."""
    if "MMTRAIN_DATA" not in os.environ:
        pytest.skip("MMTRAIN_DATA, the folder of the data sets, is not set")
    pytest.importorskip("av", reason="PyAV is not installed")
    with (Path(os.environ["MMTRAIN_DATA"]) / "clips" / "clips.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def table_of(files: Rows, column: str) -> Table:
    root = Path(os.environ["MMTRAIN_DATA"]) / "clips"
    return Table(pl.DataFrame({column: [row["path"] for row in files]}), "rows.csv", np.arange(1, len(files) + 1), root)


def test_every_good_video_decodes(files: Rows) -> None:
    good = [row for row in files if row["video_codec"] and row["readable"] == "1"]
    assert len(good) == 10
    table = table_of(good, "clip")
    arrays, present = VideoModality(column="clip", stored=16, height=9, width=16).encode(table)
    assert table.bad == []
    assert present.all()
    shapes = [row.reshape(-1, 9, 16, 3).shape[0] for row in arrays["frames"]]
    assert shapes == [min(16, int(row["frames"])) for row in good]
    assert min(row.std() for row in arrays["frames"]) > 10  # there is something to see on each


def test_every_good_sound_decodes(files: Rows) -> None:
    good = [row for row in files if row["audio_codec"] and not row["video_codec"]]
    assert len(good) == 3
    table = table_of(good, "tone")
    arrays, present = AudioModality(column="tone", sample_rate=8000, max_seconds=60).encode(table)
    assert table.bad == []
    assert present.all()
    # One encoder of MP3 adds a little silence at either end.
    np.testing.assert_allclose([len(row) / 8000 for row in arrays["samples"]], [float(row["seconds"]) for row in good], atol=0.1)


@pytest.mark.parametrize("encoder", ["frames", "cnn3d"])
def test_broken_files_are_named_and_may_count_as_absent(
    files: Rows, write: Callable[[Rows], None], train: Train, encoder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(os.environ["MMTRAIN_DATA"]) / "clips"
    sounds = ["" if row["video_codec"] or row["readable"] == "0" else str(root / row["path"]) for row in files]
    write([{"clip": "" if sound else str(root / row["path"]), "tone": sound} for row, sound in zip(files, sounds, strict=True)])
    assert train(f"encoder/video={encoder}") == 2
    told = capsys.readouterr().err
    broken = {number: row["path"] for number, row in enumerate(files, 1) if row["readable"] == "0"}
    for number, path in broken.items():
        assert f"rows.csv, row {number}, column 'clip': '{root / path}' " in told
    assert "data: cells that cannot be read: 3, " in told
    assert not (tmp_path / "run").exists()
    assert train(f"encoder/video={encoder}", "data.on_bad=absent") == 0
    assert finished(tmp_path / "run")
    assert "cells that cannot be read and count as absent: 3; the first: " in capsys.readouterr().out


def test_clips_without_the_decoder_of_videos(
    write: Callable[[Rows], None], train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Animations of one frame to five, and folders of frames; one of each is broken."""
    monkeypatch.setitem(sys.modules, "av", None)
    for number in range(1, 6):
        pictures = [Image.fromarray(np.full((5, 7), 40 * number + frame, np.uint8)) for frame in range(number)]
        pictures[0].save(tmp_path / f"{number}.gif", save_all=True, append_images=pictures[1:])
        (tmp_path / f"folder{number}").mkdir()
        for frame, picture in enumerate(pictures):
            picture.save(tmp_path / f"folder{number}" / f"{frame}.png")
    (tmp_path / "broken.gif").write_bytes(b"GIF89a")
    (tmp_path / "empty").mkdir()
    names = [f"{number}.gif" for number in range(1, 6)] + [f"folder{number}" for number in range(1, 6)]
    write([{"clip": name, "tone": ""} for name in [*names, "broken.gif", "empty", *names]])
    assert train("~data.modalities.tone") == 2
    told = capsys.readouterr().err
    assert "rows.csv, row 11, column 'clip': 'broken.gif' cannot be decoded as a clip: it ends within its header" in told
    assert "rows.csv, row 12, column 'clip': 'empty' holds no frame" in told
    assert train("~data.modalities.tone", "data.on_bad=absent") == 0
    assert finished(tmp_path / "run")


def test_a_video_without_its_decoder_stops_the_command(
    write: Callable[[Rows], None], train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    write([{"clip": "a.mp4", "tone": ""} for _ in range(8)])
    assert train("~data.modalities.tone", "data.on_bad=absent") == 2
    assert "video modality: 'a.mp4' needs PyAV, which is not installed; pip install \"mmtrain[video]\"" in capsys.readouterr().err
    assert not (tmp_path / "cache").exists()
