"""What a table lacks is named, or filled with emptiness."""

from collections.abc import Callable
from typing import Any

from mmtrain.data.columns import missing_columns, with_columns
from mmtrain.table import Table


def test_a_lacking_column_is_named_with_the_nearest(make_tasks: Callable[[], dict[str, Any]], make_table: Callable[..., Table]) -> None:
    problems = missing_columns("tasks", make_tasks(), make_table({"lable": ["a"], "size": ["1"]}))
    assert list(map(str, problems)) == ["tasks.label: rows.csv has no column 'label'; did you mean 'lable'? allowed: lable, size"]


def test_lacking_columns_are_filled_with_empty_cells(make_tasks: Callable[[], dict[str, Any]], make_table: Callable[..., Table]) -> None:
    table = with_columns(make_table({"size": ["1", "2"]}), make_tasks())
    assert table.text("label") == [None, None]
    assert table.text("size") == ["1", "2"]
