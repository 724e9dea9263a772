"""A part's options, read from its source text: the part is not imported, and so neither is torch.

`mmtrain.fusion.Concat` is followed through the package's `from mmtrain.fusion.concat import Concat` to the class. Its options
are the keyword-only parameters of `__init__`, or the fields of a dataclass.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmtrain.config.annotation import UNKNOWN
from mmtrain.config.annotation import read as read_annotation
from mmtrain.errors import ConfigError, Problem, nearest


@dataclass(frozen=True)
class Option:
    """A choice that a part leaves to YAML; without a default it has to be given."""

    annotation: Any
    required: bool
    default: Any = None


@dataclass(frozen=True)
class Signature:
    """What may be known of a part without importing it. `constants` are its class attributes. What is no literal is UNKNOWN."""

    options: Mapping[str, Option]
    constants: Mapping[str, Any]


def trusted(module: str, trust: Sequence[str]) -> bool:
    """Whether parts of this module may be built: mmtrain's own, and those that the user names."""
    return any(f"{module}.".startswith(f"{name}.") for name in ("mmtrain", *trust))


def signature(target: str, where: str, trust: Sequence[str]) -> Signature:
    """What `_target_: target` takes.

    Raises:
        ConfigError: the module or the class is not there, or is neither mmtrain's nor trusted.
    """
    module, _, name = target.rpartition(".")
    definition = _definition(module, name, where, tuple(trust))
    return Signature(_options(definition), _constants(definition))


def _definition(module: str, name: str, where: str, trust: tuple[str, ...]) -> ast.ClassDef:
    if not trusted(module, trust):
        found = f"'{module}.{name}' is neither mmtrain's nor in a module that you trust"
        raise ConfigError(Problem(where, found, f"if it is yours: trust=[{module.split('.')[0] or name}]"))
    body = _tree(module, where).body
    own = [node for node in body if isinstance(node, ast.ClassDef) and node.name == name]
    if own:
        return own[-1]
    imports = [(node, alias) for node in body if isinstance(node, ast.ImportFrom) for alias in node.names]
    for node, alias in imports:
        if name == (alias.asname or alias.name):
            return _definition(_absolute(node, module), alias.name, where, trust)
    allowed = [f"{module}.{other}" for other in classes(module, where)]
    raise ConfigError(Problem(where, f"'{module}.{name}' is not there", nearest(f"{module}.{name}", allowed)))


def classes(module: str, where: str) -> list[str]:
    """The classes of a module that `_target_` may name: its own, or in a package those that it hands on."""
    body = _tree(module, where).body
    own = [node.name for node in body if isinstance(node, ast.ClassDef)]
    above = module.split(".")[0]
    inside = [node for node in body if isinstance(node, ast.ImportFrom) and _absolute(node, module).split(".")[0] == above]
    return sorted(own or (alias.asname or alias.name for node in inside for alias in node.names if alias.name[0].isupper()))


def _absolute(node: ast.ImportFrom, module: str) -> str:
    """The full name of the module that `from ... import` names, in a module that may be a package."""
    if not node.level:
        return node.module or ""
    file = _file(module)
    above = node.level - 1 if file is not None and file.name == "__init__.py" else node.level
    return ".".join([*module.split(".")[: -above or None], *([node.module] if node.module else [])])


def _tree(module: str, where: str) -> ast.Module:
    file = _file(module)
    if file is None:
        raise ConfigError(Problem(where, f"there is no module '{module}'", "is it in this folder, or installed?"))
    try:
        return _parse(file)
    except SyntaxError as error:
        raise ConfigError(Problem(where, f"{file}, line {error.lineno}: {error.msg}")) from None


@cache
def _parse(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes())


def _file(module: str) -> Path | None:
    """The module's source. Only the top package is looked up by Python: looking up a module inside imports all above it."""
    top, *inner = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    if not inner:
        return Path(spec.origin) if spec.origin.endswith(".py") else None
    for folder in spec.submodule_search_locations or ():
        base = Path(folder, *inner)
        for file in (base / "__init__.py", base.with_name(f"{base.name}.py")):
            if file.is_file():
                return file
    return None


def _options(definition: ast.ClassDef) -> dict[str, Option]:
    for node in definition.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return {
                parameter.arg: _option(parameter.annotation, default)
                for parameter, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            }
    if not any("dataclass" in ast.unparse(decorator) for decorator in definition.decorator_list):
        return {}
    fields = [node for node in definition.body if isinstance(node, ast.AnnAssign) and "ClassVar" not in ast.unparse(node.annotation)]
    return {node.target.id: _option(node.annotation, node.value) for node in fields if isinstance(node.target, ast.Name)}


def _option(annotation: ast.expr | None, default: ast.expr | None) -> Option:
    kind = Any if annotation is None else read_annotation(annotation)
    if default is None:
        return Option(kind, required=True)
    return Option(kind, required=False, default=_literal(default))


def _constants(definition: ast.ClassDef) -> dict[str, Any]:
    constants = {}
    for node in definition.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AnnAssign) else None
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(target, ast.Name) and value is not None:
            constants[target.id] = _literal(value)
    return constants


def _literal(value: ast.expr) -> Any:
    """What the source text says, or UNKNOWN where that is no literal."""
    try:
        return ast.literal_eval(value)
    except ValueError:
        return UNKNOWN
