"""An option's annotation: read from source text, put into words, and held against a value.

The grammar is that of `mmtrain.option`. An annotation outside it (in a user's own part) reads as `Any` and is not checked.
"""

import ast
import math
import unicodedata
from collections.abc import Callable, Iterable
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from mmtrain import option
from mmtrain.errors import ConfigError, Problem, nearest
from mmtrain.option import From, IsColumn, IsModality, Part, Range

MISSING = "???"  # as OmegaConf writes a value that has to be given
UNKNOWN = object()  # stands for a value that could not be read; its problem has been told already

_MARKS = {"Range": Range, "IsColumn": IsColumn, "IsModality": IsModality, "From": From}
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", NoneType: "null", list: "a list", dict: "a mapping"}
_NAMES: dict[str, Any] = {name: value for name, value in vars(option).items() if name[0].isupper() and name not in _MARKS}
_NAMES |= {"bool": bool, "int": int, "float": float, "str": str, "list": list, "dict": dict, "Literal": Literal, "Annotated": Annotated}

BuildPart = Callable[[Any, str, str | None], Any]


def read(node: ast.expr) -> Any:
    """The annotation that this source text means; `Any` where it is not of the grammar."""
    try:
        return _read(node)
    except (KeyError, TypeError, ValueError):
        return Any


def _read(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Name(id=name):
            return _NAMES[name]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _read(left) | _read(right)
        case ast.Call(func=ast.Name(id=name), args=values, keywords=named):
            return _MARKS[name](*map(ast.literal_eval, values), **{str(word.arg): ast.literal_eval(word.value) for word in named})
        case ast.Subscript(value=ast.Name(id="Literal"), slice=choices):
            return Literal[ast.literal_eval(choices)]
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=items)):
            return _NAMES[name][tuple(map(_read, items))]
        case ast.Subscript(value=ast.Name(id=name), slice=item):
            return _NAMES[name][_read(item)]
    raise ValueError(ast.unparse(node))


def describe(annotation: Any) -> str:
    """Say what an option may be: "a number at least 0 and below 1", "a list of text or null"."""
    arguments = get_args(annotation)
    if _is_part(annotation):
        return " of ".join(["a part", *(mark.group.replace(".", "/") for mark in arguments[1:] if isinstance(mark, From))])
    match get_origin(annotation):
        case origin if origin in (Union, UnionType):
            return " or ".join(map(describe, arguments))
        case origin if origin is Annotated:
            ranges = [str(mark) for mark in arguments[1:] if isinstance(mark, Range)]
            named = "a column's name" if any(isinstance(mark, IsColumn) for mark in arguments[1:]) else describe(arguments[0])
            return " ".join([named, *ranges])
        case origin if origin is Literal:
            return "one of " + ", ".join(map(str, arguments))
        case origin if origin is list:
            return f"a list of {describe(arguments[0])}"
        case origin if origin is dict:
            return f"a mapping to {describe(arguments[1])}"
    return _WORDS.get(annotation, "anything")


def show(value: Any) -> str:
    """A value as it stands in YAML, text in quotes."""
    return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else repr(value)


def convert(value: Any, annotation: Any, where: str, part: BuildPart) -> Any:
    """The value as the option takes it: whole numbers become floats where a float is wanted, nothing else changes.

    `part` checks and completes a nested part, given its node, its place, and its group where the option names one.

    Raises:
        ConfigError: every way in which the value does not fit, at any depth.
    """
    arguments = get_args(annotation)
    if value is UNKNOWN:
        return value
    if _is_part(annotation):
        return part(value, where, next((mark.group for mark in arguments[1:] if isinstance(mark, From)), None))
    if value == MISSING:
        raise ConfigError(Problem(where, "has to be given", f"it is {describe(annotation)}"))
    if annotation is Any:
        return value
    match get_origin(annotation):
        case origin if origin in (Union, UnionType):
            return _one_of(value, annotation, where, part)
        case origin if origin is Annotated:
            return _marked(value, annotation, where, part)
        case origin if origin is Literal:
            return _choice(value, arguments, where)
        case origin if origin is list and isinstance(value, list):
            return list(_each({f"{where}[{place}]": item for place, item in enumerate(value)}, arguments[0], part).values())
        case origin if origin is dict and isinstance(value, dict):
            items = _each({f"{where}.{key}": item for key, item in value.items()}, arguments[1], part)
            return dict(zip(value, items.values(), strict=True))
    return _scalar(value, annotation, where)


def _scalar(value: Any, annotation: Any, where: str) -> Any:
    if annotation is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if type(value) is annotation and annotation is not float:
        return value
    raise ConfigError(Problem(where, f"{show(value)} is not {describe(annotation)}", _quotes(value, [annotation])))


def _quotes(value: Any, alternatives: Iterable[Any]) -> str:
    """The hint for what YAML does not take for text, as `yes` and 2020."""
    return "write it in quotes" if isinstance(value, bool | int | float) and str in map(_plain_type, alternatives) else ""


def _marked(value: Any, annotation: Any, where: str, part: BuildPart) -> Any:
    """The value if it lies in the range; a column's name as the table will spell it, whichever way its accents were typed."""
    plain, *marks = get_args(annotation)
    converted = convert(value, plain, where, part)
    if any(isinstance(mark, IsColumn) for mark in marks):
        return unicodedata.normalize("NFC", converted)
    if all(converted in mark for mark in marks if isinstance(mark, Range)):
        return converted
    raise ConfigError(Problem(where, f"{show(value)} is not {describe(annotation)}"))


def _choice(value: Any, choices: tuple[Any, ...], where: str) -> Any:
    if any(value == choice and type(value) is type(choice) for choice in choices):
        return value
    raise ConfigError(Problem(where, f"{show(value)} is not a choice", nearest(str(value), map(str, choices))))


def _each(items: dict[str, Any], annotation: Any, part: BuildPart) -> dict[str, Any]:
    """All items converted, keyed by place; the problems of all are told together."""
    problems: list[Problem] = []
    converted = {}
    for where, item in items.items():
        try:
            converted[where] = convert(item, annotation, where, part)
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(*problems)
    return converted


def _one_of(value: Any, annotation: Any, where: str, part: BuildPart) -> Any:
    """The first alternative that fits; one of the value's own type goes first, so that 1 stays whole where both are allowed."""
    alternatives = sorted(get_args(annotation), key=lambda alternative: _plain_type(alternative) is not type(value))
    for alternative in alternatives:
        try:
            return convert(value, alternative, where, part)
        except ConfigError as error:
            # What is wrong inside says more than that the whole does not fit.
            fits = isinstance(value, list | dict) and _plain_type(alternative) is type(value)
            if fits or (_is_part(alternative) and isinstance(value, str)):
                raise error from None
    choices = [str(choice) for alternative in alternatives if get_origin(alternative) is Literal for choice in get_args(alternative)]
    hint = nearest(value, choices) if isinstance(value, str) and choices else _quotes(value, alternatives)
    raise ConfigError(Problem(where, f"{show(value)} is not {describe(annotation)}", hint))


def _is_part(annotation: Any) -> bool:
    return annotation == Part or (get_origin(annotation) is Annotated and get_args(annotation)[0] == Part)


def _plain_type(annotation: Any) -> Any:
    if annotation == Part:
        return dict
    if get_origin(annotation) is Annotated:
        return _plain_type(get_args(annotation)[0])
    return get_origin(annotation) or annotation


def named(value: Any, annotation: Any, mark: type[IsColumn] | type[IsModality]) -> list[str]:
    """The names of columns, or of modalities, in a value that fits its annotation."""
    arguments = get_args(annotation)
    match get_origin(annotation):
        case origin if origin in (Union, UnionType):
            return list(dict.fromkeys(name for alternative in arguments for name in named(value, alternative, mark)))
        case origin if origin is Annotated:
            return [value] if isinstance(value, str) and any(isinstance(found, mark) for found in arguments[1:]) else []
        case origin if origin is list and isinstance(value, list):
            return [name for item in value for name in named(item, arguments[0], mark)]
        case origin if origin is dict and isinstance(value, dict):
            return [name for item in value.values() for name in named(item, arguments[1], mark)]
    return []
