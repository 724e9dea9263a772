"""Builds a part from its node: `_target_` with options by keyword, facts from the caller by position."""

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from mmtrain.config.run import Node
from mmtrain.config.signature import trusted
from mmtrain.errors import ConfigError, Problem


def build(node: Node, *facts: Any, trust: Sequence[str] = (), bind: bool = False) -> Any:
    """Build the part that a checked node describes.

    Parts inside it become partials of their class, which the owner calls with the facts that it alone knows. With `bind`
    so does the part itself, for callers that build it more than once.

    Raises:
        ConfigError: the target belongs to no trusted module, whatever name it goes by.
    """
    part: Callable[..., Any] = _partial(node, trust)
    return part if bind else part(*facts)


def _partial(node: Node, trust: Sequence[str]) -> partial[Any]:
    options = {name: _value(value, trust) for name, value in node.items() if name != "_target_"}
    return partial(_class(node["_target_"], trust), **options)


def _value(value: Any, trust: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return _partial(value, trust) if "_target_" in value else {name: _value(item, trust) for name, item in value.items()}
    return [_value(item, trust) for item in value] if isinstance(value, list) else value


def _class(target: str, trust: Sequence[str]) -> type:
    module, _, name = target.rpartition(".")
    found = getattr(import_module(module), name, None) if trusted(module, trust) else None
    # The object's own module counts: an alias in a trusted module is no way in.
    if not isinstance(found, type) or not trusted(found.__module__, trust):
        raise ConfigError(Problem("_target_", f"'{target}' is not a part of mmtrain or of a module that you trust"))
    return found
