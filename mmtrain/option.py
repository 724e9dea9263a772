"""The types that a part's options may have.

A part (an encoder, a fusion, a loss, ...) is a class whose parameters before `*` are facts handed over by the builder and
whose keyword-only parameters are options: choices that stand in YAML. The configuration check reads the annotations and
defaults of these options from the source text, without importing the part (and so without torch); a range or a choice is
therefore written once, in the annotation:

    def __init__(self, spec: ImageSpec, *, out_dim: Count = 128, dropout: Dropout = 0.0, pooling: Literal["mean", "max"] = "mean")

Allowed annotations: bool, int, float, str, None, Literal, Annotated, list[X], dict[str, X], unions of these, and the names below.
Defaults are literals.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high` (both allowed), or strictly `above` and `below`; None is no limit."""

    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, number: float) -> bool:
        return (
            (self.low is None or number >= self.low)
            and (self.high is None or number <= self.high)
            and (self.above is None or number > self.above)
            and (self.below is None or number < self.below)
        )

    def __str__(self) -> str:
        words = [("at least", self.low), ("above", self.above), ("at most", self.high), ("below", self.below)]
        return " and ".join(f"{word} {number}" for word, number in words if number is not None)


@dataclass(frozen=True)
class IsColumn:
    """Marks an option whose value names a column of the user's table; the check looks it up in the table's header."""


@dataclass(frozen=True)
class IsModality:
    """Marks an option whose value names one of the modalities in `data.modalities`, of a kind among the class's constant `kinds`."""


@dataclass(frozen=True)
class From:
    """Marks a nested part of another group than the option's own name: `image: Annotated[Part, From("encoder.image")]`."""

    group: str


Fraction = Annotated[float, Range(0, 1)]
Dropout = Annotated[float, Range(0, below=1)]
Positive = Annotated[float, Range(above=0)]
NonNegative = Annotated[float, Range(0)]
Count = Annotated[int, Range(1)]
Column = Annotated[str, IsColumn()]
ModalityName = Annotated[str, IsModality()]

# A nested part: `{_target_: ..., option: ...}` in YAML; the builder hands over the class with its options bound,
# and the owner calls it with the facts: `self.loss = loss(spec)`. It is one of the group that has the option's name, or of `From`.
Part = Callable[..., Any]
