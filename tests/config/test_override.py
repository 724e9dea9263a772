from pathlib import Path

import pytest

from mmtrain.config.catalog import Catalog
from mmtrain.config.override import jobs, sort_words, values
from mmtrain.errors import ConfigError


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    for name in (
        "data/scenes",
        "fusion/concat",
        "fusion/sum",
        "encoder/image/cnn",
        "loss/focal",
        "task/binary",
        "experiment/mine",
        "experiment/more",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.yaml").touch()
    return Catalog(tmp_path)


@pytest.mark.parametrize(
    ("word", "key", "text"),
    [
        ("fusion=sum", "fusion", "fusion=sum"),
        ("+fusion=sum", "fusion", "+fusion=sum"),
        ("++fusion=sum", "fusion", "fusion=sum"),
        ("encoder/image=cnn", "encoder/image", "encoder/image=cnn"),
        ("+encoder/image@encoder.back=cnn", "encoder/image@encoder.back", "+encoder/image@encoder.back=cnn"),
        ("loss@tasks.digit.loss=focal", "loss@tasks.digit.loss", "loss@tasks.digit.loss=focal"),
        ("~task@tasks.digit", "~task@tasks.digit", "~task@tasks.digit"),
        ("~fusion=sum", "~fusion", "~fusion=sum"),
        ("experiment=[mine,more]", "experiment", "experiment=[mine,more]"),
    ],
)
def test_choices_of_a_group_stay_as_they_are(catalog: Catalog, word: str, key: str, text: str) -> None:
    words = sort_words([word], catalog)
    assert words.choices == {key: text}
    assert (words.values, words.problems) == ([], [])


@pytest.mark.parametrize("word", ["optimizer.lr=1", "+optimizer.lr=1", "++optimizer.lr=1"])
def test_values_may_name_any_key(catalog: Catalog, word: str) -> None:
    [override] = sort_words([word], catalog).values
    assert (override.key_or_group, override.value()) == ("optimizer.lr", 1)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("a.b=[1,2]", [1, 2]),
        ("a.b={c: 1}", {"c": 1}),
        ("fusion={dropout: 0.1}", {"dropout": 0.1}),
        ("a.b='x,y'", "x,y"),
        ("a.b=${c.d}", "${c.d}"),
        ("a.b=", ""),
        ("hydra.run.dir=out", "out"),
    ],
)
def test_values_of_any_form(catalog: Catalog, word: str, value: object) -> None:
    [override] = sort_words([word], catalog).values
    assert override.value() == value


@pytest.mark.parametrize("value", ["/daten/Jürgen/a (b)", "né à", "a)b", 'say "x" (y)', "C:\\\\x(1)", "a=b(c)", "#1"])
def test_a_value_that_hydra_cannot_read_is_put_in_quotes(catalog: Catalog, value: str) -> None:
    words = sort_words([f"data.root={value}"], catalog)
    assert words.problems == []
    assert values([f"data.root={value}"]) == {"data.root": value}


def test_of_two_choices_the_later_one_counts(catalog: Catalog) -> None:
    assert sort_words(["fusion=sum", "+fusion=concat"], catalog).choices == {"fusion": "+fusion=concat"}


def test_keys_are_left_out(catalog: Catalog) -> None:
    found = sort_words(["~tasks.speaker", "~data.modalities.audio"], catalog).values
    assert [(override.key_or_group, override.is_delete()) for override in found] == [
        ("tasks.speaker", True),
        ("data.modalities.audio", True),
    ]


def test_no_experiment_is_no_choice(catalog: Catalog) -> None:
    words = sort_words(["experiment=null"], catalog)
    assert (words.choices, words.values, words.problems) == ({}, [], [])


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("fusion=summ", "fusion: 'summ' is not a choice; did you mean 'sum'? allowed: concat, sum"),
        ("+fusion=summ", "fusion: 'summ' is not a choice; did you mean 'sum'? allowed: concat, sum"),
        ("fusion=null", "fusion: null is not a choice; allowed: concat, sum"),
        ("fusion=3", "fusion: 3 is not a choice; allowed: concat, sum"),
        ("~fusion=summ", "fusion: 'summ' is not a choice; did you mean 'sum'? allowed: concat, sum"),
        ("experiment=[mine,moer]", "experiment: 'moer' is not a choice; did you mean 'more'? allowed: mine, more"),
        ("loss@tasks.digit.loss=fcal", "loss@tasks.digit.loss: 'fcal' is not a choice; did you mean 'focal'? allowed: focal"),
        ("encodr/image=cnn", "encodr/image=cnn: there is no group 'encodr/image'; did you mean 'encoder/image'? allowed: data, "),
        ("los@tasks.digit.loss=focal", "los@tasks.digit.loss=focal: there is no group 'los'; did you mean 'loss'? allowed: data, "),
        ("seed=1,2", "seed: several values, 1,2; add -m to train once with each"),
        ("fusion=sum,concat", "fusion: several values, sum,concat; add -m to train once with each"),
        ("seed=range(1,3)", "seed: several values, range(1,3); add -m to train once with each"),
        ("hydra.run.dri=x", "hydra.run.dri: is not used; did you mean 'hydra.run.dir'? allowed: hydra.run.dir, hydra.sweep.dir"),
        ("hydra/launcher=joblib", "hydra/launcher: is not used; allowed: hydra.run.dir, hydra.sweep.dir"),
        ("fusion_sum", "fusion_sum: cannot be read; write KEY=VALUE"),
        ("a=[b(c", "a=[b(c: cannot be read; put a value with special characters in quotes, inside those of the shell: 'key=\"a (b), c\"'"),
    ],
)
def test_a_word_that_cannot_be_followed(catalog: Catalog, word: str, line: str) -> None:
    words = sort_words([word, "seed=7"], catalog)
    [problem] = words.problems
    assert str(problem).startswith(line)
    assert (words.choices, [override.key_or_group for override in words.values]) == ({}, ["seed"])


def test_a_sweep_becomes_every_combination() -> None:
    assert jobs(["fusion=concat,sum", "~tasks.x", "seed=range(0,2)", "a='x,y'"]) == [
        [f"fusion={fusion}", "~tasks.x", f"seed={seed}", "a='x,y'"] for fusion in ("concat", "sum") for seed in (0, 1)
    ]


def test_no_list_is_a_sweep_of_one() -> None:
    assert jobs(["seed=1"]) == [["seed=1"]]
    assert jobs([]) == [[]]


@pytest.mark.parametrize(
    ("word", "found"), [("a=interval(0,1)", "cannot be swept"), ("hydra.run.dir=a,b", "cannot be swept"), ("foo", "cannot be read")]
)
def test_what_cannot_be_swept(word: str, found: str) -> None:
    with pytest.raises(ConfigError) as caught:
        jobs([word, "bar"])
    assert [str(problem).partition(";")[0] for problem in caught.value.problems] == [f"{word}: {found}", "bar: cannot be read"]


def test_values_for_an_earlier_run() -> None:
    assert values(["training.epochs=3", "+data.root=/a b", "optimizer.lr=3e-4"]) == {
        "training.epochs": 3,
        "data.root": "/a b",
        "optimizer.lr": 3e-4,
    }


@pytest.mark.parametrize("word", ["~tasks.x", "encoder/image=cnn", "loss@tasks.x.loss=focal", "seed=1,2"])
def test_only_values_can_change_in_an_earlier_run(word: str) -> None:
    with pytest.raises(ConfigError, match="only values of an earlier run can be changed; write KEY=VALUE"):
        values([word])


def test_trust_is_no_value_of_an_earlier_run() -> None:
    with pytest.raises(ConfigError, match=r"trust=\[os\]: a run folder's trust is not an override; use --trust MODULE"):
        values(["trust=[os]"])
