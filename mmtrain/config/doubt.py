"""What may be meant, but most likely is not: said as a warning, never refused."""

from collections.abc import Iterator

from mmtrain.config.run import Run
from mmtrain.config.signature import signature


def doubts(run: Run) -> Iterator[str]:
    """A sentence for each choice that has no effect, or two that do the same thing twice."""
    modalities = run.data["modalities"]
    kinds = {signature(node["_target_"], "data", run.trust).constants.get("kind") for node in modalities.values()}
    for name in run.augmentation:
        if name not in modalities and name not in kinds:
            yield f"augmentation.{name} has no effect: no modality is called so or of this kind"
    if len(modalities) == 1 and run.missing.get("dropout"):
        yield f"missing.dropout={run.missing['dropout']:g} has no effect: there is only one modality, and never all of a row's are dropped"
    if len(run.tasks) == 1 and run.sharing["_target_"] != "mmtrain.sharing.Shared":
        part = run.sharing["_target_"].rpartition(".")[2]
        yield f"sharing: there is only one task, and nothing for {part} to share; it only adds parameters (sharing=shared adds none)"
    for name in run.sampler.get("tasks") or ():
        loss = run.tasks[name].get("loss") or {}
        correction = next((option for option in ("tau", "class_weights") if loss.get(option) not in (None, 0, "none")), None)
        if correction is not None:
            yield f"tasks.{name}: sampler.tasks and its loss ({correction}) both make up for unequal classes; one is enough"
