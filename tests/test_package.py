"""The package as it is described and shipped: what pyproject.toml lists is what the tree holds."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import mmtrain

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(TEXT)


def test_every_folder_of_modules_is_listed() -> None:
    """A package missing from the list is dropped from the wheel without an error."""
    folders = {".".join(init.parent.relative_to(ROOT).parts) for init in (ROOT / "mmtrain").rglob("__init__.py")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == folders | {"mmtrain.configs"}


def test_every_module_lies_in_a_package() -> None:
    strays = [str(path.relative_to(ROOT)) for path in (ROOT / "mmtrain").rglob("*.py") if not (path.parent / "__init__.py").exists()]
    assert strays == []


def test_configs_hold_no_code() -> None:
    """`configs/__init__.py` only makes the folder a package; everything else in it is YAML and ships as data."""
    others = [
        path for path in (ROOT / "configs").rglob("*") if path.is_file() and path.suffix != ".yaml" and "__pycache__" not in path.parts
    ]
    assert others == [ROOT / "configs" / "__init__.py"]


def test_every_dependency_has_its_reason() -> None:
    listed = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    bare = [name for name in listed if not re.search(rf'^ *"{re.escape(name)}", +# \w', TEXT, re.MULTILINE)]
    assert bare == []


def test_everything_imported_is_declared() -> None:
    """What only comes along with another dependency may leave with it."""
    extras = [line for lines in PROJECT["project"]["optional-dependencies"].values() for line in lines]
    declared = {re.split(r"[^\w-]", line)[0] for line in [*PROJECT["project"]["dependencies"], *extras]}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "mmtrain").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    modules = {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"mmtrain"}
    providers = packages_distributions()
    assert {module for module in modules if declared.isdisjoint([module, *(name.lower() for name in providers.get(module, []))])} == set()


def test_changelog_knows_the_version() -> None:
    """A version stands in the changelog, or is still to be released."""
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert mmtrain.__version__ in headings or len(headings) == 1
