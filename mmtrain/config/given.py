"""Tasks that are conditional on another: it has to be there, to be binary, and not to wait for them in turn."""

from collections.abc import Mapping

from mmtrain.config.run import Node
from mmtrain.errors import Problem, nearest

BINARY = "mmtrain.task.Binary"


def check_given(tasks: Mapping[str, Node]) -> list[Problem]:
    """What is wrong with `tasks.X.given`, where binary tasks have one."""
    binary = {name: node for name, node in tasks.items() if node.get("_target_") == BINARY}
    given = {name: node["given"] for name, node in binary.items() if isinstance(node.get("given"), str)}
    problems = []
    for name, parent in given.items():
        where, others = f"tasks.{name}.given", binary.keys() - {name}
        if parent not in tasks:
            fix = f"{nearest(parent, others)}; without one: {where}=null"
            problems.append(Problem(where, f"there is no task '{parent}'", fix))
        elif parent not in binary and tasks[parent]:  # an empty node has been told
            kind = tasks[parent]["_target_"].rpartition(".")[2]
            found = f"task '{parent}' is of kind {kind}, and only a binary task has a positive label to be given"
            problems.append(Problem(where, found, f"choose task@tasks.{parent}=binary"))
        elif name in (circle := _ancestors(name, given)):
            found = f"'{name}' waits for itself: {' <- '.join([name, *circle])}"
            problems.append(Problem(where, found, "let the first of them be given nothing"))
    return problems


def _ancestors(name: str, given: Mapping[str, str]) -> list[str]:
    """The tasks that have to be positive before this one, the nearest first, up to the first that occurs twice."""
    found: list[str] = []
    while name in given and given[name] not in found:
        name = given[name]
        found.append(name)
    return found
