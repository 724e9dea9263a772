import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import Tensor
from torch.nn.functional import pad
from torch.testing import assert_close

from mmtrain.batch import Fused, Tokens
from mmtrain.errors import ConfigError, DataError
from mmtrain.loss import CrossEntropy, Focal, LogitAdjusted
from mmtrain.spec import PADDING, TaskSpec
from mmtrain.table import Table
from mmtrain.task import Tagging, join
from mmtrain.task.words import NEVER, WordLoss

Maker = Callable[..., Table]
CELLS = ["O B-city I-city", None, "O O", "B-day", "O B-city O B-day I-day"]
TAGS = ["B-city", "B-day", "I-city", "I-day", "O"]


def build(**options: Any) -> Tagging:
    given: dict[str, Any] = {"column": "label", "modality": "words", "loss": CrossEntropy}
    return Tagging("slots", **given | options)


def fitted(table: Table, **options: Any) -> Tagging:
    task = build(**options)
    task.fit(table)
    return task


def fused(values: Tensor, mask: Tensor) -> Fused:
    return Fused(torch.zeros(len(values), 3), {"words": Tokens(torch.where(mask[..., None], values, 0), mask)}, mask.any(1))


def said(task: Tagging, rows: list[str]) -> np.ndarray:
    """The answer of someone who says these tags for certain."""
    length = max(len(row.split()) for row in rows)
    numbers = [[1 + task.tags.index(tag) for tag in row.split()] + [0] * (length - len(row.split())) for row in rows]
    logits = torch.nn.functional.one_hot(torch.tensor(numbers), 1 + len(task.tags)) * 100.0
    return task.answer(task.condense(logits))


def test_targets_have_a_place_for_each_word(table: Maker) -> None:
    task = fitted(table(CELLS))
    targets, labelled = task.encode(table(["O I-day", None, "B-moon O O"]))
    assert_array_equal(targets, [[4, 3, PADDING], [PADDING] * 3, [-1, 4, 4]])
    assert_array_equal(labelled, [True, False, True])
    assert task.spec == TaskSpec(4, False, 1.0, "classes", (6,), whole=False, modalities=("words",))
    assert task.tags == TAGS


def test_a_cell_may_be_a_list() -> None:
    def listed(cells: list[Any]) -> Table:
        return Table(pl.DataFrame({"label": cells}), "rows.parquet", np.arange(1, len(cells) + 1))

    task = fitted(listed([["O", "B-a tag"], None, ["O"]]))
    assert task.tags == ["B-a tag", "O"]
    assert_array_equal(task.encode(listed([["B-a tag"], ["O", "O"]]))[0], [[0, PADDING], [1, 1]])


def test_each_word_is_predicted_from_its_own_token_and_the_vector(table: Maker) -> None:
    task = fitted(table(CELLS))
    head, values = task.head(3, {"words": 4}), torch.randn(2, 5, 4)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    found = head(torch.randn(2, 3), fused(values, mask))
    assert found.shape == (2, 5, 6)
    assert (found[..., 0] <= NEVER).equal(mask)
    assert_close(found.softmax(2)[1, 2:], torch.eye(6)[[0, 0, 0]])
    other = values.clone()
    other[0, 2] += 1
    vector = torch.randn(2, 3)
    changed = (head(vector, fused(values, mask)) != head(vector, fused(other, mask))).any(2)
    assert changed.nonzero().tolist() == [[0, 2]]
    assert (head(vector, fused(values, mask)) != head(vector + 1, fused(values, mask))).any(2).equal(mask)


def test_before_training_a_head_says_how_frequent_tags_are(table: Maker) -> None:
    for loss in (CrossEntropy, LogitAdjusted):
        task = fitted(table(CELLS), loss=loss)
        head: Any = task.head(3, {"words": 4})
        torch.nn.init.zeros_(head.head.layers[-1].weight)
        prediction = head(torch.randn(1, 3), fused(torch.randn(1, 2, 4), torch.ones(1, 2, dtype=torch.bool)))
        offset = getattr(task.loss.loss, "offset", torch.zeros(5))
        shares = np.array([2, 2, 1, 1, 5]) / 11
        assert_allclose((prediction[0, 0, 1:] + offset).softmax(0).detach(), shares, rtol=1e-5)


def test_the_loss_is_the_mean_over_a_rows_words_by_hand(table: Maker) -> None:
    loss = fitted(table(CELLS)).loss
    logits = torch.randn(2, 3, 5)
    target = torch.tensor([[4, 0, 2], [1, PADDING, PADDING]])
    found = loss(pad(logits, (1, 0), value=NEVER), target)
    odds = np.exp(logits.numpy())
    terms = -np.log(odds / odds.sum(2, keepdims=True))
    assert_allclose(found, [(terms[0, 0, 4] + terms[0, 1, 0] + terms[0, 2, 2]) / 3, terms[1, 0, 1]], rtol=1e-5)


@pytest.mark.parametrize("loss", [CrossEntropy, Focal, LogitAdjusted])
def test_words_without_a_tag_or_without_a_token_have_no_influence(loss: Any, table: Maker) -> None:
    task = fitted(table(CELLS), loss=loss)
    target = torch.tensor([[4, 0, 2], [1, PADDING, PADDING], [3, 3, 3]])
    plain = pad(torch.randn(3, 2, 5), (1, 0), value=NEVER)
    plain[2] = torch.tensor([0.0, *[NEVER] * 5])  # not read
    found = []
    for junk in (0.0, math.nan, math.inf):
        prediction = plain.clone()
        prediction[1, 1, 1:] = junk
        prediction[2, :, 1:] = junk
        prediction.requires_grad_()
        losses = task.loss(prediction, target)
        losses.sum().backward()
        assert prediction.grad is not None
        found.append((losses.detach(), prediction.grad))
    for losses, gradient in found[1:]:
        assert losses.equal(found[0][0])
        assert gradient.equal(found[0][1])
    assert found[0][0][2] == 0
    alone = task.loss(plain[:1], target[:1, :2])  # the third word of the first row was not read
    assert_close(found[0][0][:1], alone)


def test_no_text_at_all_has_no_loss_and_no_answer(table: Maker) -> None:
    task = fitted(table(CELLS))
    prediction = task.head(3, {"words": 4})(torch.randn(2, 3), fused(torch.zeros(2, 0, 4), torch.zeros(2, 0, dtype=torch.bool)))
    assert prediction.shape == (2, 0, 6)
    assert task.loss(prediction, torch.tensor([[1, 2], [3, PADDING]])).tolist() == [0, 0]
    answer = task.answer(task.condense(prediction))
    assert task.decode(answer) == {"": ["", ""], ".confidence": [0, 0]}
    assert task.evaluate(answer, np.array([[1, 2], [4, PADDING]]))["accuracy"] == 1 / 3  # all are answered O


def test_batches_of_different_lengths_are_joined(table: Maker) -> None:
    task = fitted(table(CELLS))
    parts = [task.condense(pad(torch.randn(2, length, 5), (1, 0), value=NEVER)) for length in (3, 1, 0)]
    answer = task.answer(join(parts))
    assert answer.shape == (6, 3, 2)
    assert [len(tags.split()) for tags in task.decode(answer)[""]] == [3, 3, 1, 1, 0, 0]


def test_entities_are_counted_whole(table: Maker) -> None:
    task = fitted(table(CELLS))
    target, _ = task.encode(table(["B-city I-city O B-day", "O B-day I-day O"]))
    answer = said(task, ["B-city I-city O O", "O B-day O O"])  # one of two found in whole, one cut short
    found = task.evaluate(answer, target)
    assert found["entity_f1"] == pytest.approx(2 * (1 / 2) * (1 / 3) / (1 / 2 + 1 / 3))
    assert found["accuracy"] == 6 / 8
    assert found["exact"] == 0
    assert found["constant"] == 0
    assert found["skill"] == found["entity_f1"] == task.skill(answer, target)
    assert list(found) == ["rows", "entity_f1", "accuracy", "exact", "constant", "skill"]
    classes = task.evaluate_classes(answer, target)
    assert classes["city"] == {"precision": 1, "recall": 1, "f1": 1, "rows": 1}
    assert classes["day"] == {"precision": 0, "recall": 0, "f1": 0, "rows": 2}


def entities(tags: list[str]) -> set[tuple[str, int, int]]:
    """Kind, first and last word of each entity, as the scheme BIO defines them; an I- that follows nothing of its kind begins one."""
    found, start = set(), None
    for place, tag in enumerate([*tags, "O"]):
        mark, _, kind = tag.partition("-")
        if start is not None and (mark != "I" or kind != start[0]):
            found.add((*start, place - 1))
            start = None
        if mark in ("B", "I") and start is None:
            start = (kind, place)
    return found


def test_f1_is_that_of_the_entities_on_random_tags(table: Maker) -> None:
    task, random = fitted(table(CELLS)), np.random.default_rng(0)
    rows = [" ".join(random.choice(TAGS, random.integers(1, 9))) for _ in range(60)]
    guesses = [" ".join(tag if random.random() < 0.6 else str(random.choice(TAGS)) for tag in row.split()) for row in rows]
    true = {(row, *entity) for row, tags in enumerate(rows) for entity in entities(tags.split())}
    found = {(row, *entity) for row, tags in enumerate(guesses) for entity in entities(tags.split())}
    expected = 2 * len(true & found) / (len(true) + len(found))
    assert task.evaluate(said(task, guesses), task.encode(table(rows))[0])["entity_f1"] == pytest.approx(expected)


@pytest.mark.parametrize("metric", ["entity_f1", "accuracy", "exact"])
def test_skill_of_the_prior_is_0_and_of_perfection_1(metric: str, table: Maker) -> None:
    task = fitted(table(CELLS), metric=metric)
    target, labelled = task.encode(table(CELLS))
    prior = task.answer(task.condense(task.prior().expand(4, 5, -1)))
    assert task.evaluate(prior, target[labelled])["skill"] == 0
    assert task.evaluate(said(task, [cell for cell in CELLS if cell]), target[labelled])["skill"] == 1
    for rows in (0, 1):
        json.dumps(task.evaluate(prior[:rows], target[:rows]), allow_nan=False)
    assert task.evaluate(np.full((4, 5, 2), np.nan), target[labelled])["skill"] is None


def test_a_tag_that_train_never_saw_is_wrong(table: Maker) -> None:
    task = fitted(table(CELLS))
    target, _ = task.encode(table(["B-moon B-city"]))
    found = task.evaluate(said(task, ["O B-city"]), target)
    assert found["accuracy"] == 1 / 2
    assert found["entity_f1"] == pytest.approx(2 * 1 * (1 / 2) / (3 / 2))
    assert list(task.evaluate_classes(said(task, ["O B-city"]), target)) == ["city"]


def test_tags_come_back_as_they_were(table: Maker) -> None:
    task = fitted(table(CELLS))
    cells = [cell for cell in CELLS if cell is not None]
    assert task.decode(said(task, cells)) == {"": cells, ".confidence": [1.0] * 4}
    logits = pad(torch.tensor([[[0.0, 0, 0, 0, math.log(4)], [math.log(12), 0, 0, 0, 0]]]), (1, 0), value=NEVER)
    assert task.decode(task.answer(task.condense(logits)))[".confidence"] == pytest.approx([(1 / 2 + 3 / 4) / 2])


def test_parts_of_speech_are_no_entities(table: Maker) -> None:
    cells = ["NOUN VERB", "VERB"]
    task = fitted(table(cells), metric="accuracy")
    assert list(task.evaluate(said(task, cells), task.encode(table(cells))[0])) == ["rows", "accuracy", "exact", "constant", "skill"]
    assert task.evaluate_classes(said(task, cells), task.encode(table(cells))[0]) == {}
    with pytest.raises(ConfigError) as error:
        fitted(table(cells))
    assert str(error.value) == (
        "tasks.slots.metric: entity_f1 counts entities, and the tag 'NOUN' marks none (as B-NOUN or I-NOUN would); set metric=accuracy"
    )


@pytest.mark.parametrize(
    ("cells", "found"),
    [(["O O", "O"], "all tags of column 'label' in train are 'O'"), ([None, None], "none of the 2 train rows in rows.csv has a label")],
)
def test_a_single_tag_tells_nothing(cells: list[str | None], found: str, table: Maker) -> None:
    with pytest.raises(DataError) as error:
        fitted(table(cells))
    assert found in str(error.value)


def test_state_outlives_json(table: Maker) -> None:
    task, restored = fitted(table(CELLS)), build()
    restored.load_state(json.loads(json.dumps(task.state())))
    assert restored.state() == task.state()
    assert restored.spec == task.spec
    assert_array_equal(restored.encode(table(CELLS))[0], task.encode(table(CELLS))[0])
    assert_close(restored.prior(), task.prior())


def test_every_parameter_of_a_head_gets_a_gradient(table: Maker) -> None:
    for hidden in (0, [5, 3]):
        task = fitted(table(CELLS), hidden=hidden, dropout=0.1)
        head = task.head(3, {"words": 4})
        prediction = head(torch.randn(5, 3), fused(torch.randn(5, 5, 4), torch.ones(5, 5, dtype=torch.bool)))
        task.loss(prediction, torch.from_numpy(task.encode(table(CELLS))[0])).sum().backward()
        assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in head.parameters())


def test_gradients_are_right() -> None:
    loss = WordLoss(torch.nn.CrossEntropyLoss(reduction="none"))
    logits = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    target = torch.tensor([[0, 3, 1], [2, PADDING, PADDING]])
    assert torch.autograd.gradcheck(lambda logits: loss(pad(logits, (1, 0), value=NEVER), target), logits)


def test_marks_of_first_inside_last_and_only_words(table: Maker) -> None:
    """L- and U- are other names for E- and S-."""
    cells = ["B-a I-a L-a U-a", "U-a U-a O", "B-a L-a O"]
    task = fitted(table(cells))
    target, _ = task.encode(table(cells))
    assert task.evaluate(said(task, cells), target)["entity_f1"] == 1
    pairs = [("U-a U-a", "B-a L-a", 0), ("U-a U-a", "U-a O", 2 / 3), ("B-a L-a U-a", "B-a L-a O", 2 / 3)]
    for true, guess, f1 in pairs:
        assert task.evaluate(said(task, [guess]), task.encode(table([true]))[0])["entity_f1"] == pytest.approx(f1)
