"""Words that readers of earlier texts saw to mislead are written only where what is measured clearly bears them."""

from dataclasses import replace

import pytest

from models.describers.composer import compose
from models.statements import Facts
from models.statements import writing as w
from models.statements.voice import Voice
from schemas.images import ImageMetadata
from schemas.regions import Region, Term
from tests.models.statements.known_images import brain

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def marked(**changes: object) -> tuple[Facts, Region]:
    """The drawn brain with its tumour alone, changed."""
    facts = brain()
    region = facts.region("r1").model_copy(update=changes)
    grounding = facts.grounding.model_copy(update={"regions": (region,), "relations": (), "continuations": ()})
    return replace(facts, grounding=grounding), region


def facet(facts: Facts, region: Region, kind: str) -> w.Facet | None:
    voice = Voice("any")
    return w.facet(facts, region, kind, voice, w.name_of(facts, region.region_id, voice))


@pytest.mark.parametrize(
    ("solidity", "irregularity", "noise", "told"),
    [
        (0.968, 0.017, -1.7, True),  # a smooth tumour of BUS-UC
        (0.990, 0.000, 1.0, True),  # a polyp of Kvasir-SEG
        (0.920, 0.081, -1.7, False),  # lobulated
        (0.957, 0.047, -1.7, False),  # a trapezoid
        (0.998, 0.001, 0.4, False),  # an ellipse drawn about what the picture does not part from the skin
    ],
)
def test_oval_is_what_is_smooth_convex_and_stands_out(
    solidity: float, irregularity: float, noise: float, told: bool
) -> None:
    facts, region = marked()
    assert region.shape
    assert region.margin
    assert region.contrast
    oval = Term(aspect="shape", word="oval", measure="/shape/elongation")
    facts, region = marked(
        terms=(oval,),
        shape=region.shape.model_copy(update={"solidity": solidity}),
        margin=region.margin.model_copy(update={"irregularity": irregularity}),
        contrast=region.contrast.model_copy(update={"contrast_to_noise": noise}),
    )
    assert (facet(facts, region, "shape") is not None) == told


@pytest.mark.parametrize(
    ("area", "solidity", "irregularity", "told"),
    [
        (5704, 0.88, 0.14, True),  # a tumour of TCGA-LGG with arms
        (7903, 0.78, 0.13, True),  # a mass with a long tail
        (7803, 0.92, 0.07, False),  # two smooth lobes
        (5566, 0.92, 0.02, False),  # a polyp like a bean
        (200, 0.87, 0.2, False),  # steps of pixels
    ],
)
def test_irregular_is_what_has_bays_and_arms_that_are_seen(
    area: int, solidity: float, irregularity: float, told: bool
) -> None:
    _, region = marked()
    assert region.shape
    assert region.margin
    facts, region = marked(
        area_px=area,
        terms=(Term(aspect="shape", word="irregular", measure="/shape/solidity"),),
        shape=region.shape.model_copy(update={"solidity": solidity}),
        margin=region.margin.model_copy(update={"irregularity": irregularity}),
    )
    assert (facet(facts, region, "shape") is not None) == told


def test_no_uptake_is_told_of_a_slice_whose_regions_nobody_marked() -> None:
    """A heart and a kidney take up as much as a tumour: a number without a place reads as one."""
    facts, region = marked(kind="candidate", expert="pet-uptake@1", label="high-uptake region")
    intensity = facts.grounding.intensity.model_copy(update={"maximum": 14.2, "unit": "SUVbw"})
    region = region.model_copy(update={"intensity": region.intensity.model_copy(update={"maximum": 14.2})})
    grounding = facts.grounding.model_copy(update={"intensity": intensity, "regions": (region,)})
    metadata = ImageMetadata(source_format="DICOM", modality="PET", plane="axial")
    description = compose(replace(facts, metadata=metadata, grounding=grounding), "any").description
    assert "SUV" not in description
    assert not any(one.isdigit() for one in description)


@pytest.mark.parametrize(("sign", "told"), [(-1.0, True), (1.0, False)])
def test_nuclei_of_a_stained_section_are_never_brighter(sign: float, told: bool) -> None:
    """Stains darken them: a mark of something brighter is of something else."""
    _, region = marked()
    assert region.contrast
    changed = {name: sign * abs(value) for name, value in region.contrast if isinstance(value, float)}
    facts, region = marked(label="nucleus", contrast=region.contrast.model_copy(update=changed))
    facts = replace(facts, metadata=ImageMetadata(source_format="PNG", modality="histopathology"))
    assert (facet(facts, region, "level") is not None) == told


@pytest.mark.parametrize(("sharpness", "told"), [(0.05, True), (0.135, False)])
def test_a_margin_is_indistinct_where_hardly_any_of_it_is_sharp(sharpness: float, told: bool) -> None:
    facts, region = marked()
    assert region.margin
    term = Term(aspect="margin", word="indistinct", measure="/margin/sharpness")
    facts, region = marked(terms=(term,), margin=region.margin.model_copy(update={"sharpness": sharpness}))
    assert (facet(facts, region, "margin") is not None) == told


@pytest.mark.parametrize(("spread", "noise", "told"), [(0.16, 0.34, False), (0.3, 4.0, True)])
def test_homogeneous_is_what_varies_little_beside_its_contrast(spread: float, noise: float, told: bool) -> None:
    facts, region = marked()
    assert region.contrast
    contrast = region.contrast.model_copy(update={"standard_deviation_ratio": spread, "contrast_to_noise": noise})
    term = Term(aspect="texture", word="homogeneous", measure="/contrast/standard_deviation_ratio")
    facts, region = marked(terms=(term,), contrast=contrast)
    assert (facet(facts, region, "texture") is not None) == told


@pytest.mark.parametrize(("modality", "organ", "told"), [("MR", "brain", False), ("ultrasound", "breast", True)])
def test_how_a_mass_stands_is_told_of_sonograms_of_the_breast(modality: str, organ: str, told: bool) -> None:
    facts, region = marked()
    box = region.box.model_copy(update={"width": 2 * region.box.height})
    facts, region = marked(box=box, size=None)
    facts = replace(
        facts, metadata=ImageMetadata.model_validate({"source_format": "PNG", "modality": modality, "organ": organ})
    )
    assert (facet(facts, region, "upright") is not None) == told


def test_numbers_of_many_go_up_one_scale() -> None:
    assert [w.count(n) for n in (12, 13, 29, 30)] == ["twelve", "multiple", "multiple", "numerous"]


@pytest.mark.parametrize("label", ["vessel", "lung"])
def test_what_every_such_picture_shows_is_not_listed(label: str) -> None:
    facts, _ = marked(label=label, place=None)
    metadata = ImageMetadata(source_format="PNG", modality="fundus photography" if label == "vessel" else "X-ray")
    description = compose(replace(facts, metadata=metadata), "any")
    assert description.description == description.modality.text


def test_one_nucleus_that_is_outlined_in_a_field_of_many_is_not_told() -> None:
    facts, _ = marked(label="nucleus")
    metadata = ImageMetadata(source_format="PNG", modality="histopathology")
    for seed in "abcd":
        assert "nucle" not in compose(replace(facts, metadata=metadata), seed).description
