"""The figures as tables: a line a subset and a line a share, a column a task."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from mmtrain.training.display import short

KEY = "any, whole: rows that keep any, or all, of the modalities in question"
LABEL = 24  # characters of the first column, at most, and of a third of the screen; longer ones go on in the next line
FRAME = 3  # characters that a column takes beside its cells

Lines = list[tuple[str, list[str]]]  # what a line is called, and its cells


def titled(content: Mapping[str, Any]) -> Iterator[tuple[str, list[str], Lines]]:
    """A title, the heads of the columns behind the first, and the lines: of the subsets, then of the shares."""
    rows, split, taken = content["rows"], content["split"], len(content["subsets"])
    constant = ("constant answer", _cells(content, _constant(content)))
    subsets = [(", ".join(found["modalities"]), _cells(content, found)) for found in content["subsets"]]
    heads = ["any", "whole", "mean skill", *(_head(content, task) for task in content["metrics"])]
    of = f"{taken} of {content['possible']:,} subsets" if taken < content["possible"] else f"all {taken} subsets"
    yield f"{split}, {rows:,} rows: {of} of the modalities", heads, [*subsets, constant]
    shares = [(f"{found['share']:.0%}", _cells(content, found)) for found in content["shares"]]
    yield f"{split}, {rows:,} rows: a share of all cells taken away", heads, shares


def _head(content: Mapping[str, Any], task: str) -> str:
    unit = content["units"].get(task)
    return f"{task} {content['metrics'][task]}" + (f" [{unit}]" if unit else "")


def tables(content: Mapping[str, Any], width: int) -> Iterator[tuple[str, list[Table]]]:
    """Each title with its table, in as many parts, one below the other, as `width` characters ask for."""
    for title, heads, lines in titled(content):
        label = min(max(len(name) for name, _ in lines), LABEL, width // 3)
        columns = [(head, [cells[place] for _, cells in lines]) for place, head in enumerate(heads)]
        yield title, [_table(label, [name for name, _ in lines], part) for part in _parts(columns, width - label - FRAME - 1)]


def _parts(columns: Sequence[tuple[str, list[str]]], room: int) -> Iterator[list[tuple[str, list[str], int]]]:
    """As many columns, with their widths, as there is room for, and then the next ones."""
    part: list[tuple[str, list[str], int]] = []
    used = 0
    for head, cells in columns:
        wide = min(max(map(len, [*head.split(), *cells])), max(room - FRAME, 1))
        if part and used + wide + FRAME > room:
            yield part
            part, used = [], 0
        part.append((head, cells, wide))
        used += wide + FRAME
    yield part


def _table(label: int, names: Sequence[str], columns: Sequence[tuple[str, list[str], int]]) -> Table:
    figures = (Column(Text(head), justify="right", width=wide, overflow="fold") for head, _, wide in columns)
    table = Table(Column("", width=label, overflow="fold"), *figures)
    for place, name in enumerate(names):
        table.add_row(Text(name), *(cells[place] for _, cells, _ in columns))
    return table


def _cells(content: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    metrics = [short(found["tasks"][task][metric]) for task, metric in content["metrics"].items()]
    return [*(f"{found[key]:,}" for key in ("any", "whole")), short(found["skill"]), *metrics]


def _constant(content: Mapping[str, Any]) -> dict[str, Any]:
    """What the constant answer scores, as if it were a subset."""
    full = content["subsets"][0]
    tasks = {task: {metric: full["tasks"][task]["constant"]} for task, metric in content["metrics"].items()}
    return {"skill": None if full["skill"] is None else 0.0, "tasks": tasks, "any": 0, "whole": 0}
