"""Places in a model, as a user names them in YAML: `encoder.image` (a kind), `encoder.front` (a modality), `fusion`, `tasks.digit`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from mmtrain.errors import ConfigError, Problem, nearest

Path = tuple[str, ...]

# What the model calls it, where the user writes otherwise: `optimizer.lr_factor.tasks.digit` slows the heads of the task `digit`, and
# what its loss learns.
_PLACES = {"head": "tasks", "loss": "tasks"}


@dataclass(frozen=True)
class Places:
    """Values by place. `kinds` maps modality names to kinds, so that `encoder.image` may name a kind."""

    values: Mapping[Path, Any]
    kinds: Mapping[str, str]

    @classmethod
    def read(cls, tree: Mapping[str, Any], model: nn.Module, kinds: Mapping[str, str], where: str) -> "Places":
        """The places that a tree names, nested as in YAML; `where` is the option that holds it.

        Raises:
            ConfigError: a place that has no parameters.
        """
        places = cls(dict(_flatten(tree, ())), kinds)
        paths = [path for name, _ in model.named_parameters() for path in places._paths(name)]
        known = {".".join(path[:depth]) for path in paths for depth in (1, 2) if path[0] in ("encoder", "tasks") or depth == 1}
        unknown = [place for place in places.values if not any(path[: len(place)] == place for path in paths)]
        if unknown:
            names = [".".join(place) for place in unknown]
            raise ConfigError(*(Problem(f"{where}.{name}", "no part of the model is called so", nearest(name, known)) for name in names))
        return places

    def find(self, name: str, default: Any) -> Any:
        """The value of the longest place that a parameter or module of this name is in; of two, a name's goes before a kind's."""
        paths = self._paths(name)
        fits = [place for place in self.values if any(path[: len(place)] == place for path in paths)]
        own = paths[0]
        return self.values[max(fits, key=lambda place: (len(place), place == own[: len(place)]))] if fits else default

    def _paths(self, name: str) -> list[Path]:
        """All the ways to name a parameter: `encoder.picture.conv.weight` is also `encoder.image.conv.weight`."""
        attribute, *rest = name.split(".")
        place = _PLACES.get(attribute, attribute)
        paths: list[Path] = [(place, *rest)]
        if place in ("encoder", "modality") and rest and self.kinds.get(rest[0], rest[0]) != rest[0]:
            paths.append((place, self.kinds[rest[0]], *rest[1:]))
        return paths


def _flatten(tree: Mapping[str, Any], above: Path) -> Iterator[tuple[Path, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, (*above, name))
        else:
            yield (*above, name), value
