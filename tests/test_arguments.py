import pytest

from mmtrain.arguments import COMMANDS, Command, Flag
from mmtrain.errors import ConfigError

POT, FAST, HOT = Flag("--pot", "which", "NAME"), Flag("--fast", "hurry", short="-f"), Flag("--hot", "how", "HOW", choices=("low", "high"))
COMMAND = Command("cook", ("DISH", "[SPICE]"), "cook a dish", "Cook.", ("mmtrain cook soup",), (POT, FAST, HOT))
FEAST = Command("feast", ("PLACE", "[DISH...]"), "cook much", "Cook on.", ("mmtrain feast home",))


@pytest.mark.parametrize(
    ("words", "plain", "flags"),
    [
        (["soup"], ["soup"], {}),
        (["soup", "--pot", "big", "salt"], ["soup", "salt"], {"--pot": ["big"]}),
        (["--pot=a=b", "soup", "--pot", "-x"], ["soup"], {"--pot": ["a=b", "-x"]}),
        (["soup", "--hot", "low", "--hot=high"], ["soup"], {"--hot": ["low", "high"]}),
        (["-f", "soup", "--debug"], ["soup"], {"--fast": [""], "--debug": [""]}),
    ],
)
def test_flags_may_stand_anywhere(words: list[str], plain: list[str], flags: dict[str, list[str]]) -> None:
    assert COMMAND.parse(words) == (plain, flags)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "mmtrain cook: DISH is not given; usage: mmtrain cook DISH [SPICE]"),
        (["a", "b", "c"], "mmtrain cook: 'c' is one word too many; usage: mmtrain cook DISH [SPICE]"),
        (
            ["a", "--pto", "b"],
            "--pto: mmtrain cook has no such flag; did you mean '--pot'? allowed: --debug, --fast, --help, --hot, --pot",
        ),
        (["a", "--pot"], "--pot: NAME has to follow"),
        (
            ["a", "--fast=yes"],
            "--fast: mmtrain cook has no such flag; did you mean '--fast'? allowed: --debug, --fast, --help, --hot, --pot",
        ),
        (["a", "--hot", "hihg"], "--hot: 'hihg' is not a choice; did you mean 'high'? allowed: high, low"),
    ],
)
def test_words_that_do_not_fit(words: list[str], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        COMMAND.parse(words)
    assert str(caught.value) == line


def test_help_shows_usage_example_and_flags() -> None:
    assert COMMAND.help.splitlines() == [
        "usage: mmtrain cook DISH [SPICE] [FLAGS]",
        "",
        "Cook.",
        "",
        "  mmtrain cook soup",
        "",
        "--pot NAME  which",
        "-f, --fast  hurry",
        "--hot HOW   how",
        "--debug     show the traceback of an error",
        "-h, --help  show this and end",
    ]


def test_a_command_that_takes_any_number_of_words() -> None:
    assert FEAST.parse(["home"]) == (["home"], {})
    assert FEAST.parse(["home", "soup", "cake"]) == (["home", "soup", "cake"], {})
    with pytest.raises(ConfigError, match=r"^mmtrain feast: PLACE is not given; usage: mmtrain feast PLACE \[DISH\.\.\.\]$"):
        FEAST.parse([])


def test_commands_are_found_by_their_name() -> None:
    assert all(command.name == name for name, command in COMMANDS.items())
