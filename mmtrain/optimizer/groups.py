"""Parameter groups: which learning rate and which decay each parameter of a model gets."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from mmtrain.errors import ConfigError, Problem, nearest

Group = dict[str, Any]  # as torch's optimizers take them

# What the user writes, and what the model calls it: `optimizer.lr_factor.tasks.digit` slows the heads of the task `digit`.
_PLACES = {"encoder": "encoder", "modality": "modality", "missing": "missing", "fusion": "fusion", "sharing": "sharing", "tasks": "head"}


def parameter_groups(
    model: nn.Module, kinds: Mapping[str, str], *, lr: float, weight_decay: float, lr_factor: Mapping[str, Any]
) -> list[Group]:
    """Group the parameters by learning rate and decay.

    `kinds` maps modality names to kinds, so that `encoder.image` may name a kind. `lr_factor` maps places in the model (nested, as
    in YAML) to factors of `lr`; the longest place that fits a parameter wins. Biases, and vectors and scalars
    (normalisation), are not decayed.

    Raises:
        ConfigError: a place that has no parameters.
    """
    factors = dict(_flatten(lr_factor, ()))
    used: set[tuple[str, ...]] = set()
    places: set[str] = set()
    groups: dict[tuple[float, float], Group] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        paths = _paths(name, kinds)
        places.update(".".join(path[:depth]) for path in paths for depth in (1, 2) if path[0] in ("encoder", "tasks") or depth == 1)
        fits = [place for place in factors if any(path[: len(place)] == place for path in paths)]
        used.update(fits)
        factor = factors[max(fits, key=len)] if fits else 1.0
        decay = weight_decay if parameter.ndim > 1 and not name.endswith("bias") else 0.0
        groups.setdefault((factor, decay), {"params": [], "lr": lr * factor, "weight_decay": decay})["params"].append(parameter)
    problems = [
        Problem(f"optimizer.lr_factor.{'.'.join(place)}", "no part of the model is called so", nearest(".".join(place), places))
        for place in factors
        if place not in used
    ]
    if problems:
        raise ConfigError(*problems)
    return list(groups.values())


def _flatten(tree: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, (*above, name))
        else:
            yield (*above, name), float(value)


def _paths(name: str, kinds: Mapping[str, str]) -> list[tuple[str, ...]]:
    """All the ways to name a parameter: `encoder.picture.conv.weight` is also `encoder.image.conv.weight`."""
    attribute, *rest = name.split(".")
    place = next((place for place, module in _PLACES.items() if module == attribute), attribute)
    paths = [(place, *rest)]
    if place in ("encoder", "modality") and kinds.get(rest[0], rest[0]) != rest[0]:
        paths.append((place, kinds[rest[0]], *rest[1:]))
    return paths
