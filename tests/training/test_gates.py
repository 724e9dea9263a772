"""Gate weights on their way from sharing to the curves."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

from mmtrain.batch import FUSED, Gate
from mmtrain.cli import main
from mmtrain.folder import RunFolder
from mmtrain.model import Output
from mmtrain.training.gates import Gates, points

EXPERTS = ["expert_1", "expert_2"]


def output(weights: Tensor, answers: Tensor, view: str = FUSED) -> Output:
    return Output({}, {}, {view: answers}, [], {}, {}, {}, gates={("shape", view): Gate(EXPERTS, weights)})


def batches() -> list[Output]:
    first = output(torch.tensor([[0.2, 0.8], [0.4, 0.6], [float("nan"), 1.0]]), torch.tensor([True, True, False]))
    return [first, output(torch.tensor([[0.9, 0.1]]), torch.tensor([True]))]


def gathered(outputs: list[Output]) -> Gates:
    gates = Gates()
    for each in outputs:
        gates.add(each)
    return gates


def test_means_are_over_the_rows_that_the_view_speaks_for() -> None:
    found = gathered(batches()).means()
    assert found == {"shape": {FUSED: {"expert_1": pytest.approx(0.5), "expert_2": pytest.approx(0.5)}}}
    assert points(found, "gate") == {"shape/gate/fused/expert_1": pytest.approx(0.5), "shape/gate/fused/expert_2": pytest.approx(0.5)}


def test_a_view_that_spoke_for_no_row_is_left_out() -> None:
    nobody = output(torch.ones(2, 2), torch.tensor([False, False]), "image")
    assert gathered([*batches(), nobody]).means()["shape"].keys() == {FUSED}
    assert Gates().means() == {}


def test_they_go_on_from_their_state() -> None:
    first, second = batches()
    resumed = Gates()
    resumed.add_state(gathered([first]).state_dict(), torch.device("cpu"))
    resumed.add(second)
    assert resumed.means() == gathered([first, second]).means()


def test_gates_reach_the_curves(tiny: list[str], tmp_path: Path) -> None:
    """At each logged step, and at the end of each epoch on both splits; a penalty is a curve, too."""
    run = tmp_path / "run"
    assert main(["train", *tiny, "sharing=dselect_k", "model.auxiliary=0.1", "training.epochs=1", f"hydra.run.dir={run}"]) == 0
    for line in RunFolder(run).read_metrics():
        assert set(line["gates"]) == {"shape", "colour", "position", "match", "pitch"}
        for views in line["gates"].values():
            assert set(views) == {FUSED, "picture", "caption", "tone"}
            for weights in views.values():
                assert sum(weights.values()) == pytest.approx(1.0, abs=1e-5)
    events = EventAccumulator(str(run / "tensorboard")).Reload()
    curves: dict[str, Any] = {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}
    assert [point.step for point in curves["train/shape/step_gate/fused/expert_1"]] == [1, 2, 3]
    assert [point.step for point in curves["train/penalty/sharing/fused/shape/entropy"]] == [1, 2, 3]
    last = RunFolder(run).read_metrics()[-1]["gates"]["shape"][FUSED]["expert_1"]
    assert [point.value for point in curves["val/shape/gate/fused/expert_1"]] == [pytest.approx(last)]
    assert "train/shape/gate/fused/expert_1" in curves


def test_without_gates_there_is_nothing_of_them(run: Path) -> None:
    assert not any("gates" in line for line in RunFolder(run).read_metrics())
