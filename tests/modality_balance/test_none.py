import torch

from mmtrain.modality_balance import Nothing, Pass


def test_it_changes_nothing() -> None:
    part = Nothing(["image", "text"], {})
    predictions = {"shape": torch.randn(3, 4)}
    nothing: dict[str, object] = {}
    found, penalties = part.adapt(Pass(None, predictions, {}, {}, lambda present: {}, lambda found: {}))  # type: ignore[arg-type]
    assert found is predictions
    assert (penalties, part.view_weights, part.notes) == (nothing, {}, [])
