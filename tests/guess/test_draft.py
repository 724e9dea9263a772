"""The text of the YAML: read again, it says what was meant."""

import pytest
import yaml
from omegaconf import OmegaConf

from mmtrain.guess import Guess, draft, plan
from mmtrain.guess.draft import comment, scalar

STRANGE = [
    *("a: b # c", "- x", "yes", "123", "1e3", "null", "'\"", "a\nb\tc", "größe", "😀", "${data.name}", "x${y", "{a}", "[b]", "*c", "&d"),
    *("!e", "%f", "@g", "`h`", " i ", "j\\", "\x7f\u0085", "~", "2024-01-01", "k, l", "m" * 200, "<<", "=", "\ufeff"),
]

WHOLE = """\
# @package _global_
# p.csv, 1,234 rows: from photo_front, text, facts; tasks: label.
# Guessed by `mmtrain init` from what the comments say; change what is wrong.
#   mmtrain train data=products
defaults:
  - /source@data: table
  - /modality@data.modalities.photo_front: image
  - /modality@data.modalities.text: text
  - /modality@data.modalities.facts: tabular
  - /task@tasks.label: binary
  - _self_
data:
  name: products
  root: "."  # from here
  train: p.csv
  val_fraction: 0.15
  modalities:
    photo_front:
      column: "photo: front"  # 20 paths
      height: 28
      width: 28
    text:
      column:
        - title  # 3 words on average
        - body  # 9 words on average
    facts:
      numeric:
        - weight  # from 0 to 2
      categorical:
        - "bränd"  # 3 different values
      dates:
        - day  # a day each
tasks:
  label:
    column: label  # by name; 2 different values
# Left out:
#   junk: all cells are 'x'
#   person id: ids that rows share; data.group keeps such rows on one side of a split by fraction
"""


@pytest.mark.parametrize("text", STRANGE)
def test_any_text_is_one_line_that_reads_back(text: str) -> None:
    written = scalar(text)
    assert len(written.splitlines()) == 1
    config = OmegaConf.create(yaml.safe_load(f"key: {written}\nlist:\n  - {written}  # said"))
    assert config.key == config["list"][0] == text


@pytest.mark.parametrize(
    ("value", "written"), [("plain_name", "plain_name"), (3, "3"), (0.15, "0.15"), (True, "true"), (["NA", "?"], "[NA, '?']")]
)
def test_plain_values_stay_plain(value: object, written: str) -> None:
    assert scalar(value) == written


def test_a_comment_is_one_line() -> None:
    assert comment("a\nb\r\x00 c") == "a b c"
    assert len(comment("x" * 500)) == 100


def test_the_whole_text() -> None:
    guesses = [
        Guess("id", "id", "every row has its own", 20),
        Guess("photo: front", "image", "20 paths", 20, {"height": 28, "width": 28}),
        Guess("title", "text", "3 words on average", 20),
        Guess("body", "text", "9 words on average", 20),
        Guess("weight", "number", "from 0 to 2", 20),
        Guess("bränd", "category", "3 different values", 3),
        Guess("day", "date", "a day each", 20),
        Guess("junk", "nothing", "all cells are 'x'", 1),
        Guess("person id", "group", "ids that rows share", 9),
        Guess("label", "category", "2 different values", 2),
    ]
    source = {"root": (".", "from here"), "train": ("p.csv", ""), "val_fraction": (0.15, "")}
    text = draft("products", "p.csv", 1234, source, plan(guesses, []), "mmtrain train data=products")
    assert text == WHOLE
