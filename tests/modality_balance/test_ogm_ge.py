"""Factors and noise against NumPy."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.modality_balance import OGMGE, Pass
from mmtrain.spec import TaskSpec

Given = Callable[..., Pass]
TASKS = {"shape": TaskSpec(4, gaussian=False), "size": TaskSpec(4, gaussian=True)}
SHAPE = {
    "audio": [[2.0, 0.0, 1.0], [0.5, 1.5, 0.0]],
    "video": [[0.1, 0.0, 0.3], [0.0, 0.2, 0.0]],
    "words": [[0.0, 3.0, 0.0], [3.0, 0.0, 0.0]],
}
LABELS = [0, 1]
ALL = torch.ones(2, dtype=torch.bool)


def method(names: list[str], tasks: list[str], **options: object) -> OGMGE:
    made = OGMGE(dict.fromkeys(names, 3), {task: TASKS[task] for task in tasks}, **options)  # type: ignore[arg-type]
    made.start_epoch(1)
    return made


def encoders(*names: str) -> dict[str, nn.Module]:
    """A layer for each modality, all of whose gradients are 1."""
    layers: dict[str, nn.Module] = {}
    for name in names:
        layers[name] = nn.Linear(3, 2)
        for parameter in layers[name].parameters():
            parameter.grad = torch.ones_like(parameter)
    return layers


def factor(layer: nn.Module) -> float:
    found = {float(number) for parameter in layer.parameters() if parameter.grad is not None for number in parameter.grad.flatten()}
    assert len(found) == 1
    return found.pop()


def probability(logits: list[float], label: int) -> float:
    return float(np.exp(logits[label]) / np.exp(logits).sum())


def test_two_modalities_as_in_the_paper(passed: Given) -> None:
    def answer(coalition: tuple[str, ...]) -> dict[str, Tensor]:
        return {"shape": torch.tensor(SHAPE[coalition[0]])}

    balance = method(["video", "audio"], ["shape"], alpha=0.3, noise=False)
    given = passed(answer, {"shape": torch.tensor(LABELS)}, {"video": ALL, "audio": ALL})
    predictions, penalties = balance.adapt(given)
    assert predictions is given.predictions and penalties == {}
    layers = encoders("audio", "video")
    layers["video"].bias.grad = None
    balance.after_backward(layers)
    score = {name: sum(probability(row, label) for row, label in zip(SHAPE[name], LABELS, strict=True)) for name in ("audio", "video")}
    ratio = score["audio"] / score["video"]
    assert ratio > 1
    assert factor(layers["audio"]) == pytest.approx(1 - np.tanh(0.3 * ratio), rel=1e-5)
    assert factor(layers["video"]) == 1


def test_rows_that_lack_a_modality_and_tasks_of_two_kinds(passed: Given) -> None:
    """Three modalities; a row counts for a modality that it has, whatever the model answers for the others."""
    sizes = {"audio": [0.5, 9.0], "video": [0.4, 0.7], "words": [1.0, 1.0]}

    def answer(coalition: tuple[str, ...]) -> dict[str, Tensor]:
        return {"shape": torch.tensor(SHAPE[coalition[0]]), "size": torch.tensor(sizes[coalition[0]])}

    balance = method(["words", "video", "audio"], ["size", "shape"], alpha=0.7, noise=False)
    present = {"audio": torch.tensor([True, False]), "video": ALL, "words": torch.tensor([False, True])}
    targets = {"shape": torch.tensor(LABELS), "size": torch.tensor([0.0, torch.nan])}
    balance.adapt(passed(answer, targets, present, labelled={"shape": ALL, "size": torch.tensor([True, False])}))
    layers = encoders("audio", "video", "words")
    balance.after_backward(layers)
    score = {
        "audio": (probability(SHAPE["audio"][0], 0) + np.exp(-(0.5**2))) / 2,
        "video": ((probability(SHAPE["video"][0], 0) + probability(SHAPE["video"][1], 1)) / 2 + np.exp(-(0.4**2))) / 2,
        "words": probability(SHAPE["words"][1], 1),  # no row has words and a size
    }
    for name, own in score.items():
        ratio = own / np.mean([other for place, other in score.items() if place != name])
        assert factor(layers[name]) == pytest.approx(1 - np.tanh(0.7 * ratio) if ratio > 1 else 1.0, rel=1e-5)
    assert factor(layers["words"]) == 1 and factor(layers["audio"]) < 0.5


def test_batches_of_one_step_are_judged_together_and_steps_apart(passed: Given) -> None:
    def cut(rows: slice) -> Pass:
        return passed(
            lambda coalition: {"shape": torch.tensor(SHAPE[coalition[0]])[rows]},
            {"shape": torch.tensor(LABELS)[rows]},
            {"audio": ALL[rows], "video": ALL[rows]},
        )

    found = []
    for batches in ([slice(0, 2)], [slice(0, 1), slice(1, 2)]):
        balance = method(["audio", "video"], ["shape"], noise=False)
        for _ in range(2):
            for rows in batches:
                balance.adapt(cut(rows))
            layers = encoders("audio", "video")
            balance.after_backward(layers)
            found.append(factor(layers["audio"]))
    assert found == pytest.approx([found[0]] * 4, rel=1e-6)


def test_noise_has_the_spread_of_each_gradient_before_it_was_slowed(passed: Given) -> None:
    balance = method(["audio", "video"], ["shape"], alpha=0.3)
    predictions = {"audio": torch.tensor([[9.0, 0.0]]), "video": torch.zeros(1, 2)}
    one = torch.ones(1, dtype=torch.bool)
    balance.adapt(passed(lambda parts: {"shape": predictions[parts[0]]}, {"shape": torch.tensor([0])}, {"audio": one, "video": one}))
    layers: dict[str, nn.Module] = {"audio": nn.Linear(300, 200), "video": nn.Linear(1, 1)}
    before = {}
    for name, layer in layers.items():
        for place, parameter in layer.named_parameters():
            parameter.grad = 3 * torch.randn_like(parameter) + 1
            before[name, place] = parameter.grad.clone()
    balance.after_backward(layers)
    slowed = 1 - np.tanh(0.3 * probability([9.0, 0.0], 0) / 0.5)
    weight = layers["audio"].weight
    assert isinstance(weight, nn.Parameter) and weight.grad is not None
    noise = weight.grad - slowed * before["audio", "weight"]
    spread = float(before["audio", "weight"].numpy().std(ddof=1))
    assert float(noise.mean()) == pytest.approx(0, abs=0.05)
    assert float(noise.std()) == pytest.approx(spread, rel=0.02)
    for place, parameter in layers["video"].named_parameters():  # a single number has no spread
        assert parameter.grad is not None
        assert_close(parameter.grad, before["video", place])
