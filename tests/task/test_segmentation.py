import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from numpy.testing import assert_array_equal
from PIL import Image as Pillow

from mmtrain.cli import main
from mmtrain.errors import ConfigError, DataError
from mmtrain.loss import CrossEntropy, LogitAdjusted
from mmtrain.metric import MASK_METRICS
from mmtrain.modality import ImageModality
from mmtrain.spec import TaskSpec
from mmtrain.table import Table
from mmtrain.task import Segmentation, Task, condensed, read_runs

HEIGHT, WIDTH = 2, 3
SEEN = [[0, 0, 2], [0, 255, 2]]
OTHER = [[0, 0, 0], [2, 0, 0]]
IGNORED = [[255, 255, 255], [255, 255, 255]]


def table(folder: Path, masks: Sequence[Any]) -> Table:
    """Masks as files; None is an empty cell, a text stays as it is."""
    cells = []
    for mask in masks:
        name = "".join(str(mask).split()) + ".png" if isinstance(mask, list) else mask
        if isinstance(mask, list):
            Pillow.fromarray(np.array(mask, np.uint8)).save(folder / name)
        cells.append(name)
    return Table(pl.DataFrame({"mask": pl.Series(cells, dtype=pl.String)}), "rows.csv", np.arange(1, len(cells) + 1), root=folder)


def build(*, loss: Any = CrossEntropy, **options: Any) -> Segmentation:
    task = Segmentation("parts", modality="photo", column="mask", loss=loss, **options)
    task.attach({"photo": ImageModality(column="photo", height=HEIGHT, width=WIDTH)})
    return task


def fitted(folder: Path, **options: Any) -> Segmentation:
    task = build(**options)
    task.fit(table(folder, [SEEN, None, OTHER]))
    return task


def logits(ids: np.ndarray, classes: int) -> torch.Tensor:
    return 100 * torch.eye(classes)[np.where(ids == 255, 0, ids).astype(int)].movedim(3, 1)


def test_it_is_a_task(tmp_path: Path) -> None:
    task = fitted(tmp_path)
    assert [name for name in vars(Task) if not name.startswith("_") and not hasattr(task, name)] == []
    assert task.spec == TaskSpec(2, False, 1.0, "numbers", (2, HEIGHT, WIDTH), whole=False, modalities=tuple(task.modalities))
    assert dict(task.labels.counts) == {"0": 8, "2": 3}


def test_masks_become_class_numbers(tmp_path: Path) -> None:
    cells = table(tmp_path, [SEEN, None, IGNORED, OTHER])
    target, labelled = fitted(tmp_path).encode(cells)
    assert target.dtype == np.uint8
    assert_array_equal(target[[0, 3]], [[[0, 0, 1], [0, 255, 1]], [[0, 0, 0], [1, 0, 0]]])
    assert labelled.tolist() == [True, False, False, True]
    assert cells.bad == []


def test_classes_may_be_given_and_named(tmp_path: Path) -> None:
    assert dict(fitted(tmp_path, classes=4).labels.counts) == {"0": 8, "1": 0, "2": 3, "3": 0}
    task = fitted(tmp_path, classes=["sky", "sea", "land"])
    assert list(task.labels.counts) == ["sky", "sea", "land"]
    assert_array_equal(task.encode(table(tmp_path, [SEEN]))[0], [SEEN])
    assert task.prior().isfinite().all()
    assert dict(fitted(tmp_path, ignore=None).labels.counts) == {"0": 8, "2": 3, "255": 1}


@pytest.mark.parametrize("classes", [["one"], ["one", "one"], []], ids=str)
def test_names_of_classes_are_two_or_more(classes: list[str]) -> None:
    with pytest.raises(ConfigError, match="2 to 255 different classes"):
        build(classes=classes)


def test_what_is_no_mask(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    Pillow.new("RGB", (3, 2)).save(tmp_path / "colours.png")
    cells = table(tmp_path, ["text.png", "colours.png", "gone.png", [[0, 7, 0], [0, 0, 0]], SEEN])
    labelled = fitted(tmp_path).encode(cells)[1]
    assert labelled.tolist() == [False] * 4 + [True]
    assert [problem.where for problem in cells.bad] == [f"rows.csv, row {row}, column 'mask'" for row in (1, 2, 3, 4)]
    found = [problem.found for problem in cells.bad]
    assert found[0] == "'text.png' is not a picture of a known format"
    assert found[1] == "'colours.png' has colours (RGB), and a mask has a number a pixel: grey, or colours of a palette"
    assert found[2].startswith("'gone.png' does not exist")
    assert found[3] == "has pixels that are 7, which is no class; train has 0, 2, and tasks.parts.classes may name more"


@pytest.mark.parametrize(
    ("masks", "line"),
    [
        ([None], "none of the 1 train rows in rows.csv has a label in column 'mask'"),
        ([[[0, 0, 255]]], "the masks of column 'mask' in train hold 1 different number besides 255, which is ignored"),
    ],
)
def test_nothing_to_learn(tmp_path: Path, masks: Any, line: str) -> None:
    with pytest.raises(DataError) as caught:
        build().fit(table(tmp_path, masks))
    assert str(caught.value).startswith(f"tasks.parts: {line}")


@pytest.mark.parametrize("metric", MASK_METRICS)
def test_skill_of_the_prior_is_0_and_of_perfection_1(tmp_path: Path, metric: str) -> None:
    task = fitted(tmp_path, metric=metric)
    target, labelled = task.encode(table(tmp_path, [SEEN, None, OTHER]))
    target = target[labelled]
    prior = task.evaluate(task.answer(condensed(task, task.prior().expand(2, *task.prior().shape))), target)
    assert prior["skill"] == pytest.approx(0, abs=1e-9)
    assert prior["constant"] == prior[metric]
    answer = task.answer(condensed(task, logits(target, 2)))
    best = task.evaluate(answer, target)
    assert best[metric] == best["skill"] == task.skill(answer, target) == 1
    assert list(best) == ["rows", *MASK_METRICS, "constant", "skill"]
    for number in range(2):  # no class everywhere is better than that of the prior
        skill = task.skill(np.full_like(target, number), target)
        assert skill is not None
        assert skill <= 1e-9


def test_what_is_not_finite_or_not_there_has_no_score(tmp_path: Path) -> None:
    task = fitted(tmp_path)
    target = task.encode(table(tmp_path, [SEEN, OTHER]))[0]
    prediction = logits(target, 2)
    prediction[0, 1, 0, 0] = torch.nan
    for rows in (2, 0):
        found = task.evaluate(task.answer(condensed(task, prediction[:rows])), target[:rows])
        assert found["skill"] is None
        json.dumps(found, allow_nan=False)


def test_unlabelled_rows_and_their_order_have_no_influence(tmp_path: Path) -> None:
    task, other = fitted(tmp_path), build()
    other.fit(table(tmp_path, [IGNORED, OTHER, SEEN, None]))
    assert task.state() == other.state()


def test_state_outlives_json(tmp_path: Path) -> None:
    task, restored = fitted(tmp_path), build()
    restored.load_state(json.loads(json.dumps(task.state())))
    assert restored.spec == task.spec
    assert restored.state() == task.state()
    cells = table(tmp_path, [SEEN, OTHER])
    for ours, theirs in zip(task.encode(cells), restored.encode(cells), strict=True):
        assert_array_equal(ours, theirs)
    assert torch.equal(task.prior(), restored.prior())


def test_masks_come_back_as_they_were(tmp_path: Path) -> None:
    task = fitted(tmp_path, ignore=None)
    target, _ = task.encode(table(tmp_path, [SEEN, OTHER]))
    found = task.decode(task.answer(condensed(task, logits(target, 3))))
    assert list(found) == ["", ".share.0", ".share.2", ".share.255"]
    assert found[""][1] == "0:3 2:1 0:2"
    assert found[".share.2"] == pytest.approx([2 / 6, 1 / 6])
    assert_array_equal(read_runs(found[""][1], HEIGHT, WIDTH), OTHER)
    assert all(len(cells) == 0 for cells in task.decode(np.zeros((0, HEIGHT, WIDTH), np.uint8)).values())


def test_each_class_is_scored_under_its_own_name(tmp_path: Path) -> None:
    task = fitted(tmp_path)
    target = task.encode(table(tmp_path, [SEEN, OTHER]))[0]
    found = task.evaluate_classes(task.answer(condensed(task, logits(target, 2))), target)
    assert found == {name: {"precision": 1, "recall": 1, "f1": 1, "iou": 1, "rows": 2} for name in ("0", "2")}


def test_what_a_loss_adds_to_the_logits_is_taken_off_where_learning_begins(tmp_path: Path) -> None:
    task = fitted(tmp_path, loss=LogitAdjusted)
    head: Any = task.head(4, {"photo": 5})
    assert torch.allclose(head.last.bias, torch.zeros(2), atol=1e-6)
    assert torch.equal(head.prior, task.prior()[:, 0, 0])


SIDE = 32
MORE = ["encoder.image.grid=16", "encoder.image.channels=8", "tasks.parts.channels=32", "tasks.parts.layers=2"]


def drawn(folder: Path, rows: int) -> None:
    """Pictures of a bright square or a dark circle on grey, of twice the modality's size, with their masks, and a table of both."""
    random, places = np.random.default_rng(0), np.arange(2 * SIDE)
    cells = []
    for row in range(rows):
        down, across = (np.abs(places - random.uniform(16, 48)) for _ in range(2))
        square = row % 2 == 0
        inside = np.maximum(down[:, None], across) < 12 if square else down[:, None] ** 2 + across**2 < 14**2
        grey = np.where(inside, 220 if square else 30, 120) + 10 * random.standard_normal((2 * SIDE, 2 * SIDE))
        Pillow.fromarray(grey.clip(0, 255).astype(np.uint8)).save(folder / f"photo{row}.png")
        mask = Pillow.fromarray(np.where(inside, 1 + (not square), 0).astype(np.uint8))
        mask.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
        mask.save(folder / f"mask{row}.png")
        cells.append({"photo": f"photo{row}.png" if row % 16 else None, "mask": f"mask{row}.png" if row % 7 else None, "words": "a thing"})
    pl.DataFrame(cells).write_csv(folder / "rows.csv")
    (folder / "data").mkdir()
    (folder / "data" / "mine.yaml").write_text(
        "# @package _global_\n# Shapes.\ndefaults:\n  - /source@data: table\n  - /modality@data.modalities.photo: image\n"
        "  - /modality@data.modalities.words: text\n  - /task@tasks.parts: segmentation\n  - _self_\n"
        f"data:\n  name: mine\n  root: {folder}\n  train: rows.csv\n  val_fraction: 0.25\n"
        f"  modalities:\n    photo: {{column: photo, height: {SIDE}, width: {SIDE}, channels: 1}}\n    words: {{column: words}}\n"
        "tasks:\n  parts: {modality: photo, column: mask}\n"
    )


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shapes")
    drawn(folder, 64)
    return folder


def words(folder: Path) -> list[str]:
    return ["data=mine", f"--config-dir={folder}", f"data.cache={folder / 'cache'}", *MORE, "training.threads=1", "tracker=none"]


def test_it_learns_to_draw(shapes: Path, tmp_path: Path) -> None:
    """One class everywhere has a mean IoU below a third."""
    run = tmp_path / "run"
    quick = [
        "training.epochs=10",
        "training.batch_size=8",
        "optimizer.lr=0.003",
        "augmentation/image=standard",
        "augmentation.image.crop=0",
    ]
    still = ["augmentation.image.flip=0", "augmentation.image.brightness=0.1", "mixing=mixup"]
    assert main(["train", *words(shapes), *quick, *still, f"hydra.run.dir={run}"]) == 0
    last = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert max(line["tasks"]["parts"]["mean_iou"] for line in last if line["split"] == "val") > 0.6
    assert main(["evaluate", str(run), "--split", "val", "--per-class"]) == 0
    assert main(["predict", str(run), str(shapes / "rows.csv"), "--output", str(tmp_path / "out.csv")]) == 0
    found = pl.read_csv(tmp_path / "out.csv")
    assert found["parts"][0] == f"0:{SIDE * SIDE}"  # a row without a picture
    true = np.asarray(Pillow.open(shapes / "mask1.png").resize((SIDE, SIDE), Pillow.Resampling.NEAREST))
    assert (read_runs(found["parts"][1], SIDE, SIDE) == true).mean() > 0.9


@pytest.mark.parametrize("missing", ["mask", "learned", "mean", "drop"])
def test_it_trains_under_every_policy(shapes: Path, missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *words(shapes), f"missing={missing}", "training.batch_size=4", f"--output={shapes / 'check.html'}"]) == 0
    assert "parts: 3 labels: 0 8" in capsys.readouterr().out  # 80 % and some of the pixels


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        ("augmentation/image=standard", "augmentation.image: 'Standard' moves what 'photo' shows, and not the targets of tasks.parts"),
        (
            "augmentation/image=rand_augment",
            "augmentation.image: 'RandAugment' moves what 'photo' shows, and not the targets of tasks.parts",
        ),
        ("mixing=cutmix", "mixing: 'Cutmix' moves what 'photo' shows, and not the targets of tasks.parts; set mixing.probability=0"),
        ("tasks.parts.modality=words", "tasks.parts.modality: 'words' is of kind text, and the task reads image"),
    ],
)
def test_what_would_part_pictures_and_masks_is_refused(shapes: Path, choice: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *words(shapes), choice]) == 2
    assert line in capsys.readouterr().err
