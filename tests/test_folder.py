from pathlib import Path

import pytest

from mmtrain.errors import RunError
from mmtrain.folder import RunFolder


def test_a_folder_that_holds_a_run_is_refused(tmp_path: Path) -> None:
    folder = RunFolder.new(tmp_path / "run")
    folder.make()
    folder.write_results({"status": "running"})
    with pytest.raises(RunError, match=r"run: already holds a run; choose another hydra\.run\.dir, or go on with --resume"):
        RunFolder.new(tmp_path / "run")


def test_what_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nowhere: no such folder"):
        RunFolder.open(tmp_path / "nowhere")
    with pytest.raises(RunError, match=r"not a run folder: it holds no config\.yaml"):
        RunFolder.open(tmp_path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(RunError, match=r"results\.json: cannot be read"):
        RunFolder(tmp_path).results()


def test_json_holds_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        RunFolder(tmp_path).write_results({"seconds": float("nan")})
    assert list(tmp_path.iterdir()) == [] or not (tmp_path / "results.json").exists()


def test_metrics_and_curves_are_cut_back(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    curves = tmp_path / "tensorboard"
    curves.mkdir()
    (curves / "events.1").write_bytes(b"12345")
    folder.append_metrics({"epoch": 1})
    sizes = folder.sizes()
    folder.append_metrics({"epoch": 2})
    (curves / "events.1").write_bytes(b"12345678")
    (curves / "events.2").write_bytes(b"later")
    folder.cut_back(sizes)
    assert folder.read_metrics() == [{"epoch": 1}]
    assert [(file.name, file.read_bytes()) for file in curves.iterdir()] == [("events.1", b"12345")]
