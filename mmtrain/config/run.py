"""The whole configuration of a run: plain values, checked and complete."""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

from mmtrain.config.signature import signature
from mmtrain.spec import FUSED

Node = dict[str, Any]  # a part: `_target_` and all of its options

SETTINGS = "mmtrain.data.Settings"


@dataclass(frozen=True)
class Run:
    """What config.yaml of a run folder holds, in this order, and the `warnings` that the check had.

    `data` holds the options of the source (whose `_target_` it has), those of `mmtrain.data.Settings`, and `modalities`.
    `encoder` and `augmentation` go by kind or by modality name; the name wins.
    """

    seed: int
    trust: list[str]
    data: Node
    tasks: dict[str, Node]
    augmentation: dict[str, Node]
    encoder: dict[str, Node]
    mixing: Node
    missing: Node
    fusion: Node
    sharing: Node
    decision: Node
    alignment: Node
    model: Node
    balancing: Node
    modality_balance: Node
    optimizer: Node
    scheduler: Node
    sampler: Node
    training: Node
    selection: Node
    tracker: Node
    warnings: list[str] = field(default_factory=list, compare=False)

    @property
    def source(self) -> Node:
        """The part that gives the rows."""
        offered = signature(self.data["_target_"], "data", self.trust).options
        return {"_target_": self.data["_target_"]} | {name: value for name, value in self.data.items() if name in offered}

    @property
    def data_settings(self) -> dict[str, Any]:
        """The arguments of `mmtrain.data.Settings`."""
        offered = signature(SETTINGS, "data", self.trust).options
        return {name: value for name, value in self.data.items() if name in offered}

    @property
    def tables(self) -> list[Path]:
        """The user's files that a table source reads, as far as they have names of their own."""
        root = Path(self.data.get("root") or "").expanduser()
        return [root / file for split in FILES for file in listed(self.data.get(split))]

    @property
    def whole_rows(self) -> bool:
        """Whether the policy for absent modalities wants rows that have all of them."""
        return signature(self.missing["_target_"], "missing", self.trust).constants.get("whole_rows") is True

    @property
    def one_process(self) -> bool:
        """Whether a part cannot train in several processes."""
        return signature(self.modality_balance["_target_"], "modality_balance", self.trust).constants.get("one_process") is True

    @property
    def single_views(self) -> bool:
        """Whether the model has views of single modalities beside the fused one."""
        wanted = signature(self.modality_balance["_target_"], "modality_balance", self.trust).constants.get("single_views") is True
        return wanted or self.model["auxiliary"] > 0

    @property
    def views(self) -> list[str]:
        """The names of the model's views."""
        modalities = sorted(self.data["modalities"])
        if signature(self.fusion["_target_"], "fusion", self.trust).constants.get("single_views") is True:
            return modalities
        return [FUSED, *modalities] if self.single_views else [FUSED]

    def to_yaml(self) -> str:
        """The text of config.yaml."""
        tree = {part.name: getattr(self, part.name) for part in fields(self) if part.name != "warnings"}
        return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)

    def in_full(self) -> "Run":
        """The same, with files named in full, so that it holds in any folder."""
        return replace(self, data=self.data | _in_full(self.data))

    def save(self, file: Path) -> None:
        """Write config.yaml, which `mmtrain train --from RUN` repeats."""
        file.write_text(self.in_full().to_yaml(), encoding="utf-8")


FILES = ("train", "val", "test")  # options of a table source


def listed(files: Any) -> list[str]:
    """The files of an option that names one, or several; none where it names something else."""
    return [file for file in (files if isinstance(files, list) else [files]) if isinstance(file, str)]


def _in_full(data: Node) -> dict[str, str | list[str]]:
    """The folder of a table source, or its files where there is no folder, from the root of the file system."""
    names = ("root",) if data.get("root") is not None else FILES
    given = {name: [str(Path(path).expanduser().absolute()) for path in listed(data.get(name))] for name in names}
    return {name: paths if isinstance(data[name], list) else paths[0] for name, paths in given.items() if paths}


class _Dumper(yaml.SafeDumper):
    """Writes an object as often as it stands in the tree, instead of pointing back to its first place."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
