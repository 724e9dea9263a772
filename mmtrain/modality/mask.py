"""Pictures whose pixels are numbers: which class is seen in each place of another picture."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from mmtrain.modality.cell import UnreadableError
from mmtrain.modality.placed import placed

NUMBERS = ("1", "L", "P", "I", "I;16")  # Pillow's modes of one whole number a pixel


def read_mask(file: Path | BytesIO, name: str, shape: tuple[int, ...], *, fit: str) -> np.ndarray:
    """The numbers of a grey picture, or of the colours of one with a palette, in this shape (height, width), int16.

    The mask is turned upright, stretched, padded or cropped as its picture is (`fit`), by the nearest pixel; padding is -1.
    `name` is what messages call the file.

    Raises:
        UnreadableError: it cannot be decoded, has colours without a palette, or numbers beyond 255.
    """
    try:
        with Pillow.open(file) as opened:
            mode, numbers = opened.mode, np.asarray(ImageOps.exif_transpose(opened))
    except UnidentifiedImageError:
        raise UnreadableError(f"{name} is not a picture of a known format") from None
    except Exception as error:  # on a broken file a decoder may raise anything
        raise UnreadableError(f"{name} cannot be decoded as a picture: {error}") from None
    if mode not in NUMBERS:
        raise UnreadableError(f"{name} has colours ({mode}), and a mask has a number a pixel: grey, or colours of a palette")
    if numbers.max(initial=0) > 255 or numbers.min(initial=0) < 0:
        raise UnreadableError(f"{name} has pixels from {numbers.min()} to {numbers.max()}, and classes are numbers from 0 to 255")
    return _resized(Pillow.fromarray(numbers.astype(np.uint8)), shape, fit)


def _resized(mask: Pillow.Image, shape: tuple[int, ...], fit: str) -> np.ndarray:
    height, width = shape
    box, inner = placed(mask.size, (width, height), fit)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    whole = np.full((height, width), -1, np.int16)
    whole[top : top + inner[1], left : left + inner[0]] = np.asarray(mask.resize(inner, Pillow.Resampling.NEAREST, box=box))
    return whole
