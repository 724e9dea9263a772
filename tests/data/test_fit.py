"""Parts are fitted on the rows they are given, and restored to the same."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from mmtrain.data.fit import fit, fitted_state, load_fitted
from mmtrain.errors import DataError
from mmtrain.table import Table

COLUMNS = {"picture": ["0.png", None], "words": ["red", "blue"], "size": ["1", "2"], "label": ["a", "b"]}


def test_state_survives_json_and_restores_every_part(
    make_modalities: Callable[[], dict[str, Any]], make_tasks: Callable[[], dict[str, Any]], make_table: Callable[..., Table]
) -> None:
    table, modalities, tasks = make_table(COLUMNS), make_modalities(), make_tasks()
    fit(modalities, tasks, table)
    state = fitted_state(modalities, tasks)
    assert json.loads(json.dumps(state)) == state
    assert state["modalities"].keys() == {"picture", "words", "facts"}
    again, again_tasks = make_modalities(), make_tasks()
    load_fitted(again, again_tasks, state)
    assert fitted_state(again, again_tasks) == state
    assert again["words"].spec == modalities["words"].spec


def test_fitting_reports_no_bad_cell_and_all_problems_at_once(
    make_modalities: Callable[[], dict[str, Any]], make_tasks: Callable[[], dict[str, Any]], make_table: Callable[..., Table]
) -> None:
    table = make_table(COLUMNS | {"size": ["1", "tall"]})
    fit(make_modalities(), {}, table)
    assert table.bad == []
    with pytest.raises(DataError) as error:
        fit({}, make_tasks(), make_table({"label": ["a", "a"], "size": [None, None]}))
    assert {problem.where for problem in error.value.problems} == {"tasks.label", "tasks.size"}
