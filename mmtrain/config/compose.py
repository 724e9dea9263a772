"""Composes the YAML files with Hydra, and says what went wrong there in our words."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from mmtrain.config.catalog import Catalog
from mmtrain.config.override import Words, sort_words
from mmtrain.config.plain import plain, unresolved
from mmtrain.errors import ConfigError, Problem, nearest

# Before 1.4, Hydra asks which version's behaviour is meant; from then on it warns when told.
VERSION = {"version_base": "1.3"} if hydra.__version__.startswith("1.3") else {}
# Places whose names the user gives: choosing a part for a new name adds it.
OPEN_PLACE = re.compile(r"task@tasks\.\w+|modality@data\.modalities\.\w+|(augmentation|encoder)/\w+(@\1\.\w+)?")


@dataclass(frozen=True)
class Composition:
    """The composed tree in plain values, the folder to write to, and the problems found on the way."""

    tree: dict[str, Any]
    folder: Path
    problems: list[Problem]


def compose(overrides: Sequence[str], catalog: Catalog, folder: str = "hydra.run.dir") -> Composition:
    """Compose `train.yaml` with these words of the command line; `folder` is the key that says where to write.

    Raises:
        ConfigError: the files cannot be composed at all.
    """
    words = sort_words(overrides, catalog)
    config = _composed(words, catalog)
    for override in words.values:
        _set(config, override, words.problems)
    path = _folder(config, folder, words.problems)
    with open_dict(config):
        del config["hydra"]
    return Composition(plain(config, words.problems), path, words.problems)


def _composed(words: Words, catalog: Catalog) -> DictConfig:
    """Compose; a word that Hydra cannot follow is mended or left out, and the rest composed again."""
    own = [] if catalog.own is None else [f'hydra.searchpath=["{catalog.own.resolve().as_posix()}"]']
    for _ in range(2 * len(words.choices) + 1):
        try:
            with hydra.initialize_config_dir(str(catalog.builtin), job_name="mmtrain", **VERSION):
                return hydra.compose("train", [*own, *words.choices.values()], return_hydra_config=True)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"{mark.name}, line {mark.line + 1}" if mark else "YAML"
            raise ConfigError(*words.problems, Problem(where, error.problem or "cannot be read")) from None
        except (HydraException, OmegaConfBaseException, ValueError) as error:
            problem = _problem(error, catalog)
            if not _mend(str(error), words):
                break
    raise ConfigError(*words.problems, problem)


def _mend(message: str, words: Words) -> bool:
    """Change or drop the word that Hydra complains of; False where it is none of them."""
    choices, found = words.choices, re.match(r"(Could not override|Could not delete|Multiple values for) '?([^\s'=]+)", message)
    complaint, key = (found[1], found[2].rstrip(".")) if found else ("", "")
    if complaint == "Could not override" and key in choices:
        if OPEN_PLACE.fullmatch(key):
            choices[key] = f"+{choices[key]}"
        else:
            del choices[key]
            places = re.search(r"override (?:one of )?(\S.*)\?", message)
            words.problems.append(Problem(key, "there is no such place", nearest(key, places[1].split(", ") if places else ())))
        return True
    if complaint == "Multiple values for" and choices.get(key, "").startswith("+"):
        choices[key] = choices[key].removeprefix("+")
        return True
    if complaint == "Could not delete" and choices.pop(f"~{key}", None):
        words.problems.append(Problem(f"~{key}", "nothing is chosen there"))
        return True
    return False


def _problem(error: Exception, catalog: Catalog) -> Problem:
    """Hydra's complaint about the YAML files in one line."""
    if isinstance(error, UnicodeDecodeError):
        return Problem(_file_with(lambda text: "\ufffd" in text, catalog) or "configuration", "is not UTF-8 text")
    message = str(error) or str(error.__cause__)
    absent = re.match(r"(?:In '([^']+)': )?Could not (?:find|load) '(?:(.+)/)?([^/]+?)(?:\.yaml)?'", message)
    if absent is not None:
        return _absent(absent[1] or "train", absent[2] or "", absent[3], catalog)
    unplaced = re.match(r"In '([^']+)': (?:Could not override '|Invalid Defaults List override '/)([^':]+)", message)
    if unplaced is not None:
        return Problem(f"{unplaced[1]}.yaml", f"overrides '{unplaced[2]}', which nothing chose", nearest(unplaced[2], catalog.choices))
    return Problem("configuration", " ".join(message.split("\nConfig search path:")[0].split()))


def _absent(parent: str, group: str, name: str, catalog: Catalog) -> Problem:
    """A file that names a choice that is not there. `parent` is where the slot is, which another file may have overridden."""
    file = _file_with(lambda text: re.search(rf"/{group}(@\S+)?: *['\"]?{re.escape(name)}\b", text) is not None, catalog)
    known = catalog.choices.get(group)
    if known is None:
        return Problem(file or f"{parent}.yaml", f"there is no group '{group}'", nearest(group, catalog.choices))
    return Problem(file or f"{parent}.yaml", f"'{name}' is not a choice of {group}", nearest(name, known))


def _file_with(found: Callable[[str], bool], catalog: Catalog) -> str | None:
    """The first file of which this is true."""
    files = (choice.file for choices in catalog.choices.values() for choice in choices.values())
    return next((str(file) for file in files if found(file.read_text(encoding="utf-8", errors="replace"))), None)


def _set(config: DictConfig, override: Override, problems: list[Problem]) -> None:
    """Give a key its value, or take it out."""
    key = override.key_or_group
    if override.is_delete():
        _delete(config, key, problems)
        return
    try:
        OmegaConf.update(config, key, override.value(), merge=True, force_add=True)
    except (OmegaConfBaseException, ValueError):  # ValueError: a name where a list has numbers
        problems.append(Problem(key, "cannot be set: the value does not fit what stands there"))


def _delete(config: DictConfig, key: str, problems: list[Problem]) -> None:
    above, _, name = key.rpartition(".")
    parent = OmegaConf.select(config, above) if above else config
    names = [str(other) for other in parent if other != "hydra"] if isinstance(parent, DictConfig) else []
    if name not in names:
        problems.append(Problem(f"~{key}", "there is no such key", nearest(name, names)))
        return
    with open_dict(parent):
        del parent[name]


def _folder(config: DictConfig, key: str, problems: list[Problem]) -> Path:
    try:
        return Path(str(OmegaConf.select(config, key)))
    except OmegaConfBaseException as error:
        if OmegaConf.select(config, "data.name") is not None:  # else the check tells what is wrong with data
            problems.append(unresolved(error, key))
        return Path()
