"""What would part a picture from targets that lie in it is told before torch is imported."""

from pathlib import Path
from typing import Any

import pytest

from mmtrain.config.moved import check_moved

MINE = """
class Parts:
    places: ClassVar[bool] = True

class Shaken:
    still: ClassVar[dict[str, float]] = {"by": 0}

class Silent: ...

raise AssertionError("not to be imported")
"""
KINDS = {"picture": "mmtrain.modality.ImageModality", "tone": "mmtrain.modality.AudioModality"}
STANDARD = {"_target_": "mmtrain.augmentation.image.Standard", "crop": 0.125, "flip": 0.0, "window": 1.0, "rotation": 0.0, "shear": 0.0}
NOTHING = {"_target_": "mmtrain.mixing.Nothing"}


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "mine_moved.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    return "mine_moved"


def told(
    augmentation: dict[str, Any], *, task: str = "mmtrain.task.Segmentation", mixing: Any = NOTHING, trust: tuple[str, ...] = ()
) -> Any:
    tasks = {"parts": {"_target_": task, "modality": "picture"}}
    modalities = {name: {"_target_": target} for name, target in KINDS.items()}
    return [str(problem) for problem in check_moved(tasks, modalities, augmentation, mixing, trust)]


def test_each_option_that_moves_is_named() -> None:
    found = "'Standard' moves what 'picture' shows, and not the targets of tasks.parts"
    assert told({"image": STANDARD | {"window": 0.5}}) == [
        f"augmentation.image: {found}; set augmentation.image.crop=0 augmentation.image.window=1"
    ]
    assert told({"image": STANDARD | {"crop": 0.0}}) == []


def test_only_the_augmentation_in_use_counts() -> None:
    """A name goes before a kind, and other modalities may be moved."""
    assert told({"image": STANDARD, "picture": STANDARD | {"crop": 0.0}}) == []
    assert told({"audio": STANDARD, "tone": STANDARD}) == []
    assert told({"image": STANDARD}, task="mmtrain.task.Classification") == []


def test_boxes_of_other_pictures() -> None:
    assert len(told({}, mixing={"_target_": "mmtrain.mixing.Cutmix", "probability": 0.5})) == 1
    assert told({}, mixing={"_target_": "mmtrain.mixing.Cutmix", "probability": 0.0}) == []


def test_parts_of_ones_own_may_say_so_too(mine: str) -> None:
    given = {"image": {"_target_": f"{mine}.Shaken", "by": 3}}
    assert told(given, task=f"{mine}.Parts", trust=(mine,)) == [
        "augmentation.image: 'Shaken' moves what 'picture' shows, and not the targets of tasks.parts; set augmentation.image.by=0"
    ]
    assert told({"image": {"_target_": f"{mine}.Silent"}}, trust=(mine,)) == []
