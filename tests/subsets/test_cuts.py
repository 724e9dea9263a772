"""Which subsets there are, and which cells go."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from mmtrain.subsets import choose, thinned
from mmtrain.subsets.cuts import SHARES

NAMES = ["tone", "picture", "caption"]


def test_all_subsets_of_few_modalities() -> None:
    assert choose(NAMES) == [
        ("caption", "picture", "tone"),
        ("caption", "picture"),
        ("caption", "tone"),
        ("picture", "tone"),
        ("caption",),
        ("picture",),
        ("tone",),
    ]
    assert len(choose("abcdef")) == 63


@pytest.mark.parametrize("count", [7, 12, 40])
def test_a_sample_of_many(count: int) -> None:
    names = [f"m{place:02d}" for place in range(count)]
    found = choose(names)
    assert len(found) == len(set(found)) == max(63, 2 * count + 1)
    assert {tuple(names), *combinations(names, 1), *combinations(names, count - 1)} <= set(found)
    assert found == choose(names[::-1])
    assert [len(kept) for kept in found] == sorted(map(len, found), reverse=True)
    assert () not in found


def test_what_is_gone_stays_gone() -> None:
    generator = np.random.default_rng(0)
    present = {name: generator.random(57) < 0.8 for name in NAMES}
    cuts = thinned(present)
    assert list(cuts) == list(SHARES) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    for name, there in present.items():
        left = [cuts[share][name].numpy() & there for share in SHARES]
        assert (left[0] == there).all()
        assert all((more <= less).all() for less, more in pairwise(left))
        gone = np.array([there.sum() - kept.sum() for kept in left])
        assert (np.abs(gone - np.array(SHARES) * there.sum()) <= 0.5 + 1e-9).all()


def test_modalities_go_by_themselves_and_in_any_order_alike() -> None:
    present = {name: np.ones(200, bool) for name in NAMES}
    first, second = thinned(present)[0.5], thinned(dict(reversed(present.items())))[0.5]
    assert all((first[name] == second[name]).all() for name in NAMES)
    both = (~first["tone"] & ~first["picture"]).sum()
    assert 30 < both < 70  # a quarter of the rows, if they know nothing of each other


def test_empty_columns_have_no_cells_to_take() -> None:
    assert all((cut["a"].numpy() & np.zeros(3, bool)).sum() == 0 for cut in thinned({"a": np.zeros(3, bool)}).values())
