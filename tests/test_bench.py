"""`mmtrain bench` compares our loop with a bare one."""

import re
from pathlib import Path

import pytest

from mmtrain import bench
from mmtrain.cli import main
from mmtrain.config import load
from mmtrain.modality_balance import AGM


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, number in (("ROUNDS", 2), ("STEPS", 2), ("WARM_UP", 1)):
        monkeypatch.setattr(bench, name, number)


def test_it_prints_the_ratio(tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bench", *tiny]) == 0
    out = capsys.readouterr().out
    times = {name: float(number) for name, number in re.findall(r"│ (mmtrain|bare) +│ +([\d.]+) +│", out)}
    [ratio] = re.findall(r"ratio ([\d.]+): median of 2 turns of 2 steps each, in alternation", out)
    assert float(ratio) == pytest.approx(times["mmtrain"] / times["bare"], rel=0.02)
    assert list(tmp_path.iterdir()) == []


def test_frozen_parts_rest_in_both_loops(tiny: list[str]) -> None:
    assert bench.bench(load([*tiny, "training.freeze.encoder=always"]).config) > 0


def test_feeding_compares_the_store_with_decoding(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--feed", *tiny]) == 0
    out = capsys.readouterr().out
    times = {name: float(number) for name, number in re.findall(r"│ (stored|decoded) +│ +([\d.]+) +│", out)}
    [ratio] = re.findall(r"ratio ([\d.]+): median of 2 turns of 2 steps each", out)
    assert float(ratio) == pytest.approx(times["decoded"] / times["stored"], rel=0.2)
    assert float(ratio) > 1


def test_what_has_no_files_is_not_decoded(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["~data.modalities.picture", "~data.modalities.tone"]
    assert main(["bench", "--feed", *tiny, *words]) == 2
    assert "data.modalities: none is read from files; choose data with pictures, sounds or clips" in capsys.readouterr().err


def test_two_choices_are_compared_on_the_same_batches(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *tiny, "fusion=tensor", "--against", "fusion=sum"]) == 0
    out = capsys.readouterr().out
    times = {name: float(number) for name, number in re.findall(r"│ (this|other) +│ +([\d.]+) +│", out)}
    [ratio] = re.findall(r"ratio ([\d.]+): median of 2 turns of 2 steps each", out)
    assert float(ratio) == pytest.approx(times["this"] / times["other"], rel=0.02)
    assert main(["bench", *tiny, "--against", "training.batch_size=7"]) == 2
    assert "both have to take the same batches" in capsys.readouterr().err


def test_what_acts_in_training_acts_in_the_bench(tiny: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its cost would not be seen: a method of modality balance has to be told that an epoch begins."""
    active: list[bool] = []
    monkeypatch.setattr(AGM, "after_backward", lambda part, encoders: active.append(part.active))
    bench.bench(load([*tiny, "modality_balance=agm"]).config)
    assert active and all(active)


def test_the_ratio_is_returned(tiny: list[str]) -> None:
    assert bench.bench(load([*tiny, "training.accumulate=2", "training.clip=null"]).config) > 0
