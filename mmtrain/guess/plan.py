"""Which columns are inputs, which are targets, and which are left out."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from mmtrain.errors import ConfigError, Problem, nearest
from mmtrain.guess.column import Guess
from mmtrain.spec import FUSED

FILES = ("image", "audio", "video", "series", "vector")  # a modality a column; texts share one, and so do facts
KINDS = {*FILES, "text", "tabular"}  # that name an encoder for all their modalities: none of another kind may be called so
FACTS = {"number": "numeric", "category": "categorical", "date": "dates"}  # kinds, and the options that list such columns
LABELS = re.compile(
    r"^(labels?|targets?|class|classes|y\d*|outcome|output|response)$|[\W_](label|target|class)$|^(label|target)[\W_]", re.IGNORECASE
)
USUAL = {
    "category",
    "type",
    "kind",
    "group",
    "sentiment",
    "emotion",
    "intent",
    "species",
    "activity",
    "price",
    "rating",
    "score",
    "quality",
}


@dataclass
class Plan:
    """`modalities` are (kind, columns) by name, `tasks` (kind, column); `left` says why a column is used for nothing.

    `why` says how the targets were found.
    """

    modalities: dict[str, tuple[str, list[Guess]]] = field(default_factory=dict)
    tasks: dict[str, tuple[str, Guess]] = field(default_factory=dict)
    id: Guess | None = None
    split: Guess | None = None
    group: Guess | None = None
    left: list[Guess] = field(default_factory=list)
    why: str = ""

    def use(self, guess: Guess) -> str:
        """What the column is used for."""
        for name, (_, columns) in self.modalities.items():
            if guess in columns:
                return f"input {name}"
        roles = {"id": self.id, "split": self.split} | {f"task {name}": column for name, (_, column) in self.tasks.items()}
        return next((role for role, column in roles.items() if column == guess), "left out")


def plan(guesses: Sequence[Guess], targets: Sequence[str]) -> Plan:
    """Deal the columns out; `targets` are the user's own, or none.

    Raises:
        ConfigError: a target is not there or cannot be one, no column looks like one, or no input is left.
    """
    result = Plan()
    chosen, result.why = _targets(guesses, targets)
    names = set[str]()
    for guess in chosen:
        result.tasks[_name(guess.name, names)] = (_task(guess), guess)
    for guess in guesses:
        if guess in chosen:
            continue
        if guess.kind == "id" and result.id is None:
            result.id = guess
        elif guess.kind == "split" and result.split is None:
            result.split = guess
        elif guess.kind in FILES:
            result.modalities[_name(guess.name, names, guess.kind)] = (guess.kind, [guess])
        elif guess.kind not in ("text", *FACTS):
            result.group = result.group or (guess if guess.kind == "group" else None)
            result.left.append(guess)
    rest = [guess for guess in guesses if guess not in chosen]
    _shared(result, "text", "text", [guess for guess in rest if guess.kind == "text"], names)
    _shared(result, "facts", "tabular", [guess for guess in rest if guess.kind in FACTS], names)
    if not result.modalities:
        found = "no column is left to predict from"
        raise ConfigError(Problem("mmtrain init", found, f"targets are {', '.join(repr(guess.name) for guess in chosen)}"))
    return result


def _shared(result: Plan, name: str, kind: str, guesses: list[Guess], names: set[str]) -> None:
    """One modality for all columns of a kind, called like the column if there is just one."""
    if guesses:
        result.modalities[_name(guesses[0].name if len(guesses) == 1 else name, names, kind)] = (kind, guesses)


def _targets(guesses: Sequence[Guess], targets: Sequence[str]) -> tuple[list[Guess], str]:
    """The columns to predict, and how they were found."""
    by_name = {guess.name: guess for guess in guesses}
    if targets:
        wanted = list(dict.fromkeys(unicodedata.normalize("NFC", name) for name in targets))
        unknown = [name for name in wanted if name not in by_name]
        if unknown:
            raise ConfigError(*(Problem("--target", f"the table has no column '{name}'", nearest(name, by_name)) for name in unknown))
        useless = [by_name[name] for name in wanted if not _can_be_target(by_name[name])]
        if useless:
            raise ConfigError(*(Problem("--target", f"'{guess.name}' is nothing to predict: {guess.seen}") for guess in useless))
        return [by_name[name] for name in wanted], "as you said"
    able = [guess for guess in guesses if guess.kind in ("number", "category")]
    for found in ([guess for guess in able if LABELS.search(guess.name)], [guess for guess in able if guess.name.casefold() in USUAL][:1]):
        if found:
            return found, "by name"
    if not able:
        raise ConfigError(Problem("mmtrain init", "no column looks like something to predict", "name one: --target COLUMN"))
    return able[-1:], "the last column that can be one"


def _can_be_target(guess: Guess) -> bool:
    return guess.different > 1 and guess.kind in ("number", "category", "group", "split", "id")


def _task(guess: Guess) -> str:
    if guess.kind == "number":
        return "regression"
    return "binary" if guess.different - len(guess.nulls) == 2 else "classification"


def _name(column: str, taken: set[str], kind: str | None = None) -> str:
    """A name for a modality of this kind, or for a task: the column's own, as far as it can be one."""
    plain = unicodedata.normalize("NFKD", column).encode("ascii", "ignore").decode()
    base = re.sub(r"\W+", "_", plain).strip("_") or "column"
    base = base if base[0].isalpha() else f"column_{base}"
    base = f"{base}_{kind}" if kind and base in KINDS - {kind} else base[:40]
    names = (name for name in (base, *(f"{base}_{number}" for number in range(2, len(taken) + 3))) if name != FUSED and name not in taken)
    name = next(names)
    taken.add(name)
    return name
