"""What may be meant, but most likely is not: said as a warning, never refused."""

from collections.abc import Iterator

from mmtrain.config.run import Run
from mmtrain.config.signature import signature
from mmtrain.spec import FUSED

AUTO = "mmtrain.decision.Auto"

BY_TASK = ("Equal", "Proportional", "Ratio", "Temperature")  # samplers that draw tasks
NO_BALANCE = "mmtrain.modality_balance.Nothing"
NO_ALIGNMENT = "mmtrain.alignment.Nothing"


def doubts(run: Run) -> Iterator[str]:
    """A sentence for each choice that has no effect, or two that do the same thing twice."""
    modalities = run.data["modalities"]
    kinds = {signature(node["_target_"], "data", run.trust).constants.get("kind") for node in modalities.values()}
    for name in run.augmentation:
        if name not in modalities and name not in kinds:
            yield f"augmentation.{name} has no effect: no modality is called so or of this kind"
    if len(modalities) == 1 and run.missing.get("dropout"):
        yield f"missing.dropout={run.missing['dropout']:g} has no effect: there is only one modality, and never all of a row's are dropped"
    if len(modalities) == 1 and run.model["auxiliary"] > 0:
        yield f"model.auxiliary={run.model['auxiliary']:g} has nothing to add: there is only one modality"
    yield from _undecided(run)
    yield from _unbalanced(run)
    yield from _sampled_by_task(run)
    if len(modalities) == 1 and run.alignment["_target_"] != NO_ALIGNMENT:
        yield "alignment has no effect: there is only one modality"
    if len(run.tasks) == 1 and run.sharing["_target_"] != "mmtrain.sharing.Shared":
        part = run.sharing["_target_"].rpartition(".")[2]
        yield f"sharing: there is only one task, and nothing for {part} to share; it only adds parameters (sharing=shared adds none)"
    for name in run.sampler.get("tasks") or ():
        loss = run.tasks[name].get("loss") or {}
        correction = next((option for option in ("tau", "class_weights") if loss.get(option) not in (None, 0, "none")), None)
        if correction is not None:
            yield f"tasks.{name}: sampler.tasks and its loss ({correction}) both make up for unequal classes; one is enough"


def _sampled_by_task(run: Run) -> Iterator[str]:
    """Tasks that are drawn where there is one, or where weights make up for their sizes too."""
    package, _, sampler = run.sampler["_target_"].rpartition(".")
    if package != "mmtrain.sampler" or sampler not in BY_TASK:
        return
    word = sampler.lower()
    if len(run.tasks) == 1:
        yield f"sampler={word} has no effect: there is only one task"
    natural = sampler == "Proportional" or run.sampler.get("temperature") == 1
    if not natural and run.balancing["_target_"] == "mmtrain.balancing.Size" and run.balancing["exponent"] > 0:
        yield f"sampler={word} and balancing=size both make up for unequal numbers of labels; one is enough"


def _unbalanced(run: Run) -> Iterator[str]:
    """A balance of modalities that never begins, or that meets what training never does."""
    if run.modality_balance["_target_"] == NO_BALANCE:
        return
    first, last = run.modality_balance.get("first_epoch", 1), run.training["epochs"]
    if run.training["steps"] is None and first > last:
        yield f"modality_balance.first_epoch={first} has no effect: training ends after epoch {last}"
    stand_ins = run.missing["_target_"].rpartition(".")[2].lower()
    if stand_ins in ("zero", "mean", "learned", "impute") and not run.single_views:
        yield f"modality_balance judges a modality with all others absent; under missing={stand_ins} the fusion meets that nowhere else"


def _undecided(run: Run) -> Iterator[str]:
    """A decision between one view, or by probabilities that there are not."""
    target = run.decision["_target_"]
    name, views = target.rpartition(".")[2], run.views
    if target == AUTO:
        return
    if len(views) == 1:
        fix = "; choose fusion=late, or give the single modalities views of their own with model.auxiliary" if views == [FUSED] else ""
        yield f"decision: '{name}' has nothing to decide: the model has the one view '{views[0]}'{fix}"
    elif signature(target, "decision", run.trust).constants.get("probabilities") is True:
        targets = {task: signature(node["_target_"], "tasks", run.trust).constants.get("targets") for task, node in run.tasks.items()}
        for task in sorted(task for task, kind in targets.items() if kind in ("numbers", "counts", "quantiles")):
            yield f"decision: '{name}' goes by probabilities, and tasks.{task} predicts {targets[task]}: its views are averaged"
