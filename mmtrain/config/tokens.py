"""The modalities whose tokens a task reads: they have to exist, and to be of a kind that it can read."""

from collections.abc import Iterator, Mapping, Sequence

from mmtrain.config.annotation import named
from mmtrain.config.run import Node
from mmtrain.config.signature import signature
from mmtrain.errors import Problem, nearest
from mmtrain.option import IsModality


def check_tokens(tasks: Mapping[str, Node], modalities: Mapping[str, Node], trust: Sequence[str]) -> list[Problem]:
    """What is wrong with options that name a modality, `kinds` being what the task's class says it can read."""
    kinds = {name: signature(node["_target_"], "", trust).constants.get("kind") for name, node in modalities.items() if node}
    problems = []
    for task, node in tasks.items():
        readable = signature(node["_target_"], "", trust).constants.get("kinds") if node else None
        for option, name in _names(node, trust):
            where, kind = f"tasks.{task}.{option}", kinds.get(name)
            if name not in modalities:
                problems.append(Problem(where, f"there is no modality '{name}'", nearest(name, modalities)))
            elif readable is not None and kind is not None and kind not in readable:
                found = f"'{name}' is of kind {kind}, and the task reads {' or '.join(readable)}"
                problems.append(Problem(where, found, nearest("", [other for other in modalities if kinds.get(other) in readable])))
    return problems


def _names(node: Node, trust: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The options that name a modality, with each name."""
    for key, option in signature(node["_target_"], "", trust).options.items() if node else ():
        for name in named(node.get(key), option.annotation, IsModality):
            yield key, name
