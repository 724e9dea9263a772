"""A trained stand-in learns what is best where the modality is absent, and from those rows alone."""

import torch
from torch.testing import assert_close

from mmtrain.batch import Tokens
from mmtrain.missing import Learned


def given(lacking: int) -> tuple[dict[str, Tokens], dict[str, torch.Tensor]]:
    """Four rows of which the last `lacking` have no text."""
    there = torch.arange(4) < 4 - lacking
    image = Tokens(torch.ones(4, 2, 1), torch.ones(4, 2, dtype=torch.bool))
    text = Tokens(torch.where(there[:, None, None], 5.0, torch.zeros(4, 3, 2)), there[:, None].expand(4, 3))
    return {"image": image, "text": text}, {"image": torch.ones(4, dtype=torch.bool), "text": there}


def test_it_moves_to_where_the_loss_wants_it() -> None:
    part, goal = Learned({"text": 2, "image": 1}), torch.tensor([3.0, -1.0])
    optimizer = torch.optim.Adam(part.parameters(), lr=0.1)
    start = [token.detach().clone() for token in part.tokens]
    for _ in range(200):
        tokens, *_ = part(*given(lacking=2))
        (tokens["text"].values[2:, 0] - goal).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    image, text = part.tokens
    assert_close(text.detach(), goal, atol=1e-2, rtol=0)
    assert torch.equal(image.detach(), start[0])


def test_rows_that_have_the_modality_teach_it_nothing() -> None:
    part = Learned({"text": 2, "image": 1})
    tokens, *_ = part(*given(lacking=0))
    (tokens["text"].values.sum() + tokens["image"].values.sum()).backward()
    assert all(token.grad is not None and not token.grad.any() for token in part.tokens)


def test_dropout_lets_whole_rows_teach_it() -> None:
    part = Learned({"text": 2, "image": 1}, dropout=0.9)
    tokens, present, *_ = part(*given(lacking=0))
    assert all(there.all() for there in present.values())
    (tokens["text"].values.sum() + tokens["image"].values.sum()).backward()
    assert any(token.grad is not None and token.grad.any() for token in part.tokens)
