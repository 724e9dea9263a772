"""`mmtrain prepare` says what it built, and clears away what is no longer used."""

from pathlib import Path

import pytest

from mmtrain.config import load
from mmtrain.data import Settings, cache_folder
from mmtrain.prepare import prepare

SMALL = ["data.train=40", "data.val=4", "data.test=6"]


def test_a_line_a_modality(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(load([*SMALL, f"data.cache={tmp_path}"]).config)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["picture: 50 rows", "caption: 50 rows", "tone: 50 rows"]
    assert all(line.endswith(f" in {tmp_path / 'scenes'}") for line in lines)
    assert "154.6 kB" in lines[0]  # 50 x 32 x 32 x 3 bytes, six headers of 128, 50 flags, three lists of 59 letters


def test_what_is_decoded_on_the_fly_takes_no_room(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(load([*SMALL, f"data.cache={tmp_path}", "data.cache_limit_gb=0.0001"]).config)  # 107 kB: less than 40 pictures, 4 are fewer
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("picture: 50 rows, 40 of them decoded on the fly, ")
    assert lines[1].startswith("caption: 50 rows, ")
    assert sum("scenes/train: decoded on the fly, as a store would take about 0.00 GiB" in line for line in lines[3:]) == 2


def test_clearing_leaves_only_what_this_configuration_uses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [*SMALL, f"data.cache={tmp_path}"]
    prepare(load([*options, "data.seed=1"]).config)
    folder = cache_folder(Settings("scenes", cache=str(tmp_path)))
    old = set(folder.iterdir())
    prepare(load(options).config)
    used = set(folder.iterdir()) - old
    capsys.readouterr()
    prepare(load(options).config, clear_old=True)
    assert set(folder.iterdir()) == used
    assert capsys.readouterr().out.splitlines()[-1].startswith("removed 9 old stores, ")
