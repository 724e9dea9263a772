from collections.abc import Callable

import torch

from mmtrain.modality_balance import Nothing, Pass
from mmtrain.spec import TaskSpec


def test_predictions_stay_and_nothing_is_added(passed: Callable[..., Pass]) -> None:
    predictions = {"shape": torch.randn(2, 3)}
    given = passed(lambda coalition: predictions, {"shape": torch.tensor([0, 2])}, {"image": torch.ones(2, dtype=torch.bool)})
    nothing = Nothing({"image": 4}, {"shape": TaskSpec(2, gaussian=False)})
    nothing.start_epoch(1)
    assert nothing.adapt(given) == (predictions, {})
    assert nothing.view_weights == {}
    assert nothing.state_dict() == {}
