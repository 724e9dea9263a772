"""A plan as the text of `configs/data/NAME.yaml`, with what was seen beside every choice."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from mmtrain.guess.column import Guess
from mmtrain.guess.plan import FACTS, Plan

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
WIDEST = 100  # letters of a comment


def draft(name: str, file: str, rows: int, source: Mapping[str, tuple[Any, str]], plan: Plan, command: str) -> str:
    """The YAML. `source` are options of the table source with a comment each; `command` is what trains on it."""
    inputs, tasks = ", ".join(plan.modalities), ", ".join(plan.tasks)
    lines = [
        "# @package _global_",
        f"# {comment(file)}, {rows:,} rows: from {inputs}; tasks: {tasks}.",
        "# Guessed by `mmtrain init` from what the comments say; change what is wrong.",
        f"#   {command}",
        "defaults:",
        "  - /source@data: table",
        *(f"  - /modality@data.modalities.{key}: {kind}" for key, (kind, _) in plan.modalities.items()),
        *(f"  - /task@tasks.{key}: {kind}" for key, (kind, _) in plan.tasks.items()),
        "  - _self_",
        "data:",
        f"  name: {scalar(name)}",
        *(_line(2, f"{key}: {scalar(value)}", said) for key, (value, said) in source.items()),
        "  modalities:",
        *(line for key, (kind, columns) in plan.modalities.items() for line in _modality(key, kind, columns)),
        "tasks:",
        *(line for key, (_, column) in plan.tasks.items() for line in _task(key, column, plan.why)),
    ]
    if plan.left:
        lines += ["# Left out:", *(f"#   {comment(guess.name)}: {comment(_reason(guess))}" for guess in plan.left)]
    return "\n".join(lines) + "\n"


def scalar(value: Any) -> str:
    """The value in one line of YAML, as it will be read again: no interpolation, no number where text is meant."""
    if not isinstance(value, str):
        return str(yaml.safe_dump(value, default_flow_style=True, width=math.inf)).removesuffix("\n").removesuffix("\n...")
    value = value.replace("${", r"\${")  # else OmegaConf would look for such a key
    if PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    return str(yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf)).removesuffix("\n")


def comment(text: str) -> str:
    """Text that can stand in one line of comment."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return plain if len(plain) <= WIDEST else f"{plain[: WIDEST - 1]}…"


def _modality(key: str, kind: str, columns: list[Guess]) -> Iterator[str]:
    yield f"    {key}:"
    if kind == "tabular":
        for column_kind, option in FACTS.items():
            listed = [guess for guess in columns if guess.kind == column_kind]
            if listed:
                yield f"      {option}:"
                yield from (_line(8, f"- {scalar(guess.name)}", guess.seen) for guess in listed)
    elif len(columns) > 1:
        yield "      column:"
        yield from (_line(8, f"- {scalar(guess.name)}", guess.seen) for guess in columns)
    else:
        yield _line(6, f"column: {scalar(columns[0].name)}", columns[0].seen)
        yield from (f"      {option}: {scalar(value)}" for option, value in columns[0].options.items())


def _task(key: str, column: Guess, why: str) -> Iterator[str]:
    yield f"  {key}:"
    yield _line(4, f"column: {scalar(column.name)}", f"{why}; {column.seen}")


def _line(indent: int, text: str, said: str) -> str:
    return " " * indent + (f"{text}  # {comment(said)}" if said else text)


def _reason(guess: Guess) -> str:
    reasons = {
        "group": f"{guess.seen}; data.group keeps such rows on one side of a split by fraction",
        "split": "the splits of another column count",
    }
    return reasons.get(guess.kind, guess.seen)
