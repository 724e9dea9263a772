"""Every encoder of the configuration, with inputs of its kind."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mmtrain.batch import Image, Spectrogram, Tabular, Text
from mmtrain.encoder import audio, image, tabular, text
from mmtrain.spec import AudioSpec, ImageSpec, TabularSpec, TextSpec

BANDS, WORDS = 10, 9
LENGTHS = (11, 1, 6, 3)  # of the rows of a text or a sound


@dataclass(frozen=True)
class Case:
    """How to build an encoder, and four rows for it.

    `rows(pad, noise)`: with `pad` places of padding behind the longest row, and something random where nothing should be read.
    """

    build: Callable[..., nn.Module]
    rows: Callable[..., Any]


def _noise(like: Tensor, noise: float | None) -> Tensor:
    return torch.zeros_like(like) if noise is None else torch.full_like(like, noise)


def _mask(pad: int) -> Tensor:
    return torch.arange(max(LENGTHS) + pad) < torch.tensor(LENGTHS)[:, None]


def pictures(pad: int = 0, noise: float | None = None) -> Image:
    return Image(torch.rand(4, 3, 13, 10, generator=torch.Generator().manual_seed(1)) * 2 - 1)


def words(pad: int = 0, noise: float | None = None) -> Text:
    mask = _mask(pad)
    ids = torch.zeros(mask.shape, dtype=torch.int64)
    ids[mask] = torch.randint(1, WORDS, (sum(LENGTHS),), generator=torch.Generator().manual_seed(1))
    return Text(ids if noise is None else torch.where(mask, ids, 10**9), mask, torch.zeros(*mask.shape, 0, dtype=torch.int64))


def frames(pad: int = 0, noise: float | None = None) -> Spectrogram:
    mask = _mask(pad)
    bands = torch.zeros(*mask.shape, BANDS)
    bands[mask] = torch.rand(sum(LENGTHS), BANDS, generator=torch.Generator().manual_seed(1)) * 5
    return Spectrogram(torch.where(mask[:, :, None], bands, _noise(bands, noise)), mask)


def cells(pad: int = 0, noise: float | None = None) -> Tabular:
    numeric = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    known = torch.tensor([[True, True, True], [True, False, True], [False, False, False], [False, True, True]])
    return Tabular(torch.where(known, numeric, _noise(numeric, noise)), known, torch.tensor([[0, 2], [1, 4], [3, 0], [2, 1]]))


IMAGE, TEXT, AUDIO, TABLE = ImageSpec(3, 13, 10), TextSpec(WORDS), AudioSpec(BANDS), TabularSpec(3, (4, 5))

CASES = {
    "image.CNN": Case(lambda **options: image.CNN(IMAGE, channels=4, **options), pictures),
    "image.CNN deep": Case(lambda **options: image.CNN(IMAGE, channels=2, layers=6, grid=2, **options), pictures),
    "text.Bag": Case(lambda **options: text.Bag(TEXT, **options), words),
    "text.Bag narrow": Case(lambda **options: text.Bag(TEXT, embedding_dim=5, **options), words),
    "text.GRU": Case(lambda **options: text.GRU(TEXT, embedding_dim=6, hidden=8, **options), words),
    "text.GRU forward": Case(lambda **options: text.GRU(TEXT, hidden=8, layers=2, bidirectional=False, **options), words),
    "text.GRU deep": Case(lambda **options: text.GRU(TEXT, hidden=8, layers=2, **options), words),
    "audio.CNN": Case(lambda **options: audio.CNN(AUDIO, channels=4, **options), frames),
    "audio.CNN deep": Case(lambda **options: audio.CNN(AUDIO, channels=2, layers=6, **options), frames),
    "tabular.MLP": Case(lambda **options: tabular.MLP(TABLE, hidden=16, **options), cells),
    "tabular.MLP plain": Case(lambda **options: tabular.MLP(TABLE, hidden=16, frequencies=None, **options), cells),
    "tabular.MLP categories": Case(
        lambda **options: tabular.MLP(TabularSpec(0, (4, 5)), **options),
        lambda **given: Tabular(cells().numeric[:, :0], cells().known[:, :0], cells().categorical),
    ),
    "tabular.MLP numbers": Case(
        lambda **options: tabular.MLP(TabularSpec(3, ()), **options),
        lambda pad=0, noise=None: Tabular(cells(pad, noise).numeric, cells().known, cells().categorical[:, :0]),
    ),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]
