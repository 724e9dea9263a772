"""The run folder: which file holds what, and how each is written whole."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmtrain.errors import Problem, RunError


class RunFolder:
    """The files of one run. `config.yaml`, `preprocessing.json` and a checkpoint are all that predicting needs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.metrics = path / "metrics.jsonl"
        self.log = path / "train.log"
        self.last = path / "checkpoints" / "last"
        self.best = path / "checkpoints" / "best"
        self._results = path / "results.json"
        self._preprocessing = path / "preprocessing.json"
        self._splits = path / "splits.json"
        self._subsets = path / "subsets.json"

    @classmethod
    def new(cls, path: Path) -> "RunFolder":
        """The folder of a run that has yet to begin; nothing is written before `make`.

        Raises:
            RunError: the folder already holds a run.
        """
        folder = cls(path)
        if folder.config.exists() or folder._results.exists():
            raise RunError(Problem(str(path), "already holds a run", "choose another hydra.run.dir, or go on with --resume"))
        return folder

    def make(self) -> None:
        """Make the folder.

        Raises:
            RunError: the system refuses.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(Problem(str(self.path), f"cannot be made: {error.strerror}", "choose another hydra.run.dir")) from error

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Open an existing run folder.

        Raises:
            RunError: it is not one.
        """
        folder = cls(path)
        if not path.is_dir():
            raise RunError(Problem(str(path), "no such folder", "name a run folder, as `mmtrain train` prints it"))
        if not folder.config.is_file():
            raise RunError(Problem(str(path), "not a run folder: it holds no config.yaml", "name a folder that `mmtrain train` made"))
        return folder

    def write_results(self, results: Mapping[str, Any]) -> None:
        """Replace results.json."""
        _write(self._results, dict(results))

    def results(self) -> dict[str, Any]:
        """What results.json holds; empty where there is none yet."""
        return _read(self._results) if self._results.exists() else {}

    def write_preprocessing(self, state: Mapping[str, Any]) -> None:
        """Store the fitted vocabularies, scalers and classes."""
        _write(self._preprocessing, dict(state))

    def preprocessing(self) -> dict[str, Any]:
        """What `write_preprocessing` stored.

        Raises:
            RunError: the run never came so far.
        """
        if not self._preprocessing.exists():
            raise RunError(Problem(str(self.path), "holds no preprocessing.json: the run ended before training began", "train again"))
        return _read(self._preprocessing)

    def write_splits(self, ids: Mapping[str, list[str]]) -> None:
        """Store which rows are train, val and test, by their ids."""
        _write(self._splits, dict(ids))

    def splits(self) -> dict[str, Any]:
        """What `write_splits` stored; empty where there is none."""
        return _read(self._splits) if self._splits.exists() else {}

    def write_subsets(self, found: Mapping[str, Any], page: str) -> None:
        """Replace subsets.json and the page beside it.

        Raises:
            RunError: the system refuses.
        """
        try:
            _write(self._subsets, dict(found))
            _write_text(self._subsets.with_suffix(".html"), page)
        except OSError as error:
            raise RunError(Problem(str(self.path), f"cannot be written to: {error.strerror}")) from error

    def append_metrics(self, line: Mapping[str, Any]) -> None:
        """Add a line to metrics.jsonl."""
        with self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")

    def read_metrics(self) -> list[dict[str, Any]]:
        """All lines of metrics.jsonl."""
        return [json.loads(line) for line in self.metrics.read_text(encoding="utf-8").splitlines()] if self.metrics.exists() else []

    def sizes(self) -> dict[str, int]:
        """How long the growing files are now, by their path in the folder."""
        return {str(file.relative_to(self.path)): file.stat().st_size for file in self._growing()}

    def cut_back(self, sizes: Mapping[str, int]) -> None:
        """Forget what metrics and curves were written after `sizes` was taken."""
        for file in self._growing():
            size = sizes.get(str(file.relative_to(self.path)), 0)
            if size:
                os.truncate(file, size)
            else:
                file.unlink()

    def _growing(self) -> list[Path]:
        curves = sorted((self.path / "tensorboard").glob("*")) if (self.path / "tensorboard").is_dir() else []
        return [*([self.metrics] if self.metrics.exists() else []), *curves]


@contextmanager
def own_folder(path: Path, rank: int) -> Iterator[RunFolder]:
    """Where this one of several processes writes: the first into the folder of the run, any other where nobody looks."""
    if rank == 0:
        yield RunFolder(path)
    else:
        with tempfile.TemporaryDirectory() as unseen:
            yield RunFolder(Path(unseen))


def _write(path: Path, content: dict[str, Any]) -> None:
    _write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _write_text(path: Path, text: str) -> None:
    """The whole file or nothing."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(Problem(str(path), f"cannot be read ({error})", "the run folder is damaged; train again")) from error
    return content
