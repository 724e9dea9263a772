"""Augmentation and mixing in the model: what changes in training, and what must not."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.testing import assert_close

from mmtrain import checkpoint
from mmtrain.assembly import build_model, data_parts
from mmtrain.batch import FUSED, Batch, Image
from mmtrain.cli import main
from mmtrain.config import load
from mmtrain.data import Data, prepare
from mmtrain.mixing import Mix
from mmtrain.model import Model, Output
from mmtrain.objective import scored_rows, view_losses
from mmtrain.training.loop import Loop

AUGMENTED = [f"augmentation/{kind}=standard" for kind in ("image", "audio", "text")]
MIXED = [["mixing=mixup"], ["mixing=cutmix", "mixing.probability=1"]]
STILL = ["encoder.text.dropout=0"]


@pytest.fixture(scope="module")
def data(tiny: list[str]) -> Data:
    parts = data_parts(load(tiny).config)
    return prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=False)


def built(tiny: list[str], data: Data, *words: str) -> Model:
    torch.manual_seed(0)
    return build_model(load([*tiny, *STILL, *words]).config, data.modalities, data.tasks)


@pytest.fixture(params=MIXED, ids=["mixup", "cutmix"])
def model(request: pytest.FixtureRequest, tiny: list[str], data: Data) -> Model:
    return built(tiny, data, *AUGMENTED, *request.param)


@pytest.fixture(scope="module")
def batch(data: Data) -> Batch:
    """Rows with and without each modality and label."""
    return data.splits["train"].batch(torch.arange(24).numpy())


def totals(model: Model, output: Output, batch: Batch) -> dict[str, Tensor]:
    return {task: views[FUSED] for task, views in view_losses(model, output, batch, scored_rows([batch])).items()}


def trained(model: Model, batch: Batch) -> tuple[Output, dict[str, Tensor]]:
    """What a training pass of seed 0 gives, and the gradients of all parameters."""
    model = copy.deepcopy(model).train()
    torch.manual_seed(0)
    output = model(batch)
    torch.stack(list(totals(model, output, batch).values())).sum().backward()
    return output, {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}


def assert_bit_equal(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


def fixed(model: Model, mix: Callable[[Any], Mix]) -> Model:
    """The model with this mixing instead of a drawn one."""
    model = copy.deepcopy(model).train()
    model.mixing.forward = mix
    return model


def test_evaluation_draws_nothing_and_stays_as_it_was_to_the_bit(model: Model, tiny: list[str], data: Data, batch: Batch) -> None:
    plain = built(tiny, data).eval()
    plain.load_state_dict(model.state_dict())
    before = torch.get_rng_state()
    output = model.eval()(batch)
    assert output.mix is None
    assert torch.equal(torch.get_rng_state(), before)
    assert_bit_equal(dict(output.predictions), dict(plain(batch).predictions))


@pytest.mark.parametrize("words", [AUGMENTED, ["mixing=mixup"]], ids=["augmentation", "mixing"])
def test_training_changes_what_is_seen(words: list[str], tiny: list[str], data: Data, batch: Batch) -> None:
    found, plain = (built(tiny, data, *given).train()(batch).predictions["shape"] for given in (words, []))
    assert not torch.allclose(found, plain, atol=1e-3)


def test_what_is_absent_or_unlabelled_changes_nothing_to_the_bit(model: Model, batch: Batch) -> None:
    picture = torch.where(batch.present["picture"][:, None, None, None], batch.inputs["picture"].pixels, 99)
    inputs = {**batch.inputs, "picture": Image(picture)}
    targets = {task: torch.where(batch.labelled[task], target, 3) for task, target in batch.targets.items()}
    assert any((targets[task] != batch.targets[task]).any() for task in targets)
    assert_bit_equal(trained(model, replace(batch, inputs=inputs, targets=targets))[1], trained(model, batch)[1])


def test_every_parameter_is_trained_and_a_batch_of_one_too(model: Model, data: Data, batch: Batch) -> None:
    assert trained(model, batch)[1].keys() == {name for name, _ in model.named_parameters()}
    assert all(gradient.isfinite().all() for gradient in trained(model, data.splits["train"].batch(torch.tensor([0]).numpy()))[1].values())


def test_pictures_reach_their_encoder_blended(tiny: list[str], data: Data, batch: Batch) -> None:
    model = built(tiny, data, "mixing=cutmix", "mixing.probability=1").train()
    seen: list[Tensor] = []
    model.encoder["picture"].register_forward_pre_hook(lambda encoder, given: seen.append(given[0].pixels))
    mix = model(batch).mix
    pixels = batch.inputs["picture"].pixels / 127.5 - 1
    mixed = 0
    for place, row in enumerate(batch.index["picture"].tolist()):
        partner, kept = int(mix.partner[row]), mix.kept[row]
        assert_close(seen[0][place], torch.where(kept == 1, pixels[row], pixels[partner]))
        mixed += partner != row
    assert mixed > 8


def test_other_kinds_are_blended_behind_their_encoder(tiny: list[str], data: Data, batch: Batch) -> None:
    model = built(tiny, data, "mixing=mixup").train()
    own = model._tokens("caption", batch, None).values
    mix = model.mixing(batch.present)
    found = model._tokens("caption", batch, mix).values
    share = mix.share[:, None, None]
    assert_close(found, share * own + (1 - share) * own[mix.partner])


def test_full_precision_for_augmentation(tiny: list[str], data: Data, batch: Batch) -> None:
    """In bf16 a picture has places that differ by less than a digit."""
    seen: list[Tensor] = []
    for low in (False, True):
        model = built(tiny, data, *AUGMENTED).train()
        model.encoder["picture"].register_forward_pre_hook(lambda encoder, given: seen.append(given[0].pixels))
        torch.manual_seed(0)
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            model(batch)
    assert_close(seen[1], seen[0], atol=0, rtol=0)


def test_losses_of_two_rows_by_hand(tiny: list[str], data: Data) -> None:
    train = data.splits["train"]
    rows = [row for row in range(96) if all(mask[row] for mask in [*train.present.values(), *train.labelled.values()])][:2]
    batch = train.batch(torch.tensor(rows).numpy())
    model = fixed(built(tiny, data, "mixing=mixup"), lambda present: Mix.of(torch.tensor([1, 0]), torch.tensor([0.7, 0.9])[:, None, None]))
    output = model(batch)
    losses = totals(model, output, batch)
    (first, second), one, other = output.predictions["shape"], *batch.targets["shape"]
    expected = 0.7 * functional.cross_entropy(first, one) + 0.3 * functional.cross_entropy(first, other)
    expected = expected + 0.9 * functional.cross_entropy(second, other) + 0.1 * functional.cross_entropy(second, one)
    assert_close(losses["shape"], expected / 2)
    predicted, target = output.predictions["position"], batch.targets["position"]
    share = torch.tensor([0.7, 0.9])  # numbers are mixed themselves: two absolute losses would be least at the nearer one
    assert_close(losses["position"], (predicted - (share * target + (1 - share) * target.flip(0))).abs().mean())


def test_a_partner_without_a_label_has_no_say(tiny: list[str], data: Data, batch: Batch) -> None:
    rows = len(batch)
    model = fixed(built(tiny, data, "mixing=mixup"), lambda present: Mix.of(torch.arange(rows).roll(1), torch.full((rows, 1, 1), 0.6)))
    batch = replace(batch, present=dict.fromkeys(batch.present, torch.ones(rows, dtype=torch.bool)))
    batch = replace(batch, index=dict.fromkeys(batch.index, torch.arange(rows)))
    output = model(batch)
    found = totals(model, output, batch)
    for task in ("shape", "colour", "pitch"):
        usable, logits, target = set(batch.scored[task][FUSED].tolist()), output.predictions[task], batch.targets[task]
        terms = []
        for row in sorted(usable):
            own, partner = functional.cross_entropy(logits[row], target[row]), (row - 1) % rows
            terms.append(0.6 * own + 0.4 * functional.cross_entropy(logits[row], target[partner]) if partner in usable else own)
        assert 0 < sum((row - 1) % rows not in usable for row in usable) < len(usable)
        assert_close(found[task], torch.stack(terms).mean())


def test_share_one_is_no_mixing_to_the_bit(tiny: list[str], data: Data, batch: Batch) -> None:
    def unmixed(present: Any) -> Mix:
        return Mix.of(torch.arange(len(batch)).roll(1), torch.ones(len(batch), 1, 1))

    plain = built(tiny, data)
    found, gradients = trained(fixed(plain, unmixed), batch)
    expected, plain_gradients = trained(plain, batch)
    assert found.mix is not None and expected.mix is None
    assert_bit_equal(dict(found.predictions), dict(expected.predictions))
    assert_bit_equal(gradients, plain_gradients)


KINDS = {
    "image": ["augmentation/image=rand_augment"],
    "image by name": ["augmentation/image@augmentation.picture=standard", "augmentation.picture.rotation=20"],
    "audio": ["augmentation/audio=standard"],
    "text": ["augmentation/text=standard"],
    "tabular": [
        *("~data.modalities.caption", "modality@data.modalities.facts=tabular", "data.modalities.facts.categorical=[caption]"),
        "augmentation/tabular=standard",
    ],
    "series": [
        *("~tasks.position", "data.modalities.place.column=position", "modality@data.modalities.place=series"),
        "augmentation/series=standard",
    ],
    "mixup": ["mixing=mixup", "training.precision=bf16"],
    "cutmix": ["mixing=cutmix", "training.accumulate=2"],
}  # fmt: skip


@pytest.mark.parametrize("words", KINDS.values(), ids=KINDS)
def test_each_kind_trains(words: list[str], tiny: list[str], tmp_path: Path) -> None:
    assert main(["train", *tiny, *words, "training.steps=2", f"hydra.run.dir={tmp_path / 'run'}"]) == 0


def test_stopped_and_resumed_equals_never_stopped(tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["train", *tiny, *AUGMENTED, "mixing=cutmix", "training.checkpoint_seconds=0"]
    assert main([*words, f"hydra.run.dir={tmp_path / 'straight'}"]) == 0
    take_step, taken = Loop.take_step, [0]

    def stopping(self: Loop, group: Any) -> None:
        if taken[0] == 2:
            raise KeyboardInterrupt
        taken[0] += 1
        take_step(self, group)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "take_step", stopping)
        assert main([*words, f"hydra.run.dir={tmp_path / 'stopped'}"]) != 0
    torch.manual_seed(99)
    assert main(["train", "--resume", str(tmp_path / "stopped")]) == 0
    found, expected = (checkpoint.load(tmp_path / name / "checkpoints" / "last") for name in ("stopped", "straight"))
    assert_close(found["model"], expected["model"], rtol=0, atol=0)
    assert torch.equal(found["random"]["cpu"], expected["random"]["cpu"])
