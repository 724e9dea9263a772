import json
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import Tensor
from torch.testing import assert_close

from mmtrain.batch import Fused, Tokens
from mmtrain.errors import DataError
from mmtrain.metric import SPELLING_METRICS
from mmtrain.spec import PADDING, TaskSpec
from mmtrain.table import Table
from mmtrain.task import CTC, Task, condensed, join
from mmtrain.task.ctc import STRANGE, frames_of

Maker = Callable[..., Table]
CELLS = ["abba", "b", None, "ab  ba ", "abba", "c"]
LETTERS = [" ", "a", "b", "c"]


def fitted(table: Table, **options: Any) -> CTC:
    task = CTC("word", column="label", modality="sound", **options)
    task.fit(table)
    return task


def fused(values: Tensor, mask: Tensor, grid: tuple[int, int] | None = None) -> Fused:
    return Fused(torch.zeros(len(values), 3), {"sound": Tokens(values, mask, grid)}, torch.ones(len(values), dtype=torch.bool))


def spelled(task: CTC, *rows: str, width: int = 12) -> Tensor:
    """Frames that say these letters for certain; `-` is the blank, `.` no frame."""
    numbers = [[task.letters.index(sign) + 1 if sign in task.letters else 0 for sign in row.ljust(width, ".")] for row in rows]
    there = torch.tensor([[sign != "." for sign in row.ljust(width, ".")] for row in rows])[..., None]
    logits = 100.0 * torch.nn.functional.one_hot(torch.tensor(numbers), len(task.letters) + 1)
    return torch.where(there, torch.cat([logits, torch.ones_like(logits[..., :1])], 2), 0)


def answer(task: CTC, prediction: Tensor) -> np.ndarray:
    return task.answer(condensed(task, prediction))


def test_it_is_a_task(table: Maker) -> None:
    task = fitted(table(CELLS))
    assert isinstance(task, Task)
    assert [name for name in vars(Task) if not name.startswith("_") and not hasattr(task, name)] == []
    assert (task.letters, task.modalities) == (LETTERS, ["sound"])
    assert task.spec == TaskSpec(5, False, 1.0, "numbers", (6,), whole=False, modalities=tuple(task.modalities))
    assert set(get_args(get_type_hints(CTC.__init__)["metric"])) == set(SPELLING_METRICS)


def test_targets_are_letters_in_their_order(table: Maker) -> None:
    task = fitted(table(CELLS))
    targets, labelled = task.encode(table(["ba", None, "x c", "  "]))
    assert_array_equal(targets, [[3, 2, PADDING], [PADDING] * 3, [-1, 1, 4], [PADDING] * 3])
    assert_array_equal(labelled, [True, False, True, False])


def test_cells_may_stand_for_texts(table: Maker) -> None:
    task = fitted(table(["0", "1", "NO", "E\u0301"]), spelling={"0": "zero", "1": "One"}, casefold=True)
    assert task.letters == list("enorz\u00e9")
    assert task.encode(table(["1"]))[0].tolist() == [[3, 2, 1]]


def test_equal_neighbours_are_one_letter_and_blanks_none(table: Maker) -> None:
    task = fitted(table(CELLS))
    found = answer(task, spelled(task, "aab-bbaa", "-", "a-b-..", "", "  a bb ", width=9))
    assert found[:, 0].tolist() == ["abba", "", "ab", "abba", "a b"]
    assert found[:, 1].tolist() == [8, 1, 4, 0, 7]
    assert task.decode(found) == {"": ["abba", "", "ab", "abba", "a b"]}


def test_batches_of_other_lengths_and_rows_without_frames(table: Maker) -> None:
    """What `join` adds says nothing, and a row of which nothing is known is answered with the constant."""
    task = fitted(table(CELLS))
    kept = [condensed(task, part) for part in (spelled(task, "ab", width=2), spelled(task, "c-c", width=5), torch.zeros(1, 0, 6))]
    nothing = condensed(task, task.prior().expand(1, 4, -1))
    assert task.answer(join([*kept, nothing]))[:, 0].tolist() == ["ab", "cc", "abba", "abba"]


@pytest.mark.parametrize("metric", SPELLING_METRICS)
def test_skill_is_0_for_the_prior_and_1_for_perfection(metric: str, table: Maker) -> None:
    task = fitted(table(CELLS), metric=metric)
    target = task.encode(table(CELLS))[0][[0, 1, 3, 4, 5]]
    prior = task.evaluate(answer(task, task.prior().expand(5, 4, -1)), target)
    assert prior["skill"] == pytest.approx(0)
    assert prior["constant"] == prior[metric]
    perfect = answer(task, spelled(task, "ab-ba", "b", "ab ba", "ab-ba", "c"))
    found = task.evaluate(perfect, target)
    assert (found["skill"], found[metric], found["too_long"]) == (1, SPELLING_METRICS[metric].perfect, 0)
    assert list(found) == ["rows", *SPELLING_METRICS, "too_long", "constant", "skill"]
    assert task.skill(perfect, target) == 1
    assert task.evaluate(perfect[:0], target[:0])["skill"] is None
    assert task.evaluate_classes(perfect, target) == {}
    json.dumps(found, allow_nan=False)


def test_letters_that_train_never_saw_are_wrong(table: Maker) -> None:
    task = fitted(table(CELLS))
    target, _ = task.encode(table(["axb"]))
    assert STRANGE not in task.letters
    assert task.evaluate(answer(task, spelled(task, "ab")), target)["cer"] == pytest.approx(1 / 3)


def test_texts_that_are_longer_than_their_rows_are_told(table: Maker) -> None:
    task = fitted(table(CELLS))
    target, _ = task.encode(table(["abba", "abba", "abc", "c"]))
    found = task.evaluate(answer(task, spelled(task, "----", "-----", "---", "")), target)
    assert found["too_long"] == 0.25  # one more frame is needed between the two equal letters; the last row has none at all


def test_a_model_that_diverged_has_no_skill(table: Maker) -> None:
    task = fitted(table(CELLS))
    broken = spelled(task, "ab", "c")
    broken[0, 1, 2] = torch.nan
    found = answer(task, broken)
    assert found[:, 0].tolist() == [None, "c"]
    assert task.evaluate(found, task.encode(table(["ab", "c"]))[0])["cer"] is None


def test_state_outlives_json(table: Maker) -> None:
    task, restored = fitted(table(CELLS)), CTC("word", column="label", modality="sound")
    restored.load_state(json.loads(json.dumps(task.state(), allow_nan=False)))
    assert (restored.state(), restored.spec) == (task.state(), task.spec)
    assert fitted(table(CELLS[::-1])).state() == task.state()
    assert fitted(table([cell for cell in CELLS if cell])).state() == task.state()


@pytest.mark.parametrize("hidden", [0, [5, 4]])
def test_the_head_says_something_in_each_frame(hidden: Any, table: Maker) -> None:
    task = fitted(table(CELLS), hidden=hidden)
    head, values, vector = task.head(3, {"sound": 4, "other": 9}), torch.randn(2, 5, 4), torch.randn(2, 3)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    found = head(vector, fused(values, mask))
    assert found.shape == (2, 5, 6)
    assert not found[1, 2:].any()
    assert (found[..., -1] > 0).equal(mask)
    strange = torch.where(mask[..., None], values, torch.nan)
    assert head(vector, fused(strange, mask)).equal(found)
    assert head(vector, fused(values[:, :0], mask[:, :0])).shape == (2, 0, 6)
    assert not head(vector + 1, fused(values, mask)).equal(found)
    task.loss(found, torch.tensor([[2, 3, 4], [3, PADDING, PADDING]])).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in head.parameters())


def test_a_grid_gives_one_frame_a_moment() -> None:
    values, mask = torch.randn(1, 6, 4), torch.tensor([[True, True, True, False, False, False]])
    frames, there = frames_of(Tokens(values, mask, (3, 2)))
    assert_close(frames[0, 0], values[0, :2].mean(0))
    assert_close(frames[0, 1], values[0, 2])
    assert there.tolist() == [[True, True, False]]


def test_nothing_to_learn_from(table: Maker) -> None:
    with pytest.raises(DataError, match=r"tasks\.word: none of the 2 train rows in rows\.csv has a label in column 'label'"):
        fitted(table([None, " "]))
    with pytest.raises(DataError, match=r"tasks\.word: all 2 texts of column 'label' in train are 'a b'"):
        fitted(table(["a b", "a  b"]))
