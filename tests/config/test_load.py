from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mmtrain.config import Run, again, load, load_run, load_sweep
from mmtrain.errors import ConfigError, RunError

AddFile = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def run() -> Run:
    return load(["data.train=64", "optimizer.lr=3e-4"]).config


@pytest.fixture
def folder(tmp_path: Path, run: Run) -> Path:
    """A run folder with nothing but its configuration."""
    path = tmp_path / "run"
    path.mkdir()
    run.save(path / "config.yaml")
    return path


def edit(folder: Path, **changes: object) -> None:
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | changes))


def lines(error: pytest.ExceptionInfo[ConfigError]) -> list[str]:
    return [str(problem) for problem in error.value.problems]


def test_the_configuration_is_complete_and_plain(run: Run) -> None:
    assert run.data["train"] == 64
    assert run.optimizer == {"_target_": "mmtrain.optimizer.AdamW", **run.optimizer}
    assert run.optimizer["lr"] == 3e-4
    assert type(run.tasks["shape"]["loss"]) is dict
    assert run.warnings == []


def test_problems_of_words_and_of_values_are_told_together() -> None:
    with pytest.raises(ConfigError) as caught:
        load(["fusion=gatd", "optimizer.lrr=1", "~tasks.x", "data.limit=0"])
    assert [line.partition(":")[0] for line in lines(caught)] == ["fusion", "~tasks.x", "data.limit", "optimizer.lrr"]


def test_a_key_that_only_a_users_file_misspells(own: Path, add: AddFile) -> None:
    """Hydra looks at the command line alone."""
    add("experiment/mine", "# @package _global_\n# Mine.\ntasks: {shape: {wieght: 0.5}}\n")
    with pytest.raises(ConfigError, match=r"tasks\.shape\.wieght: unknown key; did you mean 'weight'\?"):
        load(["experiment=mine"], own)


def test_a_recipe_without_its_header(own: Path, add: AddFile) -> None:
    add("experiment/mine", "# Mine.\nseed: 1\n")
    with pytest.raises(
        ConfigError,
        match="experiment: the file that was chosen sets its keys under 'experiment'; its first line has to be: # @package _global_",
    ):
        load(["experiment=mine"], own)


def test_a_file_that_a_built_in_one_hides_is_a_warning(own: Path, add: AddFile) -> None:
    file = add("fusion/sum", "# Mine.\n_target_: mine.Sum\n")
    composed = load(["fusion=sum"], own)
    assert composed.config.fusion["_target_"] == "mmtrain.fusion.Sum"
    assert composed.config.warnings == [f"{file} is never used: a built-in choice has its name; rename it"]


def test_trust_is_announced(tmp_path: Path, own: Path, add: AddFile, monkeypatch: pytest.MonkeyPatch) -> None:
    add("fusion/mine", "# Mine.\n_target_: my_fusion.Mine\n")
    (tmp_path / "my_fusion.py").write_text("class Mine:\n    def __init__(self, dims, *, out_dim: int = 3): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ConfigError, match=r"'my_fusion\.Mine' is neither mmtrain's nor in a module that you trust; if it is yours: trust=\[my_fusion\]"
    ):
        load(["fusion=mine"], own)
    config = load(["fusion=mine", "trust=[my_fusion]"], own).config
    assert config.fusion == {"_target_": "my_fusion.Mine", "out_dim": 3}
    assert config.warnings == ["parts may be built from my_fusion, looked up in this folder and among the installed packages"]


def test_every_shipped_data_set_names_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MMTRAIN_DATA", raising=False)
    with pytest.raises(ConfigError) as caught:
        load(["data=avdigits"])
    fix = "set it to the folder that holds the data sets, or give data.root=FOLDER"
    assert lines(caught) == [f"data.root: the environment variable MMTRAIN_DATA is not set; {fix}"]


def test_all_jobs_of_a_sweep_are_checked_first() -> None:
    folder, configs = load_sweep(["fusion=concat,sum", "seed=1,2", "hydra.sweep.dir=here"])
    assert folder == Path("here")
    assert [words[:2] for words, _ in configs] == [[f"fusion={fusion}", f"seed={seed}"] for fusion in ("concat", "sum") for seed in (1, 2)]
    assert [config.seed for _, config in configs] == [1, 2, 1, 2]
    with pytest.raises(ConfigError) as caught:
        load_sweep(["fusion=concat,gatd", "optimizer.lr=0,1", "tasks.x=1"])
    assert {line.partition(";")[0] for line in lines(caught)} == {
        "optimizer.lr: 0 is not a number above 0",
        "tasks.x: 1 is not a part",
        "fusion: 'gatd' is not a choice",
    }


def test_a_run_folder_gives_its_configuration_back(folder: Path, run: Run) -> None:
    assert load_run(folder) == run


def test_with_other_values_where_given(folder: Path) -> None:
    changed = load_run(folder, ["training.epochs=3", "optimizer.lr_factor.encoder.image=0.1"])
    assert changed.training["epochs"] == 3
    assert changed.optimizer["lr_factor"] == {"encoder": {"image": 0.1}}
    with pytest.raises(ConfigError, match=r"training\.epohcs: unknown key; did you mean 'epochs'\?"):
        load_run(folder, ["training.epohcs=3"])


def test_a_run_folder_never_widens_trust(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_tracker.py").write_text("class Mine:\n    def __init__(self, folder): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    edit(folder, trust=["my_tracker"], tracker={"_target_": "my_tracker.Mine"})
    with pytest.raises(ConfigError, match=r"tracker\._target_: 'my_tracker\.Mine' is neither mmtrain's nor in a module that you trust"):
        load_run(folder)
    assert load_run(folder, trust=["my_tracker"]).trust == ["my_tracker"]


def test_predicting_needs_no_tables_but_going_on_does(folder: Path) -> None:
    gone = {"_target_": "mmtrain.source.TableSource", "name": "x", "train": "gone.csv"}
    data = yaml.safe_load((folder / "config.yaml").read_text())["data"]
    edit(folder, data=gone | {"modalities": data["modalities"]})
    assert load_run(folder).data["train"] == "gone.csv"
    with pytest.raises(ConfigError, match=r"data\.train: no file 'gone\.csv'"):
        load_run(folder, rows=True)


def test_a_run_again_in_a_new_folder(folder: Path, run: Run) -> None:
    composed = again(folder, ["seed=5"])
    assert composed.config.seed == 5
    assert composed.config.optimizer == run.optimizer
    assert composed.folder.parent == Path("outputs/scenes")
    assert again(folder, ["hydra.run.dir=there"]).folder == Path("there")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (None, "not a run folder: it holds no config.yaml"),
        ("a: [", "cannot be read; the run folder is damaged; train again"),
        ("- a", "cannot be read; the run folder is damaged; train again"),
        ("", "cannot be read; the run folder is damaged; train again"),
    ],
)
def test_what_is_no_run_folder(tmp_path: Path, text: str | None, line: str) -> None:
    if text is not None:
        (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(RunError, match=line):
        load_run(tmp_path)


def test_a_part_of_another_group_inside_a_part(tmp_path: Path) -> None:
    """The picture encoder that looks at the frames of a clip: chosen, completed, and kept in the run folder."""
    own = ["modality@data.modalities.front=video", "data.modalities.front.column=picture"]
    config = load(
        [*own, "encoder/video@encoder.front=frames", "encoder/image@encoder.front.image=residual", "encoder.video.image.grid=2"]
    ).config
    assert config.encoder["front"]["image"]["_target_"] == "mmtrain.encoder.image.Residual"
    assert config.encoder["video"]["image"] == config.encoder["image"] | {"grid": 2}
    config.save(tmp_path / "config.yaml")
    assert load_run(tmp_path).encoder == config.encoder
    with pytest.raises(ConfigError, match=r"^encoder/image@encoder\.video\.image: there is no such place"):
        load(["encoder/video=cnn3d", "encoder/image@encoder.video.image=cnn"])
    with pytest.raises(ConfigError, match=r"^encoder/image@encoder\.video\.image: 'residaul' is not a choice; did you mean 'residual'\?"):
        load(["encoder/image@encoder.video.image=residaul"])
