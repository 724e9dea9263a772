"""What several calls find is told at once."""

from functools import partial

import pytest

from mmtrain.data.problems import together
from mmtrain.errors import ConfigError, DataError, Problem, UserError


def call(found: str | UserError) -> str:
    if isinstance(found, UserError):
        raise found
    return found


def test_results_keep_their_order() -> None:
    assert together([partial(call, "a"), partial(call, "b")]) == ["a", "b"]


def test_all_problems_are_raised_each_once() -> None:
    one, two = Problem("rows.csv", "one"), Problem("rows.csv", "two")
    with pytest.raises(DataError) as error:
        together([partial(call, DataError(one)), partial(call, "fine"), partial(call, ConfigError(two, one))])
    assert error.value.problems == (one, two)
