"""An encoder that mixes tokens, before a fusion that is to do all the mixing, is told before torch is imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from mmtrain.config import load
from mmtrain.config.light import check_light
from mmtrain.config.run import Node

MINE = """
class Smell:
    kind = "smell"

class Nose: ...

class Nostril:
    light: ClassVar[bool] = True

class Whole:
    light_encoders: ClassVar[bool] = True

raise AssertionError("not to be imported")
"""
EARLY = "mmtrain.fusion.Early"
KINDS = {"picture": "mmtrain.modality.ImageModality", "back": "mmtrain.modality.ImageModality", "tone": "mmtrain.modality.AudioModality"}
TAKES = "is not light, and 'Early' takes encoders that leave all mixing of tokens to it"


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "mine_light.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    return "mine_light"


def told(encoders: dict[str, str], *, fusion: str = EARLY, modalities: dict[str, str] = KINDS, trust: tuple[str, ...] = ()) -> list[str]:
    def nodes(targets: dict[str, str]) -> dict[str, Node]:
        return {name: {"_target_": target} for name, target in targets.items()}

    return [str(problem) for problem in check_light({"_target_": fusion}, nodes(modalities), nodes(encoders), trust)]


def test_light_encoders() -> None:
    assert told({"image": "mmtrain.encoder.image.Patches", "audio": "mmtrain.encoder.audio.Embedding"}) == []


def test_a_line_an_encoder() -> None:
    """Though two modalities use it."""
    assert told({"image": "mmtrain.encoder.image.CNN", "audio": "mmtrain.encoder.audio.Transformer"}) == [
        f"encoder.image: 'CNN' {TAKES}; encoder/image=embedding, or model=fusion_early",
        f"encoder.audio: 'Transformer' {TAKES}; encoder/audio=embedding, or model=fusion_early",
    ]


def test_only_what_is_used_counts() -> None:
    """A name goes before a kind."""
    encoders = {"video": "mmtrain.encoder.video.Frames", "image": "mmtrain.encoder.image.Patches", "audio": "mmtrain.encoder.audio.CNN"}
    encoders |= {"back": "mmtrain.encoder.image.ViT", "tone": "mmtrain.encoder.audio.Embedding"}
    assert told(encoders) == [f"encoder.back: 'ViT' {TAKES}; encoder/image@encoder.back=embedding"]


def test_other_fusions_take_any() -> None:
    assert told({"image": "mmtrain.encoder.image.CNN"}, fusion="mmtrain.fusion.SingleStream") == []


def test_parts_of_the_users_own(mine: str) -> None:
    modalities, fusion = {"air": "mine_light.Smell", "picture": KINDS["picture"]}, "mine_light.Whole"
    light = {"image": "mmtrain.encoder.image.Patches", "smell": "mine_light.Nostril"}
    assert told(light, fusion=fusion, modalities=modalities, trust=(mine,)) == []
    fix = "if it mixes none, write in its class: light: ClassVar[bool] = True; else choose another with encoder/smell=NAME"
    found = f"encoder.smell: 'Nose' {TAKES.replace('Early', 'Whole')}; {fix}"
    assert told({**light, "smell": "mine_light.Nose"}, fusion=fusion, modalities=modalities, trust=(mine,)) == [found]


def test_what_is_no_part_has_been_told() -> None:
    assert check_light({}, {"picture": {}}, {}, ()) == []
    assert check_light({"_target_": EARLY}, {"picture": {}, "tone": {"_target_": KINDS["tone"]}}, {"audio": {}}, ()) == []


def test_one_of_them_may_be_chosen_by_name() -> None:
    words = ["fusion=early", "encoders=embedding", "+encoder/image@encoder.picture=patches", "encoder.picture.patch=4"]
    assert load(words).config.encoder["picture"]["patch"] == 4


def test_torch_is_not_imported() -> None:
    code = "import sys; from mmtrain.cli import main; print(main(sys.argv[1:]), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, "train", "fusion=early"], capture_output=True, text=True, check=True)
    assert done.stdout == "2 False\n"
    assert done.stderr.splitlines()[:2] == [
        f"error: encoder.image: 'CNN' {TAKES}; encoder/image=embedding, or model=fusion_early",
        f"error: encoder.text: 'GRU' {TAKES}; encoder/text=embedding, or model=fusion_early",
    ]
