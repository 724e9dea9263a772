"""`mmtrain list`: every choice with one line, and a group's options with type and default."""

from dataclasses import replace
from pathlib import Path

import yaml

from mmtrain.config import Catalog, Choice
from mmtrain.config.annotation import MISSING, UNKNOWN, describe, show
from mmtrain.config.signature import Option, signature
from mmtrain.errors import ConfigError, Problem, nearest


def listing(group: str | None = None, config_dir: Path | None = None) -> str:
    """All groups, or one group with its options.

    Raises:
        ConfigError: there is no such group.
    """
    groups = Catalog.open(config_dir).choices
    if group is not None:
        chosen = [choice for name, choices in groups.items() if f"{name}/".startswith(f"{group}/") for choice in choices.values()]
        if not chosen:
            raise ConfigError(Problem(group, "there is no such group", nearest(group, groups)))
        return "\n\n".join(map(_in_full, chosen))
    wide = max(map(len, groups))
    long = max(len(name) for choices in groups.values() for name in choices)
    lines = []
    for title, choices in groups.items():
        heads = [title, *[""] * (len(choices) - 1)]
        lines += [f"{head:<{wide}}  {choice.name:<{long}}  {choice.summary}" for head, choice in zip(heads, choices.values(), strict=True)]
    return "\n".join([*lines, "", "mmtrain list GROUP shows the options; mmtrain train GROUP=NAME chooses"])


def _in_full(choice: Choice) -> str:
    """A choice with the options of its part: name, default, and what is allowed."""
    rows = [(name, _default(option), describe(option.annotation)) for name, option in _options(choice).items()]
    wide, long = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    lines = [f"  {name:<{wide}}  {default:<{long}}  {allowed}" for name, default, allowed in rows]
    return "\n".join([f"{choice.group}={choice.name}  {choice.summary}", *lines])


def _options(choice: Choice) -> dict[str, Option]:
    """What the part of a choice takes; nothing for a YAML that only puts others together."""
    try:
        tree = yaml.safe_load(choice.file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):  # told when it is chosen
        return {}
    target = tree.get("_target_") if isinstance(tree, dict) else None
    if not isinstance(target, str):
        return {}
    module = target.rpartition(".")[0]
    options = signature(target, str(choice.file), [module]).options  # reading a part's source runs none of it
    given = {name: tree[name] for name in options if tree.get(name, MISSING) != MISSING}  # what tells this choice from others
    return {name: replace(option, default=given[name], required=False) if name in given else option for name, option in options.items()}


def _default(option: Option) -> str:
    if option.required:
        return MISSING
    return "" if option.default is UNKNOWN else option.default or "''" if isinstance(option.default, str) else show(option.default)
