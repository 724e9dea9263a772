"""`mmtrain COMMAND ...`: finds the command, runs it, and turns what goes wrong into one line and an exit code.

Torch, Hydra and rich are imported inside the commands that need them, so that help and mistakes answer at once.
"""

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmtrain import __version__
from mmtrain.arguments import Command, command, overview
from mmtrain.errors import ConfigError, Problem, SaidElsewhereError, UserError
from mmtrain.folder import RunFolder

if TYPE_CHECKING:
    from mmtrain.config import Run

OK, FAILED, MISTAKE, INTERRUPTED = 0, 1, 2, 130
CONTRADICTIONS = (
    ("--resume", "--from"),
    ("--resume", "--multirun"),
    ("--from", "--multirun"),
    ("--multirun", "--cfg"),
    ("--resume", "--config-dir"),
    ("--from", "--config-dir"),
)
MOVABLE = ("data.root", "data.train", "data.val", "data.test")  # what may change when a run is evaluated: where its data lie
Flags = Mapping[str, Sequence[str]]


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0, 2 for a user's mistake, 130 when interrupted, 1 otherwise."""
    words = sys.argv[1:] if words is None else words
    try:
        _dispatch(words)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except SaidElsewhereError:
        return FAILED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except UserError as error:
        _report(error, "--debug" in words, *(f"error: {problem}" for problem in error.problems))
        return MISTAKE
    except Exception as error:
        first = next(iter(str(error).splitlines()), "")
        _report(error, "--debug" in words, f"error: {type(error).__name__}: {first}; run again with --debug to see where")
        return FAILED
    return OK


def _report(error: Exception, debug: bool, *lines: str) -> None:
    if debug:
        traceback.print_exception(error)
    for line in lines:
        print(" ".join(line.splitlines()), file=sys.stderr)


def _dispatch(words: Sequence[str]) -> None:
    if not words or words[0] in ("--help", "-h"):
        print(overview())
    elif words[0] == "--version":
        print(f"mmtrain {__version__}")
    elif {"--help", "-h"} & set(words):
        print(command(words[0]).help)
    else:
        _run(command(words[0]), words[1:])


def _run(chosen: Command, words: Sequence[str]) -> None:
    # Threads that wait in a busy loop starve whoever else computes: on two cores beside one other job, a run took five times
    # as long. Read when torch loads its OpenMP library; whoever sets the variable decides.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.path.append(os.getcwd())  # a user's own parts lie in the working folder; last, so that they hide no module
    if not _several() or chosen.name != "train":  # the others refuse by themselves; they need not meet for that
        _run_here(chosen, words)
        return
    from mmtrain.processes import joined

    with joined():  # torchrun has started several of us
        _run_here(chosen, words)


def _several() -> bool:
    """Whether torchrun has started several of us; one of its variables alone may stand in any environment."""
    return {"RANK", "WORLD_SIZE", "MASTER_ADDR"} <= os.environ.keys() and os.environ["WORLD_SIZE"] not in ("", "1")


def _run_here(chosen: Command, words: Sequence[str]) -> None:
    plain, flags = chosen.parse(words)
    if _several() and (chosen.name != "train" or {"--multirun", "--cfg"} & flags.keys()):
        raise ConfigError(Problem("torchrun", "only a single training runs in several processes", "leave torchrun out"))
    RUNNERS[chosen.name](plain, flags)


def _train(words: Sequence[str], flags: Flags) -> None:
    if "--workers" in flags and "--multirun" not in flags:
        raise ConfigError(Problem("--workers", "a single run is one job", "sweep with -m"))
    for first, second in CONTRADICTIONS:
        if first in flags and second in flags:
            raise ConfigError(Problem("mmtrain train", f"{first} and {second} cannot go together"))
    if "--hydra-help" in flags or "--info" in flags:
        _hydra(words, flags)
    elif "--resume" in flags:
        _resume(words, flags)
    elif "--multirun" in flags:
        from mmtrain.sweep import sweep

        sweep(_trusting(words, flags), _config_dir(flags), workers=_workers(flags))
    else:
        _train_once(words, flags)


def _workers(flags: Flags) -> int:
    text = flags.get("--workers", ["1"])[-1]
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ConfigError(Problem("--workers", f"'{text}' is no number of jobs", "give a whole number from 1: --workers 2"))
    return int(text)


def _train_once(words: Sequence[str], flags: Flags) -> None:
    from mmtrain.config import again, load

    if "--from" in flags:
        composed = again(Path(flags["--from"][-1]), words, trust=_trust(flags))
    else:
        composed = load(_trusting(words, flags), _config_dir(flags))
    if _printed(composed.config, flags):
        return
    from mmtrain.train import train

    train(composed.config, composed.folder)


def _resume(words: Sequence[str], flags: Flags) -> None:
    from mmtrain.config import RESUMABLE, load_run

    _refuse_others(words, RESUMABLE, "cannot change when a run goes on")
    folder = Path(flags["--resume"][-1])
    config = load_run(folder, words, trust=_trust(flags), rows=True)
    if _printed(config, flags):
        return
    from mmtrain.train import resume

    resume(folder, config)


def _check(words: Sequence[str], flags: Flags) -> None:
    config = _loaded(words, flags)
    if config is not None:
        from mmtrain.check import check

        check(config, output=Path(flags.get("--output", ["check.html"])[-1]))


def _prepare(words: Sequence[str], flags: Flags) -> None:
    config = _loaded(words, flags)
    if config is not None:
        from mmtrain.prepare import prepare

        prepare(config, clear_old="--clear" in flags)


def _bench(words: Sequence[str], flags: Flags) -> None:
    config = _loaded(words, flags)
    if config is not None:
        from mmtrain.bench import against, bench, feed

        if "--against" in flags and "--feed" in flags:
            raise ConfigError(Problem("mmtrain bench", "--against and --feed cannot go together"))
        if "--against" in flags:
            from mmtrain.config import load

            against(config, load(_trusting([*words, *flags["--against"]], flags), _config_dir(flags)).config)
        else:
            (feed if "--feed" in flags else bench)(config)


def _evaluate(words: Sequence[str], flags: Flags) -> None:
    if "--subsets" in flags and "--per-class" in flags:
        raise ConfigError(Problem("mmtrain evaluate", "--subsets and --per-class cannot go together"))
    _refuse_others(words[1:], MOVABLE, "cannot change in an evaluation")
    folder, split = RunFolder.open(Path(words[0])).path, flags.get("--split", ["test"])[-1]
    if "--subsets" in flags:
        from mmtrain.subsets import subsets

        subsets(folder, split, overrides=words[1:], trust=_trust(flags))
    else:
        from mmtrain.evaluate import evaluate

        evaluate(folder, split, overrides=words[1:], trust=_trust(flags), per_class="--per-class" in flags)


def _predict(words: Sequence[str], flags: Flags) -> None:
    if "--output" not in flags:
        raise ConfigError(Problem("mmtrain predict", "--output FILE is not given"))
    folder = RunFolder.open(Path(words[0])).path
    from mmtrain.predict import predict

    root = Path(flags["--root"][-1]) if "--root" in flags else None
    predict(folder, Path(words[1]), Path(flags["--output"][-1]), root=root, trust=_trust(flags))


def _list(words: Sequence[str], flags: Flags) -> None:
    from mmtrain.listing import listing

    print(listing(words[0] if words else None, _config_dir(flags)))


def _init(words: Sequence[str], flags: Flags) -> None:
    from mmtrain.init import init

    output = Path(flags["--output"][-1]) if "--output" in flags else None
    init(Path(words[0]), output=output, targets=flags.get("--target", ()))


RUNNERS: dict[str, Callable[[Sequence[str], Flags], None]] = {
    "init": _init,
    "train": _train,
    "check": _check,
    "prepare": _prepare,
    "evaluate": _evaluate,
    "predict": _predict,
    "bench": _bench,
    "list": _list,
}


def _loaded(words: Sequence[str], flags: Flags) -> "Run | None":
    """The checked configuration; None when it was only to be printed."""
    from mmtrain.config import load

    config = load(words, _config_dir(flags)).config
    return None if _printed(config, flags) else config


def _printed(config: "Run", flags: Flags) -> bool:
    """Whether `--cfg job` asked for the configuration alone."""
    if "--cfg" not in flags:
        return False
    print(config.to_yaml(), end="")
    for warning in config.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return True


def _refuse_others(words: Sequence[str], allowed: Sequence[str], found: str) -> None:
    """Only these keys of an earlier run may be given other values."""
    refused = [word for word in words if word.partition("=")[0] not in allowed]
    if refused:
        raise ConfigError(*(Problem(word, found, f"allowed: {', '.join(allowed)}") for word in refused))


def _config_dir(flags: Flags) -> Path | None:
    return Path(flags["--config-dir"][-1]) if "--config-dir" in flags else None


def _trust(flags: Flags) -> list[str]:
    return [module for given in flags.get("--trust", ()) for module in given.split(",")]


def _trusting(words: Sequence[str], flags: Flags) -> list[str]:
    """The words, with --trust as the override that it is where no run is named."""
    return [*words, *([f"trust=[{','.join(_trust(flags))}]"] if "--trust" in flags else [])]


def _hydra(words: Sequence[str], flags: Flags) -> None:
    """Hand over to Hydra's own command line, for what it knows about itself."""
    import logging

    import hydra

    from mmtrain.config.compose import VERSION

    logging.raiseExceptions = False  # Hydra logs its answer; into a closed pipe, each line would be a traceback
    own = [word for name in ("--hydra-help", "--info", "--config-dir") if name in flags for word in (name, *filter(None, flags[name]))]
    sys.argv = ["mmtrain train", *own, *words]
    hydra.main(config_path="pkg://mmtrain.configs", config_name="train", **VERSION)(lambda config: None)()
