"""mmtrain as a process of its own: what it imports, how long it takes, whom it writes to."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def python(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, **options)


IMPORTED = """
import sys
from mmtrain.cli import main
code = main(sys.argv[1:])
print(code, *sorted({"torch", "hydra", "rich", "polars", "numpy"} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("words", "imported"),
    [
        (["train", "--help"], "0"),
        (["--version"], "0"),
        (["trian"], "2"),
        (["list"], "0"),
        (["evaluate", "RUN", "--spilt", "val"], "2"),
        (["evaluate", "RUN", "--split", "foo"], "2"),
        (["evaluate", "RUN", "seed=1"], "2"),
        (["train", "fusion=gatd", "optimizer.lr=x"], "2 hydra"),
        (["train", "--cfg", "job"], "0 hydra"),
    ],
)
def test_nothing_slow_is_imported_before_it_is_needed(words: list[str], imported: str) -> None:
    assert python("-c", IMPORTED, *words).stdout.splitlines()[-1] == imported


def test_a_module_in_the_working_folder_can_be_trusted(tmp_path: Path) -> None:
    (tmp_path / "my_parts.py").write_text("class Mine:\n    def __init__(self, dims, *, out_dim: int = 3): ...\nraise AssertionError\n")
    (tmp_path / "random.py").write_text("raise AssertionError('a file of the user hides a module of Python')\n")
    words = ["fusion={_target_: my_parts.Mine, dropout: null}", "~fusion.pooled_dim", "trust=[my_parts]", "--cfg", "job"]
    done = python(
        "-c",
        "from mmtrain.cli import main; import sys; sys.exit(main())",
        "train",
        *words,
        cwd=tmp_path,
        env=os.environ | {"PYTHONSAFEPATH": "1"},
    )
    assert "fusion.dropout: unknown key; did you mean" not in done.stderr
    assert "fusion.dropout: unknown key; allowed: out_dim" in done.stderr


def test_the_module_runs_too() -> None:
    done = python("-m", "mmtrain", "trian")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("words", ["list", "train --cfg job", "train --help", "train --info defaults-tree"])
def test_a_closed_pipe_is_quiet(words: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-m", "mmtrain", *words.split()], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.stderr == ""


@pytest.mark.parametrize(("flags", "found"), [(["--hydra-help"], "== Flags =="), (["--info", "defaults-tree"], "fusion: concat")])
def test_hydra_speaks_for_itself(flags: list[str], found: str) -> None:
    done = python("-m", "mmtrain", "train", *flags)
    assert done.returncode == 0, done.stderr
    assert found in done.stdout


def cpu_seconds(*words: str) -> float:
    """What a command takes, whatever else the machine does."""
    before = os.times()
    python(*words)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


@pytest.mark.parametrize(("words", "budget"), [(["train", "--help"], 0.05), (["--version"], 0.05), (["train", "fusion=gatd"], 0.5)])
def test_help_and_mistakes_answer_at_once(words: list[str], budget: float) -> None:
    rounds = [(cpu_seconds("-c", "pass"), cpu_seconds("-m", "mmtrain", *words)) for _ in range(5)]
    assert sorted(ours - nothing for nothing, ours in rounds)[2] < budget
