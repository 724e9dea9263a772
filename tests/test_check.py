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
    assert [file.name for file in tmp_path.iterdir()] == ["check.html"]
    assert (tmp_path / "check.html").read_text().startswith("<!doctype html>")


def test_what_the_data_hold_is_told(tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert main(["check", *tiny, "data.modalities.caption.max_length=3", f"--output={page}"]) == 0
    out = capsys.readouterr().out
    for line in (
        "\nshape: 4 labels: ",
        "\nposition: from 8",
        "\npicture: all 32 x 32 pixels\n",
        "; max_length=3 cuts ",
        "\nempty cells, in ",
    ):
        assert line in out
    assert f"\npage: {page}\n" in out
    assert list(tmp_path.iterdir()) == [page]


def test_leaks_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{row},word {row},{'yes' if row % 2 else 'no'},{row % 2}" for row in range(400)]
    Path("shop.csv").write_text("\n".join(["x,title,answer,label", *rows, *(f"{row},word {row},no,0" for row in range(0, 40, 2))]))
    assert main(["init", "shop.csv"]) == 0
    assert main(["check", "--config-dir", "configs", "data=shop"]) == 0
    out = capsys.readouterr().out
    assert "\nnote: column 'answer' alone predicts 'label' at 1.00 (constant 0." in out
    assert " have the inputs of a train row: " in out


def test_a_page_that_cannot_be_written(tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *tiny, "--output", str(tmp_path / "nowhere" / "page.html")]) == 2
    assert capsys.readouterr().err == f"error: --output: there is no folder '{tmp_path / 'nowhere'}'; make it first\n"
    (tmp_path / "page.html").mkdir()
    assert main(["check", *tiny, "--output", str(tmp_path / "page.html")]) == 2
    assert capsys.readouterr().err.startswith(f"error: --output: '{tmp_path / 'page.html'}' cannot be written: ")
    assert [item.name for item in tmp_path.iterdir()] == ["page.html"]


def test_warnings_are_told(tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check", *tiny, "balancing=size"]) == 0
    assert "note: balancing" in capsys.readouterr().out


def test_a_model_that_cannot_be_built(
    tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check", *tiny, "optimizer.lr_factor.fuson=2"]) == 2
    assert capsys.readouterr().err.startswith("error: optimizer.lr_factor.fuson: no part of the model is called so; did you mean 'fusion'?")
