import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.task.decoder import Decoder, DecoderLayer

IDS = torch.tensor([[0, 2, 3, 4, 2], [0, 5, 2, 2, 3]])


@pytest.fixture
def decoder() -> Decoder:
    return Decoder(8, torch.zeros(4), layers=2, heads=2, dropout=0.0).eval()


@pytest.fixture
def memory() -> Tensor:
    return torch.randn(2, 3, 8)


MASK = torch.tensor([[True, True, True], [True, False, False]])


def test_a_layer_is_torchs_own(memory: Tensor) -> None:
    """The pre-norm decoder layer of torch, with the same weights; ours is given a memory that is normalised already."""
    ours, own = DecoderLayer(8, heads=2, dropout=0.0), nn.TransformerDecoderLayer(8, 2, 32, 0.0, "gelu", batch_first=True, norm_first=True)
    for attention, theirs in ((ours.text, own.self_attn), (ours.memory, own.multihead_attn)):
        with torch.no_grad():
            theirs.in_proj_weight.copy_(torch.cat([attention.query.weight, attention.key_value.weight]))
            theirs.in_proj_bias.copy_(torch.cat([attention.query.bias, attention.key_value.bias]))
            theirs.out_proj.load_state_dict(attention.output.state_dict())
    first, last = ours.perceptron[0], ours.perceptron[2]
    own.linear1.load_state_dict(first.state_dict())
    own.linear2.load_state_dict(last.state_dict())
    values, later = torch.randn(2, 5, 8), nn.Transformer.generate_square_subsequent_mask(5)
    found, _ = ours(values, ours.memory.keys(memory), MASK)
    assert_close(found, own(values, memory, tgt_mask=later, memory_key_padding_mask=~MASK), atol=1e-5, rtol=1e-5)


def test_writing_place_by_place_is_reading_all_at_once(decoder: Decoder, memory: Tensor) -> None:
    expected, written = decoder(memory, MASK, IDS), decoder.begin(memory, MASK)
    for place in range(IDS.shape[1]):
        logits, written = decoder.step(written, IDS[:, place], place)
        assert_close(logits, expected[:, place], atol=1e-5, rtol=1e-5)


def test_texts_under_way_may_change_places(decoder: Decoder, memory: Tensor) -> None:
    memory, mask, order = memory[:1].expand(2, -1, -1), MASK[:1].expand(2, -1), torch.tensor([1, 0])
    _, written = decoder.step(decoder.begin(memory, mask), IDS[:, 1], 0)
    logits, _ = decoder.step(written.take(order), IDS[order, 2], 1)
    assert_close(logits[order], decoder.step(written, IDS[:, 2], 1)[0])


def test_no_place_sees_those_behind_it(decoder: Decoder, memory: Tensor) -> None:
    other = IDS.clone()
    other[:, 3] = 1
    before, after = decoder(memory, MASK, IDS), decoder(memory, MASK, other)
    assert before[:, :3].equal(after[:, :3])
    assert not before[:, 3:].equal(after[:, 3:])


def test_what_is_not_there_in_the_memory_changes_nothing(decoder: Decoder, memory: Tensor) -> None:
    other = torch.where(MASK[..., None], memory, 7.0)
    assert decoder(memory, MASK, IDS).equal(decoder(other, MASK, IDS))
    assert not decoder(memory, MASK, IDS).equal(decoder(memory + torch.randn(8), MASK, IDS))
    assert decoder(memory, torch.zeros_like(MASK), IDS).isfinite().all()


def test_it_begins_at_the_prior(memory: Tensor) -> None:
    prior = torch.tensor([0.0, 20.0, -20.0])
    found = Decoder(8, prior, layers=1, heads=2, dropout=0.0)(memory, MASK, torch.zeros(2, 1, dtype=torch.long))
    assert (found[:, 0].argmax(1) == 1).all()
    assert (found[:, 0].argmin(1) == 2).all()
