"""The command line: what each command hands on, and how mistakes end."""

import inspect
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mmtrain import __version__
from mmtrain.arguments import COMMANDS
from mmtrain.cli import main
from mmtrain.config import load

Calls = list[tuple[str, tuple[Any, ...], dict[str, Any]]]
FUNCTIONS = [
    "train.train",
    "train.resume",
    "sweep.sweep",
    "check.check",
    "prepare.prepare",
    "bench.bench",
    "bench.feed",
    "bench.against",
    "evaluate.evaluate",
    "predict.predict",
    "subsets.subsets",
]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    """What each command's own function is called with, in place of the function; it could be called so."""
    found: Calls = []

    def noting(name: str) -> Callable[..., None]:
        return lambda *words, **options: found.append((name, words, options))

    for function in FUNCTIONS:
        replace(monkeypatch, function, noting(function))
    yield found
    monkeypatch.undo()
    for function, words, options in found:
        module, _, name = function.partition(".")
        inspect.signature(getattr(import_module(f"mmtrain.{module}"), name)).bind(*words, **options)


def replace(monkeypatch: pytest.MonkeyPatch, function: str, stand_in: Callable[..., None]) -> None:
    """Put a function in the place of one of ours, whose module (and so torch) is not imported."""
    module, _, name = function.partition(".")
    monkeypatch.setitem(sys.modules, f"mmtrain.{module}", sys.modules.get(f"mmtrain.{module}", ModuleType(module)))
    monkeypatch.setattr(sys.modules[f"mmtrain.{module}"], name, stand_in, raising=False)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder with nothing but its configuration."""
    folder = tmp_path / "run"
    folder.mkdir()
    load(["data.train=64"]).config.save(folder / "config.yaml")
    return folder


def test_training_gets_a_checked_configuration_and_a_folder(calls: Calls) -> None:
    assert main(["train", "seed=3", "fusion=sum", "hydra.run.dir=there"]) == 0
    [(name, (config, folder), _)] = calls
    assert (name, config.seed, config.fusion["_target_"], folder) == ("train.train", 3, "mmtrain.fusion.Sum", Path("there"))


@pytest.mark.parametrize("flag", ["-m", "--multirun"])
def test_a_sweep_gets_the_words(calls: Calls, flag: str) -> None:
    assert main(["train", "seed=1,2", flag, "fusion=sum", "--config-dir", "mine"]) == 0
    assert calls == [("sweep.sweep", (["seed=1,2", "fusion=sum"], Path("mine")), {"workers": 1})]


def test_trust_is_an_override_where_no_run_is_named(calls: Calls) -> None:
    assert main(["train", "--trust", "a,b", "--trust=c"]) == 0
    assert main(["train", "-m", "--trust", "a"]) == 0
    assert calls[0][1][0].trust == ["a", "b", "c"]
    assert calls[1][1] == (["trust=[a]"], None)


def test_resuming_gets_the_folder_and_what_may_change(calls: Calls, run: Path) -> None:
    assert main(["train", "--resume", str(run), "training.epochs=30"]) == 0
    [(name, (folder, config), _)] = calls
    assert (name, folder, config.training["epochs"], config.data["train"]) == ("train.resume", run, 30, 64)


def test_a_run_is_repeated_in_a_new_folder(calls: Calls, run: Path) -> None:
    assert main(["train", f"--from={run}", "seed=9"]) == 0
    [(name, (config, folder), _)] = calls
    assert (name, config.seed, config.data["train"], folder.parent) == ("train.train", 9, 64, Path("outputs/scenes"))


def test_the_other_commands(calls: Calls) -> None:
    assert [main([name, "seed=1"]) for name in ("check", "prepare", "bench")] == [0, 0, 0]
    assert main(["prepare", "--clear"]) == 0
    assert [(name, config.seed, options) for name, (config,), options in calls] == [
        ("check.check", 1, {"output": Path("check.html")}),
        ("prepare.prepare", 1, {"clear_old": False}),
        ("bench.bench", 1, {}),
        ("prepare.prepare", 0, {"clear_old": True}),
    ]


def test_commands_on_a_run(calls: Calls, run: Path) -> None:
    assert main(["evaluate", str(run)]) == 0
    assert main(["evaluate", str(run), "--per-class"]) == 0
    assert main(["evaluate", str(run), "--split=val", "--trust", "a,b", "--trust", "c"]) == 0
    assert main(["evaluate", str(run), "data.root=/moved", "data.test=other.csv"]) == 0
    assert main(["evaluate", str(run), "--subsets", "--split=val", "--trust=a", "data.root=/moved"]) == 0
    assert main(["predict", str(run), "new.csv", "--output", "out.csv"]) == 0
    assert main(["predict", str(run), "new.csv", "--output", "out.csv", "--root", "media"]) == 0
    file, output = Path("new.csv"), Path("out.csv")
    assert calls == [
        ("evaluate.evaluate", (run, "test"), {"overrides": [], "trust": [], "per_class": False}),
        ("evaluate.evaluate", (run, "test"), {"overrides": [], "trust": [], "per_class": True}),
        ("evaluate.evaluate", (run, "val"), {"overrides": [], "trust": ["a", "b", "c"], "per_class": False}),
        ("evaluate.evaluate", (run, "test"), {"overrides": ["data.root=/moved", "data.test=other.csv"], "trust": [], "per_class": False}),
        ("subsets.subsets", (run, "val"), {"overrides": ["data.root=/moved"], "trust": ["a"]}),
        ("predict.predict", (run, file, output), {"root": None, "trust": []}),
        ("predict.predict", (run, file, output), {"root": Path("media"), "trust": []}),
    ]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["trian"], "trian: there is no such command; did you mean 'train'? allowed: bench, check, evaluate, "),
        (["trian", "--help"], "trian: there is no such command; did you mean 'train'? "),
        (["train", "--reusme", "RUN"], "--reusme: mmtrain train has no such flag; did you mean '--resume'? allowed: --cfg, --config-dir, "),
        (["train", "--epochs", "3"], "--epochs: mmtrain train has no such flag; "),
        (["check", "-m"], "-m: mmtrain check has no such flag; "),
        (["train", "--debug=yes"], "--debug: mmtrain train has no such flag; "),
        (["train", "--resume"], "--resume: RUN has to follow"),
        (["train", "--cfg", "hydra"], "--cfg: 'hydra' is not a choice; allowed: job"),
        (["train", "--resume", "RUN", "--from", "RUN"], "mmtrain train: --resume and --from cannot go together"),
        (["train", "--from", "RUN", "--config-dir", "mine"], "mmtrain train: --from and --config-dir cannot go together"),
        (["train", "-m", "--cfg", "job"], "mmtrain train: --multirun and --cfg cannot go together"),
        (["train", "--config-dir", "nowhere"], "--config-dir: no folder 'nowhere'"),
        (["train", "fusion=gatd"], "fusion: 'gatd' is not a choice; "),
        (["train", "optimizer.lrr=1"], "optimizer.lrr: unknown key; did you mean 'lr'? "),
        (["train", "seed=1,2"], "seed: several values, 1,2; add -m to train once with each"),
        (["train", "--resume", "RUN", "seed=1"], "seed=1: cannot change when a run goes on; allowed: training.epochs, "),
        (["train", "--resume", "nowhere"], "nowhere: no such folder; name a run folder, as `mmtrain train` prints it"),
        (["train", "--from", "nowhere"], "nowhere: no such folder; "),
        (["evaluate"], "mmtrain evaluate: RUN is not given; usage: mmtrain evaluate RUN [OVERRIDE...]"),
        (["evaluate", "RUN", "seed=1"], "seed=1: cannot change in an evaluation; allowed: data.root, data.train, data.val, data.test"),
        (["evaluate", "RUN", "--split", "tset"], "--split: 'tset' is not a choice; did you mean 'test'? allowed: test, train, val"),
        (["evaluate", "RUN", "--subsets", "--per-class"], "mmtrain evaluate: --subsets and --per-class cannot go together"),
        (["evaluate", "RUN", "--subsets=yes"], "--subsets: mmtrain evaluate has no such flag; "),
        (["predict", "RUN", "FILE", "more"], "mmtrain predict: 'more' is one word too many; usage: mmtrain predict RUN FILE"),
        (["evaluate", "nowhere"], "nowhere: no such folder; "),
        (["predict", "RUN", "FILE"], "mmtrain predict: --output FILE is not given"),
        (["list", "fuson"], "fuson: there is no such group; did you mean 'fusion'? "),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str], words: list[str], line: str) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {line}")
    assert err.count("\n") == 1


def test_all_mistakes_are_told_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "fusion=gatd", "optimizer.lrr=1", "seed=abc"]) == 2
    assert [line.split(": ")[:2] for line in capsys.readouterr().err.splitlines()] == [
        ["error", "fusion"],
        ["error", "seed"],
        ["error", "optimizer.lrr"],
    ]


def test_debug_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--debug", "seed=abc"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("Traceback (most recent call last):")
    assert err.endswith("error: seed: 'abc' is not a whole number\n")


def failing(error: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_our_own_mistake_is_one_line_and_exit_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    replace(monkeypatch, "check.check", failing(ValueError("first line\nsecond line")))
    assert main(["check"]) == 1
    assert capsys.readouterr().err == "error: ValueError: first line; run again with --debug to see where\n"
    assert main(["check", "--debug"]) == 1
    assert "ValueError: first line\nsecond line" in capsys.readouterr().err


def test_an_interrupt_is_one_line_and_exit_code_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    replace(monkeypatch, "check.check", failing(KeyboardInterrupt()))
    assert main(["check"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_the_configuration_can_be_printed(calls: Calls, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "data.train=64", "--cfg", "job"]) == 0
    printed = capsys.readouterr().out
    assert printed == (run / "config.yaml").read_text()
    assert main(["train", "--resume", str(run), "--cfg=job"]) == 0
    assert capsys.readouterr().out == printed
    assert main(["check", "data.train=64", "--cfg", "job"]) == 0
    assert capsys.readouterr().out == printed
    assert calls == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main([name, "anything", "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: mmtrain {name} ")
    assert f"\n  mmtrain {name}" in out
    assert "--debug" in out
    assert max(map(len, out.splitlines())) <= 120


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(words) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {name} " in out for name in COMMANDS)
    assert out.endswith("\nexit code: 0; 2 a mistake of yours; 1 anything else; 130 interrupted\n")


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"mmtrain {__version__}\n"
