"""What several processes cannot do, or do another way. That two train as one does stands in `training/test_processes.py`."""

import pytest
from torch import nn

from mmtrain import processes
from mmtrain.cli import main


@pytest.mark.parametrize("name", ["agm", "pmr"])
def test_what_judges_whole_batches_is_refused(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(processes, "count", lambda: 2)
    assert main(["train", f"modality_balance={name}"]) == 2
    assert "with several processes is not supported" in capsys.readouterr().err


def test_batch_statistics_of_a_share_are_worth_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    assert processes.notes(nn.BatchNorm1d(2)) == []
    monkeypatch.setattr(processes, "count", lambda: 2)
    assert "batch normalisation" in processes.notes(nn.BatchNorm1d(2))[0]
    assert processes.notes(nn.LayerNorm(2)) == []
