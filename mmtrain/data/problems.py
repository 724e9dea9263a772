"""Every problem at once: what several calls find is raised together."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from mmtrain.errors import UserError

Result = TypeVar("Result")


def together(calls: Iterable[Callable[[], Result]]) -> list[Result]:
    """Results of all calls.

    Raises:
        UserError: one or more calls raised it; it is of the first one's kind and carries the problems of all, each once.
    """
    results = list[Result]()
    errors = list[UserError]()
    for call in calls:
        try:
            results.append(call())
        except UserError as error:
            errors.append(error)
    if errors:
        problems = dict.fromkeys(problem for error in errors for problem in error.problems)
        raise type(errors[0])(*problems)
    return results
