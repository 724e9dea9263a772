"""Builds a part from its node: `_target_` with options by keyword, facts from the caller by position."""

from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any

from mmtrain.config.run import Node
from mmtrain.config.signature import trusted
from mmtrain.errors import ConfigError, Problem


def build(node: Node, *facts: Any, where: str = "", trust: Sequence[str] = (), bind: bool = False) -> Any:
    """Build the part that a checked node describes; `where` it stands in the configuration.

    Parts inside it become partials of their class, which the owner calls with the facts that it alone knows. With `bind`
    so does the part itself, for callers that build it more than once. A part does not know where it stands: its constructor tells
    what is wrong with an option by the option's name alone, or with itself by none, and `where` is put before it here.

    Raises:
        ConfigError: the target belongs to no trusted module, whatever name it goes by; or what the constructor refuses.
    """
    part = _partial(node, where, trust)
    return part if bind else part(*facts)


def _partial(node: Node, where: str, trust: Sequence[str]) -> Callable[..., Any]:
    options = {name: _value(value, name, trust) for name, value in node.items() if name != "_target_"}
    return partial(_construct, partial(_class(node["_target_"], trust), **options), where)


def _value(value: Any, where: str, trust: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return _partial(value, where, trust) if "_target_" in value else {name: _value(item, name, trust) for name, item in value.items()}
    return [_value(item, where, trust) for item in value] if isinstance(value, list) else value


def _construct(part: partial[Any], where: str, *facts: Any) -> Any:
    try:
        return part(*facts)
    except ConfigError as error:
        raise ConfigError(*(_placed(problem, where, part.keywords) for problem in error.problems)) from error


def _placed(problem: Problem, where: str, options: Container[str]) -> Problem:
    """The problem under its full name, if it has an option's name or none; another part's stays as it is."""
    if problem.where and problem.where.partition(".")[0] not in options:
        return problem
    return replace(problem, where=".".join(filter(None, (where, problem.where))))


def _class(target: str, trust: Sequence[str]) -> type:
    module, _, name = target.rpartition(".")
    found = getattr(import_module(module), name, None) if trusted(module, trust) else None
    # The object's own module counts: an alias in a trusted module is no way in.
    if not isinstance(found, type) or not trusted(found.__module__, trust):
        raise ConfigError(Problem("_target_", f"'{target}' is not a part of mmtrain or of a module that you trust"))
    return found
