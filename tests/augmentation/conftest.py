"""Every augmentation, with rows of its kind."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mmtrain.augmentation import audio, image, series, tabular, text
from mmtrain.batch import Image, Series, Spectrogram, Tabular, Text
from mmtrain.spec import AudioSpec, ImageSpec, SeriesSpec, TabularSpec, TextSpec

LENGTHS = (12, 1, 7, 9)  # of the rows of a sound, a text or a series


@dataclass(frozen=True)
class Case:
    """`build(**options)` an augmentation, of which `off` are the options that leave rows as they are, where there are such;
    `rows(noise)` for it, with something else than 0 where nothing should be read."""

    build: Callable[..., nn.Module]
    rows: Callable[..., Any]
    off: dict[str, Any] | None


def random(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def lengths() -> Tensor:
    return torch.arange(max(LENGTHS) + 2) < torch.tensor(LENGTHS)[:, None]


def pictures(noise: float = 0.0, channels: int = 3) -> Image:
    return Image(random(4, channels, 9, 12) * 2 - 1)


def frames(noise: float = 0.0) -> Spectrogram:
    mask = lengths()
    return Spectrogram(torch.where(mask[:, :, None], 5 * random(*mask.shape, 6), noise), mask)


def words(noise: float = 0.0) -> Text:
    mask = lengths()
    ids = torch.where(mask, (random(*mask.shape) * 50).long() + 1, 0 if noise == 0 else 10**9)
    return Text(
        ids, mask, torch.where(mask[:, :, None], ids[:, :, None] + torch.arange(3), 0 if noise == 0 else 10**9), mask.cumsum(1) * mask
    )


def cells(noise: float = 0.0) -> Tabular:
    known = torch.tensor([[True, True, True], [True, False, True], [False, False, False], [False, True, True]])
    return Tabular(torch.where(known, random(4, 3), noise), known, torch.tensor([[0, 2], [1, 4], [3, 0], [2, 1]]))


def steps(noise: float = 0.0) -> Series:
    mask = lengths()
    known = mask[:, :, None] & (random(*mask.shape, 2) > 0.2)
    return Series(torch.where(known, random(*mask.shape, 2), noise), known, mask)


OFF = {"crop": 0, "flip": 0}
CASES = {
    "image.Standard": Case(
        lambda **options: image.Standard(
            ImageSpec(3, 9, 12), **{"window": 0.5, "rotation": 20, "shear": 5, "brightness": 0.2, "hue": 9, "erase": 0.5} | options
        ),
        pictures,
        {**OFF, "window": 1.0, "rotation": 0, "shear": 0, "brightness": 0, "hue": 0, "erase": 0},
    ),
    "image.Standard grey": Case(
        lambda **options: image.Standard(ImageSpec(1, 9, 12), **{"contrast": 0.5, "saturation": 0.5} | options),
        lambda noise=0.0: pictures(channels=1),
        {**OFF, "contrast": 0, "saturation": 0},
    ),
    "image.RandAugment": Case(
        lambda **options: image.RandAugment(ImageSpec(4, 9, 12), **options),
        lambda noise=0.0: pictures(channels=4),
        None,
    ),
    "audio.Standard": Case(
        lambda **options: audio.Standard(AudioSpec(6), **options),
        frames,
        {"gain": 0, "shift": 0, "time_masks": 0, "frequency_masks": 0},
    ),
    "text.Standard": Case(lambda **options: text.Standard(TextSpec(60), **{"removal": 0.4} | options), words, {"removal": 0.0}),
    "tabular.Standard": Case(
        lambda **options: tabular.Standard(TabularSpec(3, (4, 5)), **options),
        cells,
        {"noise": 0, "dropout": 0},
    ),
    "series.Standard": Case(
        lambda **options: series.Standard(SeriesSpec(2), **options),
        steps,
        {"window": 1.0, "scale": 0, "noise": 0, "gap": 0},
    ),
}  # fmt: skip


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]
