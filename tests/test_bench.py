"""`mmtrain bench` compares our loop with a bare one."""

import re
from pathlib import Path

import pytest

from mmtrain import bench
from mmtrain.cli import main
from mmtrain.config import load


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


def test_the_ratio_is_returned(tiny: list[str]) -> None:
    assert bench.bench(load([*tiny, "training.accumulate=2", "training.clip=null"]).config) > 0
