"""Late fusion against numpy: each modality by itself."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.testing import assert_close

from mmtrain.fusion import Concat, Late

DIMS = {"text": 5, "image": 9}
NAMES = sorted(DIMS)


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    """A view's vector is that of its modality's own layers; 0 in the rows that lack it."""
    tokens, present = draw(DIMS)
    fusion = Late(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6)
    views = fusion(tokens, present)
    assert fusion.views == list(views) == NAMES
    for place, name in enumerate(NAMES):
        hand = by_hand(fusion)
        hand.state |= {key.replace(f"joins.{place}.", "join."): value for key, value in hand.state.items()}
        expected = hand.joined(hand.pooled(place, tokens[name], present[name])) * present[name].numpy()[:, None]
        np.testing.assert_allclose(views[name].vector.detach(), expected, atol=1e-6)
        assert not views[name].vector[~present[name]].any()


def test_a_view_is_what_concat_makes_of_the_modality_alone(draw: Callable[..., Any]) -> None:
    """But for the flag, which would always be 1."""
    tokens, present = draw(DIMS)
    fusion = Late(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6)
    for place, name in enumerate(NAMES):
        alone = Concat({name: DIMS[name]}, out_dim=2, pooled_dim=4, hidden_dim=6)
        parts = [(fusion.joins[place], "join."), (fusion.pool.layers[place], "pool.layers.0.")]
        state = {f"{prefix}{key}": value for part, prefix in parts for key, value in part.state_dict().items()}
        state["join.0.weight"] = torch.cat([state["join.0.weight"], torch.zeros(6, 1)], 1)
        alone.load_state_dict(state)
        expected = alone({name: tokens[name]}, {name: present[name]})["fused"].vector
        assert_close(fusion(tokens, present)[name].vector[present[name]], expected[present[name]])
