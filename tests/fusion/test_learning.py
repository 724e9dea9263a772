"""Every fusion must learn what only two modalities tell together; what adds their separate answers cannot."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.batch import FUSED, Fused, Tokens

COLOURS, WIDTH, STEPS, BATCH = 4, 8, 100, 64
DIMS = {"image": WIDTH, "text": WIDTH}


class Additive(nn.Module):
    """A linear answer from each modality, added up: the best that can be said without looking at both at once."""

    def __init__(self, dims: Mapping[str, int], *, out_dim: int) -> None:
        super().__init__()
        self.image, self.text = nn.Linear(dims["image"], out_dim), nn.Linear(dims["text"], out_dim)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Tensor]) -> dict[str, Fused]:
        vector = self.image(tokens["image"].values.mean(1)) + self.text(tokens["text"].values.mean(1))
        return {FUSED: Fused(vector, tokens, present["image"])}


def match_rows(rows: int, looks: Tensor) -> tuple[dict[str, Tokens], dict[str, Tensor], Tensor]:
    """Half of the rows show and name the same of four colours; the label says whether. Three noisy tokens a modality."""
    match = torch.arange(rows) % 2 == 0
    shown = torch.randint(COLOURS, (rows,))
    named = torch.where(match, shown, (shown + torch.randint(1, COLOURS, (rows,))) % COLOURS)
    mask = torch.ones(rows, 3, dtype=torch.bool)
    tokens = {
        name: Tokens(looks[side, colour][:, None] + 0.2 * torch.randn(rows, 3, WIDTH), mask)
        for side, (name, colour) in enumerate([("image", shown), ("text", named)])
    }
    return tokens, dict.fromkeys(tokens, mask[:, 0]), match.float()


def accuracy_after_training(fusion: nn.Module) -> float:
    torch.set_num_threads(1)  # steps this small only wait for a second thread
    looks = torch.randn(2, COLOURS, WIDTH)
    head = nn.Linear(16, 1)
    optimizer = torch.optim.Adam([*fusion.parameters(), *head.parameters()], lr=3e-3)
    for _ in range(STEPS):
        tokens, present, match = match_rows(BATCH, looks)
        optimizer.zero_grad()
        answer = head(fusion(tokens, present)[FUSED].vector)[:, 0]
        torch.autograd.backward(functional.binary_cross_entropy_with_logits(answer, match))
        optimizer.step()
    tokens, present, match = match_rows(1000, looks)
    return float(((head(fusion(tokens, present)[FUSED].vector)[:, 0] > 0) == match.bool()).float().mean())


def test_a_fusion_learns_whether_two_modalities_match(build: Callable[..., Any]) -> None:
    fusion = build(DIMS, out_dim=16)
    if FUSED not in fusion.views:
        pytest.skip("late fusion adds separate answers")
    assert accuracy_after_training(fusion) > 0.98


def test_adding_separate_answers_does_not() -> None:
    assert accuracy_after_training(Additive(DIMS, out_dim=16)) < 0.7
