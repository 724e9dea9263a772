"""The layout that makes the code easy to find: small files, imports that point one way, one word for one idea."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(".".join(init.parent.relative_to(ROOT).parts) for init in (ROOT / "mmtrain").rglob("__init__.py"))
SOURCES = sorted((ROOT / "mmtrain").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
YAMLS = sorted((ROOT / "configs").rglob("*.yaml"))
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("*.toml"), ROOT / "Makefile", ROOT / ".ci" / "run", *(ROOT / ".github").rglob("*.yml")]

LONGEST_FILE, LONGEST_FUNCTION, DEEPEST = 300, 50, 3
BLOCKS = (ast.For, ast.While, ast.If, ast.With, ast.Try, ast.Match)
SAYS_NOTHING = {"util", "utils", "common", "helper", "helpers", "misc"}
ABSOLUTE = re.compile(r"""(?<![\w.})/])/(?:home|root|tmp|usr|opt|var|mnt|srv|work|Users)/(?!bin/env )\w""")

STAGES = {"source", "modality", "augmentation", "encoder", "mixing", "missing", "fusion", "sharing"}
STAGES |= {"task", "loss", "balancing", "decision", "alignment", "modality_balance"}
SHARED = {"batch", "errors", "format", "option", "processes", "spec", "table", "transformer", "vocabulary"}
ALSO = {"task": {"metric"}}  # a task names its metrics; `metric` knows no stage
KNOW_HYDRA = {"cli", "config"}

# The one network that has two names: its own, and that which a light encoder of any kind has.
SAME = {Path("encoder/image/embedding"): Path("encoder/image/patches")}

PARTS = STAGES | {"sampler", "optimizer", "scheduler", "tracker"}
PART_YAMLS = [path for path in YAMLS if path.relative_to(ROOT / "configs").parts[0] in PARTS]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


each_source = pytest.mark.parametrize("path", SOURCES, ids=name_of)
each_python_file = pytest.mark.parametrize("path", SOURCES + TESTS, ids=name_of)
each_package = pytest.mark.parametrize("package", PACKAGES)
each_yaml = pytest.mark.parametrize("path", YAMLS, ids=name_of)
each_part = pytest.mark.parametrize("path", PART_YAMLS, ids=name_of)


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, in functions too; ruff refuses relative imports."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "mmtrain":
            yield from (f"mmtrain.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def depth(node: ast.AST, level: int = 0) -> int:
    """How many blocks stand in each other; an `elif` is no deeper than its `if`."""
    levels = [level]
    for child in ast.iter_child_nodes(node):
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        levels.append(depth(child, level + (isinstance(child, BLOCKS) and not is_elif)))
    return max(levels)


def comments_of(path: Path) -> list[str]:
    """The comment lines that open a YAML, without Hydra's `@package` directive."""
    lines = path.read_text(encoding="utf-8").splitlines()
    opening = lines[: next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))]
    return [line for line in opening if not re.match(r"#\s*@package\b", line)]


def content_of(path: Path) -> Any:
    return OmegaConf.to_container(OmegaConf.load(path))


def is_part(thing: object) -> bool:
    """Whether YAML can name it, rather than that it says what a part is."""
    return inspect.isclass(thing) and not (inspect.isabstract(thing) or is_dataclass(thing) or getattr(thing, "_is_protocol", False))


def targets_of(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "_target_")
        for value in node.values():
            yield from targets_of(value)


@each_python_file
def test_a_file_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@each_python_file
def test_its_functions_are_short_and_flat(path: Path) -> None:
    assert {function.name: body_lines(function) for function in functions_of(path) if body_lines(function) > LONGEST_FUNCTION} == {}
    assert {function.name: depth(function) for function in functions_of(path) if depth(function) > DEEPEST} == {}


@pytest.mark.parametrize(
    ("code", "levels"),
    [
        ("a = 1", 0),
        ("if a:\n  b\nelif c:\n  d\nelif e:\n  f", 1),
        ("for a in b:\n  if a:\n    with c:\n      d", 3),
        ("try:\n  a\nexcept E:\n  if b:\n    c", 2),
    ],
)
def test_depth_counts_blocks(code: str, levels: int) -> None:
    assert depth(ast.parse(code)) == levels


def test_names_say_something() -> None:
    assert [name_of(path) for path in SOURCES + TESTS + YAMLS if SAYS_NOTHING & set(re.split(r"[_.]", path.name))] == []


def test_nothing_names_a_place_on_one_machine() -> None:
    found = [(name_of(path), ABSOLUTE.findall(path.read_text(encoding="utf-8"))) for path in SOURCES + TESTS + YAMLS + PAGES]
    assert [(name, places) for name, places in found if places] == []


@each_source
def test_nothing_is_unpickled(path: Path) -> None:
    """A run folder or a store from someone else must not be able to run code."""
    assert {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}.isdisjoint(name.split(".")[0] for name in imports_of(path))
    nodes = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    # torch's own reader of tensors alone, for the files of weights that its users exchange
    calls = [ast.unparse(node.func) for node in nodes if "weights_only=True" not in map(ast.unparse, node.keywords)]
    assert {"torch.load", "torch.save", "eval", "exec"}.isdisjoint(calls)
    assert "allow_pickle=True" not in path.read_text(encoding="utf-8")


@each_source
def test_stages_do_not_import_each_other(path: Path) -> None:
    stage = path.relative_to(ROOT / "mmtrain").parts[0]
    if stage not in STAGES:
        return
    used = {name.split(".")[1] for name in imports_of(path) if name.startswith("mmtrain.")}
    assert used <= SHARED | {stage} | ALSO.get(stage, set())


@each_source
def test_only_the_command_line_and_the_configuration_know_hydra(path: Path) -> None:
    owner = path.relative_to(ROOT / "mmtrain").parts[0].removesuffix(".py")
    if owner not in KNOW_HYDRA:
        assert {"hydra", "omegaconf"}.isdisjoint(name.split(".")[0] for name in imports_of(path))


@each_yaml
def test_a_yaml_opens_with_its_purpose(path: Path) -> None:
    """One line that `mmtrain list` prints."""
    comments = comments_of(path)
    assert comments, "no comment"
    assert re.fullmatch(r"# [A-Z0-9`].*", comments[0])


def place_of(path: Path) -> Path:
    """Where a YAML's module stands: `resnet18` and `resnet50` are `resnet`, unless there is a module of the very name."""
    place = path.relative_to(ROOT / "configs").with_suffix("")
    place = SAME.get(place, place)
    own = (ROOT / "mmtrain" / place).with_suffix(".py").is_file()
    return place if own else place.with_name(place.name.rstrip("0123456789"))


@each_part
def test_yaml_module_and_test_share_a_stem(path: Path) -> None:
    place = place_of(path)
    assert (ROOT / "mmtrain" / place).with_suffix(".py").is_file()
    assert (ROOT / "tests" / place.parent / f"test_{place.name}.py").is_file()


@each_part
def test_a_yaml_names_an_export_of_its_own_package(path: Path) -> None:
    place = place_of(path)
    package, _, name = content_of(path)["_target_"].rpartition(".")
    assert package == ".".join(["mmtrain", *place.parent.parts])
    module = importlib.import_module(package)
    assert name in module.__all__
    assert getattr(module, name).__module__ == f"{package}.{place.name}"


@each_yaml
def test_every_target_is_exported(path: Path) -> None:
    """Also where the option stands in a YAML that is no part of its own: a model, a recipe."""
    for target in targets_of(content_of(path)):
        module, _, name = target.rpartition(".")
        assert hasattr(importlib.import_module(module), name), target


@each_package
def test_every_part_can_be_chosen(package: str) -> None:
    """What a group exports is a part with a YAML, or says what a part is: a protocol, an abstract class, a dataclass."""
    group = package.split(".")[1:]
    if not group or group[0] not in PARTS:
        return
    exports = vars(importlib.import_module(package))
    chosen = {place_of(path) for path in PART_YAMLS}
    for name in exports.get("__all__", []):
        if is_part(exports[name]):
            assert Path(*exports[name].__module__.split(".")[1:]) in chosen, name


@each_package
def test_a_package_opens_with_its_contents(package: str) -> None:
    """It says what enters, what leaves and how to add to it; its exports are complete."""
    init = ROOT.joinpath(*package.split("."), "__init__.py")
    assert ast.get_docstring(tree_of(init))
    exports = {
        alias.name
        for node in tree_of(init).body
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(f"{package}.")
        for alias in node.names
    }
    assert exports <= set(getattr(importlib.import_module(package), "__all__", []))
