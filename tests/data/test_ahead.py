"""Results come in order, before they are asked for, and no thread outlives them."""

import threading
from itertools import count

import pytest

from mmtrain.data.ahead import ahead

WAIT = 10  # seconds after which a thread is not coming


def test_it_is_map() -> None:
    assert list(ahead(str, range(50), threads=3, count=4)) == list(map(str, range(50)))
    assert list(ahead(str, [], threads=1, count=2)) == []


def test_so_many_results_are_made_meanwhile_and_no_more() -> None:
    made = [threading.Event() for _ in range(6)]
    results = ahead(lambda number: made[number].set(), range(6), threads=1, count=2)
    next(results)
    assert all(event.wait(WAIT) for event in made[:3])
    assert [event.is_set() for event in made] == [True] * 3 + [False] * 3
    next(results)
    assert made[3].wait(WAIT)
    assert not made[4].is_set()
    results.close()


def test_a_failure_comes_in_its_place() -> None:
    results = ahead(lambda number: 1 / number, [1, 2, 0, 4], threads=2, count=3)
    assert [next(results), next(results)] == [1, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == []


def test_closing_ends_the_threads_and_drops_the_rest() -> None:
    before = threading.active_count()
    seen = list[int]()
    results = ahead(seen.append, count(), threads=2, count=5)
    next(results)
    assert threading.active_count() > before
    results.close()
    assert threading.active_count() == before
    assert len(seen) <= 6


def test_a_failure_ends_the_threads() -> None:
    before = threading.active_count()
    with pytest.raises(ValueError, match="invalid literal"):
        list(ahead(int, ["1", "x", *["2"] * 100], threads=2, count=5))
    assert threading.active_count() == before
