import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from mmtrain.modality import ImageModality, Modality
from mmtrain.spec import ImageSpec
from mmtrain.table import Table

Build = Callable[..., Table]

GREYS = np.array([[0, 85], [170, 255]], np.uint8)
COLOURS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 90, 200]]], np.uint8)


def encoded(picture: Pillow.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def pixels(table: Table, channels: Any = 1, size: tuple[int, int] = (2, 2)) -> np.ndarray:
    """Channels last, of the first row."""
    arrays, present = ImageModality(column="image", height=size[0], width=size[1], channels=channels).encode(table)
    assert table.bad == []
    assert present.all()
    return np.asarray(arrays["pixels"])[0]


def test_grey_is_kept_or_spread(table: Build) -> None:
    rows = table(image=[encoded(Pillow.fromarray(GREYS))])
    np.testing.assert_array_equal(pixels(rows)[..., 0], GREYS)
    np.testing.assert_array_equal(pixels(rows, 3), np.repeat(GREYS[..., None], 3, 2))
    np.testing.assert_array_equal(pixels(rows, 4)[..., 3], 255)


def test_colour_is_kept_or_weighed(table: Build) -> None:
    rows = table(image=[encoded(Pillow.fromarray(COLOURS))])
    np.testing.assert_array_equal(pixels(rows, 3), COLOURS)
    luma = COLOURS @ np.array([0.299, 0.587, 0.114])  # ITU-R 601-2
    np.testing.assert_allclose(pixels(rows)[..., 0], luma, atol=1)


def test_one_bit_is_black_and_white(table: Build) -> None:
    bits = Pillow.fromarray(GREYS).point(lambda grey: 255 * (grey > 100)).convert("1")
    np.testing.assert_array_equal(pixels(table(image=[encoded(bits)]))[..., 0], [[0, 0], [255, 255]])


def test_sixteen_bits_are_scaled_not_cut(table: Build) -> None:
    deep = Pillow.fromarray(GREYS.astype(np.uint16) * 257)
    np.testing.assert_array_equal(pixels(table(image=[encoded(deep)]))[..., 0], GREYS)
    np.testing.assert_array_equal(pixels(table(image=[encoded(deep)]), 3)[..., 1], GREYS)


def test_a_palette_gives_its_colours(table: Build) -> None:
    for form in ("PNG", "GIF"):
        picture = Pillow.fromarray(COLOURS).convert("P", palette=Pillow.Palette.ADAPTIVE)
        np.testing.assert_allclose(pixels(table(image=[encoded(picture, form)]), 3), COLOURS, atol=2)


def test_a_transparent_palette_entry_is_laid_on_white(table: Build) -> None:
    picture = Pillow.fromarray(GREYS // 85).convert("P")
    picture.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120])
    found = pixels(table(image=[encoded(picture, transparency=1)]), 3)
    np.testing.assert_array_equal(found, [[[10, 20, 30], [255, 255, 255]], [[70, 80, 90], [100, 110, 120]]])


def test_transparency_is_laid_on_white_or_kept(table: Build) -> None:
    opacity = np.array([[255, 0], [128, 255]], np.uint8)[..., None]
    rows = table(image=[encoded(Pillow.fromarray(np.concatenate([COLOURS, opacity], 2)))])
    white = (COLOURS * (opacity / 255) + 255 * (1 - opacity / 255)).round()
    np.testing.assert_allclose(pixels(rows, 3), white, atol=2)
    kept = pixels(rows, 4)
    np.testing.assert_array_equal(kept[..., 3:], opacity)
    np.testing.assert_allclose(kept[opacity[..., 0] > 0][:, :3], COLOURS[opacity[..., 0] > 0], atol=2)


def test_what_an_invisible_pixel_hides_changes_nothing(table: Build) -> None:
    hidden, plain = np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8)
    hidden[:, :2, :3], hidden[:, 2:] = 200, [7, 7, 7, 255]
    plain[:, 2:] = [7, 7, 7, 255]
    for channels in (1, 3, 4):
        found, expected = (pixels(table(image=[encoded(Pillow.fromarray(picture))]), channels) for picture in (hidden, plain))
        np.testing.assert_array_equal(found, expected)


def test_shrinking_averages_and_growing_blends(table: Build) -> None:
    stripes = np.tile(np.array([0, 200], np.uint8), (8, 4))
    found = pixels(table(image=[encoded(Pillow.fromarray(stripes))]))[..., 0]
    np.testing.assert_allclose(found, 100, atol=15)  # without antialiasing it would be 0 or 200
    grown = pixels(table(image=[encoded(Pillow.fromarray(GREYS[:1]))]), size=(1, 4))
    np.testing.assert_allclose(grown[0, :, 0], [0, 0.25 * 85, 0.75 * 85, 85], atol=1)


def test_a_picture_is_turned_upright(table: Build) -> None:
    orientation = Pillow.Exif()
    orientation[0x0112] = 6  # the camera was held upright: turn clockwise
    rows = table(image=[encoded(Pillow.fromarray(GREYS), exif=orientation)])
    np.testing.assert_array_equal(pixels(rows)[..., 0], np.rot90(GREYS, -1))


def test_other_colour_models_are_read(table: Build) -> None:
    for form, mode in (("JPEG", "CMYK"), ("JPEG", "YCbCr"), ("TIFF", "LAB"), ("PNG", "LA"), ("WEBP", "RGB"), ("BMP", "RGB")):
        arrays, present = ImageModality(column="image").encode(table(image=[encoded(Pillow.new(mode, (30, 20)), form)]))
        assert present.all() or mode == "LAB"
        assert np.asarray(arrays["pixels"]).shape == (1, 64, 64, 3)


def test_a_large_jpeg_looks_as_its_full_decoding(table: Build) -> None:
    """Decoding at a fraction of the size must not be seen."""
    ramp = np.linspace(0, 255, 640).astype(np.uint8)
    picture = Pillow.fromarray(np.broadcast_to(ramp, (480, 640)).copy())
    found = pixels(table(image=[encoded(picture, "JPEG", quality=95)]), size=(12, 16))[..., 0]
    full = picture.resize((16, 12), Pillow.Resampling.BILINEAR)
    np.testing.assert_allclose(found, np.asarray(full), atol=3)


def test_paths_start_at_the_root_with_either_slash(table: Build, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "ä.png").write_bytes(encoded(Pillow.fromarray(GREYS)))
    rows = table(image=["deep/ä.png", "deep\\ä.png", str(tmp_path / "deep" / "ä.png")])
    arrays, present = ImageModality(column="image", height=2, width=2, channels=1).encode(rows)
    assert present.all()
    assert (np.asarray(arrays["pixels"])[..., 0] == GREYS).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"rows.csv, row 2, column 'image': 'broken.png' does not exist \(looked for .*broken.png\)"),
        (b"", "'broken.png' is empty"),
        (b"These are words, not a picture.", "'broken.png' is not a picture of a known format"),
        (encoded(Pillow.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)))[:1000], "'broken.png' cannot be decoded"),
        (encoded(Pillow.new("F", (2, 2), 0.5), "TIFF"), "'broken.png' holds pixels of more than 16 bits, from 0.5 to 0.5"),
        (encoded(Pillow.new("I", (2, 2), 70000), "TIFF"), "pixels of more than 16 bits, from 70000 to 70000"),
    ],
    ids=["missing", "empty", "text", "truncated", "float", "deep"],
)
def test_what_cannot_be_read_is_told_and_absent(table: Build, tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "broken.png").write_bytes(content)
    rows = table(image=[None, "broken.png"])
    arrays, present = ImageModality(column="image").encode(rows)
    assert not present.any()
    assert not np.asarray(arrays["pixels"]).any()
    (problem,) = rows.bad
    with pytest.raises(ValueError, match=message):
        raise ValueError(str(problem))


def test_a_folder_is_no_picture(table: Build, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    rows = table(image=["photos", "null\0character"])
    ImageModality(column="image").encode(rows)
    assert "'photos' cannot be" in rows.bad[0].found
    assert "cannot be opened: embedded null" in rows.bad[1].found


def test_encoded_bytes_are_named_by_their_size(table: Build) -> None:
    rows = table(image=[b"no picture", b""])
    ImageModality(column="image").encode(rows)
    assert [problem.found for problem in rows.bad] == [
        "the file of 10 bytes in the cell is not a picture of a known format",
        "the file of 0 bytes in the cell is empty",
    ]


def test_pixels_become_floats_from_minus_one_to_one(table: Build, inputs: Callable[[Modality, Table], Any]) -> None:
    modality = ImageModality(column="image", height=2, width=2, channels=1)
    found = inputs(modality, table(image=[encoded(Pillow.fromarray(GREYS))])).pixels
    torch.testing.assert_close(found, torch.tensor([[[[-1, -1 / 3], [1 / 3, 1]]]]))
    assert modality.spec == ImageSpec(channels=1, height=2, width=2)


def test_a_batch_lies_channels_last(table: Build, inputs: Callable[[Modality, Table], Any]) -> None:
    found = inputs(ImageModality(column="image"), table(image=[encoded(Pillow.fromarray(COLOURS))] * 2)).pixels
    assert found.shape == (2, 3, 64, 64)
    assert found.is_contiguous(memory_format=torch.channels_last)
