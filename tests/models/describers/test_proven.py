"""A text tells what the source marks, and of experts' findings those that are mostly right on real pictures."""

from pathlib import Path

import pytest

from models.describers.choosing import choose
from models.describers.composer import compose
from models.describers.proven import SURE, is_proven
from models.experts import registry as experts
from models.statements import Facts
from models.statements.table import table
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


def test_every_packaged_expert_has_a_record() -> None:
    """An expert without one would pass for one that a user added."""
    library = Path(experts.__file__).parent / "library"
    names = {path.stem for path in library.glob("*.toml")}
    assert names
    assert names == {one.expert for one in table().records}


@pytest.mark.parametrize(
    ("expert", "label", "told"),
    [
        ("microscopy-cells@1.0.0", "bright cell-like region", True),
        ("breast-echo@1.0.0", "hypoechoic region", True),
        ("ultrasound-echo@1.1.0", "hypoechoic region", False),
        ("mr-brain@3.0.0", "region brighter than the mirrored place", False),
        ("fundus-structures@3.0.0", "bright spot", False),
        ("a-users-own@1.0.0", "nodule", True),
    ],
)
def test_candidates_are_told_where_their_expert_is_known_to_be_right(expert: str, label: str, told: bool) -> None:
    """By its label; of a user's own expert the user answers."""
    region = candidate(expert=expert, label=label)
    assert is_proven(region) == told
    assert bool(choose(alone(region), proven=True).findings or choose(alone(region), proven=True).structures) == told


def test_what_is_not_proven_is_in_no_sentence_of_the_text() -> None:
    """Its measurements are told apart."""
    facts = alone(candidate(expert="mr-brain@3.0.0", label="hyperintense region within the brain"))
    for seed in SEEDS:
        description = compose(facts, seed)
        assert description.description == description.modality.text
        assert description.measurements


@pytest.mark.parametrize(("maximum", "told"), [(3.9, False), (5.0, True)])
def test_uptake_is_told_from_a_calibrated_bound(maximum: float, told: bool) -> None:
    """The usual liver has an SUV of up to 4."""
    region = candidate(expert="pet-uptake@2.0.0", label="high-uptake region")
    intensity = region.intensity.model_copy(update={"maximum": maximum, "unit": "SUVbw"})
    assert is_proven(region.model_copy(update={"intensity": intensity})) == told


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


def test_sure_is_the_lower_end_of_an_interval() -> None:
    """All of nine may still be three in ten wrong; of none nothing is sure."""
    assert table().record("mr-composite@1.0.0", "hyperintense region within the brain").sure < SURE  # pyright: ignore[reportOptionalMemberAccess]
    assert table().record("ct-lung@1.0.0", "soft-tissue region within the lungs").sure == 0  # pyright: ignore[reportOptionalMemberAccess]
