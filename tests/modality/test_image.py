import io
import os
import struct
import zlib
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


def pixels(table: Table, channels: Any = 1, size: tuple[int, int] = (2, 2), **options: Any) -> np.ndarray:
    """Channels last, of the first row."""
    arrays, present = ImageModality(column="image", height=size[0], width=size[1], channels=channels, **options).encode(table)
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


def test_fractions_are_scaled(table: Build) -> None:
    fractions = Pillow.fromarray(GREYS.astype(np.float32) / 255)
    np.testing.assert_array_equal(pixels(table(image=[encoded(fractions, "TIFF")]))[..., 0], GREYS)


def test_inks_become_colours(table: Build) -> None:
    inks = np.array([[[0, 255, 255, 0], [255, 0, 255, 0]], [[255, 255, 0, 0], [0, 0, 0, 255]]], np.uint8)
    found = pixels(table(image=[encoded(Pillow.fromarray(inks, "CMYK"), "TIFF")]), 3)
    np.testing.assert_array_equal(found, [[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [0, 0, 0]]])


def test_transparent_grey_is_laid_on_white(table: Build) -> None:
    cases: list[tuple[Pillow.Image, dict[str, Any]]] = [
        (Pillow.fromarray(np.stack([GREYS, [[255, 255], [255, 0]]], 2).astype(np.uint8), "LA"), {}),
        (Pillow.fromarray(GREYS), {"transparency": 255}),
        (Pillow.fromarray(GREYS > 200).convert("1"), {"transparency": 0}),
    ]
    for picture, options in cases:
        found = pixels(table(image=[encoded(picture, **options)]))[..., 0]
        np.testing.assert_array_equal(found, GREYS if picture.mode != "1" else np.full((2, 2), 255))


@pytest.mark.parametrize("fit", ["stretch", "pad", "crop"])
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2), (1200, 900)])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_any_size_and_mode_keeps_one_grey(table: Build, mode: str, size: tuple[int, int], fit: str) -> None:
    """White stays white, whatever is stretched, padded or cut away."""
    white = Pillow.new(mode, size, 65535 if mode == "I;16" else "white")
    assert (pixels(table(image=[encoded(white, compress_level=1)]), 3, (6, 4), fit=fit) == 255).all()


def test_padding_keeps_the_proportions(table: Build) -> None:
    rows = table(image=[encoded(Pillow.fromarray(np.zeros((4, 8), np.uint8)))])
    found = pixels(rows, size=(8, 8), fit="pad")[..., 0]
    assert (found[2:6] == 0).all()
    assert (found[[0, 1, 6, 7]] == 255).all()
    clear = pixels(rows, 4, (8, 8), fit="pad")
    assert (clear[2:6] == [0, 0, 0, 255]).all()
    assert not clear[[0, 1, 6, 7]].any()


def test_cropping_keeps_the_middle(table: Build) -> None:
    wide = np.repeat(np.array([[10, 20, 30, 40]], np.uint8), 2, 0)
    np.testing.assert_array_equal(pixels(table(image=[encoded(Pillow.fromarray(wide))]), fit="crop")[..., 0], [[20, 30]] * 2)
    np.testing.assert_array_equal(pixels(table(image=[encoded(Pillow.fromarray(wide.T.copy()))]), fit="crop")[..., 0], [[20] * 2, [30] * 2])


def test_how_it_fits_names_the_store() -> None:
    recipes = [ImageModality(column="image", fit=fit).recipe for fit in ("stretch", "pad", "crop")]
    assert [recipe["fit"] for recipe in recipes] == ["stretch", "pad", "crop"]


def empty_png(width: int, height: int) -> bytes:
    """A grey picture that says how large it is, and stops."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + struct.pack(">I", 10) + b"IDAT"


def test_a_bomb_is_a_bad_cell(table: Build) -> None:
    """Many pixels are no mistake, nor worth Pillow's warning (an error here); so many that they would fill the memory are."""
    rows = table(image=[empty_png(10_000, 9_000), empty_png(100_000, 100_000)])
    _, present = ImageModality(column="image").encode(rows)
    assert not present.any()
    assert "cannot be decoded as a picture: image file is truncated" in rows.bad[0].found
    assert rows.bad[1].found.endswith("has more than 178,956,970 pixels; make it smaller")


def test_sloppy_metadata_is_read_over(table: Build) -> None:
    rows = table(image=[encoded(Pillow.fromarray(GREYS), "JPEG", quality=100, exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01")])
    np.testing.assert_allclose(pixels(rows)[..., 0], GREYS, atol=3)


@pytest.mark.skipif("MMTRAIN_DATA" not in os.environ, reason="MMTRAIN_DATA names no folder of real data")
@pytest.mark.parametrize("pattern", ["grocery/**/*.jpg", "omniglot_pen/**/*.png", "openmoji/**/*.png"])
def test_real_pictures_are_read(table: Build, pattern: str) -> None:
    files = sorted(map(str, Path(os.environ["MMTRAIN_DATA"]).glob(pattern)))[::50][:20]
    assert files
    for fit in ("stretch", "pad", "crop"):
        rows = table(image=files)
        arrays, present = ImageModality(column="image", fit=fit, height=24, width=32).encode(rows)
        assert present.all() and rows.bad == []
        assert (np.ptp(np.asarray(arrays["pixels"]).reshape(len(files), -1), 1) > 50).all()


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
        (encoded(Pillow.new("F", (2, 2), 1.5), "TIFF"), "'broken.png' holds fractions outside 0 to 1, from 1.5 to 1.5"),
        (encoded(Pillow.new("F", (2, 2), float("nan")), "TIFF"), "'broken.png' holds fractions outside 0 to 1, from nan to nan"),
        (encoded(Pillow.new("I", (2, 2), 70000), "TIFF"), "pixels of more than 16 bits, from 70000 to 70000"),
    ],
    ids=["missing", "empty", "text", "truncated", "float", "nan", "deep"],
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
