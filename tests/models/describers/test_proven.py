"""A text tells what the source marks, and of experts' findings those that are mostly right on real pictures."""

import pytest

from models.describers.choosing import choose
from models.describers.composer import compose
from models.describers.proven import is_proven
from models.experts.manifest import read
from models.experts.packaged import LIBRARY
from models.statements import Facts
from models.statements.measures import SURE, is_sure
from schemas.expert_runs import ExpertRun, LabelPrecision, LookedFor
from schemas.regions import Region
from tests.models.statements.known_images import brain

SEEDS = "abcdef"


def candidate(**changes: object) -> Region:
    """A region of an expert's."""
    return brain().region("r1").model_copy(update={"kind": "candidate", "agreeing": (), **changes})


def alone(region: Region) -> Facts:
    """The head of which nothing else is known."""
    facts = brain()
    grounding = facts.grounding.model_copy(
        update={"regions": (region,), "relations": (), "continuations": (), "distributions": (), "experts": ()}
    )
    metadata = facts.metadata.model_copy(update={"disease": None})
    return Facts(metadata, grounding, (), facts.rows, facts.columns)


def turn(expert: str, label: str, precision: LabelPrecision | None) -> ExpertRun:
    """Of an expert that found one region."""
    told = (LookedFor(label=label, precision=precision),) if precision else ()
    return ExpertRun(expert=expert, outcome="regions", regions=1, looked_for=told)


def looked(region: Region, precision: LabelPrecision | None) -> Facts:
    """The head with one region, and the turn of the expert that found it."""
    facts = alone(region)
    runs = (turn(region.expert, region.label, precision),)
    grounding = facts.grounding.model_copy(update={"experts": runs})
    return Facts(facts.metadata, grounding, (), facts.rows, facts.columns)


def stated(name: str, label: str) -> LabelPrecision | None:
    """What the manifest of a packaged expert says of a label."""
    manifest, _ = read(LIBRARY / f"{name}.toml")
    return next((one.precision for one in manifest.looked_for if one.label == label), None)


@pytest.mark.parametrize(
    ("name", "label", "told"),
    [
        ("microscopy-cells", "bright cell-like region", True),
        ("breast-echo", "hypoechoic region", True),
        ("skin-colour", "region of other colour than the skin around it", True),
        ("mr-composite", "hyperintense region within the brain", False),  # all of nine: three in ten may be wrong
        ("ultrasound-echo", "hypoechoic region", False),
        ("mr-brain", "region brighter than the mirrored place", False),
        ("fundus-structures", "bright spot", False),
    ],
)
def test_candidates_are_told_where_their_expert_is_known_to_be_right(name: str, label: str, told: bool) -> None:
    """By the lower end of the interval that its manifest states."""
    facts = looked(candidate(expert=f"{name}@1.0.0", label=label), stated(name, label))
    chosen = choose(facts, proven=True)
    assert bool(chosen.findings or chosen.structures) == told


@pytest.mark.parametrize(("left", "told"), [(9, True), (3, False), (0, False)])
def test_a_skin_lesion_is_told_off_the_edges_of_its_picture(left: int, told: bool) -> None:
    """At them lie dark corners, which differ from skin as a lesion does."""
    label = "region of other colour than the skin around it"
    found = candidate(expert="skin-colour@1.0.0", label=label)
    moved = found.model_copy(update={"box": found.box.model_copy(update={"x": left, "width": 40})})
    assert bool(choose(looked(moved, stated("skin-colour", label)), proven=True).findings) == told


@pytest.mark.parametrize(("low", "told"), [(None, True), (SURE, True), (0.79, False)])
def test_of_a_users_expert_the_user_answers(low: float | None, told: bool) -> None:
    """Unless its manifest says that it is wrong too often."""
    said = None
    if low is not None:
        said = LabelPrecision(value=0.9, images=9, regions=9, interval=(low, 1.0), of="nine pictures")
    facts = looked(candidate(expert="a-users-own@1.0.0", label="nodule"), said)
    assert bool(choose(facts, proven=True).findings) == told


@pytest.mark.parametrize(("probability", "told"), [(None, True), (SURE, True), (0.79, False)])
@pytest.mark.parametrize("expert", ["microscopy-cells@1.0.0", "a-users-own@1.0.0"])
def test_a_region_that_is_too_likely_wrong_is_not_told(expert: str, probability: float | None, told: bool) -> None:
    """However often its expert is right: a calibrated score tells of this one."""
    region = candidate(expert=expert, label="bright cell-like region", probability=probability)
    facts = looked(region, LabelPrecision(value=0.9, images=9, regions=9, interval=(0.85, 0.95), of="nine pictures"))
    assert (is_proven(facts, region), is_sure(facts, region)) == (told, told)


@pytest.mark.parametrize(("name", "told"), [("breast-echo", True), ("endoscopy-light", False)])
def test_who_proposed_a_region_answers_for_it_and_not_who_outlined_it(name: str, told: bool) -> None:
    """An outline by a user's own expert, of what a packaged rule told: how often the rule was right counts."""
    label = {"breast-echo": "hypoechoic region", "endoscopy-light": "region lighter than the mucosa around it"}[name]
    region = candidate(expert="litemedsam@1.1.0", proposed_by=f"{name}@1.0.0", agreeing=(f"{name}@1.0.0",), label=label)
    facts = alone(region)
    runs = (turn("litemedsam@1.1.0", label, None), turn(f"{name}@1.0.0", label, stated(name, label)))
    assert (
        is_proven(Facts(facts.metadata, facts.grounding.model_copy(update={"experts": runs}), (), 9, 9), region) == told
    )


def test_what_is_not_proven_is_in_no_sentence_of_the_text() -> None:
    """Its measurements are told apart."""
    facts = alone(candidate(expert="mr-brain@3.0.0", label="hyperintense region within the brain"))
    for seed in SEEDS:
        description = compose(facts, seed)
        assert description.description == description.modality.text
        assert description.measurements


def test_beside_the_sources_finding_no_rules_finding_is_told() -> None:
    """It is how that one looks, or what the source has not seen; a user's own expert is heard."""
    facts = brain()
    mark = facts.region("r1")
    for expert, told in (("breast-echo@1.0.0", 1), ("a-users-own@1.0.0", 2)):
        other = mark.model_copy(
            update={
                "region_id": "r2", "kind": "candidate", "label": "hypoechoic region", "expert": expert, "agreeing": (),
                "mask": facts.region("r2").mask, "box": facts.region("r2").box, "area_px": facts.region("r2").area_px,
            }
        )  # fmt: skip
        grounding = facts.grounding.model_copy(update={"regions": (mark, other), "relations": (), "continuations": ()})
        chosen = choose(Facts(facts.metadata, grounding, (), facts.rows, facts.columns), proven=True)
        assert len(chosen.findings) == told
