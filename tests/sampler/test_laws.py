"""What every sampler that draws tasks keeps to."""

from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from mmtrain.sampler import Equal, Proportional, Ratio, Sampler, Temperature

Labelled = Mapping[str, np.ndarray]
# The sampler, and the weight that it gives each task with so many labels.
BY_TASK: dict[str, tuple[Callable[[int, Labelled], Sampler], Callable[[str, int], float]]] = {
    "proportional": (lambda rows, labelled: Proportional(rows, {}, labelled), lambda task, count: count),
    "equal": (lambda rows, labelled: Equal(rows, {}, labelled), lambda task, count: 1.0),
    "temperature": (lambda rows, labelled: Temperature(rows, {}, labelled, temperature=3.0), lambda task, count: count ** (1 / 3)),
    "cap": (lambda rows, labelled: Temperature(rows, {}, labelled, cap=40), lambda task, count: min(count, 40) ** 0.5),
    "ratio": (
        lambda rows, labelled: Ratio(rows, {}, labelled, ratio={task: 1.0 + 2 * (task in ("small", "b")) for task in labelled}),
        lambda task, count: 1.0 + 2 * (task in ("small", "b")),
    ),
}
each_sampler = pytest.mark.parametrize("name", BY_TASK)


@each_sampler
@pytest.mark.parametrize("seed", range(3))
def test_tasks_come_as_their_weights_say(name: str, seed: int, labelled: Labelled) -> None:
    """To within a row, in an epoch as long as train; each row of a task as often as any other, to within one."""
    make, weight = BY_TASK[name]
    order = make(100, labelled)(seed, 0)
    assert len(order) == 100
    weights = {task: weight(task, mask.sum()) for task, mask in labelled.items()}
    rows = Counter(order.tolist())
    for task, mask in labelled.items():
        wanted = 100 * weights[task] / sum(weights.values())
        assert abs(mask[order].sum() - wanted) < 1 + 1e-9
        each = wanted / mask.sum()
        assert all(np.floor(each - 1e-9) <= rows[row] <= np.ceil(each + 1e-9) for row in np.flatnonzero(mask))


@each_sampler
def test_all_rows_are_reached_as_often_as_drawing_tasks_says(name: str, gaps: Labelled) -> None:
    """Over many epochs, against a drawing of a task and then of a row that is written out; rows without a label come once."""
    make, weight = BY_TASK[name]
    sampler, epochs = make(100, gaps), 300
    found = np.bincount(np.concatenate([sampler(0, epoch) for epoch in range(epochs)]), minlength=100) / epochs
    weights = np.array([weight(task, mask.sum()) for task, mask in gaps.items()], float)
    random = np.random.default_rng(1)
    drawn = [random.choice(np.flatnonzero(list(gaps.values())[task])) for task in random.choice(2, 40000, p=weights / weights.sum())]
    wanted = np.bincount(drawn, minlength=100) / 40000 * 80
    kinds = [np.arange(50), np.arange(50, 60), np.arange(60, 80)]  # of one label, of both, of the other
    for rows in kinds:
        assert abs(found[rows].mean() - wanted[rows].mean()) < 0.06
        assert np.ptp(found[rows]) < 0.35
    assert (found[80:] == 1).all()
    assert found.min() > 0


@each_sampler
def test_the_order_is_mixed_and_depends_on_seed_and_epoch_alone(name: str, labelled: Labelled) -> None:
    make, _ = BY_TASK[name]
    sampler = make(100, labelled)
    first = sampler(0, 1)
    np.random.seed(7)
    assert sampler(0, 1).tolist() == first.tolist() == make(100, dict(reversed(list(labelled.items()))))(0, 1).tolist()
    assert len({str(sampler(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9
    halves = [labelled["small"][half].mean() for half in np.split(first, 2)]
    assert abs(halves[0] - halves[1]) < 0.35


@each_sampler
@pytest.mark.parametrize("rows", [1, 2, 50])
def test_one_task_takes_every_row_once(name: str, rows: int) -> None:
    make, _ = BY_TASK[name]
    assert sorted(make(rows, {"only": np.ones(rows, bool)})(3, 2).tolist()) == list(range(rows))


@each_sampler
def test_where_every_row_has_every_label_there_is_nothing_to_balance(name: str) -> None:
    make, _ = BY_TASK[name]
    assert sorted(make(60, {"a": np.ones(60, bool), "b": np.ones(60, bool)})(0, 0).tolist()) == list(range(60))


@each_sampler
def test_without_any_label_every_row_comes_once(name: str) -> None:
    """A task without labels gets no share either."""
    make, _ = BY_TASK[name]
    nowhere, some = np.zeros(60, bool), np.arange(60) < 40
    assert sorted(make(60, {"a": nowhere, "b": nowhere})(0, 0).tolist()) == list(range(60))
    assert sorted(make(60, {"a": some, "b": nowhere})(0, 0).tolist()) == list(range(60))
