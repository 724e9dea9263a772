"""What each modality brings: the figures by hand, and that measuring them changes nothing else."""

from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mmtrain import checkpoint
from mmtrain.batch import Batch, Tokens
from mmtrain.cli import main
from mmtrain.evaluate import open_split
from mmtrain.folder import RunFolder
from mmtrain.model import Model
from mmtrain.training.cut import answer_cuts, contributions, evaluate_modalities, only
from mmtrain.training.meter import Scores, evaluate

Train = Callable[..., Path]
SKILLS = {"a": 0.3, "b": -0.1, "ab": 0.9}


@pytest.fixture
def train(tiny: list[str], tmp_path: Path) -> Train:
    """Train with other values where given; gives the run folder."""

    def run(name: str, *overrides: str) -> Path:
        assert main(["train", *tiny, *overrides, f"hydra.run.dir={tmp_path / name}"]) == 0
        return tmp_path / name

    return run


def val_lines(run: Path) -> list[dict[str, Any]]:
    return [line for line in RunFolder(run).read_metrics() if line["split"] == "val"]


def shapley(names: Sequence[str], skills: dict[str, float]) -> dict[str, float]:
    """The mean over all orders in which the modalities may come of what each adds to those before it."""
    orders = list(permutations(sorted(names)))
    added = dict.fromkeys(names, 0.0)
    for order in orders:
        for place, name in enumerate(order):
            before, after = ("".join(sorted(order[:end])) for end in (place, place + 1))
            added[name] += ({"": 0.0} | skills)[after] - ({"": 0.0} | skills)[before]
    return {name: total / len(orders) for name, total in added.items()}


def test_of_two_modalities_it_is_the_shapley_value() -> None:
    found = contributions(["a", "b"], SKILLS["ab"], {frozenset(name): skill for name, skill in SKILLS.items()})
    expected = shapley("ab", SKILLS)
    assert {name: one["contribution"] for name, one in found.items()} == pytest.approx(expected)
    assert sum(expected.values()) == pytest.approx(SKILLS["ab"])
    assert found["a"] == {"contribution": pytest.approx(0.65), "alone": 0.3, "without": -0.1}


def test_of_three_it_is_the_mean_of_the_first_and_the_last_place() -> None:
    skills = {"a": 0.1, "b": 0.2, "c": 0.0, "bc": 0.25, "ac": 0.5, "ab": 0.7}
    found = contributions(["a", "b", "c"], 0.8, {frozenset(name): skill for name, skill in skills.items()})
    assert found["a"] == {"contribution": pytest.approx((0.1 + 0.8 - 0.25) / 2), "alone": 0.1, "without": 0.25}
    assert found["c"] == {"contribution": pytest.approx((0.0 + 0.8 - 0.7) / 2), "alone": 0.0, "without": 0.7}


@pytest.mark.parametrize("unknown", ["a", "b", "ab"])
def test_what_is_undefined_is_none(unknown: str) -> None:
    skills = {frozenset(name): None if name == unknown else skill for name, skill in SKILLS.items()}
    found = contributions(["a", "b"], skills[frozenset("ab")], skills)
    assert [one["contribution"] for one in found.values()] == [None, None]


def test_every_epoch_says_what_each_modality_brings(run: Path) -> None:
    for line in val_lines(run):
        assert list(line["modalities"]) == ["caption", "picture", "tone"]
        for one in line["modalities"].values():
            assert one["contribution"] == pytest.approx((one["alone"] + line["skill"] - one["without"]) / 2)
    assert all("modalities" not in line for line in RunFolder(run).read_metrics() if line["split"] == "train")


def test_the_best_epoch_is_said_again_at_the_end(run: Path) -> None:
    best = val_lines(run)[RunFolder(run).results()["best_epoch"] - 1]["modalities"]
    brought = sorted(((one["contribution"], name) for name, one in best.items()), reverse=True)
    line = "what each modality brings to the mean skill on val: " + ", ".join(f"{name} {number:.2f}" for number, name in brought)
    assert line in (run / "train.log").read_text().splitlines()


def test_the_curves_have_it(run: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run / "tensorboard")).Reload()
    for key in ("contribution", "alone", "without"):
        drawn = [point.value for point in events.Scalars(f"val/modalities/tone/{key}")]
        assert drawn == pytest.approx([line["modalities"]["tone"][key] for line in val_lines(run)])


def test_a_batch_is_encoded_once(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained, dataset = open_split(run, "val")
    encoded: list[int] = []
    encode = Model.encode

    def noting(model: Model, batch: Batch) -> dict[str, Tokens]:
        encoded.append(len(batch))
        return encode(model, batch)

    monkeypatch.setattr(Model, "encode", noting)
    evaluate_modalities(trained.model, dataset, trained.runtime, batch_size=40)
    assert encoded == [40, 40, 16]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_val_is_scored_as_without_to_the_bit(precision: str, train: Train, run: Path) -> None:
    place = run if precision == "fp32" else train("half", f"training.precision={precision}", "training.steps=1")
    trained, dataset = open_split(place, "val")
    plain = evaluate(trained.model, dataset, trained.runtime, batch_size=40)
    found = evaluate_modalities(trained.model, dataset, trained.runtime, batch_size=40)
    assert found.modalities
    assert Scores(**(vars(found) | {"modalities": {}})) == plain


def test_a_cut_leaves_whole_modalities_or_some_of_their_cells(run: Path) -> None:
    """A modality that is not named is gone as one whose cells all are; what is not there stays away."""
    trained, dataset = open_split(run, "val")
    rows = len(dataset)
    nothing = torch.zeros(rows, dtype=torch.bool)
    cuts = {
        "unnamed": only(["tone"], rows),
        "emptied": only(["tone"], rows) | {"picture": nothing, "caption": nothing},
        "all": only(dataset.modalities, rows),
        "none": {},
    }
    meter, meters = answer_cuts(trained.model, dataset, trained.runtime, batch_size=40, cuts=cuts)
    assert meters["unnamed"].skill() == pytest.approx(meters["emptied"].skill(), abs=1e-6)
    assert meters["all"].skill() == meter.skill() == meter.scores().skill
    assert meters["none"].skill() == pytest.approx(0, abs=1e-6)
    assert meters["unnamed"].skill() != pytest.approx(meter.skill(), abs=1e-3)


@pytest.mark.parametrize("fusion", ["embrace", "late"])
def test_training_is_the_same_without(fusion: str, train: Train) -> None:
    words = [f"model=fusion_{fusion}", "fusion.dropout=0.1", "missing.dropout=0.2"]
    on, off = train("on", *words), train("off", *words, "training.contributions=false")
    first, second = (checkpoint.load(RunFolder(run).last) for run in (on, off))
    for state in (first, second):
        del state["random"]["python"]  # beartype, which checks shapes while testing, draws from it which item of a list to look at
    for part in ("model", "optimizer", "random"):
        assert equal(first[part], second[part]), part
    times = ("seconds", "samples_per_second", "modalities")
    lines = [[{key: line[key] for key in line if key not in times} for line in RunFolder(run).read_metrics()] for run in (on, off)]
    assert lines[0] == lines[1]
    assert [("modalities" in line) for run in (on, off) for line in val_lines(run)] == [True, True, False, False]
    assert "brings" not in (off / "train.log").read_text()


@pytest.mark.parametrize("words", [["missing=drop"], ["~data.modalities.tone", "~data.modalities.caption"]], ids=["drop", "one modality"])
def test_nothing_is_said_where_there_is_nothing_to_compare(words: list[str], train: Train) -> None:
    run = train("run", *words)
    assert all("modalities" not in line for line in val_lines(run))
    assert "brings" not in (run / "train.log").read_text()


def equal(first: Any, second: Any) -> bool:
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(equal, first, second))
    return torch.equal(first, second) if isinstance(first, torch.Tensor) else bool(np.all(first == second))
