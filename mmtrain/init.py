"""`mmtrain init`: a table of the user's own in, a commented data configuration out."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from mmtrain.config import Catalog
from mmtrain.errors import ConfigError, DataError, Problem
from mmtrain.guess import Guess, Plan, draft, look, plan, read
from mmtrain.source import TEST, TRAIN, VAL, Format, read_table
from mmtrain.table import Table

OTHERS = {VAL: ("val", "valid", "validation", "dev"), TEST: ("test",)}  # what stands in a file's name where train stands in its sibling's
FRACTION = 0.15  # of the rows, for val and for test each
FEWEST_ROWS = 10
SHOWN = {"group": "group of rows", "nothing": "-"}  # kinds, as the user reads them


def init(file: Path, *, output: Path | None = None, targets: Sequence[str] = ()) -> Path:
    """Guess what the columns of `file` are, write the YAML, and print both; returns the YAML's path.

    Raises:
        UserError: the table cannot be read, has nothing to predict or nothing to predict from, or the YAML exists.
    """
    output, config_dir = _place(file, output)
    table, form = read(file)
    if len(table) < FEWEST_ROWS:
        raise DataError(Problem(str(file), f"holds {len(table)} rows", f"at least {FEWEST_ROWS} are needed to guess from, and to split"))
    guesses = [look(table, column) for column in table.frame.columns]
    found = plan(guesses, targets)
    source = _source(file, table, form, found)
    words = f"--config-dir {config_dir} data={output.stem}"
    text = draft(output.stem, file.name, len(table), source, found, f"mmtrain train {words}")
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("x", encoding="utf-8") as opened:
        opened.write(text)
    _show(guesses, found, output, f"mmtrain check {words}")
    return output


def _place(file: Path, output: Path | None) -> tuple[Path, Path]:
    """Where the YAML goes, and the folder that --config-dir names then."""
    shipped = Catalog.open().choices["data"]
    if output is None:
        name = _name(file)
        output = Path("configs", "data", f"{f'my_{name}' if name in shipped else name}.yaml")
    where = "--output"
    if output.suffix != ".yaml" or output.parent.name != "data" or not re.fullmatch(r"\w+", output.stem):
        fix = "for example configs/data/products.yaml, which --config-dir configs data=products finds"
        raise ConfigError(Problem(where, f"'{output}' is no YAML in a folder called data", fix))
    if output.stem in shipped:
        raise ConfigError(
            Problem(where, f"a built-in data set is called '{output.stem}', which would be chosen in its place", "give another name")
        )
    if output.exists():
        raise ConfigError(Problem(str(output), "is there already, and is not overwritten", "remove it, or give --output another name"))
    return output, output.parent.parent


def _name(file: Path) -> str:
    """A name for the data: that of the file, or of its folder where the file's says no more than that it is for training."""
    stem = re.sub(r"[\W_]*train(ing)?[\W_]*", "_", file.stem, flags=re.IGNORECASE).strip("_") or file.absolute().parent.name
    name = re.sub(r"\W+", "_", stem).strip("_")
    return name if name and name[0].isalpha() else f"data_{name}".rstrip("_")


def _source(file: Path, table: Table, form: Format, found: Plan) -> dict[str, tuple[Any, str]]:
    """Options of the table source, each with a comment."""
    options: dict[str, tuple[Any, str]] = {"root": (file.parent.as_posix(), "from the folder that you start in"), "train": (file.name, "")}
    others = _others(file, form, found)
    if found.split is not None:
        options["split_column"] = (found.split.name, found.split.seen)
    else:
        options |= {name: (other, "found beside it") for name, other in others.items()}
        options |= _fractions(others, found)
    if found.id is not None:
        options["id"] = (found.id.name, found.id.seen)
    guesses = [*(guess for _, columns in found.modalities.values() for guess in columns), *(guess for _, guess in found.tasks.values())]
    nulls = sorted(set().union(*(guess.nulls for guess in guesses)))
    written = {"encoding": (form.encoding, "utf-8"), "separator": (form.separator, None), "decimal": (form.decimal, ".")}
    options |= {name: (value, "") for name, (value, usual) in written.items() if value != usual}
    if nulls:
        options["missing_values"] = (nulls, "found among numbers; counts for every column")
    if any(guess.absent for guess in guesses):
        options["on_bad"] = ("absent", "some files are not there")
    return options


def _others(file: Path, form: Format, found: Plan) -> dict[str, str]:
    """Names of the files of val and test, if they lie beside the table, are called like it, and have its columns."""
    others = {}
    columns = {guess.name for _, guesses in found.modalities.values() for guess in guesses}
    for split, names in OTHERS.items():
        for name in names if TRAIN in file.stem else ():
            other = file.with_name(file.name.replace(TRAIN, name))
            if split not in others and other.is_file() and columns <= set(read_table(other, form).frame.columns):
                others[split] = other.name
    return others


def _fractions(others: dict[str, str], found: Plan) -> dict[str, tuple[Any, str]]:
    """A part of train for val, and for test if that has no file either."""
    if VAL in others:
        return {}
    lacking = [VAL] if TEST in others else [VAL, TEST]
    options: dict[str, tuple[Any, str]] = {f"{name}_fraction": (FRACTION, "of the rows, at random") for name in lacking}
    if found.group is not None:
        options["group"] = (found.group.name, f"{found.group.seen}: such rows stay on one side")
    classes = [guess for kind, guess in found.tasks.values() if kind != "regression"]
    return options | ({"stratify": (classes[0].name, "spread evenly")} if classes else {})


def _show(guesses: Sequence[Guess], found: Plan, output: Path, command: str) -> None:
    console = Console(markup=False, emoji=False)  # a column may have brackets in its name
    grid = Grid("column", "looks like", "used as", "seen")
    for guess in guesses:
        grid.add_row(guess.name, SHOWN.get(guess.kind, guess.kind), found.use(guess), guess.seen)
    console.print(grid)
    console.print(f"targets: {', '.join(found.tasks)} ({found.why}); --target COLUMN chooses others", highlight=False, soft_wrap=True)
    for line in (f"written: {output}", f"next: {command}"):
        console.print(line, highlight=False, soft_wrap=True)
