"""The figures as one HTML file, which needs nothing beside it."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from mmtrain.inspection.document import document, section, table
from mmtrain.subsets.curve import curve
from mmtrain.subsets.tables import KEY, titled


def page(content: Mapping[str, Any], notes: Sequence[str]) -> str:
    """The whole file as text; `content` is that of subsets.json."""
    (first, heads, subsets), (second, _, shares) = titled(content)
    skills = {"mean skill": [found["skill"] for found in content["shares"]]}
    if len(content["metrics"]) > 1:
        skills |= {task: [found["tasks"][task]["skill"] for found in content["shares"]] for task in content["metrics"]}
    drawn = curve([found["share"] for found in content["shares"]], skills, x="share of cells taken away", y="skill")
    body = table(["share", *heads], ([name, *cells] for name, cells in shares))
    return document(
        f"{content['split']}: with fewer modalities",
        [
            section("Worth a look", "".join(f'<p class="warn">{escape(note)}</p>' for note in notes)),
            section("Subsets", f"<p>{escape(first)}</p>{table(['', *heads], ([name, *cells] for name, cells in subsets))}<p>{KEY}</p>"),
            section("Fewer and fewer cells", f"<p>{escape(second)}; skill is 0 for the constant answer, 1 for perfection</p>{drawn}{body}"),
        ],
    )
