"""mmtrain: train one PyTorch model over any number of modalities and tasks, chosen in Hydra YAML.

import mmtrain
trained = mmtrain.load("outputs/scenes/RUN")     # see `mmtrain.trained.Trained`
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmtrain.trained import load as load

__all__ = ["load"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import torch only when a model is loaded, not when a command prints its help."""
    if name == "load":
        from mmtrain.trained import load

        return load
    raise AttributeError(f"module 'mmtrain' has no attribute '{name}'")
