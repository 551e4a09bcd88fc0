"""What is told of uptake, and that the kind of an image stands in one sentence with what it shows."""

import re

import pytest

from models.describers.composer import compose
from models.experts.phantoms import draw
from models.statements import Facts, judge
from schemas.images import Orientation, SourceAnnotation
from schemas.regions import Axis, Intensity, Region
from schemas.shapes import Box
from tests.models.describers.test_sides_and_crowds import SEEDS, film, marked

RIGHT, LEFT = 0.3, 0.7
"""Along the axis towards the patient's left."""


def uptake(*areas: tuple[float, float, float], source: bool = False) -> Facts:
    """A PET slice with an area of uptake for each of: place across, SUVmax, how many times its surroundings."""
    side = draw("PET", seed=1).values.shape[1]
    boxes = [
        Box(x=int(part * side), y=int((0.4 + n / 9) * side), width=9, height=9) for n, (part, *_) in enumerate(areas)
    ]
    facts = marked("PET", *(SourceAnnotation(label="high-uptake region", box=one) for one in boxes))

    def measured(region: Region, part: float, peak: float, times: float) -> Region:
        assert region.place is not None
        assert region.contrast is not None
        axes = (
            Axis(towards="patient left", fraction=part, third="middle"),
            Axis(towards="posterior", fraction=0.5, third="middle"),
        )
        around = Intensity(mean=1.0, standard_deviation=0.3, minimum=0.2, maximum=2.0, unit="SUVbw")
        return region.model_copy(
            update={
                "kind": "source annotation" if source else "candidate", "expert": "pet-uptake@2.0.0",
                "place": region.place.model_copy(update={"axes": axes}), "surroundings": around,
                "intensity": region.intensity.model_copy(
                    update={"mean": times, "maximum": peak, "unit": "SUVbw", "standard_deviation": 0.5}
                ),
                "contrast": region.contrast.model_copy(update={"contrast_to_noise": (times - 1) / 0.3}),
            }
        )  # fmt: skip

    regions = tuple(measured(one, *area) for one, area in zip(facts.grounding.regions, areas, strict=True))
    metadata = facts.metadata.model_copy(update={"orientation": Orientation(right="patient left", down="posterior")})
    return Facts(metadata, facts.grounding.model_copy(update={"regions": regions}), (), facts.rows, facts.columns)


@pytest.mark.parametrize(
    ("peak", "times", "told"),
    [
        (6.0, 4.0, True),
        (62.0, 9.0, True),
        (4.5, 4.0, False),  # below what a liver's noise may reach
        (6.0, 2.0, False),  # no higher than a liver stands above what lies around it
    ],
)
def test_uptake_is_told_with_its_side_and_how_high_it_is_where_anyone_sees_it(
    peak: float, times: float, told: bool
) -> None:
    """By its means within and around it; no number of SUV is told, which a heart's would be as well."""
    facts = uptake((LEFT, peak, times))
    for seed in SEEDS:
        text = compose(facts, seed).description
        assert ("high uptake" in text) == told, text
        if told:
            assert re.search(r"on the patient's left|in the left half", text)
            assert re.search(r"(?:about|roughly) (?:four|eight|ten) times as active as", text), text
            assert not re.search("SUV|found automatically", text)
            assert text.count(".") == 1, "the kind of image stands in the same sentence"


def test_uptake_beyond_ten_times_is_told_with_its_side_alone() -> None:
    """There is no round number for it, and the sentence stands without one."""
    for seed in SEEDS:
        text = compose(uptake((LEFT, 62.0, 30.0)), seed).description
        assert re.search(r"high uptake.*(?:on the patient's left|in the left half)", text, re.IGNORECASE), text
        assert "times" not in text


def test_uptake_on_both_sides_is_told_together() -> None:
    """Two kidneys one by one would read as two finds; a ring in two pieces is one."""
    for seed in SEEDS:
        both = compose(uptake((LEFT, 8.0, 4.0), (RIGHT, 7.0, 4.0)), seed).description
        assert re.search(r"two (?:areas|regions) of high uptake.*, one on (?:each|either) side\.", both), both
        ring = compose(uptake((LEFT, 8.0, 4.0), (LEFT + 0.1, 7.0, 4.0)), seed).description
        assert re.search(r"\ban? (?:area|region) of high uptake", ring, re.IGNORECASE), ring
        assert "two" not in ring.split("times")[0].replace("two and a half", "")


def test_beside_fainter_ones_those_that_stand_out_are_not_counted() -> None:
    """How many an expert outlined in all tells nothing of the two that are seen."""
    for seed in SEEDS:
        text = compose(uptake((LEFT, 8.0, 4.0), (RIGHT, 7.0, 4.0), (LEFT, 3.0, 1.5)), seed).description
        assert re.search(r"(?:areas|regions) of high uptake.*(?:both sides|bilaterally)", text, re.IGNORECASE), text
        assert not re.search(r"\b(?:two|three)\b", text)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("An area of high uptake is about four times as active as its surroundings.", "supported"),
        ("The area of high uptake is about four times as active as the surrounding tissue.", "supported"),
        ("An area of high uptake is about nine times as active as its surroundings.", "contradicted"),
        ("Both areas of high uptake are about four times as active as their surroundings.", "contradicted"),
        ("An area of high uptake lies on the patient's left, four times as active as its surroundings.", "supported"),
        (
            "An area of high uptake lies on the patient's right, four times as active as its surroundings.",
            "contradicted",
        ),
    ],
)
def test_how_high_one_of_several_is_is_read(text: str, outcome: str) -> None:
    """ "An area of high uptake" may be either; what is said of it must all be so of the same one."""
    assert judge(text, uptake((LEFT, 8.0, 4.0), (RIGHT, 7.0, 2.0))).verdict.outcome == outcome


def test_the_kind_of_a_film_stands_in_one_sentence_with_what_its_lungs_show() -> None:
    """By itself it tells nothing; nor is what it shows told twice."""
    for seed in SEEDS:
        text = compose(film(28, mean=0.8, darkest=0.7), seed).description
        first, *rest = re.split(r"(?<=\.) ", text)
        assert re.match(r"On (?:a|this) .*, the lung field", first), text
        assert [("whiter" in one) for one in rest] == [True], text
        assert judge(first, film(28, mean=0.8, darkest=0.7)).verdict.outcome == "supported"


def test_findings_are_told_in_the_sentence_of_the_kind_of_image() -> None:
    """Whatever the seed."""
    facts = marked("endoscopy", SourceAnnotation(label="polyp", box=Box(x=60, y=100, width=60, height=50)))
    for seed in SEEDS:
        assert "polyp" in compose(facts, seed).description.split(". ")[0]


def nuclei(found: int, marks: int = 0) -> Facts:
    """A section in which an expert found so many nuclei, and the source marked some."""
    side = draw("histopathology", seed=1).values.shape[1] // 32
    boxes = [Box(x=(n % 8) * 4 * side, y=(n // 8) * 4 * side, width=2 * side, height=2 * side) for n in range(found)]
    facts = marked("histopathology", *(SourceAnnotation(label="nucleus-like region", box=one) for one in boxes))
    regions = tuple(
        one.model_copy(update={"label": "nucleus"})
        if n < marks
        else one.model_copy(update={"kind": "candidate", "expert": "histo-nuclei@4.0.0"})
        for n, one in enumerate(facts.grounding.regions)
    )
    return Facts(facts.metadata, facts.grounding.model_copy(update={"regions": regions}), (), facts.rows, facts.columns)


@pytest.mark.parametrize(("found", "marks", "told"), [(20, 0, True), (20, 1, True), (16, 1, False), (4, 0, False)])
def test_many_nuclei_are_told_though_none_is_marked(found: int, marks: int, told: bool) -> None:
    """Of the rule's nuclei most are some; where it found few, a text says nothing of their number."""
    for seed in SEEDS:
        text = compose(nuclei(found, marks), seed).description
        assert bool(re.search(r"\b(?:many|numerous) nuclei", text, re.IGNORECASE)) == told, text
