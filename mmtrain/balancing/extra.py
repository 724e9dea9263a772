"""Solvers that not everyone wants to install."""

from collections.abc import Callable
from typing import TypeVar

from mmtrain.errors import ConfigError, Problem

Solver = TypeVar("Solver")


def with_extra(build: Callable[[], Solver]) -> Solver:
    """What `build` gives.

    Raises:
        ConfigError: it needs a library that is not installed.
    """
    try:
        return build()
    except ImportError as error:
        found = str(error).partition(" to be installed")[0]
        raise ConfigError(Problem("balancing", f"a library is missing: {found}", 'pip install "mmtrain[balancing]"')) from None
