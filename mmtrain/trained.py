"""A trained model with its preprocessing, loaded from a run folder alone: raw rows in, the user's own labels out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from mmtrain import checkpoint, runtime
from mmtrain.assembly import build_model, data_parts
from mmtrain.config import Run, build, load_run
from mmtrain.data import Dataset, load_fitted, open_rows
from mmtrain.data import Settings as DataSettings
from mmtrain.encoder.pretrained import left_to_a_checkpoint
from mmtrain.errors import DataError, Problem, RunError
from mmtrain.folder import RunFolder
from mmtrain.modality import Modality
from mmtrain.model import Model
from mmtrain.runtime import Runtime
from mmtrain.source import Format, as_table, read_table
from mmtrain.table import Table
from mmtrain.task import Task, condensed, join
from mmtrain.task.given import conditional
from mmtrain.training.meter import predictions


@dataclass(frozen=True)
class Trained:
    """What a run came to. `load` makes one."""

    config: Run
    model: Model
    modalities: Mapping[str, Modality]
    tasks: Mapping[str, Task]
    settings: DataSettings
    runtime: Runtime
    batch_size: int

    def rows(self, table: Table, *, ids: list[str] | None = None) -> Dataset:
        """The table's rows as the model reads them. Labels may be absent; a column that is not there is one of empty cells.

        Raises:
            DataError: no input column is there, or a cell cannot be read and `data.on_bad` is `error`.
        """
        return open_rows(table, self.settings, dict(self.modalities), dict(self.tasks), ids=ids, whole_rows=self.config.whole_rows)

    def answers(self, dataset: Dataset) -> dict[str, np.ndarray]:
        """Each task's answer for every row, in order: probabilities (rows, classes), or numbers (rows,) in the user's units."""
        found: dict[str, list[torch.Tensor]] = {name: [] for name in self.tasks}
        for _, output in predictions(self.model, dataset, self.runtime, batch_size=self.batch_size):
            for name, prediction in output.predictions.items():
                found[name].append(condensed(self.tasks[name], prediction).cpu())
        return {name: task.answer(join(found[name])) for name, task in self.tasks.items()}

    def score(self, dataset: Dataset, answers: Mapping[str, np.ndarray]) -> dict[str, dict[str, Any]]:
        """Each task's metrics over the labelled rows, as `Task.evaluate` gives them."""
        found = {}
        for name, task in self.tasks.items():
            labelled = dataset.labelled[name]
            found[name] = task.evaluate(answers[name][labelled], dataset.targets[name][labelled])
        return found

    def read(self, file: str | Path, *, root: Path | None = None) -> Table:
        """Read a file of rows as the run read its own; paths in cells start at `root`, by default the folder of the file.

        Raises:
            DataError: there is no such file, or it cannot be read.
        """
        file = Path(file)
        if not file.is_file():
            raise DataError(Problem(str(file), "no such file", "name a table of rows to predict"))
        return read_table(file, self._form, file=str(file), root=root or file.parent)

    @property
    def _form(self) -> Format:
        """How the run's own tables are written."""
        return getattr(data_parts(self.config).source, "format", Format())

    def predict(self, rows: Table | pl.DataFrame | str | Path) -> pl.DataFrame:
        """Predict every row of a file, a polars table or a table that was read before, in the same order: for a class task X the columns
        `X`, `X.confidence` and one `X.p.<label>` a label (of several labels `X` has all, and there is no confidence); for a number `X`, in
        the user's units. A binary task that is given another, Y, is positive where both are, and `X.given_Y` is its probability
        where Y is positive. For other tasks it is what their `decode` says. Paths in the cells of a polars table start at the
        current folder."""
        if isinstance(rows, pl.DataFrame):
            table = as_table(rows, self._form, "the table", np.arange(1, rows.height + 1), Path())
        else:
            table = rows if isinstance(rows, Table) else self.read(rows)
        return self.decode(self.answers(self.rows(table)))

    def decode(self, answers: Mapping[str, np.ndarray]) -> pl.DataFrame:
        """Answers in the user's own words."""
        columns: dict[str, list[Any]] = {}
        for name, task in self.tasks.items():
            columns |= {f"{name}{suffix}": cells for suffix, cells in task.decode(answers[name]).items()}
            if (given := task.spec.given) is not None:
                columns[f"{name}.given_{given}"] = conditional(answers[name], answers[given]).tolist()
        return pl.DataFrame(columns)


def load(
    run: str | Path, *, checkpoint_name: str = "best", device: str = "auto", overrides: Sequence[str] = (), trust: Sequence[str] = ()
) -> Trained:
    """Load the trained model of a run folder; nothing else is needed, neither the training data nor the network.

    `checkpoint_name` is best or last. `overrides` say where the data lie now, for those who evaluate: `data.root=FOLDER`.
    `trust` names your own modules that the run may build parts from: a run folder never widens that list by itself.

    Raises:
        RunError: `run` is not a run folder, the run never came to a checkpoint, or its files do not fit together.
    """
    folder = RunFolder.open(Path(run))
    config = load_run(folder.path, overrides, trust=trust)
    parts = data_parts(config)
    fitted, state = folder.preprocessing(), checkpoint.load(folder.path / "checkpoints" / checkpoint_name)
    settings = build(config.training, trust=trust)
    machine = runtime.open_device(device, settings.precision)
    try:
        load_fitted(parts.modalities, parts.tasks, fitted)
        with left_to_a_checkpoint():
            model = build_model(config, parts.modalities, parts.tasks)
        model.load_state_dict(state["model"] | state["average"])  # averaged weights are what is kept, also of the last epoch
    except (KeyError, TypeError, RuntimeError) as error:  # a key that is not there, or a tensor of another shape
        found = "config.yaml, preprocessing.json and the checkpoint do not fit together"
        raise RunError(Problem(str(folder.path), found, "the run folder was changed by hand; train again")) from error
    model = model.to(machine.device)
    return Trained(config, model, parts.modalities, parts.tasks, parts.settings, machine, settings.evaluation_batch_size)
