import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from mmtrain.batch import Video
from mmtrain.data import Settings
from mmtrain.data.live import open_live
from mmtrain.errors import ConfigError
from mmtrain.modality import Modality, VideoModality
from mmtrain.spec import VideoSpec
from mmtrain.table import Table

Build = Callable[..., Table]
Folder = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder of so many frames: frame n is one shade, n, all over."""

    def make(name: str, count: int) -> str:
        (tmp_path / name).mkdir()
        for shade in range(count):
            Pillow.new("L", (4, 2), shade).save(tmp_path / name / f"frame{shade}.png")
        return name

    return make


def clips(lengths: list[int], room: int) -> Video:
    """Clips as stored, of one pixel a frame: frame n of every clip is shade n."""
    shades = torch.arange(room, dtype=torch.uint8).expand(len(lengths), room)
    mask = torch.arange(room) < torch.tensor(lengths)[:, None]
    return Video(torch.where(mask, shades, 255)[:, :, None, None, None], mask)


def shades(found: Video) -> list[list[int]]:
    """The shades of the frames that are there."""
    pixels = ((found.frames[:, :, 0, 0, 0] + 1) * 127.5).round().int()
    return [row[mask].tolist() for row, mask in zip(pixels, found.mask, strict=True)]


def test_the_middle_of_each_part_is_taken_in_evaluation() -> None:
    modality = VideoModality(column="c", frames=4, stored=16).eval()
    assert shades(modality(clips([16, 4, 6, 1, 0], 16))) == [[2, 6, 10, 14], [0, 1, 2, 3], [0, 2, 3, 5], [0], []]


def test_one_of_each_part_is_drawn_in_training() -> None:
    modality = VideoModality(column="c", frames=4, stored=16)
    drawn = np.array(shades(modality(clips([16] * 400, 16))))
    for part in range(4):
        values, counts = np.unique(drawn[:, part], return_counts=True)
        assert values.tolist() == [4 * part, 4 * part + 1, 4 * part + 2, 4 * part + 3]
        assert counts.min() > 60  # 100 are expected, with a deviation of 9
    assert len({tuple(row) for row in drawn}) > 150  # of 256: each row and part has a draw of its own


def test_a_draw_stays_in_its_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest draw below 1 is rounded up when it is multiplied."""
    monkeypatch.setattr(torch, "rand", lambda shape, device: torch.full(shape, 1 - 2**-24))
    modality = VideoModality(column="c", frames=3, stored=200)
    assert shades(modality(clips([200, 10], 200))) == [[65, 132, 199], [2, 5, 9]]


def test_clips_that_are_shorter_are_masked_and_zero() -> None:
    found = VideoModality(column="c", frames=4, stored=8)(clips([2, 8, 0], 8))
    assert found.mask.tolist() == [[True, True, False, False], [True] * 4, [False] * 4]
    assert not found.frames[~found.mask].any()
    assert VideoModality(column="c", frames=4)(clips([2, 1], 2)).mask.shape == (2, 2)


def test_what_stands_behind_the_end_changes_nothing() -> None:
    modality, plain = VideoModality(column="c", frames=4, stored=8).eval(), clips([3, 8], 8)
    other = Video(torch.where(plain.mask[:, :, None, None, None], plain.frames, 77), plain.mask)
    assert torch.equal(modality(other).frames, modality(plain).frames)


def test_a_folder_gives_its_frames(table: Build, folder: Folder, inputs: Callable[[Modality, Table], Any]) -> None:
    modality = VideoModality(column="clip", frames=3, stored=6, height=2, width=5).eval()
    found = inputs(modality, table(clip=[folder("long", 30), None, folder("short", 1)]))
    assert shades(found) == [[7, 17, 27], [], [0]]  # the middle of each third of 2, 7, 12, 17, 22, 27
    assert found.frames.shape == (3, 3, 3, 2, 5)
    assert found.frames.flatten(0, 1).is_contiguous(memory_format=torch.channels_last)
    assert modality.spec == VideoSpec(frames=3, channels=3, height=2, width=5)


def test_what_is_stored_does_not_depend_on_what_is_drawn(table: Build, folder: Folder) -> None:
    rows = table(clip=[folder("a", 20), None, folder("b", 2)])
    few, many = (VideoModality(column="clip", frames=frames, stored=8, height=2, width=2) for frames in (1, 8))
    assert few.recipe == many.recipe
    arrays, present = few.encode(rows)
    assert [len(row) for row in arrays["frames"]] == [8 * 12, 0, 2 * 12]
    assert present.tolist() == [True, False, True]


def test_options_of_pictures_are_those_of_frames(table: Build, folder: Folder) -> None:
    rows = table(clip=[folder("a", 1)])
    grey = VideoModality(column="clip", height=4, width=4, channels=1, fit="pad").encode(rows)[0]["frames"][0]
    assert grey.reshape(4, 4)[:, 0].tolist() == [255, 0, 0, 255]  # padded with white
    names = [VideoModality(column="c", **option).recipe for option in ({}, {"height": 9}, {"channels": 1}, {"stored": 9}, {"fit": "crop"})]
    assert len({str(name) for name in names}) == 5


def test_more_frames_than_are_stored_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^video modality: frames: 20 of the 16 that are stored; raise stored, or lower frames$"):
        VideoModality(column="c", frames=20)


def test_a_folder_without_a_size_is_not_an_empty_file(table: Build, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems give folders none."""
    name, stat = folder("a", 3), Path.stat
    monkeypatch.setattr(Path, "stat", lambda *given, **how: os.stat_result((*stat(*given, **how)[:6], 0, *stat(*given, **how)[7:])))
    rows = table(clip=[name, f"{name}/frame0.png"])
    modality = VideoModality(column="clip", stored=2, frames=2, height=2, width=2)
    assert modality.encode(rows)[1].tolist() == [True, False]
    assert [problem.found for problem in rows.bad] == ["'a/frame0.png' is empty"]


def test_clips_are_decoded_on_the_fly_as_a_store_would_hold_them(table: Build, folder: Folder) -> None:
    rows = table(clip=[folder("a", 30), "missing", folder("b", 2), None])
    modality = VideoModality(column="clip", stored=8, height=2, width=2).eval()
    settings = Settings("clips", cache_limit_gb=1e-9, on_bad="absent")
    live = open_live(modality, rows, settings)
    assert live is not None
    assert live.present.tolist() == [True, False, True, False]
    arrays, _ = modality.encode(rows)
    found = live.at(np.array([2, 1, 0]))
    assert found.present.tolist() == [True, False, True]
    collated = modality.collate(cast(Any, found.arrays), found.places)
    np.testing.assert_array_equal(collated.frames[2].permute(0, 2, 3, 1).flatten(), arrays["frames"][0])
    assert collated.mask.sum(1).tolist() == [2, 0, 8]
