from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mmtrain.tracker import TensorBoard


def test_points_can_be_read_back(tmp_path: Path) -> None:
    tracker = TensorBoard(tmp_path)
    tracker.log(3, {"train/loss": 0.5})
    tracker.flush()
    tracker.log(4, {"train/loss": 0.25})
    tracker.close()
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(point.step, point.value) for point in events.Scalars("train/loss")] == [(3, pytest.approx(0.5)), (4, pytest.approx(0.25))]
