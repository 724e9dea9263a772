"""What a model answers when some of its modalities are taken away: every batch is encoded once and answered under many cuts."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import torch
from jaxtyping import Bool
from torch import Tensor

from mmtrain import processes
from mmtrain.batch import Batch, Tokens
from mmtrain.data import Dataset, batches
from mmtrain.missing import restricted
from mmtrain.model import Model, Output
from mmtrain.runtime import Runtime
from mmtrain.training.meter import Meter, Scores

# Which cells of a split a cut leaves, by modality; one that is not named is taken away from all rows. An empty cell stays empty.
Cut = Mapping[str, Bool[Tensor, " n"]]
Name = TypeVar("Name", bound=Hashable)


def only(kept: Iterable[str], rows: int) -> dict[str, Bool[Tensor, " n"]]:
    """The cut that leaves these modalities to every row, and no other."""
    return dict.fromkeys(kept, torch.tensor(True).expand(rows))


@torch.inference_mode()
def answer_cuts(
    model: Model,
    dataset: Dataset,
    runtime: Runtime,
    *,
    batch_size: int,
    cuts: Mapping[Name, Cut],
    done: Callable[[int], None] = lambda rows: None,
) -> tuple[Meter, dict[Name, Meter]]:
    """Answer a split as it is, to the bit as `evaluate` does, and under every cut; `done` hears of every batch's number of rows.

    All rows count under every cut: one that loses everything is answered with the task's prior, as one without any modality is. Under
    a cut no loss is taken. The model is left in evaluation mode.
    """
    model.eval()
    meter, meters = Meter(model.tasks), {name: Meter(model.tasks) for name in cuts}
    left = {name: {modality: kept.to(runtime.device) for modality, kept in cut.items()} for name, cut in cuts.items()}
    for batch in filter(len, batches(dataset, batch_size, share=processes.share())):
        batch = batch.to(runtime.device)
        with runtime.autocast():
            tokens = model.encode(batch)
            output = model.answer(tokens, batch.present)
            for name, cut in left.items():
                meters[name].add(batch, _answer(model, tokens, batch, cut))
        meter.add_scored(model, batch, output)
        done(len(batch))
    return meter, meters


def _answer(model: Model, tokens: Mapping[str, Tokens], batch: Batch, cut: Cut) -> Output:
    """What the model says of what the cut leaves of a batch."""
    present, left = {}, {}
    for name, there in batch.present.items():
        if name in cut:
            present[name] = there & cut[name][batch.rows]
            left[name] = restricted(tokens[name], present[name])
        else:  # as where no row of a batch has the modality: no room is kept for it, and no time spent on it
            present[name] = torch.zeros_like(there)
            left[name] = Tokens(tokens[name].values[:, :0], tokens[name].mask[:, :0])
    # not compiled: sizes of 0 would have each part compiled anew, until torch gives up on it, in training too
    with torch.compiler.set_stance("force_eager"):
        return model.answer(left, present)


def evaluate_modalities(model: Model, dataset: Dataset, runtime: Runtime, *, batch_size: int) -> Scores:
    """Score a split as `evaluate` does, with what each modality brings; every batch is encoded once.

    The model is left in evaluation mode.
    """
    names = sorted(dataset.modalities)
    sets = [kept for name in names for kept in _with_and_without(name, names)]
    cuts = {kept: only(kept, len(dataset)) for kept in sets}  # of two modalities, one alone is all without the other
    meter, meters = answer_cuts(model, dataset, runtime, batch_size=batch_size, cuts=cuts)
    scores = meter.scores()
    return replace(scores, modalities=contributions(names, scores.skill, {kept: cut.skill() for kept, cut in meters.items()}))


def contributions(
    names: Sequence[str], skill: float | None, skills: Mapping[frozenset[str], float | None]
) -> dict[str, dict[str, float | None]]:
    """What each of two or more modalities brings to the mean `skill` of all: `alone`, the skill with it alone; `without`, the skill
    with all others; and `contribution`, the mean of `alone` and `skill - without`, which it adds to nothing and to all others.

    `skills` are those of the sets of modalities; nothing has a skill of 0, that of the constant answer. What is undefined is None.

    Source: Shapley 1953: of two modalities the contribution is the Shapley value of the skill, and adds up to `skill`. Of more it is
    the mean of the first and the last term of that value alone, at 2 M answers in place of 2^M, and need not add up. Absent
    modalities in place of missing players as in Hu et al. 2022 (SHAPE), where they are zeros; here they are what `missing` makes of them.
    """
    found: dict[str, dict[str, float | None]] = {}
    for name in names:
        alone, without = (skills[kept] for kept in _with_and_without(name, names))
        contribution = None if skill is None or alone is None or without is None else (alone + skill - without) / 2
        found[name] = {"contribution": contribution, "alone": alone, "without": without}
    return found


def _with_and_without(name: str, names: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset([name]), frozenset(names) - {name}
