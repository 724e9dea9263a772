from pathlib import Path

from mmtrain.tracker import Nothing


def test_writes_nothing(tmp_path: Path) -> None:
    tracker = Nothing(tmp_path)
    tracker.log(1, {"train/loss": 0.5})
    tracker.flush()
    tracker.close()
    assert list(tmp_path.iterdir()) == []
