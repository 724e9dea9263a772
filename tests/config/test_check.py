"""A complete configuration with one mistake made in it: the mistake is told, in these words."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from mmtrain.config import load
from mmtrain.config.annotation import UNKNOWN
from mmtrain.config.check import check
from mmtrain.errors import ConfigError

Tree = dict[str, Any]


@pytest.fixture(scope="module")
def complete() -> Tree:
    return yaml.safe_load(load([]).config.to_yaml())


@pytest.fixture
def tree(complete: Tree) -> Tree:
    return copy.deepcopy(complete)


def problems(tree: Tree, trust: tuple[str, ...] = ()) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        check(tree, trust)
    return [str(problem) for problem in caught.value.problems]


def put(tree: Tree, where: str, value: Any) -> None:
    *above, name = where.split(".")
    for key in above:
        tree = tree.setdefault(key, {})
    tree[name] = value


def test_what_is_complete_stays_as_it_is(tree: Tree, complete: Tree) -> None:
    assert yaml.safe_load(check(tree, ()).to_yaml()) == complete


def test_what_is_left_out_is_filled_in(tree: Tree, complete: Tree) -> None:
    tree["fusion"] = {"_target_": "mmtrain.fusion.Concat"}
    tree["tasks"]["shape"].pop("weight")
    assert yaml.safe_load(check(tree, ()).to_yaml()) == complete


@pytest.mark.parametrize(
    ("where", "value", "found"),
    [
        ("fuson", {}, ": unknown key; did you mean 'fusion'? allowed: alignment, augmentation, balancing, data, decision, encoder, "),
        ("optimizer.lrr", 0.1, ": unknown key; did you mean 'lr'? allowed: "),
        ("tasks.shape.wieght", 0.5, ": unknown key; did you mean 'weight'? allowed: "),
        ("tasks.shape.loss.gama", 0.5, ": unknown key; "),
        ("data.trian", 3, ": unknown key; did you mean 'train'? allowed: "),
        ("data.modalities.picture.encodr", "cnn", ": unknown key; allowed: "),
        ("encoder.image.num_conv_layer", 3, ": unknown key; "),
        ("seed", "abc", ": 'abc' is not a whole number"),
        ("seed", -1, ": -1 is not a whole number at least 0"),
        ("seed", True, ": true is not a whole number"),
        ("trust", "my_parts", ": 'my_parts' is not a list of text"),
        ("training.epochs", "ten", ": 'ten' is not a whole number"),
        ("training.epochs", 0, ": 0 is not a whole number at least 1"),
        ("training.precision", "bf17", ": 'bf17' is not a choice; did you mean 'bf16'? allowed: bf16, fp16, fp32"),
        ("optimizer.lr", -1, ": -1 is not a number above 0"),
        ("fusion.dropout", 1.5, ": 1.5 is not a number at least 0 and below 1"),
        ("tasks.shape.weight", "x", ": 'x' is not a number"),
        ("tasks.shape.weight", -0.5, ": -0.5 is not a number at least 0"),
        ("tasks.match.positive", True, ": true is not text or a whole number or null; write it in quotes"),
        ("selection.task", "shpae", ": there is no task 'shpae'; did you mean 'shape'? allowed: colour, match, pitch, position, shape"),
        ("tasks.shape.column", "???", ": has to be given; it is a column's name"),
        ("tasks.shape.column", 2020, ": 2020 is not text; write it in quotes"),
        ("tasks.shape.loss", "focal", ": 'focal' is not a part; did you mean loss@tasks.shape.loss=focal?"),
        ("tasks.shape.loss", 3, ": 3 is not a part; choose one with loss@tasks.shape.loss=NAME"),
        ("tasks.shape.loss", {'gamma': 2}, ": is half a part: it has no _target_; choose one with loss@tasks.shape.loss=NAME"),
        ("encoder.image", "mlp", ": 'mlp' is not a part; did you mean encoder/image=mlp?"),
        ("encoder.picture", "mlp", ": 'mlp' is not a part; did you mean encoder/image@encoder.picture=mlp?"),
        ("encoder", "cnn", ": 'cnn' is not a mapping; choose one with encoder/KIND=NAME"),
        ("fusion", "gated", ": 'gated' is not a part; did you mean fusion=gated?"),
        ("data.modalities.tone", "audio", ": 'audio' is not a part; did you mean modality@data.modalities.tone=audio?"),
        ("encoder.bakc", {}, ": neither a modality nor a kind is called so; allowed: "),
        ("augmentation", "standard", ": 'standard' is not a mapping; choose one with augmentation/KIND=NAME"),
        ("augmentation.imag", {}, ": neither a modality nor a kind is called so; did you mean 'image'? allowed: "),
        ("augmentation.picture", "standard", ": 'standard' is not a part; did you mean augmentation/image@augmentation.picture=standard?"),
        ("augmentation.image._target_", "mmtrain.augmentation.audio.Standard", ": 'mmtrain.augmentation.audio.Standard' is not a part of "),
        ("mixing", "mixup", ": 'mixup' is not a part; did you mean mixing=mixup?"),
        ("data.modalities.two words", {}, ": 'two words' cannot be a name; use letters, digits and _"),
        ("tasks.1st", {}, ": '1st' cannot be a name; use letters, digits and _, and begin with a letter"),
        ("tasks.fused", {}, ": 'fused' is the name of the joined view; choose another name"),
        ("data.modalities.fused", {}, ": 'fused' is the name of the joined view; choose another name"),
        ("tasks", {}, ": none is given; add one with task@tasks.NAME=..."),
        ("tasks", ['shape'], ": ['shape'] is not a mapping; add one with task@tasks.NAME=..."),
        ("data.modalities", {}, ": none is given; add one with modality@data.modalities.NAME=..."),
        ("fusion._target_", "mmtrain.fusion.Concta", ": 'mmtrain.fusion.Concta' is not there; did you mean 'mmtrain.fusion.Concat'? "),
        ("fusion._target_", "mmtrain.task.Binary", ": 'mmtrain.task.Binary' is not a part of mmtrain.fusion;"),
        ("fusion._target_", "mmtrain.fusion.concat.Concat", ": 'mmtrain.fusion.concat.Concat' is not a part of mmtrain.fusion;"),
        ("fusion._target_", "mmtrain.cli.os.system", ": 'mmtrain.cli.os.system' is not a part of mmtrain.fusion; "),
        ("fusion._target_", "Concat", ": 'Concat' is not a part of mmtrain.fusion; "),
        ("fusion._target_", 3, ": 3 is not the name of a class"),
        ("fusion._target_", "os.system", ": 'os.system' is neither mmtrain's nor in a module that you trust; if it is yours: trust=[os]"),
        ("tasks.shape.loss._target_", "os.system", ": 'os.system' is neither mmtrain's nor in a module that you trust; "),
        ("data._target_", "mmtrain.source.Scene", ": 'mmtrain.source.Scene' is not there; did you mean 'mmtrain.source.Scenes'? "),
        ("encoder.video.image", "cnn", ": 'cnn' is not a part; did you mean encoder/image@encoder.video.image=cnn?"),
        ("encoder.video.image", "???", ": has to be chosen; encoder/image@encoder.video.image=NAME"),
        ("encoder.video.image._target_", "mmtrain.fusion.Sum", ": 'mmtrain.fusion.Sum' is not a part of mmtrain.encoder.image; "),
        ("encoder.video.image.chanels", 3, ": unknown key; did you mean 'channels'? allowed: "),
        ("encoder.video.image.channels", 0, ": 0 is not a whole number at least 1"),
        ("encoder.image._target_", "mmtrain.encoder.audio.CNN", ": 'mmtrain.encoder.audio.CNN' is not a part of mmtrain.encoder.image; "),
        ("data.modalities.tone.column", "tonne", ": this source has no column 'tonne'; did you mean 'tone'? "),
        ("tasks.shape.column", "caption", ": column 'caption' is an input too (data.modalities.caption.column);"),
        ("experiment", {'seed': 1}, ": the file that was chosen sets its keys under 'experiment'; its first line "),
    ],
)  # fmt: skip
def test_one_mistake(tree: Tree, where: str, value: Any, found: str) -> None:
    put(tree, where, value)
    assert [line for line in problems(tree) if line.startswith(where + found)], problems(tree)


def test_a_value_for_a_task_that_is_not_there(tree: Tree) -> None:
    put(tree, "tasks.shpe.weight", 2)
    fix = "did you mean 'shape'? else choose one with task@tasks.shpe=NAME, or leave it out with ~tasks.shpe"
    assert problems(tree) == [f"tasks.shpe: is half a part: it has no _target_; {fix}"]


@pytest.mark.parametrize(
    "line", ["seed: has to be given", "fusion: has to be chosen; fusion=NAME", "tasks: none is given", "data: has to be chosen; data=NAME"]
)
def test_a_key_that_is_left_out(tree: Tree, line: str) -> None:
    del tree[line.partition(":")[0]]
    assert [found for found in problems(tree) if found.startswith(line)]


@pytest.mark.parametrize(
    ("where", "line"),
    [
        (
            "tasks.shape",
            "tasks.shape: is half a part: it has no _target_; choose one with task@tasks.shape=NAME, or leave it out with ~tasks.shape",
        ),
        ("tasks.shape.loss", "tasks.shape.loss: is half a part: it has no _target_; choose one with loss@tasks.shape.loss=NAME"),
        ("fusion", "fusion: is half a part: it has no _target_; choose one with fusion=NAME"),
        ("data", "data: is half a part: it has no _target_; choose one with data=NAME"),
    ],
)
def test_half_a_part(tree: Tree, where: str, line: str) -> None:
    put(tree, f"{where}._target_", "???")
    assert line in problems(tree)


@pytest.mark.parametrize("group", ["data", "model", "experiment"])
def test_a_file_that_does_not_say_that_it_sets_the_whole_run(tree: Tree, group: str) -> None:
    tree[group] = {"data": {"name": "mine"}, "tasks": {}, "encoder": {}}
    [line] = problems(tree)
    assert line == f"{group}: the file that was chosen sets its keys under '{group}'; its first line has to be: # @package _global_"


def test_a_modality_without_an_encoder(tree: Tree) -> None:
    del tree["encoder"]["audio"]
    assert problems(tree) == [
        "data.modalities.tone: there is no encoder for it, neither encoder.tone nor encoder.audio; encoder/audio=NAME"
    ]


def test_an_encoder_by_name_serves_too(tree: Tree) -> None:
    tree["encoder"]["tone"] = tree["encoder"].pop("audio")
    assert list(check(tree, ()).encoder) == [*tree["encoder"]]


def test_a_fusion_of_two_modalities_says_so(tree: Tree) -> None:
    tree["fusion"] = {"_target_": "mmtrain.fusion.MLB"}
    found = "fusion: 'MLB' joins 2 modalities, and the data has 3: picture, caption, tone; leave some out with ~data.modalities.NAME"
    assert [line for line in problems(tree) if line.startswith(found)] == problems(tree)
    del tree["data"]["modalities"]["tone"]
    assert check(tree, ()).fusion["_target_"] == "mmtrain.fusion.MLB"


def test_augmentation_is_filled_in_and_may_be_left_out(tree: Tree) -> None:
    del tree["augmentation"]
    assert check(tree, ()).augmentation == {}
    for place in ("image", "picture", "tabular"):  # a kind, a modality, and a kind that no modality has
        kind = place.replace("picture", "image")
        put(tree, f"augmentation.{place}", {"_target_": f"mmtrain.augmentation.{kind}.Standard"})
    put(tree, "augmentation.picture.flip", 0)
    found = check(tree, ()).augmentation
    assert (found["image"]["flip"], found["picture"]["flip"], found["tabular"]["dropout"]) == (0.5, 0.0, 0.1)
    put(tree, "augmentation.picture.flip", 2)
    assert problems(tree) == ["augmentation.picture.flip: 2 is not a number at least 0 and at most 1"]


def test_all_mistakes_are_told_at_once(tree: Tree) -> None:
    mistakes: dict[str, Any] = {
        "seed": -1,
        "fusion.x": 1,
        "optimizer.lr": 0,
        "tasks.shape.column": "shap",
        "data.limit": 0,
        "tasks.shape.weight": "a",
    }
    for where, value in mistakes.items():
        put(tree, where, value)
    assert {line.partition(":")[0] for line in problems(tree)} == mistakes.keys()


def test_what_could_not_be_read_is_not_told_twice(tree: Tree) -> None:
    for where in ("optimizer.lr", "fusion", "data.name", "tasks.shape.column"):
        put(tree, where, UNKNOWN)
    tree["seed"] = -1
    assert [line.partition(":")[0] for line in problems(tree)] == ["seed"]


MINE = """
from mmtrain.option import Column, Count

class Smell:
    kind = "smell"
    def __init__(self, *, column: Column, frames: Count = 8): ...

class Kindless:
    def __init__(self, *, column: Column, frames: Count = 8): ...

class Nose:
    def __init__(self, spec, *, out_dim: Count = 16): ...

raise AssertionError("not to be imported")
"""


@pytest.fixture
def mine(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[Tree], None]:
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)

    def add(tree: Tree) -> None:
        tree["data"]["modalities"]["clip"] = {"_target_": "mine.Smell", "column": "picture"}

    return add


def test_a_trusted_part_with_a_kind_of_its_own(tree: Tree, mine: Callable[[Tree], None]) -> None:
    mine(tree)
    tree["encoder"]["smell"] = {"_target_": "mine.Nose"}
    run = check(tree, ["mine"])
    assert run.data["modalities"]["clip"] == {"_target_": "mine.Smell", "column": "picture", "frames": 8}
    assert run.encoder["smell"] == {"_target_": "mine.Nose", "out_dim": 16}


@pytest.mark.parametrize("encoder", ["audio.Cnn", "image.Cnn"])
def test_a_modality_called_like_another_kind(tree: Tree, encoder: str) -> None:
    """Encoders are looked up by name, then by kind: it would get the encoder of all modalities of the other kind."""
    tree["data"]["modalities"]["audio"] = tree["data"]["modalities"].pop("picture")
    tree["encoder"]["audio"] = {"_target_": f"mmtrain.encoder.{encoder}"}
    expected = "data.modalities.audio: a modality called 'audio' has to be of kind audio, and this one is of kind image; "
    assert problems(tree) == [f"{expected}rename it, for example audio_image"]


def test_a_modality_called_like_its_own_kind(tree: Tree) -> None:
    tree["data"]["modalities"]["image"] = tree["data"]["modalities"].pop("picture")
    assert check(tree, ()).data["modalities"]["image"]["_target_"] == "mmtrain.modality.ImageModality"


def test_a_trusted_modality_without_a_kind(tree: Tree, mine: Callable[[Tree], None]) -> None:
    mine(tree)
    tree["data"]["modalities"]["clip"]["_target_"] = "mine.Kindless"
    tree["encoder"]["clip"] = {"_target_": "mine.Nose"}
    assert problems(tree, ("mine",)) == ['data.modalities.clip: the class mine.Kindless declares no kind; write in its body: kind = "..."']


def test_a_trusted_part_is_checked_too(tree: Tree, mine: Callable[[Tree], None]) -> None:
    mine(tree)
    tree["data"]["modalities"]["clip"]["frames"] = 0
    assert problems(tree, ("mine",)) == [
        "data.modalities.clip.frames: 0 is not a whole number at least 1",
        "data.modalities.clip: there is no encoder for it, neither encoder.clip nor encoder.smell; encoder/smell=NAME",
    ]
