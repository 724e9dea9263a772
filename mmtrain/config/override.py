"""The words of the command line: choices of a group, which Hydra follows, and values, which are set on what it composed.

So a value may have any key: our own check, which knows the nearest name, judges it.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from itertools import product

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from mmtrain.config.annotation import show
from mmtrain.config.catalog import Catalog
from mmtrain.config.run import Node, Run
from mmtrain.errors import ConfigError, Problem, nearest

# Groups that are chosen by a word without a slash.
GROUPS = {key.name for key in fields(Run) if key.type == Node} | {"model", "encoders", "experiment"}
HYDRA_KEYS = ("hydra.run.dir", "hydra.sweep.dir")


@dataclass
class Words:
    """The words by what they do. `choices` go by their key, `fusion` or `loss@tasks.digit.loss`; of two, the later one counts.
    `values` set a key, or take it out."""

    choices: dict[str, str] = field(default_factory=dict)
    values: list[Override] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def sort_words(texts: Sequence[str], catalog: Catalog) -> Words:
    """Tell choices from values; what cannot be followed becomes a problem and is left out."""
    words = Words()
    for text in texts:
        try:
            _sort(*_parse(text), catalog, words)
        except ConfigError as error:
            words.problems += error.problems
    return words


def jobs(texts: Sequence[str]) -> list[list[str]]:
    """Every combination of the values that a sweep lists, `a=1,2 b=3` as `[a=1, b=3]` and `[a=2, b=3]`; the last key varies fastest.

    Raises:
        ConfigError: a word that cannot be read.
    """
    alternatives: list[list[str]] = []
    problems: list[Problem] = []
    for text in texts:
        try:
            alternatives.append(_alternatives(*_parse(text)))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)
    return [list(job) for job in product(*alternatives)]


def values(texts: Sequence[str]) -> dict[str, object]:
    """What plain `key=value` words set, where no group can be chosen any more: on the configuration of an earlier run.

    Raises:
        ConfigError: a word that is anything else.
    """
    found: dict[str, object] = {}
    for text in texts:
        override, _ = _parse(text)
        key = override.key_or_group
        if key == "trust":
            raise ConfigError(Problem(text, "a run folder's trust is not an override", "use --trust MODULE"))
        if override.is_delete() or override.package is not None or "/" in key or override.is_sweep_override():
            raise ConfigError(Problem(text, "only values of an earlier run can be changed", "write KEY=VALUE"))
        if key in GROUPS and not isinstance(override.value(), dict):
            fix = f"write KEY=VALUE, or begin a new run with mmtrain train {text}"
            raise ConfigError(Problem(text, "the parts of an earlier run cannot be exchanged, only values", fix))
        found[key] = override.value()
    return found


def _parse(text: str) -> tuple[Override, str]:
    """The word, and its text as Hydra can read it: a plain value with an accent or a bracket, as paths have, is put in quotes."""
    key, _, value = text.partition("=")
    quoted = '{}="{}"'.format(key, value.replace('"', '\\"'))
    plain = value and value[0] not in "[{'\"" and "," not in value
    for attempt in (text, *([quoted] if plain else [])):
        with suppress(HydraException):
            return OverridesParser.create().parse_override(attempt), attempt
    fix = "put a value with special characters in quotes, inside those of the shell: 'key=\"a (b), c\"'" if value else "write KEY=VALUE"
    raise ConfigError(Problem(text, "cannot be read", fix))


def _alternatives(override: Override, text: str) -> list[str]:
    if not override.is_sweep_override():
        return [text]
    if override.is_hydra_override() or not override.is_discrete_sweep():
        raise ConfigError(Problem(text, "cannot be swept", "list the values: key=1,2,3"))
    return [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]


def _sort(override: Override, text: str, catalog: Catalog, words: Words) -> None:
    key = override.key_or_group
    if override.is_sweep_override():
        raise ConfigError(Problem(key, f"several values, {text.partition('=')[2]}", "add -m to train once with each"))
    if override.is_hydra_override() and key not in HYDRA_KEYS:
        raise ConfigError(Problem(key, "is not used", nearest(key, HYDRA_KEYS)))
    if key in catalog.choices and not isinstance(override.value(), dict):
        if override.value() is None and not override.is_delete() and key == "experiment":
            return
        _known_choice(override, catalog)
        words.choices[override.get_key_element().lstrip("+")] = text.removeprefix("++")
    elif "/" in key or override.package is not None:
        raise ConfigError(Problem(text, f"there is no group '{key}'", nearest(key, catalog.choices)))
    else:
        words.values.append(override)


def _known_choice(override: Override, catalog: Catalog) -> None:
    """A group offers what the override chooses; a list chooses several."""
    offered, value = catalog.choices[override.key_or_group], override.value()
    for name in value if isinstance(value, list) else [value]:
        if name not in offered and not (override.is_delete() and name is None):
            fix = nearest(str(name), offered)
            if override.key_or_group == "data" and catalog.own is None:
                fix += "; your own FOLDER/data/NAME.yaml is found with --config-dir FOLDER"
            raise ConfigError(Problem(override.get_key_element().lstrip("+~"), f"{show(name)} is not a choice", fix))
