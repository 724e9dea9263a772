"""`mmtrain train`: from a configuration to a run folder with a trained model and its results."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmtrain import checkpoint, processes, runtime
from mmtrain.assembly import build_model, data_parts
from mmtrain.config import Run, build
from mmtrain.data import Data, Dataset, load_fitted, prepare
from mmtrain.encoder.pretrained import left_to_a_checkpoint
from mmtrain.errors import ConfigError, DataError, Problem, RunError
from mmtrain.folder import RunFolder, own_folder
from mmtrain.source import TEST, TRAIN, VAL
from mmtrain.task import Task
from mmtrain.training.calibration import calibrate_best
from mmtrain.training.display import Display, summary
from mmtrain.training.freezing import Freezing
from mmtrain.training.loop import Loop
from mmtrain.training.meter import Scores, evaluate


@dataclass(frozen=True)
class Session:
    """One run in this process: what is trained on what, and where it is shown and kept."""

    config: Run
    data: Data
    folder: RunFolder
    loop: Loop
    display: Display


def train(config: Run, path: Path) -> dict[str, Any]:
    """Train from the start into a new run folder; returns what results.json holds.

    Raises:
        UserError: the data, the configuration or the folder cannot be used; nothing is written then.
    """
    _refuse_several(config)
    path = Path(processes.of_first(lambda: str(RunFolder.new(path).path)))  # its name may hold the time of day
    data = prepare_data(config)
    with own_folder(path, processes.rank()) as folder, open_session(config, data, folder) as session:
        config.save(folder.config)
        folder.write_preprocessing(data.state())
        folder.write_splits(_ids(data))
        return _run(session)


def resume(path: Path, config: Run) -> dict[str, Any]:
    """Go on with a run that was stopped; it ends as a run would that never was. Without a checkpoint it starts over.

    Raises:
        DataError: the rows are no longer those that the run began with.
        RunError: the run is finished and nothing asks for more.
    """
    _refuse_several(config)
    folder = RunFolder.open(path)
    data = prepare_data(config, folder.preprocessing())
    if (folder.preprocessing(), folder.splits()) != (data.state(), _ids(data)):
        raise DataError(Problem(str(path), "the table or its splits have changed since this run began", "start a new run"))
    saved = (folder.last / checkpoint.FILE).exists()
    with own_folder(path, processes.rank()) as own, open_session(config, data, own, pretrained=not saved) as session:
        state = checkpoint.load(folder.last) if saved else None
        if state is not None:
            _restore(session.loop, state, folder)
            _refuse_less(session.loop, path)
        if folder.results().get("status") == "finished" and session.loop.finished:
            raise RunError(
                Problem(str(path), "this run is finished", "raise training.epochs, or training.steps where it was given, to go on")
            )
        own.cut_back(state["sizes"] if state is not None else {})
        config.save(own.config)
        session.display.say(f"resuming after epoch {session.loop.progress.epoch}, step {session.loop.progress.step}")
        return _run(session)


def _refuse_several(config: Run) -> None:
    """Not every part can see a batch that several processes share out."""
    if processes.count() > 1 and config.one_process:
        found = f"{config.modality_balance['_target_']} with several processes is not supported: each would judge its own share of a batch"
        raise ConfigError(Problem("modality_balance", found, "train in one process, or choose modality_balance=ogm_ge or blend"))


def _refuse_less(loop: Loop, path: Path) -> None:
    """Steps that were made cannot be taken back."""
    settings, progress = loop.settings, loop.progress
    if settings.steps is not None and progress.step > settings.steps:
        raise RunError(Problem(str(path), f"{progress.step} steps are done", f"training.steps has to be at least {progress.step}"))
    if settings.steps is None and progress.epoch + (progress.batch > 0) > settings.epochs:
        least = progress.epoch + (progress.batch > 0)
        raise RunError(Problem(str(path), f"epoch {least} has begun", f"training.epochs has to be at least {least}"))


def _restore(loop: Loop, state: dict[str, Any], folder: RunFolder) -> None:
    try:
        loop.load_state_dict(state)
    except (KeyError, ValueError, RuntimeError) as error:  # a key that is not there, or a tensor of another shape
        found = "config.yaml and the checkpoint do not fit together"
        raise RunError(Problem(str(folder.path), found, "the run folder was changed by hand; start a new run")) from error


def prepare_data(config: Run, known: Mapping[str, Any] | None = None) -> Data:
    """Read the data, which may take minutes: what can be refused without them is refused first.

    `known` is what an earlier run has fitted: all is fitted again, but what was only loaded, a tokenizer, is not looked for.

    Raises:
        ConfigError: there is no such device.
        DataError: the data cannot be used, or train or val has nothing to learn or to select by.
    """
    runtime.choose_device(config.training["device"])
    parts = data_parts(config)
    with suppress(KeyError, TypeError, ValueError):  # of other parts; the caller compares what comes out
        if known is not None:
            load_fitted(parts.modalities, parts.tasks, known)
    with processes.first_before_others():  # they find its stores
        show = processes.rank() == 0
        data = prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=show, whole_rows=config.whole_rows)
    useless = [name for name in (TRAIN, VAL) if not _scored_rows(data.splits[name])]
    if useless:
        found, fix = "no row has both a modality and a label", "check the columns of data.modalities and tasks"
        if config.whole_rows:
            found, fix = "no row has all modalities and a label", "choose another policy with missing=NAME"
        raise DataError(*(Problem(f"data.{name}", found, fix) for name in useless))
    return data


def _scored_rows(split: Dataset) -> int:
    """How many rows have something to predict from and something to predict."""
    return int((split.answerable & np.logical_or.reduce(list(split.labelled.values()))).sum())


def _ids(data: Data) -> dict[str, list[str]]:
    return {name: split.ids for name, split in data.splits.items()}


@contextmanager
def open_session(config: Run, data: Data, folder: RunFolder, *, pretrained: bool = True, live: bool = True) -> Iterator[Session]:
    """Build everything that training needs, and only then write to the folder; close what was opened.

    Without `pretrained` the model's weights are those of a checkpoint that is about to be loaded. `live` shows how training goes on.
    """
    settings, trust, rows = build(config.training, where="training", trust=config.trust), config.trust, data.splits[TRAIN]
    machine = runtime.start(settings, seed=config.seed)
    with nullcontext() if pretrained else left_to_a_checkpoint():
        model = build_model(config, data.modalities, data.tasks).to(machine.device)
    processes.spread([*model.parameters(), *model.buffers()])
    kinds = {name: modality.kind for name, modality in data.modalities.items()}
    if settings.compile:
        runtime.compile_parts([*(model.encoder[name] for name in model.encoder), model.fusion])
    specs = {name: task.spec for name, task in data.tasks.items()}
    balancer = build(config.balancing, specs, where="balancing", trust=trust).to(machine.device)
    dims = {name: encoder.out_dim for name, encoder in model.encoder.items()}
    modality_balance = build(config.modality_balance, dims, specs, where="modality_balance", trust=trust).to(machine.device)
    optimizer = build(config.optimizer, model, kinds, where="optimizer", trust=trust)
    freezing = Freezing(model, kinds, settings.freeze)
    folder.make()
    with (
        closing(build(config.tracker, folder.path, where="tracker", trust=trust)) as tracker,
        Display(data.tasks, folder.log, live=live) as display,
    ):
        loop = Loop(
            model,
            rows,
            data.splits[VAL],
            balancer=balancer,
            modality_balance=modality_balance,
            optimizer=optimizer,
            schedule=build(config.scheduler, where="scheduler", trust=trust),
            sampler=build(config.sampler, len(rows), rows.targets, rows.labelled, where="sampler", trust=trust),
            freezing=freezing,
            runtime=machine,
            settings=settings,
            selection=build(config.selection, where="selection", trust=trust),
            seed=config.seed,
            folder=folder,
            tracker=tracker,
            display=display,
        )
        yield Session(config, data, folder, loop, display)


def _run(session: Session) -> dict[str, Any]:
    """Train, then score the best weights on test; results.json is true at every moment."""
    found: dict[str, Any] = {}
    session.folder.write_results(_results(session))
    _announce(session)
    status = "stopped"
    try:
        with runtime.terminated_as_interrupt():
            session.loop.run()
            found = _finish(session)
        status = "finished"
    except (KeyboardInterrupt, Exception) as error:
        why = processes.failure() or (processes.INTERRUPTED if isinstance(error, KeyboardInterrupt) else str(error))
        if why == processes.INTERRUPTED:
            session.display.stop()
            session.display.say(f"stopped; go on with: mmtrain train --resume {session.folder.path}")
        else:
            status = "failed"
            session.display.log(f"failed: {why}")
        raise
    finally:
        results = _results(session) | found | {"status": status}
        session.folder.write_results(results)
    return results


def _announce(session: Session) -> None:
    """Before the first step: the rows, the model's size, the device, and everything worth a warning."""
    loop, data, say = session.loop, session.data, session.display.say
    rows = ", ".join(f"{name} {len(split):,}" for name, split in data.splits.items())
    device = loop.runtime.device if processes.count() == 1 else f"{processes.count()} x {loop.runtime.device.type}"
    say(f"rows: {rows}; parameters: {_parameters(loop):,}; device: {device}; steps: {loop.total_steps:,}")
    say(loop.epoch_in_words())
    shared_out = processes.notes(loop.model)
    for note in [*session.config.warnings, *data.notes, *loop.balancer.notes, *loop.modality_balance.notes, *shared_out]:
        say(f"note: {note}")


def _finish(session: Session) -> dict[str, Any]:
    """Load the best weights, score them on test, and tell the user what came out and what to type next."""
    loop, folder, display = session.loop, session.folder, session.display
    batch_size, calibrations = loop.settings.evaluation_batch_size, {}
    if processes.rank() == 0:
        loop.model.load_state_dict(checkpoint.load(folder.best, device=loop.runtime.device)["model"])
        calibrations = calibrate_best(folder, loop.model, loop.val, loop.runtime, batch_size=batch_size)
    processes.spread([*loop.model.parameters(), *loop.model.buffers()])
    split = TEST if TEST in session.data.splits else VAL
    dataset = session.data.splits[split]
    scores = evaluate(loop.model, dataset, loop.runtime, batch_size=batch_size, per_class=True)
    display.stop()
    display.say(f"best epoch {loop.progress.best_epoch} of {loop.progress.epoch}, selected by {loop.progress.selected_by} on val")
    for line in (*_contributions(session), *(found.line(task) for task, found in calibrations.items())):
        display.say(line)
    display.say(summary(scores, session.data.tasks, split))
    for note in scores.notes(split):
        display.say(f"note: {note}")
    if loop.progress.empty:
        display.say(f"note: {loop.progress.empty} batches had no labelled row and made no step")
    display.say(f"run folder: {folder.path}")
    display.say(f"next: mmtrain predict {folder.path} FILE --output predictions.csv")
    temperatures = {"temperatures": {task: found.temperature for task, found in calibrations.items()}} if calibrations else {}
    return {"test": _plain(scores) if split == TEST else None, "baseline": _baseline(scores, session.data.tasks)} | temperatures


def _contributions(session: Session) -> Iterator[str]:
    """What each modality brought in the best epoch, the most first, where that was measured and is defined."""
    best = session.loop.progress.best_epoch
    lines = [line for line in session.folder.read_metrics() if (line["split"], line["epoch"]) == (VAL, best)]
    found = {name: one["contribution"] for line in lines for name, one in line.get("modalities", {}).items()}
    if found and None not in found.values():
        brought = ", ".join(f"{name} {number:.2f}" for name, number in sorted(found.items(), key=lambda item: -item[1]))
        yield f"what each modality brings to the mean skill on val: {brought}"


def _results(session: Session) -> dict[str, Any]:
    loop, progress = session.loop, session.loop.progress
    return {
        "status": "running",
        "seed": session.config.seed,
        "best_epoch": progress.best_epoch,
        "selected_by": progress.selected_by,
        "test": None,
        "baseline": None,
        "parameters": _parameters(loop),
        "seconds": progress.seconds,
        "samples_per_second": progress.samples / progress.seconds if progress.seconds else None,
        "peak_memory_mb": runtime.peak_memory_mb(loop.runtime),
        "versions": runtime.versions(),
    }


def _plain(scores: Scores) -> dict[str, Any]:
    tasks = {name: {key: value for key, value in found.items() if key not in ("loss", "constant")} for name, found in scores.tasks.items()}
    tasks = {name: found | ({"classes": scores.classes[name]} if name in scores.classes else {}) for name, found in tasks.items()}
    return {"skill": scores.skill, "tasks": tasks}


def _baseline(scores: Scores, tasks: Mapping[str, Task]) -> dict[str, Any]:
    """What the best constant answer, fitted on train, reaches on the same rows."""
    return {name: {task.metric: scores.tasks[name]["constant"]} for name, task in tasks.items()}


def _parameters(loop: Loop) -> int:
    return sum(parameter.numel() for parameter in loop.model.parameters())
