import itertools

import pytest
import torch
from torch import Tensor

from mmtrain.task.beam import search
from mmtrain.task.decoder import END, START, Decoder

LENGTH, PIECES = 4, (2, 3, 4)
TEXTS = [(*pieces, END) for count in range(LENGTH) for pieces in itertools.product(PIECES, repeat=count)]


@pytest.fixture
def decoder() -> Decoder:
    return Decoder(8, torch.zeros(4), layers=1, heads=2, dropout=0.0).eval()


@pytest.fixture
def memory() -> Tensor:
    return torch.randn(6, 3, 8)


def mask_of(memory: Tensor) -> Tensor:
    return torch.ones(memory.shape[:2], dtype=torch.bool)


def written(decoder: Decoder, memory: Tensor, **options: float) -> list[tuple[int, ...]]:
    found = search(decoder, memory, mask_of(memory), **{"length": LENGTH, "beams": 1, "penalty": 1.0} | options)  # type: ignore[arg-type]
    assert found.shape == (len(memory), LENGTH)
    texts = [tuple(number for number in row if number) for row in found.tolist()]
    assert all(list(text) == row[: len(text)] for text, row in zip(texts, found.tolist(), strict=True))  # zeros come last
    return texts


@torch.no_grad()
def scores(decoder: Decoder, memory: Tensor, text: tuple[int, ...], penalty: float) -> Tensor:
    """Of one text in every row, all places at once."""
    ids = torch.tensor([[START, *text[:-1]]]).expand(len(memory), -1)
    chances = decoder(memory, mask_of(memory), ids).log_softmax(-1)
    total = sum(chances[:, place, number - 1] for place, number in enumerate(text))
    assert isinstance(total, Tensor)
    return total / len(text) ** penalty


def test_one_beam_takes_the_likeliest_piece_each_time(decoder: Decoder, memory: Tensor) -> None:
    expected = []
    for row in memory:
        ids = [START]
        while ids[-1] != END:
            logits = decoder(row[None], mask_of(row[None]), torch.tensor([ids]))[0, -1]
            ids.append(END if len(ids) == LENGTH else 1 + int(logits.argmax()))
        expected.append(tuple(ids[1:]))
    assert written(decoder, memory) == expected
    assert len(set(map(len, expected))) > 1


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0])
def test_enough_beams_find_the_best_text_there_is(penalty: float, decoder: Decoder, memory: Tensor) -> None:
    all_scores = torch.stack([scores(decoder, memory, text, penalty) for text in TEXTS])
    best = [TEXTS[place] for place in all_scores.argmax(0).tolist()]
    assert written(decoder, memory, beams=len(TEXTS), penalty=penalty) == best


@pytest.mark.parametrize("beams", [2, 3, 5])
def test_rows_do_not_touch_each_other(beams: int, decoder: Decoder, memory: Tensor) -> None:
    together = written(decoder, memory, beams=beams)
    assert together == [text for row in memory for text in written(decoder, row[None], beams=beams)]
    assert all(text in TEXTS for text in together)


def test_a_longer_text_is_not_punished_for_its_length(decoder: Decoder, memory: Tensor) -> None:
    lengths = [sum(map(len, written(decoder, memory, beams=len(TEXTS), penalty=penalty))) for penalty in (0.0, 1.0, 3.0)]
    assert lengths[0] < lengths[1] < lengths[2]
