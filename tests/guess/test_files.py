"""Kinds of files, and the options that suit those at hand."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile
from PIL import Image

from mmtrain.guess.files import Found, content_of, files_of
from mmtrain.table import Table

COUNT = 5


def picture(path: Path, size: tuple[int, int] = (28, 20), mode: str = "RGB") -> None:
    Image.new(mode, size).save(path)


def sound(path: Path, rate: int = 8000, seconds: float = 0.5) -> None:
    soundfile.write(path, np.zeros(int(rate * seconds)), rate)


def found(folder: Path, suffix: str, write: Callable[[Path], object], *, absent: int = 0) -> Found | None:
    names = [f"{row}{suffix}" for row in range(COUNT)]
    for name in names[absent:]:
        write(folder / name)
    return files_of(Table(pl.DataFrame(), "t.csv", np.arange(0), folder), names)


def test_small_pictures_keep_their_size(tmp_path: Path) -> None:
    assert found(tmp_path, ".png", picture) == Found("image", "paths of .png files; 28 x 20 pixels, colour", {"height": 20, "width": 28})


def test_large_grey_pictures(tmp_path: Path) -> None:
    seen = "paths of .jpg files; 640 x 480 pixels, grey"
    assert found(tmp_path, ".jpg", lambda path: picture(path, (640, 480), "L")) == Found("image", seen, {"channels": 1})


def test_sounds_keep_their_rate_and_length(tmp_path: Path) -> None:
    assert found(tmp_path, ".wav", sound) == Found("audio", "paths of .wav files; 8,000 Hz, up to 0.5 s", {"sample_rate": 8000})
    long = found(tmp_path, ".flac", lambda path: sound(path, 16000, 12.5))
    assert long == Found("audio", "paths of .flac files; 16,000 Hz, up to 12.5 s", {"max_seconds": 13})


def test_arrays(tmp_path: Path) -> None:
    vector = found(tmp_path, ".npy", lambda path: np.save(path, np.zeros(7)))
    assert vector == Found("vector", "paths of .npy files; 7 numbers each")
    series = found(tmp_path, ".npy", lambda path: np.save(path, np.zeros((len(str(path)) + int(path.stem), 2))))
    assert series == Found("series", "paths of .npy files; arrays of several lengths")


def test_animations_and_folders_of_pictures_are_clips(tmp_path: Path) -> None:
    frames = [Image.new("L", (8, 8), grey) for grey in (0, 255)]
    assert found(tmp_path, ".gif", lambda path: frames[0].save(path, save_all=True, append_images=frames[1:])) == Found(
        "video", "paths of .gif files; animations", {"height": 8, "width": 8}
    )
    folder = tmp_path / "clips"
    for row in range(COUNT):
        (folder / str(row)).mkdir(parents=True)
        picture(folder / str(row) / "1.png")
    table = Table(pl.DataFrame(), "t.csv", np.arange(0), folder)
    assert files_of(table, [str(row) for row in range(COUNT)]) == Found("video", "folders of pictures, 5 of 5 looked for are there")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    some = found(tmp_path, ".png", picture, absent=2)
    assert some is not None
    assert (some.kind, some.absent) == ("image", True)
    assert some.seen.startswith("paths of .png files, 3 of 5 looked for are there; ")
    assert found(tmp_path, ".mp3", sound, absent=5) == Found("nothing", "paths of .mp3 files, but none of 5 that were looked for is there")


def test_broken_files_are_named_so(tmp_path: Path) -> None:
    assert found(tmp_path, ".png", lambda path: path.write_bytes(b"no")) == Found(
        "image", "paths of .png files; none of those opened is a picture"
    )
    assert found(tmp_path, ".wav", lambda path: path.write_bytes(b"no")) == Found(
        "audio", "paths of .wav files; none of those opened is a sound"
    )
    assert found(tmp_path, ".npy", lambda path: path.write_bytes(b"no")) == Found(
        "series", "paths of .npy files; none of those opened is an array"
    )


def test_files_of_several_kinds_are_for_no_one_modality(tmp_path: Path) -> None:
    table = Table(pl.DataFrame(), "t.csv", np.arange(0), tmp_path)
    assert files_of(table, ["a.png", "b.wav", "c.mp4"]) == Found("nothing", "paths of files of several kinds")


def test_words_are_no_paths(tmp_path: Path) -> None:
    table = Table(pl.DataFrame(), "t.csv", np.arange(0), tmp_path)
    assert files_of(table, ["a.png", "b", "c", "d\0", "e" * 5000]) is None


@pytest.mark.parametrize("kind", ["image", "audio", "vector", None])
def test_encoded_files(kind: str | None) -> None:
    file = BytesIO()
    if kind == "image":
        Image.new("RGB", (9, 9)).save(file, "webp")
    elif kind == "audio":
        soundfile.write(file, np.zeros(80), 8000, format="ogg")
    elif kind == "vector":
        np.save(file, np.zeros(3))
    else:
        file.write(b"something else")
    encoded = content_of([file.getvalue()] * COUNT)
    assert (encoded.kind if encoded else None) == kind
