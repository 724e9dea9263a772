import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from mmtrain.metric import PAIR_METRICS, chance, nearest, pairs, places


def drawn(rows: int, dim: int = 4, noise: float = 0.5) -> np.ndarray:
    """Pairs that are more or less alike, of length 1."""
    random = np.random.default_rng(0)
    first = random.normal(size=(rows, dim))
    vectors = np.stack([first, first + noise * random.normal(size=(rows, dim))], 1)
    return vectors / np.linalg.norm(vectors, axis=2, keepdims=True)


def score(name: str, vectors: np.ndarray) -> float | None:
    return PAIR_METRICS[name].score(places(vectors), np.zeros(len(vectors), int))


def by_sorting(vectors: np.ndarray, best: int) -> tuple[float, float]:
    """Recall and mean reciprocal rank without ties: sort all rows and look where the partner stands."""
    hits, reciprocal = [], []
    for asking, asked in ((vectors[:, 0], vectors[:, 1]), (vectors[:, 1], vectors[:, 0])):
        for row in range(len(asking)):
            order = sorted(range(len(asked)), key=lambda other: -float(np.dot(asking[row], asked[other])))
            rank = order.index(row) + 1
            hits.append(rank <= best)
            reciprocal.append(1 / rank)
    return float(np.mean(hits)), float(np.mean(reciprocal))


@pytest.mark.parametrize("best", [1, 5, 10])
def test_recall_is_what_sorting_gives(best: int) -> None:
    vectors = drawn(40)
    recall, reciprocal = by_sorting(vectors, best)
    assert 0 < recall < 1
    assert score(f"recall_{best}", vectors) == pytest.approx(recall)
    assert score("mrr", vectors) == pytest.approx(reciprocal)


def test_the_directions_are_apart() -> None:
    """Both first vectors are like the second row's partner: one of two finds its own; looked for the other way round, a tie and a miss."""
    vectors = np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]]])
    assert_array_equal(places(vectors), [[[1, 1], [0, 2]], [[0, 1], [0, 2]]])


def test_equals_are_drawn_by_lot() -> None:
    """Three rows alike and one apart: each of the three finds its own in one of three draws."""
    one, other = np.eye(2)
    vectors = np.stack([np.stack([one] * 3 + [other]), np.stack([one] * 3 + [other])], 1)
    assert score("recall_1", vectors) == pytest.approx((3 * (1 / 3) + 1) / 4)
    assert score("recall_5", vectors) == 1
    assert score("mrr", vectors) == pytest.approx((3 * (1 + 1 / 2 + 1 / 3) / 3 + 1) / 4)


def test_rounding_makes_no_difference() -> None:
    vectors = np.stack([np.tile([1.0, 0.0], (6, 1)), np.tile([1.0, 0.0], (6, 1)) + 1e-8 * np.arange(6)[:, None]], 1)
    assert score("recall_1", vectors) == pytest.approx(1 / 6)


@pytest.mark.parametrize("name", PAIR_METRICS)
def test_vectors_that_are_alike_or_not_there_score_as_chance_does(name: str) -> None:
    rows = 12
    by_chance = PAIR_METRICS[name].score(np.broadcast_to(chance(rows), (rows, 2, 2)), np.zeros(rows, int))
    expected = np.mean(1 / np.arange(1, rows + 1)) if name == "mrr" else int(name.removeprefix("recall_")) / rows
    assert by_chance == pytest.approx(expected)
    for vectors in (np.zeros((rows, 2, 3)), np.ones((rows, 2, 3)) / np.sqrt(3), drawn(rows, 3) * np.array([[[1.0], [0.0]]])):
        assert score(name, vectors) == pytest.approx(by_chance)


def test_a_vector_that_is_not_there_is_found_last() -> None:
    """Although all others point away from the one that asks."""
    vectors = np.array([[[1.0, 0.0], [0.0, 0.0]], [[-1.0, 0.0], [-1.0, 0.0]], [[-1.0, 0.0], [-1.0, 0.0]]])
    assert_array_equal(places(vectors)[0], [[2, 1], [0, 3]])


def test_it_is_the_same_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = drawn(30)
    whole, found = places(vectors), nearest(vectors)
    monkeypatch.setattr(pairs, "HELD", 70)
    assert_array_equal(places(vectors), whole)
    assert_array_equal(nearest(vectors)[0], found[0])


def test_the_nearest() -> None:
    vectors = drawn(20)
    vectors[3, 0], vectors[5, 1] = 0, 0
    row, known = nearest(vectors)
    expected = (vectors[:, 0] @ vectors[:, 1].T)[:, np.arange(20) != 5].argmax(1)
    assert_array_equal(row[known], np.delete(np.arange(20), 5)[expected][known])
    assert known.tolist() == [place != 3 for place in range(20)]
    assert not nearest(np.zeros((2, 2, 3)))[1].any()


def test_what_is_not_finite_has_no_place() -> None:
    vectors = drawn(3)
    vectors[1, 0, 0] = np.nan
    assert np.isnan(places(vectors)).all()
    assert_allclose(places(np.zeros((0, 2, 3))).shape, (0, 2, 2))
