"""Rows come back as they were encoded, from memory and from disk alike."""

from pathlib import Path

import numpy as np
import pytest

from mmtrain.data import Settings
from mmtrain.data.encode import Chunk
from mmtrain.data.store import Fixed, Ragged, Store, gather, read, refuse_bad, write
from mmtrain.errors import DataError, Problem

VECTORS = [np.array(row, np.int16) for row in ([1, 2, 3], [], [4], [5, 6], [])]
BAD = [Problem(f"rows.csv, row {row}", "broken", "mend it") for row in range(12)]


def chunks() -> list[Chunk]:
    pixels = np.arange(5 * 4, dtype=np.uint8).reshape(5, 2, 2)
    present = np.array([True, False, True, True, False])
    return [
        Chunk({"pixels": pixels[:2], "ids": VECTORS[:2]}, present[:2], BAD[:3]),
        Chunk({"pixels": pixels[2:], "ids": VECTORS[2:]}, present[2:], BAD[3:]),
    ]


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "memory":
        return gather(chunks())
    write(chunks(), tmp_path)
    return read(tmp_path)


def test_fixed_rows_are_taken_in_any_order(store: Store) -> None:
    pixels = store.arrays["pixels"]
    assert isinstance(pixels, Fixed)
    taken = pixels.take(np.array([4, 0, 4]))
    assert taken.tolist() == [[[16, 17], [18, 19]], [[0, 1], [2, 3]], [[16, 17], [18, 19]]]
    taken[:] = 0  # a copy: what a batch does to its pixels never reaches the store
    assert pixels.take(np.array([0])).tolist() == [[[0, 1], [2, 3]]]


def test_vectors_are_padded_to_the_longest_of_the_rows_asked_for(store: Store) -> None:
    ids = store.arrays["ids"]
    assert isinstance(ids, Ragged)
    values, mask = ids.pad(np.array([3, 1, 2]))
    assert values.tolist() == [[5, 6], [0, 0], [4, 0]]
    assert mask.tolist() == [[True, True], [False, False], [True, False]]
    assert values.dtype == np.int16


def test_rows_without_a_length_have_no_places(store: Store) -> None:
    ids = store.arrays["ids"]
    assert isinstance(ids, Ragged)
    assert [array.shape for array in ids.pad(np.array([1, 4]))] == [(2, 0), (2, 0)]
    assert [array.shape for array in ids.pad(np.array([], np.int64))] == [(0, 0), (0, 0)]


def test_presence_and_problems_are_kept(store: Store) -> None:
    assert store.present.tolist() == [True, False, True, True, False]
    assert (len(store), store.bad, store.problems) == (5, 12, tuple(BAD[:10]))


def test_rows_stand_where_they_are_stored(store: Store) -> None:
    rows = store.at(np.array([4, 0]))
    assert rows.arrays is store.arrays
    assert (rows.places.tolist(), rows.present.tolist()) == ([4, 0], [False, True])


def test_bad_cells_are_refused_where_they_may_not_be_absent() -> None:
    refuse_bad(0, [], Settings("small"))
    refuse_bad(12, BAD[:1], Settings("small", on_bad="absent"))
    with pytest.raises(DataError, match=r"^rows\.csv, row 0: broken; mend it\ndata: cells that cannot be read: 12, "):
        refuse_bad(12, BAD[:1], Settings("small"))


def test_values_on_disk_are_not_read_into_memory(tmp_path: Path) -> None:
    write(chunks(), tmp_path)
    pixels, ids = (read(tmp_path).arrays[name] for name in ("pixels", "ids"))
    assert isinstance(pixels.values.base, np.memmap)
    assert isinstance(ids.values.base, np.memmap)
