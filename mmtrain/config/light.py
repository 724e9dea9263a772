"""The encoders before a fusion that leaves no mixing of tokens to them: both classes declare it, which is read and not imported."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmtrain.config.run import Node
from mmtrain.config.signature import signature
from mmtrain.errors import Problem


def check_light(fusion: Node, modalities: Mapping[str, Node], encoders: Mapping[str, Node], trust: Sequence[str]) -> list[Problem]:
    """Encoders in use that do not say `light: ClassVar[bool] = True`, where the fusion says `light_encoders` in the same way."""
    if _declared(fusion, "light_encoders", trust) is not True:
        return []
    kinds = {name: _declared(modality, "kind", trust) for name, modality in modalities.items()}
    used = {name if name in encoders else kind: kind for name, kind in kinds.items()}  # by place: two modalities may use one
    problems = []
    for place, kind in used.items():
        encoder = encoders.get(place, {})
        if encoder and _declared(encoder, "light", trust) is not True:
            found = f"'{_name(encoder)}' is not light, and '{_name(fusion)}' takes encoders that leave all mixing of tokens to it"
            problems.append(Problem(f"encoder.{place}", found, _lighter(place, kind, encoder)))
    return problems


def _declared(part: Node, constant: str, trust: Sequence[str]) -> Any:
    """What a part's class says of itself; None where it says nothing, or is no part."""
    return signature(part["_target_"], "", trust).constants.get(constant) if part else None


def _name(part: Node) -> str:
    return str(part["_target_"].rpartition(".")[2])


def _lighter(place: str, kind: str, encoder: Node) -> str:
    """What to do about an encoder that is not light; one of the user's own may be, without saying so."""
    choose = f"encoder/{kind}" if place == kind else f"encoder/{kind}@encoder.{place}"
    if encoder["_target_"].split(".")[0] != "mmtrain":
        return f"if it mixes none, write in its class: light: ClassVar[bool] = True; else choose another with {choose}=NAME"
    return f"{choose}=embedding, or model=fusion_early" if place == kind else f"{choose}=embedding"
