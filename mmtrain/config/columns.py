"""Columns that the configuration names, held against the header of the user's tables: only the header is read."""

import codecs
import csv
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmtrain.config.annotation import named
from mmtrain.config.run import FILES, Node, listed
from mmtrain.config.signature import signature
from mmtrain.errors import DataError, Problem, nearest
from mmtrain.format import JSON_LINES, PARQUET, separator_of
from mmtrain.option import IsColumn

TABLE = "mmtrain.source.TableSource"  # the source with a header to read; one whose columns are always the same has `columns`


@dataclass(frozen=True)
class Use:
    """A column that an option names."""

    where: str
    column: str


def check_columns(config: Mapping[str, Any], trust: Sequence[str]) -> list[Problem]:
    """Everything wrong with the columns: not in the table, or input and target at once."""
    data = config["data"]
    if not data:
        return []
    inputs = [use for name, node in data["modalities"].items() for use in _uses(node, f"data.modalities.{name}", trust)]
    targets = [use for name, node in config["tasks"].items() for use in _uses(node, f"tasks.{name}", trust)]
    rows = _uses({name: value for name, value in data.items() if name != "modalities"}, "data", trust)
    problems = [
        Problem(target.where, f"column '{target.column}' is an input too ({use.where})", "a task may not read its own answer")
        for target in targets
        for use in inputs
        if use.column == target.column
    ]
    constant = signature(data["_target_"], "data", trust).constants.get("columns")
    if constant is not None:
        return [*problems, *_absent([*rows, *inputs, *targets], constant, "this source")]
    if data["_target_"] != TABLE or "root" not in data:  # a root that could not be read has been told
        return problems
    for split in FILES:
        named = [use for use in rows if split == "train" or use.where == "data.id"]
        problems += _of_split(split, data, named, inputs, targets if split == "train" else [])
    return problems


def _uses(node: Node, where: str, trust: Sequence[str]) -> list[Use]:
    """The columns that a checked part's options name."""
    if not node:
        return []
    offered = signature(node["_target_"], where, trust).options
    return [
        Use(f"{where}.{key}", name)
        for key, value in node.items()
        if key in offered
        for name in named(value, offered[key].annotation, IsColumn)
    ]


def _absent(uses: Sequence[Use], header: Sequence[str], file: str) -> list[Problem]:
    return [
        Problem(use.where, f"{file} has no column '{use.column}'", nearest(use.column, header)) for use in uses if use.column not in header
    ]


def _of_split(split: str, data: Node, rows: Sequence[Use], inputs: Sequence[Use], targets: Sequence[Use]) -> list[Problem]:
    """What the files of a split lack together, and each of several for itself."""
    uses, headers = [*rows, *inputs, *targets], {}
    problems: list[Problem] = []
    for file in listed(data.get(split)):
        try:
            headers[file] = _of_file(split, file, data, {use.column for use in uses})
        except DataError as error:
            problems += error.problems
    if problems or not headers:
        return problems
    if len(headers) > 1:
        problems = _of_each(split, headers, rows, {"data.modalities": inputs, "tasks": targets})
    union = list(dict.fromkeys(name for header in headers.values() for name in header))
    told = {problem.where for problem in problems}
    return [*problems, *_absent([use for use in uses if use.where not in told], union, " + ".join(headers))]


def _of_each(split: str, headers: Mapping[str, Sequence[str]], rows: Sequence[Use], groups: Mapping[str, Sequence[Use]]) -> list[Problem]:
    """Of several files one may lack what another has, but not what names or deals out its rows, nor every input or every target."""
    everywhere = [use for use in rows if use.where != "data.stratify"]
    problems = [problem for file, header in headers.items() for problem in _absent(everywhere, header, file)]
    return problems + [
        Problem(f"data.{split}", f"{file} has none of the columns of {group}", "check its header, or leave it out")
        for file, header in headers.items()
        for group, uses in groups.items()
        if uses and not {use.column for use in uses} & set(header)
    ]


def _of_file(split: str, file: str, data: Node, wanted: set[str]) -> list[str]:
    """The header of a file of the user's.

    Raises:
        DataError: it cannot be read.
    """
    path = Path(data.get("root") or "").expanduser() / file
    try:
        header = [unicodedata.normalize("NFC", name) for name in _header(path, data, wanted, f"data.{split}")]
    except FileNotFoundError:
        raise DataError(Problem(f"data.{split}", f"no file '{path}'", "is data.root right?")) from None
    except (OSError, ValueError, LookupError, TypeError, csv.Error) as error:
        found = f"'{path}' cannot be read: {error}"
        raise DataError(Problem(f"data.{split}", found, "are data.encoding and data.separator right?")) from None
    if not header:
        raise DataError(Problem(f"data.{split}", f"'{path}' is empty", "give a file with a header and rows"))
    return header


def _header(path: Path, data: Node, wanted: set[str], where: str) -> list[str]:
    """Column names of a table, by the file's suffix; `where` it is named."""
    suffix = path.suffix.lower()
    if suffix in PARQUET:
        path.stat()  # polars reports a missing file in its own words
        import polars  # a fifth of a second, for the one format that needs it

        try:
            return list(polars.read_parquet_schema(path))
        except polars.exceptions.PolarsError as error:
            raise ValueError(str(error).splitlines()[0]) from None
    encoding = data.get("encoding") or "utf-8"
    with path.open(encoding="utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding, newline="") as lines:
        if suffix in JSON_LINES:
            return _keys(lines, wanted)
        separator = separator_of(suffix, data.get("separator"), where)
        return next(csv.reader(_filled(lines), delimiter=separator), [])


def _filled(lines: Iterator[str]) -> Iterator[str]:
    """The lines, without blank ones before the header."""
    return (line for line in lines if line.strip())


def _keys(lines: Iterator[str], wanted: set[str]) -> list[str]:
    """Keys of JSON lines. A row may leave out what is null, so all rows are read until every wanted key was seen."""
    keys: dict[str, None] = {}
    for line in _filled(lines):
        keys |= dict.fromkeys(json.loads(line))
        if wanted <= keys.keys():
            break
    return list(keys)
