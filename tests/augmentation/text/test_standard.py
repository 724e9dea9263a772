import torch

from mmtrain.augmentation.text import Standard
from mmtrain.batch import Text
from mmtrain.spec import TextSpec

LENGTHS = torch.tensor([12, 5, 2, 1])


def texts(rows: int) -> Text:
    """Words numbered by their places, from 2; the letters of a word begin with its number."""
    mask = (torch.arange(12) < LENGTHS[:, None]).repeat_interleave(rows, 0)
    ids = torch.where(mask, torch.arange(12) + 2, 0)
    return Text(ids, mask, torch.where(mask[:, :, None], torch.stack([ids, ids + 1], 2), 0), mask.cumsum(1) * mask)


def augmented(inputs: Text, removal: float, tokenizer: str | None = None) -> Text:
    return Standard(TextSpec(20, 30, tokenizer), removal=removal)(inputs)


def test_what_is_left_keeps_its_order_and_its_letters() -> None:
    found = augmented(texts(200), 0.4)
    lengths = found.mask.sum(1)
    assert torch.equal(found.mask, torch.arange(12) < lengths[:, None])
    rising = found.ids[:, 1:] > found.ids[:, :-1]
    assert torch.equal(rising, found.mask[:, 1:])
    assert torch.equal(found.letters[..., 0], found.ids)
    assert torch.equal(found.letters[..., 1], torch.where(found.mask, found.ids + 1, 0))
    assert not found.ids[~found.mask].any()


def test_words_go_as_often_as_asked_and_one_stays() -> None:
    inputs = texts(2000)
    left = augmented(inputs, 0.3).mask.sum(1).view(4, 2000)
    assert abs(float(left[0].float().mean()) / 12 - 0.7) < 0.01
    assert left.min() == 1
    assert (left[3] == 1).all()
    assert abs(float((left[2] == 2).float().mean()) - 0.49) < 0.05
    assert (augmented(inputs, 0.999).mask.sum(1) == 1).float().mean() > 0.98


def test_the_marks_of_a_pretrained_tokenizer_stay() -> None:
    inputs = texts(100)
    found = augmented(inputs, 0.9, tokenizer="some/model")
    last = found.ids.gather(1, found.mask.sum(1, keepdim=True) - 1)[:, 0]
    assert (found.ids[:, 0] == 2).all()
    assert torch.equal(last, inputs.ids.amax(1))
    assert found.mask.sum() < inputs.mask.sum() / 2
