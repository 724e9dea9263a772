"""Pooling against hand-worked numbers, and where nothing is present."""

import pytest
import torch
from torch.testing import assert_close

from mmtrain.batch import Tokens
from mmtrain.fusion.pool import Pool, summarise


def test_mean_and_maximum_of_the_tokens_that_count() -> None:
    """Rows: two of three tokens count; one; none; absent though its mask says otherwise."""
    values = torch.tensor([[[1.0, -4.0], [3.0, -2.0], [9.0, 9.0]], [[-5.0, 2.0]] * 3, [[7.0, 7.0]] * 3, [[7.0, 7.0]] * 3])
    mask = torch.tensor([[True, True, False], [False, True, False], [False] * 3, [True] * 3])
    present = torch.tensor([True, True, True, False])
    expected = torch.tensor([[[2.0, -3.0], [3.0, -2.0]], [[-5.0, 2.0], [-5.0, 2.0]], [[0.0, 0.0]] * 2, [[0.0, 0.0]] * 2])
    assert_close(summarise(Tokens(values, mask), present), expected, rtol=0, atol=0)


def test_an_absent_row_is_exactly_zero_whatever_its_mask_says() -> None:
    tokens = Tokens(torch.full((2, 3, 4), torch.nan), torch.ones(2, 3, dtype=torch.bool))
    pool = Pool({"image": 4}, out_dim=5)
    vectors, there = pool({"image": tokens}, {"image": torch.zeros(2, dtype=torch.bool)})
    gradients = torch.autograd.grad(vectors.sum(), list(pool.parameters()))
    assert torch.equal(vectors, torch.zeros(2, 1, 5))
    assert not there.any()
    assert all(torch.all(gradient == 0) for gradient in gradients)


def test_a_modality_that_no_row_has_leaves_its_weights_without_gradient() -> None:
    """A zero gradient would still be decayed by the optimizer."""
    tokens = {"image": Tokens(torch.randn(2, 3, 4), torch.ones(2, 3, dtype=torch.bool))}
    tokens["text"] = Tokens(torch.zeros(2, 0, 6), torch.zeros(2, 0, dtype=torch.bool))
    pool = Pool({"image": 4, "text": 6}, out_dim=5)
    vectors, there = pool(tokens, {"image": torch.tensor([True, True]), "text": torch.tensor([False, False])})
    torch.autograd.backward(vectors.square().sum())
    assert there.tolist() == [[True, False]] * 2
    assert torch.equal(vectors[:, 1], torch.zeros(2, 5))
    assert [parameter.grad is None for parameter in pool.layers[0].parameters()] == [False] * 4
    assert [parameter.grad is None for parameter in pool.layers[1].parameters()] == [True] * 4


def test_without_gain_all_vectors_keep_their_size() -> None:
    pool = Pool({"image": 4}, out_dim=5, gain=False)
    assert sorted(name for name, _ in pool.named_parameters()) == ["layers.0.2.bias", "layers.0.2.weight"]


def test_the_scale_of_tokens_does_not_matter() -> None:
    values, mask, present = torch.randn(5, 3, 16), torch.ones(5, 3, dtype=torch.bool), {"image": torch.ones(5, dtype=torch.bool)}
    pool = Pool({"image": 16}, out_dim=4)
    plain, small, shifted = (pool({"image": Tokens(part, mask)}, present)[0] for part in (values, 0.1 * values, values + 2))
    assert_close(small, plain, atol=1e-3, rtol=0)
    assert_close(shifted, plain, atol=1e-3, rtol=0)


@pytest.mark.parametrize("width", [1, 2])
def test_narrow_tokens_keep_their_size(width: int) -> None:
    """Normalised, a single number would be gone."""
    values = torch.tensor([0.5, 1.0, 2.0])[:, None, None].expand(3, 1, width)
    vectors, _ = Pool({"facts": width}, out_dim=4)(
        {"facts": Tokens(values, torch.ones(3, 1, dtype=torch.bool))}, {"facts": torch.ones(3).bool()}
    )
    assert len(vectors[:, 0].detach().unique(dim=0)) == 3
