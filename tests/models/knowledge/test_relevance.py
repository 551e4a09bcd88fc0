"""What is found for what real images name stays what was judged to be relevant.

relevance.jsonl: one line for each set of facts that real images gave (what their sources say and mark, what the experts
found; no measurements), how many distinct images gave it (slices of one volume are one), and the passages found, each
with a grade by this rule:

2  it is about a thing that the image names, on this modality and organ, and explains it
1  it fits the image, but explains one of several things that the named may be, or only how such images are made
0  it is of another modality, view, plane or organ, or about something that is not named
"""

import json
from pathlib import Path
from typing import Any

import pytest
from test_query import intensity, region

from models.knowledge import EmbeddedKnowledge, find, questions, quotable
from schemas.images import ImageMetadata
from schemas.knowledge import FoundPassage
from schemas.regions import Grounding

FACTS: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("relevance.jsonl").read_text().splitlines()
]


def found_for(base: EmbeddedKnowledge, facts: dict[str, Any]) -> tuple[FoundPassage, ...]:
    """What is found for facts: of regions their labels and order, without measurements."""
    told = ("modality", "organ", "disease", "view", "plane", "contrast_agent")
    metadata = ImageMetadata(source_format="PNG", **{name: facts.get(name) for name in told})
    regions = [
        region(label, (0, 0), unit="stored value", number=number, area=1000 - number, kind=kind)
        for number, (label, kind) in enumerate(
            [(label, "source annotation") for label in facts.get("marked", ())]
            + [(label, "candidate") for label in facts.get("candidates", ())],
            start=1,
        )
    ] or [region("whole image", (0, 0), unit="stored value")]
    grounding = Grounding(regions=tuple(regions), intensity=intensity(0, 1, "stored value"))
    return find(base, questions(metadata, grounding, facts["channels"]))


@pytest.mark.parametrize("facts", FACTS, ids=lambda facts: f"{facts['modality']}-{facts['images']}")
def test_nothing_ungraded_is_found(starter: EmbeddedKnowledge, facts: dict[str, Any]) -> None:
    """Every passage that is found was judged for these facts, and none is of another modality or view."""
    found = [passage.passage_id for passage in found_for(starter, facts)]
    assert set(found) <= set(facts["passages"]), "grade what is new, by the rule above"
    assert 0 not in [facts["passages"][name] for name in found]


def test_most_of_what_is_found_explains(starter: EmbeddedKnowledge) -> None:
    """At least 85 % of the passages, over all images, have grade 2, and so has what would be quoted first."""
    grades: list[int] = []
    quoted: list[int] = []
    for facts in FACTS:
        found = found_for(starter, facts)
        grades += [facts["passages"][passage.passage_id] for passage in found] * facts["images"]
        first = next((found[place].passage_id for place, _ in quotable(found)), None)
        quoted += [facts["passages"][first]] * facts["images"] if first else []
    assert sum(facts["images"] for facts in FACTS) >= 120
    assert sum(grade == 2 for grade in grades) / len(grades) >= 0.85
    assert sum(grade == 2 for grade in quoted) / len(quoted) >= 0.85
