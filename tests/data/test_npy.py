"""A growing file reads as the array that was appended piece by piece."""

from pathlib import Path

import numpy as np
import pytest

from mmtrain.data.npy import Growing


@pytest.mark.parametrize("shape", [(), (3,), (2, 5, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.bool_])
def test_pieces_read_as_one_array(tmp_path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    random = np.random.default_rng(0)
    pieces: list[np.ndarray] = [(random.random((count, *shape)) * 100).astype(dtype) for count in (3, 0, 1000, 7)]
    with Growing(tmp_path / "a.npy", pieces[0]) as file:
        for piece in pieces:
            file.append(piece)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy", mmap_mode="r"), np.concatenate(pieces))


def test_nothing_appended_is_an_empty_array(tmp_path: Path) -> None:
    with Growing(tmp_path / "a.npy", np.zeros((4, 2), np.int16)):
        pass
    assert np.load(tmp_path / "a.npy").shape == (0, 2)


def test_another_dtype_or_shape_is_our_own_mistake(tmp_path: Path) -> None:
    with Growing(tmp_path / "a.npy", np.zeros((4, 2), np.int16)) as file, pytest.raises(AssertionError, match="int32"):
        file.append(np.zeros((4, 2), np.int32))
