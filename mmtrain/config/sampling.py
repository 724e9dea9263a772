"""The tasks that a sampler names: they have to exist, and to predict classes where classes are balanced."""

from collections.abc import Mapping, Sequence

from mmtrain.config.losses import targets_of
from mmtrain.config.run import Node
from mmtrain.errors import Problem, nearest

WHERE, RATIO = "sampler.tasks", "sampler.ratio"


def check_sampler(sampler: Node, tasks: Mapping[str, Node], trust: Sequence[str]) -> list[Problem]:
    """What is wrong with `sampler.tasks` or `sampler.ratio`, where the sampler has such an option."""
    chosen, ratio = sampler.get("tasks"), sampler.get("ratio")
    if isinstance(ratio, dict) and tasks:
        return _check_ratio(ratio, tasks)
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


def _check_ratio(ratio: Mapping[str, float], tasks: Mapping[str, Node]) -> list[Problem]:
    strange = [Problem(f"{RATIO}.{name}", f"there is no task '{name}'", nearest(name, tasks)) for name in ratio if name not in tasks]
    lacking = [
        Problem(RATIO, f"names no number for task '{name}'", f"add {RATIO}.{name}=1, or another number")
        for name in tasks
        if name not in ratio
    ]
    return [*strange, *lacking]
