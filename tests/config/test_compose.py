"""YAML files, joined by Hydra with a user's own and with words of the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mmtrain.config.catalog import Catalog
from mmtrain.config.compose import Composition, compose
from mmtrain.errors import ConfigError

AddFile = Callable[[str, str], Path]
Compose = Callable[..., Composition]
RECIPE = "# @package _global_\n# A recipe.\n"


@pytest.fixture
def composed(small: Path, own: Path) -> Compose:
    return lambda *words: compose(words, Catalog(small, own))


def lines(found: Composition) -> list[str]:
    return [str(problem) for problem in found.problems]


def test_the_shipped_files() -> None:
    found = compose(["model=fusion_sum", "encoder/text=bag", "loss@tasks.shape.loss=focal", "task@tasks.x=binary"], Catalog.open())
    assert found.problems == []
    assert found.tree["fusion"]["_target_"] == "mmtrain.fusion.Sum"
    assert found.tree["encoder"]["text"]["_target_"] == "mmtrain.encoder.text.Bag"
    assert found.tree["tasks"]["shape"]["loss"]["_target_"] == "mmtrain.loss.Focal"
    assert found.tree["tasks"]["x"]["_target_"] == "mmtrain.task.Binary"
    assert found.folder.parent == Path("outputs/scenes")
    assert "hydra" not in found.tree


def test_choices_values_and_what_is_left_out(composed: Compose) -> None:
    tree = composed("fusion=sum", "loss@tasks.shape.loss=focal", "optimizer.lr=3e-4", "optimizer.anything=1", "~tasks.pitch").tree
    assert tree == {
        "data": {"name": "scenes", "modalities": {"back": {"_target_": "modality.Image"}}},
        "tasks": {"shape": {"loss": {"_target_": "loss.Focal"}, "_target_": "task.Binary", "column": "shape"}},
        "encoder": {"image": {"_target_": "encoder.image.CNN"}},
        "fusion": {"_target_": "fusion.Sum"},
        "seed": 0,
        "trust": [],
        "optimizer": {"lr": 3e-4, "anything": 1},
    }


@pytest.mark.parametrize(
    "words",
    [
        ("fusion=sum", "model=plain"),
        ("+fusion=sum",),
        ("++fusion=sum",),
        ("fusion=concat", "fusion=sum"),
        ("fusion={_target_: fusion.Sum}",),
    ],
)
def test_a_choice_however_it_is_written(composed: Compose, words: tuple[str, ...]) -> None:
    found = composed(*words)
    assert found.problems == []
    assert found.tree["fusion"]["_target_"] == "fusion.Sum"


@pytest.mark.parametrize("plus", ["", "+"])
def test_a_new_name_adds_a_part(composed: Compose, plus: str) -> None:
    words = ["encoder/image@encoder.back=cnn", "task@tasks.size=binary", "modality@data.modalities.front=image"]
    found = composed(*(plus + word for word in words), "tasks.size.column=size")
    assert found.problems == []
    assert found.tree["encoder"]["back"] == {"_target_": "encoder.image.CNN"}
    assert found.tree["tasks"]["size"] == {"_target_": "task.Binary", "loss": {"_target_": "loss.Entropy"}, "column": "size"}
    assert list(found.tree["data"]["modalities"]) == ["back", "front"]


@pytest.mark.parametrize("plus", ["", "+"])
def test_an_old_name_changes_its_part(composed: Compose, plus: str) -> None:
    found = composed(f"{plus}task@tasks.shape=classification")
    assert found.problems == []
    assert found.tree["tasks"]["shape"]["_target_"] == "task.Classification"


@pytest.mark.parametrize(
    ("word", "line"),
    [
        (
            "loss@tasks.shpe.loss=focal",
            "loss@tasks.shpe.loss: there is no such place; "
            "did you mean 'loss@tasks.shape.loss'? allowed: loss@tasks.pitch.loss, loss@tasks.shape.loss",
        ),
        ("loss=focal", "loss: there is no such place; allowed: loss@tasks.pitch.loss, loss@tasks.shape.loss"),
        ("task@jobs.shape=binary", "task@jobs.shape: there is no such place; did you mean 'task@tasks.shape'? "),
        ("~tasks.shpe", "~tasks.shpe: there is no such key; did you mean 'shape'? allowed: pitch, shape"),
        ("~seeds", "~seeds: there is no such key; did you mean 'seed'? allowed: data, encoder, fusion, optimizer, seed, tasks, trust"),
        ("~nothing.here", "~nothing.here: there is no such key; allowed: nothing"),
        ("~loss@tasks.shpe.loss", "~loss@tasks.shpe.loss: nothing is chosen there"),
        ("fusion=summ", "fusion: 'summ' is not a choice; did you mean 'sum'? allowed: concat, sum"),
    ],
)
def test_a_word_that_cannot_be_followed_is_told_and_left_out(composed: Compose, word: str, line: str) -> None:
    found = composed(word, "seed=7")
    [problem] = lines(found)
    assert problem.startswith(line)
    assert found.tree == composed("seed=7").tree


@pytest.mark.parametrize("word", ["trust.x=1", "trust.0=1", "trust={a: 1}", "optimizer=[1]", "hydra.run.dir=null"])
def test_a_value_that_does_not_fit_what_stands_there(composed: Compose, word: str) -> None:
    assert lines(composed(word)) == [f"{word.partition('=')[0]}: cannot be set: the value does not fit what stands there"]


def test_words_are_followed_in_their_order(composed: Compose) -> None:
    assert composed("optimizer.a=1", "~optimizer.lr", "~optimizer.a", "optimizer.b=2").tree["optimizer"] == {"b": 2}


def test_half_a_part_is_left_for_the_check(composed: Compose) -> None:
    assert composed("~task@tasks.shape").tree["tasks"]["shape"] == {"column": "shape"}


def test_a_value_under_a_value(composed: Compose) -> None:
    """Taken as it stands: the check knows that a seed is a number."""
    assert composed("seed.x=1").tree["seed"] == {"x": 1}


def test_all_words_that_cannot_be_followed_are_told(composed: Compose) -> None:
    words = ["fusion=gatd", "loss@tasks.a.loss=focal", "loss@tasks.b.loss=focal", "~tasks.c", "seed=1,2", "foo", "hydra.x=1"]
    assert [line.partition(":")[0] for line in lines(composed(*words))] == [
        "fusion", "seed", "foo", "hydra.x", "loss@tasks.a.loss", "loss@tasks.b.loss", "~tasks.c"
    ]  # fmt: skip


def test_no_line_recommends_a_plus(composed: Compose) -> None:
    """Hydra does, for whatever it does not know, and so turns a misspelt name into a new key."""
    words = [
        "fuson=sum",
        "fusion=gatd",
        "encodr/image=cnn",
        "encoder/image=cn",
        "loss@tasks.a.loss=focal",
        "optimizer.lrr=1",
        "~tasks.c",
        "loss=focal",
    ]
    assert "+" not in "".join(lines(composed(*words)))


def test_the_folder_to_write_to(composed: Compose, small: Path) -> None:
    assert composed("hydra.run.dir=here/it is").folder == Path("here/it is")
    assert composed().folder.parent == Path("outputs/scenes")
    assert composed().folder != composed().folder
    assert compose(["data.name=x"], Catalog(small), folder="hydra.sweep.dir").folder.match("outputs/x/sweep_*")


def test_a_folder_without_a_name(composed: Compose) -> None:
    """The check says that the name is missing, once is enough."""
    assert lines(composed("~data.name")) == []


@pytest.mark.parametrize("word", ["experiment=mine", "+experiment=mine"])
def test_a_users_own_recipe(composed: Compose, add: AddFile, word: str) -> None:
    add("experiment/mine", f"{RECIPE}defaults:\n  - override /fusion: sum\nseed: 3\noptimizer: {{lr: 3e-1}}\n")
    found = composed(word)
    assert found.problems == []
    assert (found.tree["seed"], found.tree["fusion"], found.tree["optimizer"]) == (3, {"_target_": "fusion.Sum"}, {"lr": 0.3})
    assert composed(word, "seed=4").tree["seed"] == 4


def test_a_built_in_file_is_never_replaced(composed: Compose, add: AddFile) -> None:
    add("fusion/sum", "_target_: mine.Sum\n")
    assert composed("fusion=sum").tree["fusion"] == {"_target_": "fusion.Sum"}


def test_a_folder_with_any_name(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "it's, a [folder] = ü"
    (folder / "fusion").mkdir(parents=True)
    (folder / "fusion" / "mine.yaml").write_text("# Mine.\n_target_: mine.Sum\n")
    assert compose(["fusion=mine"], Catalog(small, folder)).tree["fusion"] == {"_target_": "mine.Sum"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("seed: 1\ntraining: {epochs: 1\n", "FILE, line 5: "),
        ("seed: 1\nseed: 2\n", "FILE, line 4: found duplicate key seed"),
        ("a: b: c\n", "FILE, line 3: mapping values are not allowed "),
        ("defaults:\n  - override /fusion: gatd\n", "FILE: 'gatd' is not a choice of fusion; allowed: concat, sum"),
        ("defaults:\n  - /task@tasks.x: binry\n", "FILE: 'binry' is not a choice of task; did you mean 'binary'? allowed: binary, "),
        ("defaults:\n  - /tsk@tasks.x: binary\n", "FILE: there is no group 'tsk'; did you mean 'task'? allowed: "),
        ("defaults:\n  - override /fuson: sum\n", "experiment/mine.yaml: overrides 'fuson', which nothing chose; did you mean 'fusion'? "),
        (
            "defaults:\n  - override /fusion: sum\n  - /task@tasks.x: binary\n",
            "configuration: In experiment/mine: Override 'fusion : sum' is ",
        ),
        ("defaults: 3\n", "configuration: "),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_line(composed: Compose, add: AddFile, text: str, line: str) -> None:
    file = add("experiment/mine", RECIPE + text)
    with pytest.raises(ConfigError) as caught:
        composed("experiment=mine")
    [problem] = caught.value.problems
    assert str(problem).startswith(line.replace("FILE", str(file)))
    assert "\n" not in str(problem)


def test_a_file_that_is_no_text(composed: Compose, add: AddFile) -> None:
    file = add("experiment/mine", RECIPE)
    file.write_bytes(RECIPE.encode() + b"# caf\xe9\n")
    with pytest.raises(ConfigError, match="is not UTF-8 text") as caught:
        composed("experiment=mine")
    assert caught.value.problems[0].where == str(file)
