"""Pictures: decoded by Pillow, resized, stored as bytes."""

import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError
from torch import nn

from mmtrain.batch import Image
from mmtrain.modality.cell import UnreadableError, describe, encoded_file, filled_cells
from mmtrain.modality.mask import read_mask
from mmtrain.modality.placed import placed
from mmtrain.modality.protocol import Fixed
from mmtrain.option import Column, Count
from mmtrain.spec import ImageSpec
from mmtrain.table import Table

MODES = {1: "L", 3: "RGB", 4: "RGBA"}


class ImageModality(nn.Module):
    """A picture a row, given as a path or as the encoded file.

    Every picture is turned upright (EXIF), brought to `channels` (1 grey, 3 colour, 4 colour and opacity) and resized to
    `height` x `width` pixels by antialiased bilinear filtering. Where the sides are in another proportion, `fit` says what happens:
    `stretch` lets it go, `pad` shrinks the picture into the middle of nothing, `crop` cuts the middle out. With 1 or 3 channels,
    what is transparent, as padding is, is laid on white. Of an animation the first frame is taken. Calling it gives
    pixels from -1 to 1.
    """

    kind: ClassVar[str] = "image"
    files: ClassVar[bool] = True

    def __init__(
        self,
        *,
        column: Column,
        height: Count = 64,
        width: Count = 64,
        channels: Literal[1, 3, 4] = 3,
        fit: Literal["stretch", "pad", "crop"] = "stretch",
    ) -> None:
        super().__init__()
        self.column, self.fit_by = column, fit
        self.height, self.width, self.channels = height, width, channels
        # Of many pixels and sloppy metadata, in files that it reads all the same. Not around each file: threads share the filters.
        warnings.filterwarnings("ignore", module=r"PIL\.")

    @property
    def columns(self) -> list[str]:
        """The one column that holds the pictures."""
        return [self.column]

    @property
    def recipe(self) -> dict[str, Any]:
        """The options that `encode` depends on."""
        return {"height": self.height, "width": self.width, "channels": self.channels, "fit": self.fit_by}

    @property
    def spec(self) -> ImageSpec:
        """Size of the resized pictures."""
        return ImageSpec(self.channels, self.height, self.width)

    @property
    def most_bytes(self) -> int:
        """Of a stored row."""
        return self.height * self.width * self.channels

    def fit(self, table: Table) -> None:
        """Nothing to learn: pixels are scaled by a constant."""

    def state(self) -> dict[str, Any]:
        """Nothing was learned."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Nothing to restore."""

    def encode(self, table: Table) -> tuple[dict[str, np.ndarray | list[np.ndarray]], np.ndarray]:
        """`pixels` (n, height, width, channels) uint8; channels last, as decoders give them and convolutions like them."""
        pixels = np.zeros((len(table), self.height, self.width, self.channels), np.uint8)
        present = np.zeros(len(table), bool)
        for row, cell in filled_cells(table, self.column):
            try:
                pixels[row] = read_picture(encoded_file(table, cell), describe(cell), pixels.shape[1:], fit=self.fit_by)
                present[row] = True
            except UnreadableError as error:
                table.reject(row, self.column, str(error))
        return {"pixels": pixels}, present

    def masks(self, table: Table, column: str) -> tuple[np.ndarray, np.ndarray]:
        """Pictures that number the pixels of these ones, brought into the same shape: (n, height, width) int16, -1 where padding is,
        and which rows have one. A cell that is none is rejected."""
        pixels = np.zeros((len(table), self.height, self.width), np.int16)
        present = np.zeros(len(table), bool)
        for row, cell in filled_cells(table, column):
            try:
                pixels[row] = read_mask(encoded_file(table, cell), describe(cell), pixels.shape[1:], fit=self.fit_by)
                present[row] = True
            except UnreadableError as error:
                table.reject(row, column, str(error))
        return pixels, present

    def collate(self, stored: Mapping[str, Fixed], rows: np.ndarray) -> Image:
        """Pixels as stored, (K, channels, height, width) uint8, channels last in memory."""
        return Image(torch.from_numpy(stored["pixels"].take(rows)).permute(0, 3, 1, 2))

    def forward(self, inputs: Image) -> Image:
        """Bytes to floats from -1 to 1."""
        return Image(inputs.pixels.float() / 127.5 - 1)


def read_picture(file: Path | BytesIO, name: str, shape: tuple[int, ...], *, fit: str = "stretch") -> np.ndarray:
    """A picture, upright, of this shape (height, width, channels), uint8; `name` is what messages call the file.

    Raises:
        UnreadableError: it cannot be decoded.
    """
    try:
        with Pillow.open(file) as picture:
            # A JPEG decodes faster at a fraction of its size; twice what is asked for loses nothing that can be seen.
            side = 2 * max(shape[:2])
            picture.draft(None, (side, side))
            upright = ImageOps.exif_transpose(picture)
    except UnidentifiedImageError:
        raise UnreadableError(f"{name} is not a picture of a known format") from None
    except Pillow.DecompressionBombError:
        raise UnreadableError(f"{name} has more than {2 * (Pillow.MAX_IMAGE_PIXELS or 0):,} pixels; make it smaller") from None
    except Exception as error:  # on a broken file a decoder may raise anything
        raise UnreadableError(f"{name} cannot be decoded as a picture: {error}") from None
    return resized(upright, name, shape, fit=fit)


def resized(picture: Pillow.Image, name: str, shape: tuple[int, ...], *, fit: str = "stretch") -> np.ndarray:
    """A decoded picture in this shape (height, width, channels), uint8.

    Raises:
        UnreadableError: its pixels have more than 16 bits, or colours of a kind that cannot be converted.
    """
    height, width, channels = shape
    try:
        return np.asarray(_resized(_eight_bits(picture, name), (width, height), MODES[channels], fit)).reshape(shape)
    except ValueError as error:
        raise UnreadableError(f"{name} cannot be brought to {channels} channels: {error}") from None


def _eight_bits(picture: Pillow.Image, name: str) -> Pillow.Image:
    """Bring 16 bits of grey, or fractions from 0 to 1, to 8 bits, by scale: Pillow's own conversion cuts bright values off."""
    if picture.mode != "F" and not picture.mode.startswith("I"):
        return picture
    grey = np.asarray(picture)
    low, high, white = grey.min(), grey.max(), 1 if picture.mode == "F" else 65535
    if not (low >= 0 and high <= white):  # so that NaN is refused, too
        found = "fractions outside 0 to 1" if picture.mode == "F" else "pixels of more than 16 bits"
        raise UnreadableError(f"{name} holds {found}, from {low} to {high}")
    return Pillow.fromarray((grey.astype(np.float32) * (255 / white)).round().astype(np.uint8))


def _resized(picture: Pillow.Image, size: tuple[int, int], mode: str, fit: str) -> Pillow.Image:
    box, inner = placed(picture.size, size, fit)
    transparent = picture.has_transparency_data
    # Colours weighted by opacity, so that what an invisible pixel hides does not bleed into its neighbours.
    source = picture.convert("RGBA").convert("RGBa") if transparent else picture.convert(mode)
    done = source.resize(inner, Pillow.Resampling.BILINEAR, box=box)
    if transparent:
        done = done.convert("RGBA")
        if mode != "RGBA":
            done = Pillow.alpha_composite(Pillow.new("RGBA", inner, "white"), done).convert(mode)
    if inner == size:
        return done
    whole = Pillow.new(mode, size, (0, 0, 0, 0) if mode == "RGBA" else "white")
    whole.paste(done, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
    return whole
