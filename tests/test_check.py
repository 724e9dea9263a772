"""`mmtrain check` says what a run would train on, and leaves nothing behind."""

from pathlib import Path

import pytest

from mmtrain.cli import main


def test_what_is_printed(tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check", *tiny, f"hydra.run.dir={tmp_path / 'run'}"]) == 0
    out = capsys.readouterr().out.splitlines()
    rows = {cells[0]: cells[1:] for line in out if len(cells := line.replace("│", " ").split()) > 3}
    assert rows["rows"] == ["96", "96", "96"]
    assert [rows[name][0] for name in ("picture", "caption", "tone")] == ["image", "text", "audio"]
    assert [rows[name][0] for name in ("shape", "position", "match")] == ["classification", "regression", "binary"]
    there, share = rows["shape"][1:3]  # a fifth of the labels is left empty
    assert share == f"({int(there) / 96:.0%})"
    assert 60 < int(there) < 96
    assert any(line.startswith("parameters: ") and "; steps: 6; device: " in line for line in out)
    assert out[-1] == "one batch went through the model and back: ready to train"
    assert list(tmp_path.iterdir()) == []


def test_warnings_are_told(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *tiny, "balancing=size"]) == 0
    assert "note: balancing" in capsys.readouterr().out


def test_a_model_that_cannot_be_built(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *tiny, "optimizer.lr_factor.fuson=2"]) == 2
    assert capsys.readouterr().err.startswith("error: optimizer.lr_factor.fuson: no part of the model is called so; did you mean 'fusion'?")
