"""What to say of a method that `tasks.X.weight` does not reach."""

from collections.abc import Mapping

from mmtrain.spec import TaskSpec


def blind_notes(method: str, tasks: Mapping[str, TaskSpec], why: str) -> list[str]:
    """One sentence where a weight is set to no avail. A weight of 0 takes a task out under every method."""
    weighted = [f"tasks.{task}.weight={spec.weight:g}" for task, spec in tasks.items() if spec.weight not in (0, 1)]
    return [f"balancing={method}: {', '.join(weighted)}: {why}; use balancing=fixed to weigh tasks"] if weighted else []
