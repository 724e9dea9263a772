"""What every encoder promises: to the bit where nothing should be read, to rounding for padding and for the company of a row."""

from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.batch import Tokens, take

Case = Any  # of conftest.py: how to build an encoder, and rows for it


def built(case: Case, seed: int = 0, **options: Any) -> nn.Module:
    """With weights of this seed, and without dropout: two calls can then be compared while training."""
    torch.manual_seed(seed)
    encoder = case.build(dropout=0.0, **options)
    assert isinstance(encoder, nn.Module)
    return encoder


def trained_on(encoder: nn.Module, inputs: Any) -> tuple[Tokens, dict[str, Tensor]]:
    """Tokens of a training step, with the gradients of all parameters and the buffers after it, by name."""
    encoder.train().zero_grad()
    tokens = encoder(inputs)
    weights = torch.randn(tokens.values.shape[2], generator=torch.Generator().manual_seed(2))
    (tokens.values * weights).pow(2).sum().backward()
    left: dict[str, Tensor] = {name: value.clone() for name, value in encoder.named_buffers()}
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        left[name] = parameter.grad.clone()
    return tokens, left


def assert_alike(found: Tokens, expected: Tokens, *, exactly: bool) -> None:
    """The same tokens; those of `found` may be followed by padding."""
    length = expected.mask.shape[1]
    assert torch.equal(found.mask[:, :length], expected.mask)
    assert not found.mask[:, length:].any()
    tolerance = 0 if exactly else 1e-6
    assert_close(found.values[:, :length], expected.values, atol=tolerance, rtol=tolerance)


def test_tokens_of_the_asked_width(case: Case) -> None:
    encoder = built(case, out_dim=12)
    tokens = encoder(case.rows())
    assert encoder.out_dim == 12
    assert tokens.values.shape == (*tokens.mask.shape, 12)
    assert tokens.mask.any(1).all()
    assert tokens.grid is None or tokens.grid[0] * tokens.grid[1] == tokens.mask.shape[1]
    assert case.build().out_dim == 128


@pytest.mark.parametrize("training", [True, False])
def test_masked_tokens_are_exactly_zero(case: Case, training: bool) -> None:
    tokens = built(case).train(training)(case.rows(pad=3))
    assert not tokens.values[~tokens.mask].any()
    assert tokens.values[tokens.mask].any(-1).all()


@pytest.mark.parametrize("pad", [1, 16])
def test_padding_changes_nothing(case: Case, pad: int) -> None:
    plain, left = trained_on(built(case), case.rows())
    padded, left_padded = trained_on(built(case), case.rows(pad=pad))
    assert_alike(padded, plain, exactly=False)
    for name, value in left.items():
        assert_close(left_padded[name], value, atol=2e-5, rtol=1e-5, msg=name)


@pytest.mark.parametrize("noise", [float("inf"), float("nan")])
def test_what_should_not_be_read_changes_nothing(case: Case, noise: float) -> None:
    """To the bit: neither tokens nor gradients nor buffers."""
    clean, left = trained_on(built(case), case.rows(pad=2))
    noisy, left_noisy = trained_on(built(case), case.rows(pad=2, noise=noise))
    assert_alike(noisy, clean, exactly=True)
    for name, value in left.items():
        assert torch.equal(left_noisy[name], value), name


def test_a_row_is_the_same_in_any_company(case: Case) -> None:
    encoder = built(case).eval()
    together = encoder(case.rows())
    for row in range(4):
        alone = encoder(take(case.rows(), torch.tensor([row])))
        assert_alike(alone, Tokens(together.values[[row]], together.mask[[row]]), exactly=False)


def test_a_batch_of_one_trains(case: Case) -> None:
    for row in range(4):
        tokens, left = trained_on(built(case), take(case.rows(), torch.tensor([row])))
        assert tokens.values.isfinite().all()
        assert all(value.isfinite().all() for value in left.values())


def test_every_parameter_gets_a_gradient(case: Case) -> None:
    encoder = built(case)
    _, left = trained_on(encoder, case.rows())
    assert [name for name, _ in encoder.named_parameters() if not left[name].any()] == []


def test_saved_weights_give_the_same_tokens(case: Case) -> None:
    encoder, other = built(case), built(case, seed=1)
    trained_on(encoder, case.rows())  # so that buffers have moved
    other.load_state_dict(safetensors.torch.load(safetensors.torch.save(encoder.state_dict())))
    assert torch.equal(other.eval()(case.rows()).values, encoder.eval()(case.rows()).values)


def test_the_same_seed_gives_the_same_encoder(case: Case) -> None:
    assert torch.equal(built(case)(case.rows()).values, built(case)(case.rows()).values)


def test_dropout_acts_in_training_alone(case: Case) -> None:
    encoder = case.build(dropout=0.5)
    assert not torch.equal(encoder(case.rows()).values, encoder(case.rows()).values)
    encoder.eval()
    assert torch.equal(encoder(case.rows()).values, encoder(case.rows()).values)


def test_half_precision_is_close(case: Case) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        lower, left = trained_on(built(case), case.rows(pad=1))
    assert all(value.isfinite().all() for value in left.values())
    expected = built(case)(case.rows(pad=1)).values.detach()
    assert_close(lower.values.detach().float(), expected, atol=0.1 * float(expected.abs().max()), rtol=0)
