"""What is allowed but has no effect, or is done twice, is said."""

import pytest

from mmtrain.config import load

AUGMENTED, DROPOUT = "augmentation/tabular=standard", "missing.dropout=0.3"
ONE = ["~data.modalities.caption", "~data.modalities.tone"]
ALONE = [*ONE, DROPOUT]
MORE = "choose fusion=late, or give the single modalities views of their own with model.auxiliary"
ONE_TASK = ["~tasks.colour", "~tasks.position", "~tasks.match", "~tasks.pitch"]
SIZE = "balancing=size both make up for unequal numbers of labels; one is enough"
RATIO = "sampler.ratio={shape:2,colour:1,position:1,match:1,pitch:1}"
BALANCED = ["sampler=balanced", "sampler.tasks=[shape]"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([AUGMENTED], ["augmentation.tabular has no effect: no modality is called so or of this kind"]),
        (["augmentation/image=standard"], []),
        (["augmentation/image@augmentation.picture=standard"], []),
        (ALONE, ["missing.dropout=0.3 has no effect: there is only one modality, and never all of a row's are dropped"]),
        ([DROPOUT], []),
        ([*ALONE[:2], "alignment=contrastive"], ["alignment has no effect: there is only one modality"]),
        (ALONE[:2], []),
        (["alignment=contrastive"], []),
        (
            [*BALANCED, "loss@tasks.shape.loss=logit_adjusted"],
            ["tasks.shape: sampler.tasks and its loss (tau) both make up for unequal classes; one is enough"],
        ),
        (
            [*BALANCED, "tasks.shape.loss.class_weights=inverse"],
            ["tasks.shape: sampler.tasks and its loss (class_weights) both make up for unequal classes; one is enough"],
        ),
        ([*ONE_TASK, "sharing=shared"], []),
        (["sharing=mmoe"], []),
        ([*ONE_TASK, "sharing=shared", "sampler=equal"], ["sampler=equal has no effect: there is only one task"]),
        (["sampler=equal", "balancing=size"], [f"sampler=equal and {SIZE}"]),
        (["sampler=temperature", "balancing=size"], [f"sampler=temperature and {SIZE}"]),
        (["sampler=ratio", RATIO, "balancing=size"], [f"sampler=ratio and {SIZE}"]),
        (["sampler=temperature", "sampler.temperature=1", "balancing=size"], []),
        (["sampler=equal", "balancing=size", "balancing.exponent=0"], []),
        (["sampler=proportional", "balancing=size"], []),
        (["sampler=equal"], []),
        ([*BALANCED, "balancing=size"], []),
        (
            [*ONE_TASK, "sharing=mmoe"],
            ["sharing: there is only one task, and nothing for MMoE to share; it only adds parameters (sharing=shared adds none)"],
        ),
        ([*BALANCED, "loss@tasks.match.loss=logit_adjusted"], []),
        ([*ONE, "model.auxiliary=0.3"], ["model.auxiliary=0.3 has nothing to add: there is only one modality"]),
        (["model.auxiliary=0.3"], []),
        (["decision=mean"], [f"decision: 'Mean' has nothing to decide: the model has the one view 'fused'; {MORE}"]),
        (["decision=mean", "model.auxiliary=0.3"], []),
        (["decision=mean", "model=fusion_late"], []),
        (["decision=mean", "model=fusion_late", "model.auxiliary=0"], []),
        (
            ["decision=mean", "fusion=late", *ONE],
            ["decision: 'Mean' has nothing to decide: the model has the one view 'picture'"],
        ),
        (
            ["decision=confident", "model=fusion_late"],
            ["decision: 'Confident' goes by probabilities, and tasks.position predicts numbers: its views are averaged"],
        ),
        (["decision=confident", "model=fusion_late", "~tasks.position"], []),
    ],
)
def test_a_doubt(words: list[str], said: list[str]) -> None:
    assert load(words).config.warnings == said
