import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.batch import Fused, Tokens
from mmtrain.errors import ConfigError, DataError
from mmtrain.loss import CrossEntropy, LogitAdjusted, Squared
from mmtrain.metric import GENERATION_METRICS
from mmtrain.spec import TaskSpec
from mmtrain.table import Table
from mmtrain.task import Generation, Task, condensed, join
from mmtrain.task.decoder import END

Maker = Callable[..., Table]
CELLS = [
    "a red circle on the left side, isn't it",
    "a blue cross on the right of it",
    None,
    "a red  cross here and there\n",
    "a blue cross on the right of it",
    "a red box on the left side of it",
]
TEXTS = [" ".join(cell.split()) for cell in CELLS if cell]


def build(**options: Any) -> Generation:
    given: dict[str, Any] = {
        "column": "label",
        "modalities": ["words"],
        "loss": CrossEntropy,
        "dim": 8,
        "heads": 2,
        "layers": 1,
        "min_count": 1,
    }
    return Generation("text", **given | options)


def fitted(table: Table, **options: Any) -> Generation:
    task = build(**options)
    task.fit(table)
    return task


def ids_of(task: Generation, texts: Sequence[str]) -> Tensor:
    """What a decoder would write that says these texts."""
    rows = [[*map(int, task.vocabulary.number([text.split()])[0][0]), END] for text in texts]
    return torch.tensor([row + [0] * (task.length - len(row)) for row in rows])


@pytest.mark.parametrize("vocabulary", ["word", "bpe"])
def test_texts_come_back_as_they_were(vocabulary: str, table: Maker) -> None:
    task = fitted(table(CELLS), vocabulary=vocabulary)
    assert task.answer(ids_of(task, TEXTS)).tolist() == TEXTS
    assert task.decode(task.answer(ids_of(task, TEXTS))) == {"": TEXTS}
    target, labelled = task.encode(table(CELLS))
    assert labelled.tolist() == [cell is not None for cell in CELLS]
    assert target[labelled][:, : task.length].tolist() == ids_of(task, TEXTS).tolist()
    assert task.length == max(int((row > 0).sum()) for row in ids_of(task, TEXTS))


def test_it_is_a_task(table: Maker) -> None:
    task = fitted(table(CELLS))
    assert isinstance(task, Task)
    assert [name for name in vars(Task) if not name.startswith("_") and not hasattr(task, name)] == []
    assert task.spec == TaskSpec(5, False, 1.0, "numbers", (9,), whole=False)
    assert build(modalities=["b", "a", "b"]).modalities == ["a", "b"]
    assert set(get_args(get_type_hints(Generation.__init__)["metric"])) == set(GENERATION_METRICS)


@pytest.mark.parametrize("metric", GENERATION_METRICS)
def test_skill_is_0_for_the_prior_and_1_for_perfection(metric: str, table: Maker) -> None:
    task = fitted(table(CELLS), metric=metric)
    target, labelled = task.encode(table(CELLS))
    nothing = task.answer(condensed(task, task.prior().expand(5, 4, -1)))
    assert nothing.tolist() == [task.constant] * 5
    prior = task.evaluate(nothing, target[labelled])
    assert prior["skill"] == pytest.approx(0)
    perfect = task.answer(ids_of(task, TEXTS))
    found = task.evaluate(perfect, target[labelled])
    assert found["skill"] == pytest.approx(1)
    assert found[metric] == pytest.approx(GENERATION_METRICS[metric].perfect)
    assert list(found) == ["rows", *GENERATION_METRICS, "constant", "skill"]
    assert task.skill(perfect, target[labelled]) == found["skill"]
    assert task.evaluate(perfect[:0], target[:0])["skill"] is None
    assert task.evaluate_classes(perfect, target[labelled]) == {}
    json.dumps(found, allow_nan=False)


def test_texts_are_compared_as_they_stand_whatever_the_vocabulary_knows(table: Maker) -> None:
    """A word that train never saw costs nothing to learn from, and is wrong whatever is answered; so is what a text has too much."""
    task = fitted(table(CELLS), vocabulary="word", max_length=3)
    assert task.length == 4
    target, _ = task.encode(table(["a purple circle on the left", "a red"]))
    assert target[1, :4].tolist() == ids_of(task, ["a red"])[0].tolist()
    unknown = len(task.vocabulary)
    assert target[0, 1] == unknown
    assert END not in target[0, :4]
    said = np.array(["a purple circle on the left", "a red"], dtype=object)
    assert task.evaluate(said, target)["exact"] == 1
    memory = torch.randn(2, 3, 9).abs()
    assert task.loss(memory, torch.from_numpy(target)).isfinite().all()


def test_rows_of_which_nothing_is_known_and_batches_of_other_sizes(table: Maker) -> None:
    task = fitted(table(CELLS))
    task.loss.eval()
    known, nothing = torch.randn(2, 3, 9), torch.zeros(1, 3, 9)
    known[..., -1] = 1
    broken = known.clone()
    broken[0, 0, 0] = torch.nan
    kept = join([condensed(task, part) for part in (known, nothing, broken)])
    found = task.answer(kept)
    assert found[2] == task.constant
    assert found[3] is None
    assert found[4] == found[1]
    assert task.evaluate(found[3:], task.encode(table(CELLS[:2]))[0])["bleu"] is None
    longer = torch.nn.functional.pad(known, (0, 0, 0, 2))
    assert task.answer(condensed(task, longer)).tolist() == found[:2].tolist()


def test_an_end_at_once_is_an_empty_text(table: Maker) -> None:
    task = fitted(table(CELLS))
    assert task.answer(torch.tensor([[END, 0, 0], [0, 0, 0]])).tolist() == ["", task.constant]


def test_the_decoder_is_drawn_when_the_loss_is_asked_for(table: Maker) -> None:
    """So that a run's seed, which is set after `fit`, decides it; and it is the one that condense writes with."""
    weights = []
    for _ in range(2):
        task = fitted(table(CELLS))
        torch.randn(3)
        torch.manual_seed(5)
        weights.append(task.loss.state_dict())
        assert task.loss is task.loss
    assert all(one.equal(other) for one, other in zip(*(found.values() for found in weights), strict=True))


def test_it_learns_to_write_what_the_memory_says(table: Maker) -> None:
    """Every parameter of head and decoder gets a gradient, and a few steps are enough for three texts."""
    texts = ["a circle", "a red box", "one"]
    task = fitted(table(texts), dim=16, dropout=0.0)
    target = torch.from_numpy(task.encode(table(texts))[0])
    head = task.head(3, {"words": 5})
    values = torch.randn(len(texts), 2, 5)
    tokens = Tokens(values, torch.ones(len(texts), 2, dtype=torch.bool))
    fused = Fused(torch.randn(len(texts), 3), {"words": tokens}, torch.ones(len(texts), dtype=torch.bool))
    both = nn.ModuleList([head, task.loss])
    optimizer = torch.optim.Adam(both.parameters(), 2e-2)
    for step in range(25):
        optimizer.zero_grad()
        loss = task.loss(head(fused.vector, fused), target).mean()
        loss.backward()
        assert step or all(parameter.grad is not None and parameter.grad.any() for parameter in both.parameters())
        optimizer.step()
    prediction = head(fused.vector, fused)
    assert task.answer(condensed(task, prediction)).tolist() == texts
    task.beams = 3
    assert task.answer(condensed(task, prediction)).tolist() == texts


@pytest.mark.parametrize("tau", [0.0, 1.0])
def test_the_decoder_begins_at_the_frequencies_of_the_pieces(tau: float, table: Maker) -> None:
    task = fitted(table(CELLS), vocabulary="word", loss=partial(LogitAdjusted, tau=tau))
    words = " ".join(TEXTS).split()
    decoder: Any = task.loss
    shares = decoder.decoder.output.bias.softmax(0)
    assert_close(shares[0] / shares[1], torch.tensor(5 / words.count("a")) ** (1 - tau))


def test_state_outlives_json(table: Maker) -> None:
    task, restored = fitted(table(CELLS)), build()
    restored.load_state(json.loads(json.dumps(task.state(), allow_nan=False)))
    restored.loss.load_state_dict(task.loss.state_dict())
    assert (restored.state(), restored.spec) == (task.state(), task.spec)
    memory, target = torch.randn(2, 3, 9), torch.from_numpy(task.encode(table(TEXTS[:2]))[0])
    assert restored.loss.eval()(memory, target).equal(task.loss.eval()(memory, target))
    assert condensed(restored, memory).equal(condensed(task, memory))
    assert fitted(table(CELLS[::-1])).state() == task.state()
    assert fitted(table([cell for cell in CELLS if cell])).state() == task.state()


def test_unlabelled_targets_and_upper_case(table: Maker) -> None:
    task = fitted(table(["A b", "a B", "C"]), casefold=True)
    assert task.answer(ids_of(task, ["a b", "c"])).tolist() == ["a b", "c"]
    target, labelled = task.encode(table([None, "A B"]))
    assert labelled.tolist() == [False, True]
    assert not target[0, : task.length].any()


def test_what_cannot_be_learned(table: Maker) -> None:
    with pytest.raises(DataError, match=r"tasks\.text: all 2 texts of column 'label' in train are 'a'"):
        fitted(table(["a", "a"]))
    with pytest.raises(ConfigError, match=r"tasks\.text\.heads: 3 heads do not share dim=8 evenly"):
        build(heads=3)
    with pytest.raises(ConfigError, match=r"'Squared' is a loss for numbers, and this task predicts classes"):
        fitted(table(CELLS), loss=Squared)
