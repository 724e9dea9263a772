"""The tasks that a sampler balances: they have to exist, and to predict classes."""

from collections.abc import Mapping, Sequence

from mmtrain.config.losses import targets_of
from mmtrain.config.run import Node
from mmtrain.errors import Problem, nearest

WHERE = "sampler.tasks"


def check_sampler(sampler: Node, tasks: Mapping[str, Node], trust: Sequence[str]) -> list[Problem]:
    """What is wrong with `sampler.tasks`, where the sampler has such an option."""
    chosen = sampler.get("tasks")
    if not isinstance(chosen, list) or not tasks:
        return []
    if not chosen:
        return [Problem(WHERE, "no task is named", nearest("", tasks))]
    problems = []
    for name in dict.fromkeys(chosen):
        targets = targets_of(tasks[name], trust) if name in tasks else "classes"
        if name not in tasks:
            problems.append(Problem(WHERE, f"there is no task '{name}'", nearest(name, tasks)))
        elif targets not in ("classes", None):
            problems.append(Problem(WHERE, f"task '{name}' predicts {targets}, and only classes can be balanced", "leave it out"))
    return problems
