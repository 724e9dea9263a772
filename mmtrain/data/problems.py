"""Every problem at once: what several calls find is raised together."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from mmtrain.errors import DataError, Problem

Result = TypeVar("Result")


def together(calls: Iterable[Callable[[], Result]]) -> list[Result]:
    """Results of all calls.

    Raises:
        DataError: one or more calls raised it; it carries all their problems, each once.
    """
    results, problems = [], list[Problem]()
    for call in calls:
        try:
            results.append(call())
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(*dict.fromkeys(problems))
    return results
