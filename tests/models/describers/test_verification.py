"""Verification: what is measured is supported, what is not is found, whatever the sentence around it looks like."""

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from drawn_images import drawn_image, plain_image

from models.describers import Composer
from models.describers.answer import Claim
from models.describers.facts import Facts
from models.describers.verification import verify
from schemas.knowledge import EnrichedImage
from schemas.triplets import Description, Statement


def region(number: int, label: str, position: str, mm2: float, mean: float, box: tuple[int, ...]) -> dict[str, Any]:
    x, y, width, height = box
    around = {"mean": -80.0, "spread": 40.0, "minimum": -200, "maximum": 90, "unit": "HU"}
    return {
        "region_id": f"r{number}", "label": label, "rule": "-", "expert": "test@1", "position": position,
        "mask": {"size": (8, 8), "counts": "PP1"}, "box": {"x": x, "y": y, "width": width, "height": height},
        "area_px": round(mm2 * 4), "area_mm2": mm2, "centroid": (x + width / 2, y + height / 2),
        "intensity": {"mean": mean, "spread": 12.5, "minimum": mean - 50, "maximum": mean + 50, "unit": "HU"},
        "surroundings": around,
    }  # fmt: skip


def scene(**metadata: Any) -> Facts:
    """A chest CT: r1 of air, upper left (the patient's right), with r3 in it; r2 of fat, lower right."""
    image = plain_image(
        **{
            "modality": "CT", "organ": "chest", "plane": "axial", "contrast_agent": True, "slice_thickness_mm": 5.0,
            "spacing": {"row_mm": 0.5, "column_mm": 0.5, "source": "PixelSpacing"},
        } | metadata,
    )  # fmt: skip
    right = "upper left of the image (patient's right, anterior)"
    left = "lower right of the image (patient's left, posterior)"
    regions = [
        region(1, "air-density region", right, 861.2, -850.0, (2, 2, 8, 6)),
        region(2, "fat-density region", left, 120.0, -95.5, (20, 14, 6, 4)),
        region(3, "air-density region", right, 30.0, -900.0, (3, 3, 2, 2)),
    ]  # fmt: skip
    relations = [
        {"subject": "r1", "predicate": "larger than", "object": "r2", "value": 7.18, "unit": "times the area"},
        {"subject": "r3", "predicate": "inside", "object": "r1", "value": 100.0, "unit": "% of its area"},
        {"subject": "r2", "predicate": "brighter than", "object": "r1", "value": 754.5, "unit": "HU"},
        {"subject": "r1", "predicate": "left of", "object": "r2", "value": 8.5, "unit": "mm between centroids"},
    ]
    whole = {"mean": -300.0, "spread": 400.0, "minimum": -1000, "maximum": 700, "unit": "HU"}
    grounding = image.grounding.model_validate({"regions": regions, "relations": relations, "intensity": whole})
    return Facts.of(image.model_copy(update={"grounding": grounding}))


CHEST = scene()
TRUE = (
    "This is an axial CT image of the chest.",
    "An axial computed tomography image measuring 30 × 20 px with a pixel spacing of 0.5 mm.",
    "A contrast-enhanced transverse CT of the thorax with a slice thickness of 5 mm.",
    "Three regions are outlined in this CT image.",
    "Two air-density regions and one fat-density region are outlined.",
    "Region r1 lies in the upper left of the image and covers 8.61 cm².",
    "Region r1, an air-density region, lies in the upper-left quadrant and has a mean of -850 HU.",
    "Region r2 is in the lower right of the image (patient's left, posterior).",
    "Region r2 lies on the patient's left and measures 120 mm2.",
    "r1 lies in the right half of the chest, which is the patient's right.",
    "The fat-density region r2 has an average of -95.5 Hounsfield units and a standard deviation of 12.5 HU.",
    "Region r3 has a lower mean than its surroundings, -900 against -80 HU.",
    "Region r2 is hypodense and more uniform than its surroundings.",
    "Region r1 is larger than region r2, with 7.18 times the area.",
    "Region r2 is smaller than region r1.",
    "Region r3 lies inside region r1, which encloses 100% of its area.",
    "Region r2 is brighter than region r1; their means differ by 754.5 HU.",
    "Region r2 lies to the right of region r1, their centroids 8.5 mm apart.",
    "Region r1 lies above region r2.",
    "The whole image has a mean of -300 HU.",
    "Region r2 covers 480 pixels.",
    "Several regions are outlined in the chest.",
)
CONTRADICTED = (
    ("This is an axial MR image of the chest.", "the modality is CT"),
    ("A chest radiograph.", "the modality is CT"),
    ("This is a coronal CT image.", "the plane is axial"),
    ("An axial CT of the brain.", "the source says chest"),
    ("A non-contrast CT image.", "contrast agent"),
    ("The CT image measures 512 × 512 px.", "30 × 20 px"),
    ("Two regions are outlined.", "there are 3 outlined regions"),
    ("Five air-density regions are outlined.", "there are 2 regions labelled"),
    ("A single fat-density region and three air-density regions are outlined.", "there are 2 regions"),
    ("Region r4 has a mean of -850 HU.", "there is no region r4"),
    ("Region r1 lies in the upper right of the image.", "r1 lies in the upper left"),
    ("Region r1 lies in the centre of the image.", "r1 lies in the upper left"),
    ("Region r1 lies in the upper left of the image (patient's left, anterior).", "r1 lies in the upper left"),
    ("Region r2 lies on the patient's right.", "patient's left"),
    ("Region r2 lies in the upper left of the image.", "r2 lies in the lower right"),
    ("Region r1 is posterior.", "anterior"),
    ("Region r1, a fat-density region, covers 8.61 cm².", "not labelled 'fat-density region'"),
    ("The regions are soft-density regions of the chest.", "no region has the label"),
    ("Region r1 covers 8.61 mm².", "8.61 mm² was not measured"),
    ("Region r1 covers 120 mm².", "120 mm² was not measured"),
    ("Region r1 covers 86.1 cm².", "86.1 cm² was not measured"),
    ("Region r2 has a mean of 95.5 HU.", "95.5 HU was not measured"),
    ("Region r2 has a mean of 12.5 HU.", "12.5 HU was not measured"),
    ("Region r2 has a mean of -300 HU.", "-300 HU was not measured"),
    ("Region r2 has a standard deviation of 40 HU beside 13 HU; region r1 has a mean of -95.5 HU.", "-95.5 HU"),
    ("Region r3 has a higher mean than its surroundings.", "-900 against -80"),
    ("Region r2 is more heterogeneous than its surroundings.", "12.5 against 40"),
    ("Region r2 is hyperdense.", "-95.5 against -80"),
    ("Region r2 is larger than region r1.", "r1 is larger than r2"),
    ("Region r1 is smaller than region r2.", "r1 is larger than r2"),
    ("Region r1 lies inside region r3.", "r3 is inside r1"),
    ("Region r1 is brighter than region r2.", "r2 is brighter than r1"),
    ("Region r1 lies to the right of region r2.", "r1 is left of r2"),
    ("Region r2 lies above region r1.", "not above"),
    ("Region r1 is similar in size to region r2.", "not similar in size to"),
    ("Region r1 is larger than region r2, with 3 times the area.", "3 times was not measured"),
    ("Region r1 and region r2 lie 25 mm apart.", "25 mm was not measured"),
    ("The pixel spacing is 1 mm.", "1 mm was not measured"),
    ("A CT image without a recorded pixel spacing.", "is recorded"),
    ("There are no outlined regions.", "there are 3 outlined regions"),
    ("The left lung holds region r1.", "the other one"),
)
UNSUPPORTED = (
    ("The image shows a vague pattern.", "nothing that was measured"),
    ("Region r1 of 8.61 cm² is a nodule.", "names 'nodule'"),
    ("Region r1 of 8.61 cm² suggests pneumonia.", "names 'pneumonia'"),
    ("The chest is normal on this CT image.", "says 'normal'"),
    ("Region r1 of 8.61 cm² has spiculated margins.", "says 'spiculated'"),
    ("An axial CT of the chest; the lung holds region r1.", "chest only"),
    ("Region r1 measures 3 cm × 2 cm.", "not measured"),
    ("Region r1 was seen at a tube voltage of 120 kV.", "nothing was measured that 120 kV could be"),
    ("Region r3 is darker than region r2 and bilateral.", "neither laterality nor orientation"),
    ("Region r1 is not larger than region r2.", "denies a relation"),
    ("As a passage says, “a lesion of 3 cm is a mass”, in this CT image.", "quotes what stands in no passage"),
    ("An anteroposterior CT image.", "does not tell the view"),
)  # fmt: skip


@pytest.mark.parametrize("text", TRUE)
def test_what_was_measured_is_supported(text: str) -> None:
    """In other words than the composer's, other units, either way round."""
    verdict = verify(text, ["/metadata/modality"], (), CHEST)
    assert verdict.outcome == "supported", verdict.reason
    assert verdict.reason == ""
    assert verdict.pointers
    assert set(verdict.pointers) <= set(CHEST.values)


@pytest.mark.parametrize(("text", "reason"), CONTRADICTED)
def test_what_is_otherwise_is_contradicted(text: str, reason: str) -> None:
    """And the reason says what is so instead."""
    verdict = verify(text, ["/metadata/modality"], (), CHEST)
    assert verdict.outcome == "contradicted"
    assert reason in verdict.reason


@pytest.mark.parametrize(("text", "reason"), UNSUPPORTED)
def test_what_nothing_speaks_for_is_unsupported(text: str, reason: str) -> None:
    """Neither believed nor called false."""
    verdict = verify(text, ["/metadata/modality"], (), CHEST)
    assert verdict.outcome == "unsupported"
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("metadata", "text", "outcome"),
    [
        ({"modality": "mammography"}, "An X-ray image.", "supported"),
        ({"modality": "X-ray"}, "A mammogram.", "contradicted"),
        ({"modality": "unknown"}, "A CT image.", "unsupported"),
        ({"modality": "X-ray", "plane": None, "view": "PA"}, "A posteroanterior radiograph.", "supported"),
        ({"modality": "X-ray", "plane": None, "view": "PA"}, "An AP radiograph.", "contradicted"),
        ({"organ": "knee", "laterality": "left"}, "A CT image of the left knee.", "supported"),
        ({"organ": "knee", "laterality": "left"}, "A CT image of the right knee.", "contradicted"),
        ({"organ": "knee", "laterality": "both"}, "A CT image of the right knee.", "unsupported"),
        ({"organ": "lung"}, "A CT image of the chest.", "supported"),
        ({"organ": None}, "A CT image of the chest.", "unsupported"),
        ({"organ": "whole body"}, "A CT image of the liver.", "unsupported"),
        ({"plane": None}, "An axial image by CT.", "unsupported"),
        ({"contrast_agent": None}, "A CT image with contrast.", "unsupported"),
        ({"contrast_agent": False}, "A CT image with contrast.", "contradicted"),
        ({"disease": "pneumonia"}, "A CT image of pneumonia.", "supported"),
        ({"tube_voltage_kv": 120.0}, "A CT image at 120 kVp.", "supported"),
    ],
)
def test_metadata_decide(metadata: dict[str, Any], text: str, outcome: str) -> None:
    """What the source tells is so; what it does not tell is not known."""
    assert verify(text, ["/metadata/modality"], (), scene(**metadata)).outcome == outcome


def test_evidence_must_be_there() -> None:
    """A pointer to nothing spoils a true sentence, and the reason does not repeat it."""
    verdict = verify("This is a CT image.", ["/metadata/modality", "/patients/DOE"], (), CHEST)
    assert (verdict.outcome, verdict.reason) == ("unsupported", "its evidence number 2 points at nothing")


@pytest.mark.parametrize(
    ("claim", "outcome"),
    [
        (("modality", "CT", "/metadata/modality"), "supported"),
        (("modality", "MR", "/metadata/modality"), "contradicted"),
        (("organ", "chest", "/metadata/organ"), "supported"),
        (("organ", "chest", "/metadata/modality"), "unsupported"),
        (("side", "patient left", "/regions/1/position"), "supported"),
        (("side", "left", "/regions/0/position"), "contradicted"),
        (("position", "upper left of the image", "/regions/0/position"), "supported"),
        (("position", "lower left of the image", "/regions/0/position"), "contradicted"),
        (("count", 3.0, "/regions"), "supported"),
        (("count", 2.0, "/regions"), "contradicted"),
        (("size", 861.2, "/regions/0/area_mm2"), "supported"),
        (("size", "861.2 mm²", "/regions/0/area_mm2"), "supported"),
        (("size", 8.612, "/regions/0/area_mm2"), "contradicted"),
        (("size", 861.2, "/regions/7/area_mm2"), "unsupported"),
        (("intensity", -850.0, "/regions/0/intensity/mean"), "supported"),
        (("intensity", 850.0, "/regions/0/intensity/mean"), "contradicted"),
        (("intensity", -850.0, "/regions/0/area_mm2"), "unsupported"),
    ],
)
def test_claims_are_held_against_their_pointers(claim: tuple[Any, ...], outcome: str) -> None:
    """A true sentence does not save a false claim."""
    kind, value, pointer = claim
    made = Claim(kind=kind, value=value, pointer=pointer)
    assert verify("This is a CT image.", ["/metadata/modality"], [made], CHEST).outcome == outcome


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("Region r1 continues in the next slice towards the head.", "supported"),
        ("Region r1 continues in the next two slices towards the head, up to 5 mm away.", "supported"),
        ("Region r1 does not continue into the next slice towards the feet.", "supported"),
        ("Region r1 continues in the next slice towards the head, 5 mm away.", "contradicted"),
        ("Region r1 continues in the next three slices towards the head.", "contradicted"),
        ("Region r1 continues in the next slice towards the feet.", "contradicted"),
        ("Region r1 is not seen in the next slice towards the head.", "contradicted"),
        ("Region r2 continues in the next slice towards the head.", "unsupported"),
        ("Region r1 continues in the next slice towards the back.", "unsupported"),
        ("Region r1, an air-density region, is also seen in the adjacent slices.", "unsupported"),
        ("Region r1, an air-density region, is gone in the slice above.", "unsupported"),
        ("This is an axial CT slice.", "supported"),
    ],
)
def test_other_slices_are_what_was_looked_at(text: str, outcome: str) -> None:
    """A region goes on as far, and that way, as it was followed; of any other slice nothing is believed."""
    there = {"towards": "head", "onwards": True, "distance_mm": 2.5, "looked": 2, "neighbour": 1}
    here = {"outcome": "continues", "slices": 2, "reach_mm": 5.0, "area_px": 50, "ratio": 2.0, "change": "grows"}
    ends = {"outcome": "not seen", "slices": 0, "towards": "feet", "onwards": False, "neighbour": 0}
    grounding = CHEST.grounding.model_validate(
        {
            **CHEST.grounding.model_dump(),
            "continuations": [{"region": "r1", **there, **here}, {"region": "r1", **there, **ends}],
        }
    )
    facts = Facts(CHEST.metadata, grounding, (), CHEST.rows, CHEST.columns)
    assert verify(text, ["/metadata/modality"], (), facts).outcome == outcome


def statements(description: Description) -> Iterator[Statement]:
    d = description
    yield from (d.modality, *((d.organ,) if d.organ else ()), *d.regions, *d.texture, *d.relations, *d.context)


async def composed(seed: int) -> tuple[EnrichedImage, list[Statement]]:
    image = drawn_image(seed)
    return image, list(statements(await Composer().describe(image)))


@pytest.mark.parametrize("seed", range(0, 140, 4))
async def test_all_that_the_composer_writes_is_supported(seed: int) -> None:
    """Over drawn images of all modalities, units, labels, positions and relations."""
    image, told = await composed(seed)
    for statement in told:
        verdict = verify(statement.text, [item.pointer for item in statement.evidence], (), Facts.of(image))
        assert verdict.outcome == "supported", (statement.text, verdict.reason)


@pytest.mark.parametrize("seed", range(0, 60, 5))
async def test_a_changed_number_is_found(seed: int) -> None:
    """Any number of the composer's, made three and a half times as large, is no longer supported."""
    draw = random.Random(seed)
    image, told = await composed(seed)
    facts = Facts.of(image)
    for statement in told:
        numbers = list(re.finditer(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\d)", re.sub("“[^”]*”", "", statement.text)))
        numbers = [
            one for one in numbers if float(one[0]) and "1e23" not in statement.text and "“" not in statement.text
        ]
        if not numbers:
            continue
        chosen = draw.choice(numbers)
        text = f"{statement.text[: chosen.start()]}{float(chosen[0]) * 3.5 + 7:.6g}{statement.text[chosen.end() :]}"
        verdict = verify(text, [item.pointer for item in statement.evidence], (), facts)
        # Many drawn regions hold many numbers: by chance one of them is near.
        assert verdict.outcome != "supported" or len(facts.regions) > 3, text


@pytest.mark.parametrize("seed", range(0, 60, 5))
@pytest.mark.parametrize(("word", "other"), [("left", "right"), ("upper", "lower"), ("higher", "lower"), ("CT", "MR")])
async def test_a_mirrored_or_exchanged_word_is_found(seed: int, word: str, other: str) -> None:
    """The composer's sentences, with one pair of words exchanged."""
    image, told = await composed(seed)
    for statement in told:
        if "“" in statement.text or not re.search(rf"\b{word}\b", statement.text):
            continue
        text = re.sub(rf"\b{word}\b", other, statement.text)
        verdict = verify(text, [item.pointer for item in statement.evidence], (), Facts.of(image))
        # Drawn positions repeat, so that several regions of one sentence may lie on either side.
        assert verdict.outcome != "supported", text


@pytest.mark.parametrize(
    ("said", "otherwise"),
    [
        ("oval", "round"), ("round", "irregular"), ("multifocal", "diffuse"), ("touches", "overlaps"),
        ("touches", "mirrors"), ("anterior to", "superior to"), ("patient's left side", "patient's right side"),
        ("fat density", "metal density"), ("continues", "is not seen"), ("is not seen", "continues"),
        ("towards the head", "towards the feet"), ("three slices", "two slices"), ("is larger", "is smaller"),
    ],
)  # fmt: skip
async def test_an_exchanged_term_is_found(said: str, otherwise: str) -> None:
    """Shape, density, spread, touch and side are not believed for being well-formed."""
    changed = 0
    for seed in range(60):
        image, told = await composed(seed)
        for statement in told:
            if "“" in statement.text or not re.search(rf"\b{said}\b", statement.text) or otherwise in statement.text:
                continue
            pointers = [item.pointer for item in statement.evidence]
            text = re.sub(rf"\b{said}\b", otherwise, statement.text)
            # Drawn relations repeat: another one may by chance say what was exchanged.
            assert (
                len(image.grounding.relations) > 6 or verify(text, pointers, (), Facts.of(image)).outcome != "supported"
            )
            changed += 1
    assert changed
