"""Parts of the model that rest, for the whole training or its first epochs."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from mmtrain.errors import ConfigError, Problem
from mmtrain.place import Places


class Freezing:
    """Freezes places of a model. `freeze` maps them, nested as in YAML, to `always` or to the epochs that they rest.

    What is frozen gets no gradient, and so neither step nor decay from an optimizer that holds it, and is in evaluation mode:
    dropout and running statistics rest, too. The epoch and the stopped tasks say what is frozen, so that a resumed run goes on alike.

    Raises:
        ConfigError: a place that has no parameters, or nothing is left to train in the first epoch.
    """

    def __init__(self, model: nn.Module, kinds: Mapping[str, str], freeze: Mapping[str, Any] | None) -> None:
        self.model = model
        self.places = Places.read(freeze or {}, model, kinds, "training.freeze")
        self.trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
        if all(self._frozen(name, epoch=0) for name, _ in self.trained):
            raise ConfigError(Problem("training.freeze", "nothing is left to train in the first epoch", "leave a part out"))

    def apply(self, epoch: int, *, stopped: Sequence[str] = ()) -> None:
        """Freeze and thaw a model that is in training mode for the epoch that follows `epoch` whole ones; heads of `stopped` tasks rest."""
        heads = tuple(f"head.{task}." for task in stopped)
        for name, parameter in self.trained:
            parameter.requires_grad_(not (name.startswith(heads) or self._frozen(name, epoch)))
        for name, module in self.model.named_modules():
            if f"{name}.".startswith(heads) or self._frozen(name, epoch):
                module.training = False

    def _frozen(self, name: str, epoch: int) -> bool:
        epochs = self.places.find(name, 0)
        return epochs == "always" or epoch < epochs
