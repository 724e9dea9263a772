"""The labelled pictures that torchvision knows by name."""

import inspect
import io
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
from PIL import Image

from mmtrain.errors import ConfigError, DataError, Problem
from mmtrain.option import Fraction
from mmtrain.source.split import by_fraction, dealt, fraction_problems
from mmtrain.source.splits import TEST, TRAIN, VAL, Splits
from mmtrain.table import Table

NAMES = {TRAIN: ("train", "trainval", "train-standard"), VAL: ("val", "valid"), TEST: ("test",)}  # what the sets call their splits
SMALL_BYTES = 2**16  # of a picture that is kept as it is; a larger one is compressed
HEADERS = {"L": b"P5", "RGB": b"P6"}  # of Netpbm, which is a few bytes before the pixels


class TorchvisionSource:
    """One of torchvision's data sets of pictures with one label each, by the name of its class (`CIFAR10`, `Food101`).

    It lies below `root`, laid out as torchvision does; with `download` what is not there is fetched. The set's own train, val
    and test rows are used. A split that it lacks takes a fraction of train, spread evenly over the labels by `split_seed`;
    `val_fraction` and `test_fraction` count for nothing where the set has the split. `options` go to the set's class:
    `{split: letters}` for EMNIST.

    Columns: `image`, the picture's path, or the encoded picture where the set does not tell it (without loss), and `label`, the
    name of its class, or its number where the set has no names. Sets with several labels a picture (CelebA), with boxes
    or with clips are not for this source: write a table of them.
    """

    columns: ClassVar[list[str]] = ["image", "label"]

    def __init__(
        self,
        *,
        dataset: str,
        root: str,
        download: bool = False,
        options: dict[str, str | int | float | bool] | None = None,
        val_fraction: Fraction = 0.1,
        test_fraction: Fraction = 0.0,
        split_seed: int = 0,
    ) -> None:
        self.dataset, self.root, self.download = dataset, Path(root).expanduser(), download
        self.options = dict(options or {})
        self.fractions = {VAL: val_fraction, TEST: test_fraction}
        self.split_seed = split_seed
        problems = list(fraction_problems(self.fractions))
        if problems:
            raise ConfigError(*problems)

    def tables(self) -> Splits:
        """Read or fetch the set.

        Raises:
            ConfigError: torchvision has no such set, it does not take the options, or its labels are of another kind.
            DataError: the set is not there, or cannot be fetched.
        """
        kind = _class(self.dataset)
        accepted = _parameters(kind)
        tables = {name: self._table(name, rows) for name, rows in self._parts(kind, accepted).items()}
        fractions = {name: fraction for name, fraction in self.fractions.items() if fraction > 0 and name not in tables}
        if VAL not in tables and VAL not in fractions:
            raise DataError(Problem("data.val_fraction", f"is 0, and {self.dataset} has no validation rows of its own", "raise it"))
        shares = by_fraction(tables[TRAIN], fractions, self.split_seed, stratify="label") if fractions else {}
        return dealt(tables, {name: [str(row) for row in range(len(table))] for name, table in tables.items()}, shares)

    def _parts(self, kind: Callable[..., Any], accepted: set[str]) -> dict[str, Any]:
        """The set's own splits: by its argument `train`, else by `split`, else all rows are train's."""
        unknown = sorted(self.options.keys() - accepted)
        if unknown:
            fix = f"allowed: {', '.join(sorted(accepted - {'root', 'download', 'loader'}))}"
            raise ConfigError(Problem(f"data.options.{unknown[0]}", f"{self.dataset} does not take it", fix))
        given: dict[str, Any] = {"root": self.root, "download": self.download, "loader": str} | self.options
        given = {name: value for name, value in given.items() if name in accepted}  # with `str` as its loader, a set gives paths
        if "train" in accepted - self.options.keys():
            return {name: self._opened(kind, given | {"train": name == TRAIN}) for name in (TRAIN, TEST)}
        if "split" not in accepted - self.options.keys():
            return {TRAIN: self._opened(kind, given)}
        parts = {}
        for name, spellings in NAMES.items():
            tried = (self._opened(kind, given | {"split": spelling}) for spelling in spellings)
            found = next((rows for rows in tried if rows is not None), None)
            if found is not None:
                parts[name] = found
        if TRAIN not in parts:
            raise ConfigError(
                Problem("data.dataset", f"{self.dataset} calls none of its splits train", "choose one: data.options.split=NAME")
            )
        return parts

    def _opened(self, kind: Callable[..., Any], given: dict[str, Any]) -> Any:
        """The set with these arguments; None where it has no such split."""
        try:
            return kind(**given)
        except Exception as error:  # each set has its own ways to say that it is not there
            if isinstance(error, ValueError) and "argument split" in str(error):
                return None
            first = next(iter(str(error).splitlines()), type(error).__name__)
            fix = "is there a connection, and room?" if self.download else "name the folder that it lies in, or set data.download=true"
            raise DataError(Problem("data.root", f"{self.dataset} cannot be read from '{self.root}': {first}", fix)) from error

    def _table(self, split: str, rows: Any) -> Table:
        if not len(rows):
            raise DataError(Problem("data.dataset", f"{self.dataset} has no {split} rows in '{self.root}'"))
        images, labels = [], []
        names = _names(rows)
        for number in range(len(rows)):
            picture, label = rows[number]
            images.append(self._cell(picture))
            labels.append(self._label(label, names))
        kind = pl.String if isinstance(images[0], str) else pl.Binary
        frame = pl.DataFrame({"image": images, "label": labels}, schema={"image": kind, "label": pl.String})
        return Table(frame, f"{self.dataset}/{split}", np.arange(1, len(rows) + 1))

    def _cell(self, picture: Any) -> str | bytes:
        if isinstance(picture, str):
            return picture
        if not isinstance(picture, Image.Image):
            raise ConfigError(Problem("data.dataset", f"{self.dataset} gives no pictures, but a {type(picture).__name__}"))
        file = str(getattr(picture, "filename", ""))  # of a picture that was opened and not yet decoded
        if not file:
            return _encoded(picture)
        picture.close()
        return file

    def _label(self, label: Any, names: Sequence[str]) -> str | None:
        if label is None:  # the test rows of some sets are not labelled
            return None
        if isinstance(label, str):
            return label
        try:
            number = int(label)
        except (TypeError, ValueError):
            found = f"a picture of {self.dataset} has a {type(label).__name__} where this source takes one label"
            raise ConfigError(Problem("data.dataset", found, "write a table of its rows instead")) from None
        return names[number] if 0 <= number < len(names) else str(number)


def _class(name: str) -> Callable[..., Any]:
    """The class of a data set."""
    from torchvision import datasets  # takes as long as torch itself

    if name not in datasets.__all__ or not inspect.isclass(getattr(datasets, name)):
        close = get_close_matches(name, datasets.__all__, n=1)
        fix = f"did you mean '{close[0]}'?" if close else "give the name of a class in torchvision.datasets, such as CIFAR10"
        raise ConfigError(Problem("data.dataset", f"torchvision has no data set '{name}'", fix))
    return getattr(datasets, name)


def _parameters(kind: Any) -> set[str]:
    """Names that the constructor takes, those included that it only hands on to the class above."""
    names = set[str]()
    for owner in kind.__mro__:
        found = inspect.signature(owner.__init__).parameters.values()
        names |= {parameter.name for parameter in found if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)}
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in found):
            break
    return names - {"self", "transform", "target_transform", "transforms"}


def _names(rows: Any) -> list[str]:
    """Names of the classes by number; one that two classes share gets its number, too."""
    found = getattr(rows, "classes", None) or getattr(rows, "categories", None) or []
    names = [", ".join(name) if isinstance(name, tuple) else str(name) for name in found]
    return [name if names.count(name) == 1 else f"{name} ({number})" for number, name in enumerate(names)]


def _encoded(picture: Image.Image) -> bytes:
    """The picture as a file that gives back every pixel. Small ones are not compressed, which takes fifty times as long."""
    pixels = picture.tobytes()
    if picture.mode in HEADERS and len(pixels) <= SMALL_BYTES:
        return HEADERS[picture.mode] + f" {picture.width} {picture.height} 255\n".encode() + pixels
    file = io.BytesIO()
    picture.save(file, "png", compress_level=1)
    return file.getvalue()
