"""The wheel, installed where no checkout is: all of the package and of the YAML is in it, and it trains from an empty folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, folder: Path) -> str:
    """What a command prints; its whole output stands in the failure where it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, for a build leaves folders behind that the next one would take files from."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("mmtrain", "configs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    run(sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", "dist", folder=folder)
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel and sees the dependencies of this one, but not its mmtrain."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    scripts = folder / Path(sys.executable).parent.name
    run(sys.executable, "-m", "pip", "--python", scripts / "python", "install", "--no-deps", "--no-index", wheel, folder=folder)
    (packages,) = folder.rglob("site-packages")
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n", encoding="utf-8")
    return scripts


def test_the_wheel_holds_every_module_and_yaml(wheel: Path) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "mmtrain").rglob("*.py")}
    choices = {f"mmtrain/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "configs").rglob("*") if path.suffix in (".py", ".yaml")}
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert shipped == modules | choices | {"mmtrain/py.typed"}


def test_it_trains_from_an_empty_folder(environment: Path, tmp_path: Path) -> None:
    place = run(environment / "python", "-c", "import mmtrain; print(mmtrain.__file__)", folder=tmp_path)
    assert Path(place.strip()).is_relative_to(environment.parent)
    run(environment / "mmtrain", "train", "training.steps=2", "data.limit=64", folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]
    assert len(list(tmp_path.glob("outputs/*/*/results.json"))) == 1


def test_it_lists_its_choices(environment: Path, tmp_path: Path) -> None:
    assert "concat" in run(environment / "mmtrain", "list", "fusion", folder=tmp_path)
    assert os.listdir(tmp_path) == []
