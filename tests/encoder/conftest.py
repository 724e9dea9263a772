"""Every encoder of the configuration, with inputs of its kind."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mmtrain.batch import Image, Series, Spectrogram, Tabular, Text, Vector, Video
from mmtrain.encoder import audio, image, series, tabular, text, vector, video
from mmtrain.spec import AudioSpec, ImageSpec, SeriesSpec, TabularSpec, TextSpec, VectorSpec, VideoSpec

BANDS, WORDS, LETTERS = 10, 9, 7
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
    return Text(
        ids if noise is None else torch.where(mask, ids, 10**9), mask, torch.zeros(*mask.shape, 0, dtype=torch.int64), mask.cumsum(1) * mask
    )


def spelled(pad: int = 0, noise: float | None = None) -> Text:
    """The same words with up to four letters each."""
    text = words(pad, noise)
    letters = torch.zeros(*text.mask.shape, 4, dtype=torch.int64)
    drawn = torch.randint(1, LETTERS, (sum(LENGTHS), 4), generator=torch.Generator().manual_seed(1))
    letters[text.mask] = torch.where(torch.arange(4) <= (text.ids[text.mask] % 4)[:, None], drawn, 0)
    return Text(text.ids, text.mask, letters if noise is None else torch.where(text.mask[:, :, None], letters, 10**9), text.words)


@cache
def model_folder() -> str:
    """The configuration of a tiny model, as the hub would give it."""
    folder = Path(mkdtemp())
    sizes = {"vocab_size": WORDS, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    silent = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "initializer_range": 0.5}
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "max_position_embeddings": 64, **sizes, **silent}), "utf-8")
    return str(folder)


def huggingface(**options: Any) -> nn.Module:
    name = model_folder()
    return text.HuggingFace(TextSpec(WORDS, tokenizer=name), name=name, pretrained=False, **options)


def frames(pad: int = 0, noise: float | None = None) -> Spectrogram:
    mask = _mask(pad)
    bands = torch.zeros(*mask.shape, BANDS)
    bands[mask] = torch.rand(sum(LENGTHS), BANDS, generator=torch.Generator().manual_seed(1)) * 5
    return Spectrogram(torch.where(mask[:, :, None], bands, _noise(bands, noise)), mask)


def clips(pad: int = 0, noise: float | None = None) -> Video:
    mask = _mask(pad)
    shown = torch.zeros(*mask.shape, 3, 7, 6)
    shown[mask] = torch.rand(sum(LENGTHS), 3, 7, 6, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return Video(torch.where(mask[:, :, None, None, None], shown, _noise(shown, noise)), mask)


def steps(pad: int = 0, noise: float | None = None) -> Series:
    mask = _mask(pad)
    draw = torch.Generator().manual_seed(1)
    values, known = torch.zeros(*mask.shape, 2), torch.zeros(*mask.shape, 2, dtype=torch.bool)
    values[mask], known[mask] = torch.randn(sum(LENGTHS), 2, generator=draw), torch.rand(sum(LENGTHS), 2, generator=draw) > 0.3
    return Series(torch.where(known, values, _noise(values, noise)), known, mask)


def vectors(pad: int = 0, noise: float | None = None) -> Vector:
    return Vector(torch.randn(4, 5, generator=torch.Generator().manual_seed(1)))


def cells(pad: int = 0, noise: float | None = None) -> Tabular:
    numeric = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    known = torch.tensor([[True, True, True], [True, False, True], [False, False, False], [False, True, True]])
    return Tabular(torch.where(known, numeric, _noise(numeric, noise)), known, torch.tensor([[0, 2], [1, 4], [3, 0], [2, 1]]))


IMAGE, TEXT, AUDIO, TABLE = ImageSpec(3, 13, 10), TextSpec(WORDS), AudioSpec(BANDS), TabularSpec(3, (4, 5))
SPELLED = TextSpec(WORDS, LETTERS)

CLIP, PICTURE = VideoSpec(11, 3, 7, 6), partial(image.CNN, out_dim=8, channels=2, layers=1, grid=2)
FRAMES: Any = partial(video.Frames, CLIP, image=PICTURE, heads=2)

CASES = {
    "image.CNN": Case(lambda **options: image.CNN(IMAGE, channels=4, **options), pictures),
    "image.CNN deep": Case(lambda **options: image.CNN(IMAGE, channels=2, layers=6, grid=2, **options), pictures),
    "image.Residual": Case(lambda **options: image.Residual(IMAGE, channels=4, levels=2, grid=2, **options), pictures),
    "image.Residual deep": Case(lambda **options: image.Residual(IMAGE, channels=2, levels=5, blocks=2, grid=1, **options), pictures),
    "image.ResNet": Case(lambda **options: image.ResNet(IMAGE, depth=18, layers=1, **options), pictures),
    "image.Patches": Case(lambda **options: image.Patches(IMAGE, patch=4, **options), pictures),
    "image.ViT": Case(lambda **options: image.ViT(IMAGE, patch=4, hidden=8, layers=2, heads=2, **options), pictures),
    "text.Bag": Case(lambda **options: text.Bag(TEXT, **options), words),
    "text.Bag narrow": Case(lambda **options: text.Bag(TEXT, embedding_dim=5, **options), words),
    "text.GRU": Case(lambda **options: text.GRU(TEXT, embedding_dim=6, hidden=8, **options), words),
    "text.GRU forward": Case(lambda **options: text.GRU(TEXT, hidden=8, layers=2, bidirectional=False, **options), words),
    "text.GRU deep": Case(lambda **options: text.GRU(TEXT, hidden=8, layers=2, **options), words),
    "text.GRU spelled": Case(lambda **options: text.GRU(SPELLED, embedding_dim=6, hidden=8, buckets=50, **options), spelled),
    "text.Bag spelled": Case(lambda **options: text.Bag(SPELLED, spelling="cnn", **options), spelled),
    "text.CNN": Case(lambda **options: text.CNN(TEXT, embedding_dim=6, **options), words),
    "text.CNN wide": Case(lambda **options: text.CNN(SPELLED, embedding_dim=6, widest=5, buckets=50, **options), spelled),
    "text.Embedding": Case(lambda **options: text.Embedding(TEXT, embedding_dim=5, **options), words),
    "text.LSTM": Case(lambda **options: text.LSTM(TEXT, embedding_dim=6, hidden=8, **options), words),
    "text.Transformer": Case(lambda **options: text.Transformer(TEXT, layers=1, heads=2, **options), words),
    **({"text.HuggingFace": Case(huggingface, words)} if find_spec("transformers") else {}),
    "audio.CNN": Case(lambda **options: audio.CNN(AUDIO, channels=4, **options), frames),
    "audio.CNN deep": Case(lambda **options: audio.CNN(AUDIO, channels=2, layers=6, **options), frames),
    "audio.Embedding": Case(lambda **options: audio.Embedding(AUDIO, frames=2, bands=5, **options), frames),
    "audio.Embedding uneven": Case(lambda **options: audio.Embedding(AUDIO, frames=4, bands=4, **options), frames),
    "audio.Transformer": Case(lambda **options: audio.Transformer(AUDIO, frames=2, bands=5, layers=1, heads=2, **options), frames),
    "audio.Transformer uneven": Case(lambda **options: audio.Transformer(AUDIO, frames=4, bands=4, layers=2, heads=2, **options), frames),
    **{f"video.Frames {time}": Case(partial(FRAMES, time=time), clips) for time in ("gru", "attention", "none")},
    "video.Embedding": Case(lambda **options: video.Embedding(CLIP, frames=1, patch=7, **options), clips),
    "video.Embedding uneven": Case(lambda **options: video.Embedding(CLIP, frames=3, patch=4, **options), clips),
    "video.CNN3D": Case(lambda **options: video.CNN3D(CLIP, channels=2, layers=2, **options), clips),
    "video.CNN3D full": Case(lambda **options: video.CNN3D(CLIP, channels=2, layers=3, grid=1, factorised=False, **options), clips),
    "series.CNN": Case(lambda **options: series.CNN(SeriesSpec(2), channels=4, **options), steps),
    "series.CNN even": Case(lambda **options: series.CNN(SeriesSpec(2), channels=2, layers=5, kernel=4, stride=3, **options), steps),
    "series.Embedding": Case(lambda **options: series.Embedding(SeriesSpec(2), patch=4, **options), steps),
    "series.Embedding step": Case(lambda **options: series.Embedding(SeriesSpec(2), patch=1, **options), steps),
    "series.GRU": Case(lambda **options: series.GRU(SeriesSpec(2), hidden=8, **options), steps),
    "series.GRU forward": Case(lambda **options: series.GRU(SeriesSpec(2), hidden=8, layers=2, bidirectional=False, **options), steps),
    "series.Transformer": Case(lambda **options: series.Transformer(SeriesSpec(2), patch=4, layers=2, heads=2, **options), steps),
    "series.Transformer step": Case(lambda **options: series.Transformer(SeriesSpec(2), patch=1, layers=1, heads=2, **options), steps),
    "vector.Embedding": Case(lambda **options: vector.Embedding(VectorSpec(5), tokens=3, **options), vectors),
    "vector.MLP": Case(lambda **options: vector.MLP(VectorSpec(5), hidden=16, **options), vectors),
    "vector.MLP tokens": Case(lambda **options: vector.MLP(VectorSpec(5), hidden=8, layers=2, tokens=3, **options), vectors),
    "tabular.Embedding": Case(lambda **options: tabular.Embedding(TABLE, **options), cells),
    "tabular.Embedding waves": Case(lambda **options: tabular.Embedding(TABLE, frequencies=3, **options), cells),
    "tabular.ResNet": Case(lambda **options: tabular.ResNet(TABLE, hidden=16, blocks=2, **options), cells),
    "tabular.FTTransformer": Case(lambda **options: tabular.FTTransformer(TABLE, layers=1, heads=2, **options), cells),
    "tabular.FTTransformer columns": Case(
        lambda **options: tabular.FTTransformer(TABLE, layers=1, heads=2, frequencies=3, tokens="column", **options), cells
    ),
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

if find_spec("timm") is not None:
    CASES |= {
        "image.Timm map": Case(lambda **options: image.Timm(IMAGE, name="test_efficientnet", **options), pictures),
        "image.Timm tokens": Case(
            lambda **options: image.Timm(ImageSpec(3, 16, 16), name="test_vit", **options),
            lambda **given: Image(torch.nn.functional.pad(pictures().pixels, (3, 3, 2, 1))),
        ),
    }


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]
