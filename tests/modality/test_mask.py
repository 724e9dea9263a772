from io import BytesIO
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from PIL import Image as Pillow

from mmtrain.modality import ImageModality
from mmtrain.modality.cell import UnreadableError
from mmtrain.modality.mask import read_mask
from mmtrain.table import Table


def encoded(picture: Pillow.Image, form: str = "png", **options: object) -> BytesIO:
    file = BytesIO()
    picture.save(file, form, **options)
    file.seek(0)
    return file


def read(picture: Pillow.Image, shape: tuple[int, int] = (2, 3), *, fit: str = "stretch") -> np.ndarray:
    return read_mask(encoded(picture), "the mask", shape, fit=fit)


NUMBERS = np.array([[0, 7, 255], [2, 2, 1]], np.uint8)


def test_numbers_come_back_as_they_are() -> None:
    assert_array_equal(read(Pillow.fromarray(NUMBERS)), NUMBERS)
    coloured = Pillow.fromarray(NUMBERS)
    coloured.putpalette([value for number in range(256) for value in (255 - number, 9, number // 2)])
    assert coloured.mode == "P"
    assert_array_equal(read(coloured), NUMBERS)
    assert_array_equal(read(Pillow.fromarray(NUMBERS.astype(np.uint16))), NUMBERS)
    assert_array_equal(read(Pillow.fromarray(NUMBERS > 1)), NUMBERS > 1)


def test_no_number_is_made_up_between_two() -> None:
    small = np.kron([[0, 9], [4, 0]], np.ones((5, 5))).astype(np.uint8)
    assert set(np.unique(read(Pillow.fromarray(small), (7, 13)))) == {0, 4, 9}
    assert_array_equal(read(Pillow.fromarray(small), (2, 2)), [[0, 9], [4, 0]])


@pytest.mark.parametrize("fit", ["stretch", "pad", "crop"])
@pytest.mark.parametrize("shape", [(16, 16), (30, 18), (10, 40)])
def test_it_lies_as_its_picture_does(fit: Any, shape: tuple[int, int]) -> None:
    """A white box in a black picture that is both: pixels that are wholly one or the other agree, and padding is neither."""
    drawn = np.zeros((24, 40), np.uint8)
    drawn[4:20, 8:24] = 255
    picture = encoded(Pillow.fromarray(drawn)).getvalue()
    frame = pl.DataFrame({"photo": [picture, None], "mask": [picture, None]}, schema={"photo": pl.Binary, "mask": pl.Binary})
    table = Table(frame, "rows.parquet", np.arange(1, 3))
    modality = ImageModality(column="photo", height=shape[0], width=shape[1], channels=1, fit=fit)
    pixels = modality.encode(table)[0]["pixels"]
    mask, there = modality.masks(table, "mask")
    assert there.tolist() == [True, False]
    assert not table.bad
    shown, inside = np.asarray(pixels[0])[..., 0], mask[0] >= 0
    sure = inside & ((shown == 0) | (shown == 255))
    assert sure.mean() > 0.2
    assert_array_equal(mask[0][sure], shown[sure])
    assert inside.all() == (fit != "pad")
    assert (shown[~inside] == 255).all()  # pictures are padded with white


def test_it_is_turned_upright() -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 3  # upside down
    file = encoded(Pillow.fromarray(NUMBERS), exif=exif)
    assert_array_equal(read_mask(file, "the mask", (2, 3), fit="stretch"), NUMBERS[::-1, ::-1])


def test_what_is_no_mask() -> None:
    for picture, found in (
        (Pillow.new("RGB", (2, 2)), r"the mask has colours \(RGB\)"),
        (Pillow.new("LA", (2, 2)), r"the mask has colours \(LA\)"),
        (Pillow.fromarray(np.array([[3, 300]], np.uint16)), "the mask has pixels from 3 to 300"),
    ):
        with pytest.raises(UnreadableError, match=found):
            read(picture)
    with pytest.raises(UnreadableError, match="the mask is not a picture of a known format"):
        read_mask(BytesIO(b"text"), "the mask", (2, 2), fit="stretch")
    whole = encoded(Pillow.fromarray(np.random.default_rng(0).integers(0, 9, (64, 64)).astype(np.uint8))).getvalue()
    with pytest.raises(UnreadableError, match="the mask cannot be decoded as a picture"):
        read_mask(BytesIO(whole[:500]), "the mask", (2, 2), fit="stretch")
