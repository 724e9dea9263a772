"""Pictures: decoded by Pillow, resized, stored as bytes."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError
from torch import nn

from mmtrain.batch import Image
from mmtrain.modality.cell import UnreadableError, describe, encoded_file, filled_cells
from mmtrain.modality.protocol import Fixed
from mmtrain.option import Column, Count
from mmtrain.spec import ImageSpec
from mmtrain.table import Table

MODES = {1: "L", 3: "RGB", 4: "RGBA"}


class ImageModality(nn.Module):
    """A picture a row, given as a path or as the encoded file.

    Every picture is turned upright (EXIF), brought to `channels` (1 grey, 3 colour, 4 colour and opacity) and resized to
    `height` x `width` pixels by antialiased bilinear filtering. With 1 or 3 channels, what is transparent is laid on
    white. Of an animation the first frame is taken. Calling it gives pixels from -1 to 1.
    """

    kind: ClassVar[str] = "image"
    files: ClassVar[bool] = True

    def __init__(self, *, column: Column, height: Count = 64, width: Count = 64, channels: Literal[1, 3, 4] = 3) -> None:
        super().__init__()
        self.column = column
        self.height, self.width, self.channels = height, width, channels

    @property
    def columns(self) -> list[str]:
        """The one column that holds the pictures."""
        return [self.column]

    @property
    def recipe(self) -> dict[str, Any]:
        """The options that `encode` depends on."""
        return {"height": self.height, "width": self.width, "channels": self.channels}

    @property
    def spec(self) -> ImageSpec:
        """Size of the resized pictures."""
        return ImageSpec(self.channels, self.height, self.width)

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
                pixels[row] = self._pixels(table, cell)
                present[row] = True
            except UnreadableError as error:
                table.reject(row, self.column, str(error))
        return {"pixels": pixels}, present

    def _pixels(self, table: Table, cell: str | bytes) -> np.ndarray:
        file = encoded_file(table, cell)
        try:
            with Pillow.open(file) as picture:
                # A JPEG decodes faster at a fraction of its size; twice what is asked for loses nothing that can be seen.
                side = 2 * max(self.height, self.width)
                picture.draft(None, (side, side))
                upright = ImageOps.exif_transpose(picture)
        except UnidentifiedImageError:
            raise UnreadableError(f"{describe(cell)} is not a picture of a known format") from None
        except Exception as error:  # on a broken file a decoder may raise anything
            raise UnreadableError(f"{describe(cell)} cannot be decoded as a picture: {error}") from None
        resized = _resized(_eight_bits(upright, cell), (self.width, self.height), MODES[self.channels])
        return np.asarray(resized).reshape(self.height, self.width, self.channels)

    def collate(self, stored: Mapping[str, Fixed], rows: np.ndarray) -> Image:
        """Pixels as stored, (K, channels, height, width) uint8, channels last in memory."""
        return Image(torch.from_numpy(stored["pixels"].take(rows)).permute(0, 3, 1, 2))

    def forward(self, inputs: Image) -> Image:
        """Bytes to floats from -1 to 1."""
        return Image(inputs.pixels.float() / 127.5 - 1)


def _eight_bits(picture: Pillow.Image, cell: str | bytes) -> Pillow.Image:
    """Bring 16 bits of grey down to 8, by scale: Pillow's own conversion cuts bright values off."""
    if picture.mode != "F" and not picture.mode.startswith("I"):
        return picture
    grey = np.asarray(picture)
    if picture.mode == "F" or grey.min() < 0 or grey.max() > 65535:
        raise UnreadableError(f"{describe(cell)} holds pixels of more than 16 bits, from {grey.min()} to {grey.max()}")
    return Pillow.fromarray((grey.astype(np.float32) / 257).round().astype(np.uint8))


def _resized(picture: Pillow.Image, size: tuple[int, int], mode: str) -> Pillow.Image:
    if picture.has_transparency_data:
        # Colours weighted by opacity, so that what an invisible pixel hides does not bleed into its neighbours.
        weighted = picture.convert("RGBA").convert("RGBa").resize(size, Pillow.Resampling.BILINEAR)
        picture = weighted.convert("RGBA")
        if mode == "RGBA":
            return picture
        return Pillow.alpha_composite(Pillow.new("RGBA", size, "white"), picture).convert(mode)
    return picture.convert(mode).resize(size, Pillow.Resampling.BILINEAR)
