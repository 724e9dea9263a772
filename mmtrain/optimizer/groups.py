"""Parameter groups: which learning rate and which decay each parameter of a model gets."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from mmtrain.errors import ConfigError, Problem
from mmtrain.place import Places

Group = dict[str, Any]  # as torch's optimizers take them


def parameter_groups(
    model: nn.Module,
    kinds: Mapping[str, str],
    *,
    lr: float,
    weight_decay: float,
    lr_factor: Mapping[str, Any] | None = None,
    layer_decay: Mapping[str, Any] | None = None,
) -> list[Group]:
    """Group the parameters by learning rate and decay.

    `kinds` maps modality names to kinds, so that `encoder.image` may name a kind. `lr_factor` maps places in the model (nested, as
    in YAML) to factors of `lr`; the longest place that fits a parameter wins. `layer_decay` maps encoders to the factor from a
    stage to the one before. Biases, and vectors and scalars (normalisation), are not decayed.

    Raises:
        ConfigError: a place that has no parameters, or a layer decay for what has no stages.
    """
    factors = Places.read(lr_factor or {}, model, kinds, "optimizer.lr_factor")
    depths = _depth_factors(model, Places.read(layer_decay or {}, model, kinds, "optimizer.layer_decay"))
    groups: dict[tuple[float, float], Group] = {}
    for name, parameter in model.named_parameters():
        factor = float(factors.find(name, 1.0)) * depths.get(name, 1.0)
        decay = weight_decay if parameter.ndim > 1 and not name.endswith("bias") else 0.0
        groups.setdefault((factor, decay), {"params": [], "lr": lr * factor, "weight_decay": decay})["params"].append(parameter)
    return list(groups.values())


def _depth_factors(model: nn.Module, decays: Places) -> dict[str, float]:
    """The factor of every parameter of the encoders that have a layer decay, by name."""
    problems = [
        Problem(f"optimizer.layer_decay.{'.'.join(place)}", "only encoders have stages", "allowed: encoder.<modality or kind>")
        for place in decays.values
        if place[0] != "encoder"
    ]
    factors: dict[str, float] = {}
    encoders = model.get_submodule("encoder").named_children() if decays.values and not problems else ()
    for name, encoder in encoders:
        decay, stages = decays.find(f"encoder.{name}", None), getattr(encoder, "stages", [])
        if decay is not None and not stages:
            found = f"{type(encoder).__name__}, the encoder of '{name}', has no stages"
            problems.append(Problem("optimizer.layer_decay.encoder", found, "use optimizer.lr_factor"))
        elif decay is not None:
            factors |= {f"encoder.{name}.{key}": factor for key, factor in stage_factors(encoder, stages, decay).items()}
    if problems:
        raise ConfigError(*problems)
    return factors


def stage_factors(encoder: nn.Module, stages: Sequence[nn.Module], decay: float) -> dict[str, float]:
    """Factors of an encoder's parameters: `decay` to the power of n - i in stage i of n, counted from the input.

    What is in no stage goes with the next one: what stands before the first is as slow as that, what stands after the last is not slowed.

    Source: Clark et al. 2020, appendix B (layerwise learning-rate decay); as in Bao et al. 2022, section 3.1, with the last stage
    at the full rate.
    """
    owner = {id(parameter): number for number, stage in enumerate(stages, 1) for parameter in stage.parameters()}
    factors, number = {}, len(stages)
    for name, parameter in reversed(list(encoder.named_parameters())):
        number = owner.get(id(parameter), number)
        factors[name] = decay ** (len(stages) - number)
    return factors
