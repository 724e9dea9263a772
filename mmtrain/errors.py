"""A user's mistakes, told in one line each: where, what was found, what to do.

`assert` is for our own invariants; everything a user can cause is a `UserError` and ends the command with exit code 2.
Imports nothing but the standard library, so that `--help` and the configuration check stay fast.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Problem:
    """One mistake: `where` it stands, what was `found` there, and the way to `fix` it.

    The constructor of a part names its option alone, or nothing where it means the whole part; `mmtrain.config.build` knows the rest.
    """

    where: str
    found: str
    fix: str = ""

    def __str__(self) -> str:
        return (f"{self.where}: " if self.where else "") + self.found + (f"; {self.fix}" if self.fix else "")


class UserError(Exception):
    """Everything that the user can mend; carries every problem found, not only the first."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class ConfigError(UserError):
    """A choice in the YAML or on the command line that cannot be followed."""


class DataError(UserError):
    """A table, a cell or a file of the user's data that cannot be used."""


class RunError(UserError):
    """A run folder that is missing, unfinished, or not a run folder."""


class SaidElsewhereError(Exception):
    """Another process of the same training has failed and said why; this one ends without a word."""


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Say which allowed name was probably meant, then name them all: "did you mean 'weight'? allowed: column, weight"."""
    names = sorted(allowed)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    guess = f"did you mean '{close[0]}'? " if close else ""
    return f"{guess}allowed: {', '.join(names) if names else 'nothing'}"
