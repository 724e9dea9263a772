"""From a checked configuration to objects: the data's parts first, the model once they are fitted."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from mmtrain.batch import FUSED
from mmtrain.config import Run, build
from mmtrain.data import Settings
from mmtrain.fusion import Late
from mmtrain.fusion.hybrid import Hybrid
from mmtrain.modality import Modality
from mmtrain.model import Model
from mmtrain.source import Source
from mmtrain.task import Binary, Task


@dataclass(frozen=True)
class DataParts:
    """Where rows come from, and how each column is read; modalities and tasks are not fitted yet."""

    source: Source
    settings: Settings
    modalities: dict[str, Modality]
    tasks: dict[str, Task]


def data_parts(config: Run) -> DataParts:
    """Build the source, the modalities and the tasks."""
    modalities = {
        name: build(node, where=f"data.modalities.{name}", trust=config.trust) for name, node in config.data["modalities"].items()
    }
    tasks = {name: build(node, name, where=f"tasks.{name}", trust=config.trust) for name, node in config.tasks.items()}
    for task in tasks.values():
        if isinstance(task, Binary) and task.given is not None:
            task.parent = tasks[task.given]
        attach = getattr(task, "attach", None)
        if attach is not None:
            attach({name: modalities[name] for name in task.modalities})
    return DataParts(build(config.source, where="data", trust=config.trust), Settings(**config.data_settings), modalities, tasks)


def build_model(config: Run, modalities: dict[str, Modality], tasks: dict[str, Task]) -> Model:
    """Build the model for fitted modalities and tasks; widths flow from each part to the next."""
    trust = config.trust
    encoders: dict[str, nn.Module] = {
        name: build(config.encoder[key], modality.spec, where=f"encoder.{key}", trust=trust)
        for name, modality in modalities.items()
        for key in (name if name in config.encoder else modality.kind,)
    }
    augmentations: dict[str, nn.Module] = {
        name: build(config.augmentation[key], modality.spec, where=f"augmentation.{key}", trust=trust)
        for name, modality in modalities.items()
        if (key := name if name in config.augmentation else modality.kind) in config.augmentation
    }
    widths: dict[str, Any] = {name: encoder.out_dim for name, encoder in encoders.items()}
    mixing = build(config.mixing, {name: modality.spec for name, modality in modalities.items()}, where="mixing", trust=trust)
    missing: Any = build(config.missing, widths, where="missing", trust=trust)
    fusion: Any = build(config.fusion, widths, where="fusion", trust=trust)
    if config.single_views and fusion.views == [FUSED]:
        fusion = Hybrid(fusion, Late(widths, out_dim=fusion.out_dim))
    sharing = build(config.sharing, bind=True, where="sharing", trust=trust)
    decision = build(config.decision, bind=True, where="decision", trust=trust)
    alignment: Any = build(config.alignment, widths, where="alignment", trust=trust)
    parts = (modalities, augmentations, encoders, mixing, missing, fusion, sharing, tasks, decision, alignment)
    return build(config.model, *parts, where="model", trust=trust)
