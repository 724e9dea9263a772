"""`mmtrain list`: every choice with one line, and a group's options with type and default."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from mmtrain.config import Choice, catalog
from mmtrain.config.annotation import UNKNOWN, describe, show
from mmtrain.config.signature import Option, signature
from mmtrain.errors import ConfigError, Problem, nearest


def listing(group: str | None = None, config_dir: Path | None = None) -> str:
    """All groups, or one group with its options.

    Raises:
        ConfigError: there is no such group.
    """
    groups = catalog(config_dir).choices
    if group is not None:
        if group not in groups:
            raise ConfigError(Problem(group, "there is no such group", nearest(group, groups)))
        return "\n".join(_in_full(groups[group].values()))
    wide = max(map(len, groups))
    long = max(len(name) for choices in groups.values() for name in choices)
    lines = []
    for title, choices in groups.items():
        heads = [title, *[""] * (len(choices) - 1)]
        lines += [f"{head:<{wide}}  {choice.name:<{long}}  {choice.summary}" for head, choice in zip(heads, choices.values(), strict=True)]
    return "\n".join([*lines, "", "mmtrain list GROUP shows the options; mmtrain train GROUP=NAME chooses"])


def _in_full(choices: Iterable[Choice]) -> Iterator[str]:
    for number, choice in enumerate(choices):
        if number:
            yield ""
        yield f"{choice.name}  {choice.summary}"
        options = _options(choice)
        wide = max(map(len, options), default=0)
        yield from (f"  {name:<{wide}}  {_default(option)}{describe(option.annotation)}" for name, option in options.items())


def _options(choice: Choice) -> dict[str, Option]:
    """What the part of a choice takes; nothing for a YAML that only puts others together."""
    tree = yaml.safe_load(choice.file.read_text(encoding="utf-8"))
    target = tree.get("_target_") if isinstance(tree, dict) else None
    if not isinstance(target, str):
        return {}
    module = target.rpartition(".")[0]
    return dict(signature(target, str(choice.file), [module]).options)  # reading a part's source runs none of it


def _default(option: Option) -> str:
    if option.required:
        return "to be given: "
    return "" if option.default is UNKNOWN else f"{show(option.default)}: "
