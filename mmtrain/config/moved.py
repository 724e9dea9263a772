"""What moves the contents of a picture, before tasks whose targets are places in it: classes declare it, which is read and not imported."""

from collections.abc import Iterator, Mapping, Sequence

from mmtrain.config.run import Node
from mmtrain.config.signature import signature
from mmtrain.errors import Problem


def check_moved(
    tasks: Mapping[str, Node], modalities: Mapping[str, Node], augmentation: Mapping[str, Node], mixing: Node, trust: Sequence[str]
) -> list[Problem]:
    """Augmentation and mixing that would part pictures from their targets.

    Such tasks say `places: ClassVar[bool] = True`; parts that may move contents say by the class constant `still` with which values of
    their options they do not.
    """
    problems = []
    for task, modality in _placed(tasks, trust):
        kind = signature(modalities[modality]["_target_"], "", trust).constants.get("kind") if modalities.get(modality) else None
        place = modality if modality in augmentation else kind
        for where, part in ((f"augmentation.{place}", augmentation.get(str(place), {})), ("mixing", mixing)):
            moving = _moving(part, trust)
            if moving:
                found = f"'{part['_target_'].rpartition('.')[2]}' moves what '{modality}' shows, and not the targets of tasks.{task}"
                problems.append(Problem(where, found, f"set {' '.join(f'{where}.{option}={value}' for option, value in moving.items())}"))
    return problems


def _placed(tasks: Mapping[str, Node], trust: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The tasks whose targets are places, and the modality that these lie in."""
    for task, node in tasks.items():
        if node and signature(node["_target_"], "", trust).constants.get("places") is True and isinstance(node.get("modality"), str):
            yield task, node["modality"]


def _moving(part: Node, trust: Sequence[str]) -> dict[str, float]:
    """The options that would have to change, each with the value that moves nothing."""
    still = signature(part["_target_"], "", trust).constants.get("still") if part else None
    return {option: value for option, value in still.items() if part.get(option) != value} if isinstance(still, dict) else {}
