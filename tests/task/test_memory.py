import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from mmtrain.batch import Fused, Tokens
from mmtrain.loss import CrossEntropy
from mmtrain.spec import TargetSpec
from mmtrain.task.decoder import Decoder
from mmtrain.task.memory import MemoryHead, TeacherForcing, opened

MASK = torch.tensor([[True, True, True, True], [True, False, False, False], [False] * 4])


@pytest.fixture
def head() -> MemoryHead:
    return MemoryHead(3, {"words": 5, "picture": 6}, 8)


def fused(words: Tensor, picture: Tensor, grid: tuple[int, int] | None = None) -> Fused:
    tokens = {"words": Tokens(words, MASK), "picture": Tokens(picture, MASK, grid), "sound": Tokens(torch.zeros(3, 0, 2), MASK[:, :0])}
    return Fused(torch.zeros(3, 3), tokens, torch.ones(3, dtype=torch.bool))


def test_a_memory_is_the_vector_and_the_tokens_that_are_there(head: MemoryHead) -> None:
    vector, words, picture = torch.randn(3, 3), torch.randn(3, 4, 5), torch.randn(3, 4, 6)
    found = head(vector, fused(words, picture))
    values, mask = opened(found)
    assert mask.equal(torch.cat([torch.ones(3, 1, dtype=torch.bool), MASK, MASK], 1))
    assert found.shape == (3, 9, 9)
    assert not found[~mask].any()
    assert_close(values[:, 0], head.vector(vector))
    strange = torch.where(MASK[..., None], words, torch.nan)
    assert head(vector, fused(strange, picture)).equal(found)


def test_places_tell_equal_tokens_apart(head: MemoryHead) -> None:
    found, _ = opened(head(torch.zeros(3, 3), fused(torch.ones(3, 4, 5), torch.ones(3, 4, 6), (2, 2))))
    assert len({tuple(token) for token in found[0].tolist()}) == 9
    picture = found[0, 1:5] - found[0, 1]  # by alphabet, it stands before the words
    assert_close(picture[1] + picture[2], picture[3])  # row and column add up


def test_the_loss_is_the_mean_over_what_the_decoder_has_to_say() -> None:
    decoder = Decoder(8, torch.zeros(3), layers=1, heads=2, dropout=0.0)
    forcing = TeacherForcing(decoder, CrossEntropy(TargetSpec("text", {"": 1, "a": 1, "b": 1})), 4)
    memory = torch.randn(2, 5, 9)
    memory[..., -1] = 1
    # the second text has a piece that train never saw (4); what follows the ids are the text's own signs
    target = torch.tensor([[2, 3, 1, 0, 97, 98], [3, 4, 2, 1, 98, 120]])
    values, mask = opened(memory)
    said = decoder(values, mask, torch.tensor([[0, 2, 3, 1], [0, 3, 4, 2]])).log_softmax(2)
    first = -(said[0, 0, 1] + said[0, 1, 2] + said[0, 2, 0]) / 3
    second = -(said[1, 0, 2] + said[1, 2, 1] + said[1, 3, 0]) / 3
    assert_close(forcing(memory, target), torch.stack([first, second]))
