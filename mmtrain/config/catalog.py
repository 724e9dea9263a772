"""Which groups there are and what each offers, read from the folders of YAML files; needs no Hydra."""

from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from mmtrain.errors import ConfigError, Problem


@dataclass(frozen=True)
class Choice:
    """One YAML of a group: `fusion/gated` is the choice `gated` of the group `fusion`."""

    group: str
    name: str
    file: Path

    @property
    def summary(self) -> str:
        """The first comment line of the file, without the `@package` header that Hydra wants before it."""
        for line in self.file.read_text(encoding="utf-8", errors="replace").splitlines():
            if not line.startswith("#"):
                break
            text = line.lstrip("#").strip()
            if text and not text.startswith("@"):
                return text
        return ""


@dataclass(frozen=True)
class Catalog:
    """The built-in YAML files, and those of the user's `--config-dir` after them."""

    builtin: Path
    own: Path | None = None

    @classmethod
    def open(cls, config_dir: Path | None = None) -> "Catalog":
        """All that can be chosen.

        Raises:
            ConfigError: the user's folder is not there, or mmtrain is not installed.
        """
        spec = find_spec("mmtrain.configs")
        if spec is None or not spec.submodule_search_locations:
            raise ConfigError(Problem("mmtrain", "its YAML files are not found", "install it first: make install, or pip install ."))
        if config_dir is not None and not config_dir.is_dir():
            raise ConfigError(Problem("--config-dir", f"no folder '{config_dir}'"))
        builtin = Path(spec.submodule_search_locations[0])
        return cls(builtin, None if config_dir is not None and config_dir.samefile(builtin) else config_dir)

    @cached_property
    def choices(self) -> dict[str, dict[str, Choice]]:
        """By group and name, sorted; where both folders have a name, the built-in one counts."""
        found: dict[str, dict[str, Choice]] = {}
        for root in filter(None, (self.builtin, self.own)):
            for file in root.rglob("*.yaml"):
                group = file.parent.relative_to(root).as_posix()
                if group != ".":
                    found.setdefault(group, {}).setdefault(file.stem, Choice(group, file.stem, file))
        return {group: dict(sorted(found[group].items())) for group in sorted(found)}

    @property
    def hidden(self) -> list[Path]:
        """The user's files that can never be chosen, because a built-in one has their name."""
        if self.own is None:
            return []
        return [file for file in sorted(self.own.rglob("*.yaml")) if (self.builtin / file.relative_to(self.own)).is_file()]
