"""Holds a composed configuration against the parts' signatures: everything wrong is told at once, everything left out filled in."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import mmtrain
from mmtrain.config.annotation import MISSING, UNKNOWN, convert, show
from mmtrain.config.columns import check_columns
from mmtrain.config.given import check_given
from mmtrain.config.light import check_light
from mmtrain.config.losses import check_losses
from mmtrain.config.moved import check_moved
from mmtrain.config.run import SETTINGS, Node, Run
from mmtrain.config.sampling import check_sampler
from mmtrain.config.signature import Option, Signature, classes, signature
from mmtrain.config.tokens import check_tokens
from mmtrain.errors import ConfigError, Problem, nearest
from mmtrain.option import Range
from mmtrain.spec import FUSED

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
KEYS = [key.name for key in fields(Run) if key.name != "warnings"]
OPTIONS = {"seed": Option(Annotated[int, Range(0)], required=True), "trust": Option(list[str], required=True)}
GLOBAL = ("data", "model", "encoders", "experiment")  # groups whose files set keys of the whole run
PARTS = [key.name for key in fields(Run) if key.type == Node and key.name != "data"]


@dataclass(frozen=True)
class Place:
    """Where a part stands, the package that its class comes from, and what chooses it on the command line."""

    where: str
    package: str
    choose: str


def check(tree: Mapping[str, Any], trust: Sequence[str], *, told: Sequence[Problem] = (), rows: bool = True) -> Run:
    """The completed configuration. `told` are problems found before; with `rows` the headers of the user's tables are read too.

    Raises:
        ConfigError: everything that is wrong.
    """
    checker = _Checker(trust, list(told))
    done = checker.root(tree)
    checker.problems += [*check_losses(done["tasks"], trust), *_check_selection(done["selection"], done["tasks"])]
    checker.problems += check_given(done["tasks"])
    checker.problems += check_sampler(done["sampler"], done["tasks"], trust)
    checker.problems += _check_fusion(done["fusion"], done["data"].get("modalities", {}), trust)
    checker.problems += check_tokens(done["tasks"], done["data"].get("modalities", {}), trust)
    checker.problems += check_moved(done["tasks"], done["data"].get("modalities", {}), done["augmentation"], done["mixing"], trust)
    checker.problems += check_light(done["fusion"], done["data"].get("modalities", {}), done["encoder"], trust)
    if rows:
        checker.problems += check_columns(done, trust)
    if checker.problems:
        raise ConfigError(*checker.problems)
    return Run(**done)


@dataclass
class _Checker:
    """One pass over a configuration. What is wrong is left out of the results, so that the pass can go on."""

    trust: Sequence[str]
    problems: list[Problem] = field(default_factory=list)

    def root(self, tree: Mapping[str, Any]) -> Node:
        tree = self._without_misplaced(tree)
        self._unknown_keys(tree, KEYS, "")
        done = self._options({key: tree[key] for key in OPTIONS if key in tree}, OPTIONS, "")
        done["data"] = self._data(tree.get("data", MISSING))
        done["tasks"] = self._named(tree.get("tasks", {}), "tasks", "mmtrain.task")
        kinds = {name: self._kind(name, node) for name, node in done["data"].get("modalities", {}).items()}
        for group in ("augmentation", "encoder"):
            done[group] = self._by_modality(tree.get(group, {}), group, kinds)
        self._without_encoder(kinds, tree.get("encoder", {}))
        for name in PARTS:
            package = "mmtrain.training" if name == "selection" else f"mmtrain.{name}"
            done[name] = self.part(tree.get(name, MISSING), Place(name, package, name))
        return done

    def _without_misplaced(self, tree: Mapping[str, Any]) -> dict[str, Any]:
        """The tree without files for the whole run whose first line does not say so: Hydra puts them under the name of their group."""
        nodes = {name: tree[name] for name in GLOBAL if isinstance(tree.get(name), dict)}
        misplaced = [name for name, node in nodes.items() if {"data", "tasks", "encoder", "fusion"} & node.keys()]
        misplaced += ["experiment"] if "experiment" in tree and "experiment" not in misplaced else []
        for name in misplaced:
            self._tell(name, f"the file that was chosen sets its keys under '{name}'", "its first line has to be: # @package _global_")
        return {name: UNKNOWN if name in misplaced else node for name, node in tree.items() if name != "experiment"}

    def part(self, node: Any, place: Place) -> Node:
        """The node with every option that it leaves out; empty where it is not a part."""
        found = self._find(node, place)
        return {"_target_": node["_target_"]} | self._options(node, found.options, place.where) if found else {}

    def _nested(self, node: Any, where: str, group: str | None) -> Node:
        group = group or where.rpartition(".")[2]
        return self.part(node, Place(where, f"mmtrain.{group}", f"{group.replace('.', '/')}@{where}"))

    def _find(self, node: Any, place: Place) -> Signature | None:
        if node is UNKNOWN:
            return None
        try:
            return signature(_target(node, place), f"{place.where}._target_", self.trust)
        except ConfigError as error:
            self.problems += error.problems
            return None

    def _options(self, node: Mapping[str, Any], offered: Mapping[str, Option], where: str) -> Node:
        """A value for every option that is offered."""
        above = f"{where}." if where else ""
        self._unknown_keys([key for key in node if key != "_target_"], list(offered), above)
        done = {}
        for name, option in offered.items():
            value = node.get(name, MISSING if option.required else option.default)
            try:
                done[name] = convert(value, option.annotation, f"{above}{name}", self._nested)
            except ConfigError as error:
                self.problems += error.problems
        return {name: value for name, value in done.items() if value is not UNKNOWN}

    def _data(self, node: Any) -> Node:
        """Options of the source, settings of the store, and the modalities: three owners, one node."""
        source = self._find(node, Place("data", "mmtrain.source", "data"))
        if source is None:
            return {}
        settings = signature(SETTINGS, "data", self.trust)
        values = {key: value for key, value in node.items() if key != "modalities"}
        done = {"_target_": node["_target_"]} | self._options(values, {**settings.options, **source.options}, "data")
        return done | {"modalities": self._named(node.get("modalities", {}), "data.modalities", "mmtrain.modality")}

    def _named(self, nodes: Any, where: str, package: str) -> dict[str, Node]:
        """Parts under names that the user gives: modalities and tasks."""
        group = package.rpartition(".")[2]
        if nodes is UNKNOWN:
            return {}
        if not isinstance(nodes, dict) or not nodes:
            found = f"{show(nodes)} is not a mapping" if nodes else "none is given"
            self._tell(where, found, f"add one with {group}@{where}.NAME=...")
            return {}
        self._names(nodes, where)
        whole = {name: node for name, node in nodes.items() if not isinstance(node, dict) or node.get("_target_", MISSING) != MISSING}
        for name in nodes.keys() - whole.keys():  # values for a part that nothing chose: most often its name is misspelt
            close = get_close_matches(str(name), map(str, whole), n=1)
            fix = f"choose one with {group}@{where}.{name}=NAME, or leave it out with ~{where}.{name}"
            fix = f"did you mean '{close[0]}'? else {fix}" if close else fix
            self._tell(f"{where}.{name}", "is half a part: it has no _target_", fix)
        places = {name: Place(f"{where}.{name}", package, f"{group}@{where}.{name}") for name in whole}
        return {str(name): self.part(node, places[name]) for name, node in whole.items()}

    def _names(self, names: Iterable[Any], where: str) -> None:
        for name in names:
            if not NAME.fullmatch(str(name)):
                self._tell(f"{where}.{name}", f"'{name}' cannot be a name", "use letters, digits and _, and begin with a letter")
            elif name == FUSED:
                self._tell(f"{where}.{name}", f"'{FUSED}' is the name of the joined view", "choose another name")

    def _by_modality(self, nodes: Any, group: str, kinds: Mapping[str, str | None]) -> dict[str, Node]:
        """Parts by the name of a modality or by a kind; every name must mean something."""
        if not isinstance(nodes, dict):
            self._tell(group, f"{show(nodes)} is not a mapping", f"choose one with {group}/KIND=NAME")
            return {}
        offered = _kinds(group)
        done = {}
        for name, node in nodes.items():
            kind = kinds.get(name, name)
            if name not in {*kinds, *offered, *kinds.values()}:
                self._tell(f"{group}.{name}", "neither a modality nor a kind is called so", nearest(str(name), {*offered, *kinds}))
                continue
            if kind is None:  # which has been told
                continue
            choose = f"{group}/{kind}" if name == kind else f"{group}/{kind}@{group}.{name}"
            done[name] = self.part(node, Place(f"{group}.{name}", f"mmtrain.{group}.{kind}", choose))
        return done

    def _without_encoder(self, kinds: Mapping[str, str | None], encoders: Any) -> None:
        """Every modality must have one."""
        for name, kind in kinds.items() if isinstance(encoders, dict) else ():
            if kind is not None and name not in encoders and kind not in encoders:
                found = f"there is no encoder for it, neither encoder.{name} nor encoder.{kind}"
                self._tell(f"data.modalities.{name}", found, f"encoder/{kind}=NAME")

    def _kind(self, name: str, node: Node) -> str | None:
        """The kind that a modality's class declares; None where it is not known or not that of its name, which has been told."""
        if not node:
            return None
        kind = signature(node["_target_"], "", self.trust).constants.get("kind")
        if not isinstance(kind, str):
            self._tell(f"data.modalities.{name}", f"the class {node['_target_']} declares no kind", 'write in its body: kind = "..."')
            return None
        if name != kind and name in _kinds("encoder"):
            found = f"a modality called '{name}' has to be of kind {name}, and this one is of kind {kind}"
            self._tell(f"data.modalities.{name}", found, f"rename it, for example {name}_{kind}")
            return None
        return kind

    def _unknown_keys(self, keys: Iterable[Any], allowed: Sequence[str], above: str) -> None:
        for key in keys:
            if key not in allowed:
                self._tell(f"{above}{key}", "unknown key", nearest(str(key), allowed))

    def _tell(self, where: str, found: str, fix: str = "") -> None:
        self.problems.append(Problem(where, found, fix))


def _kinds(group: str) -> set[str]:
    """The kinds of modalities for which there are parts of a group."""
    return {init.parent.name for init in Path(mmtrain.__file__).parent.glob(f"{group}/*/__init__.py")}


def _check_selection(selection: Node, tasks: Mapping[str, Node]) -> list[Problem]:
    """The task by which an epoch is chosen has to be one."""
    chosen = selection.get("task")
    if not isinstance(chosen, str) or not tasks or chosen in tasks:
        return []
    return [Problem("selection.task", f"there is no task '{chosen}'", nearest(chosen, tasks))]


def _check_fusion(fusion: Node, modalities: Mapping[str, Node], trust: Sequence[str]) -> list[Problem]:
    """A fusion whose formula is for so many modalities says so in its class: `modalities: ClassVar[int] = 2`."""
    count = signature(fusion["_target_"], "fusion", trust).constants.get("modalities") if fusion and modalities else None
    if not isinstance(count, int) or count == len(modalities):
        return []
    name = fusion["_target_"].rpartition(".")[2]
    found = f"'{name}' joins {count} modalities, and the data has {len(modalities)}: {', '.join(modalities)}"
    return [Problem("fusion", found, "leave some out with ~data.modalities.NAME, or choose another; mmtrain list fusion names them all")]


def _target(node: Any, place: Place) -> str:
    """The class that a node names, which must be one for this place."""
    where, choose = place.where, place.choose
    if node == MISSING:
        raise ConfigError(Problem(where, "has to be chosen", f"{choose}=NAME"))
    if not isinstance(node, dict):
        hint = f"did you mean {choose}={node}?" if isinstance(node, str) else f"choose one with {choose}=NAME"
        raise ConfigError(Problem(where, f"{show(node)} is not a part", hint))
    target = node.get("_target_", MISSING)
    if target == MISSING:
        raise ConfigError(Problem(where, "is half a part: it has no _target_", f"choose one with {choose}=NAME"))
    if not isinstance(target, str):
        raise ConfigError(Problem(f"{where}._target_", f"{show(target)} is not the name of a class"))
    package = target.rpartition(".")[0]
    if package.split(".")[0] in ("", "mmtrain") and package != place.package:
        allowed = [f"{place.package}.{name}" for name in classes(place.package, where)]
        raise ConfigError(Problem(f"{where}._target_", f"'{target}' is not a part of {place.package}", nearest(target, allowed)))
    return target
