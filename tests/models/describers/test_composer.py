"""The composer says what was measured, in right English, and nothing else."""

import re
from collections import Counter
from typing import Any

import pytest
from drawn_images import composed, drawn_image, plain_image

from models.describers.phrases import count, number
from models.describers.regions import AREAS_TOLD
from models.experts.phantoms import draw
from models.experts.registry import Registry
from schemas.images import MODALITIES, Modality
from schemas.triplets import Evidence, Statement, Triplet

SEEDS = range(140)
DIAGNOSES = re.compile(
    r"lesion|tumou?r|cancer|fracture|haemorrhage|hemorrhage|disease|\bnormal|abnormal", re.IGNORECASE
)
NUMBERS = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\d)")


def statements(triplet: Triplet) -> list[Statement]:
    """All statements in reading order."""
    d = triplet.description
    return [d.modality, *([d.organ] if d.organ else []), *d.regions, *d.texture, *d.relations, *d.context]


def at(document: Any, pointer: str) -> Any:
    """What a JSON Pointer (RFC 6901) points at."""
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        document = document[int(token)] if isinstance(document, list) else document[token]
    return document


def own_words(statement: Statement) -> str:
    """A statement's text without what it quotes."""
    return re.sub("“[^”]*”", "", statement.text)


def written(evidence: Evidence) -> set[str]:
    """The ways in which a number may be written in a sentence."""
    value = evidence.value
    if isinstance(value, bool | str):
        return set()
    plain = {number(value), str(value) if isinstance(value, int) else f"{value:.0f}" if value == int(value) else ""}
    if evidence.pointer.endswith("/area_mm2"):
        return plain | {number(value / 100), number(value * 1e6)}
    # Told in µm below 0.1 mm.
    return plain | ({number(1000 * value)} if evidence.pointer.endswith("_axis") and value < 0.1 else set())


@pytest.mark.parametrize("seed", SEEDS)
async def test_evidence_is_there(seed: int) -> None:
    """Every statement has evidence, and each pointer leads, within the triplet's JSON, to the value it gives."""
    triplet = await composed(drawn_image(seed))
    document = triplet.model_dump(mode="json")
    for statement in statements(triplet):
        assert statement.evidence
        assert len({item.pointer for item in statement.evidence}) == len(statement.evidence)
        for item in statement.evidence:
            found = at(document, item.pointer)
            assert found == item.value, item.pointer
            assert isinstance(found, bool) == isinstance(item.value, bool)


@pytest.mark.parametrize("seed", SEEDS)
async def test_numbers_are_measured(seed: int) -> None:
    """Every number is a value of the statement's own evidence, or counts the regions of the label it names."""
    triplet = await composed(drawn_image(seed))
    labels = Counter((region.kind, region.label) for region in triplet.regions)
    for statement in statements(triplet):
        text = own_words(statement).replace("1e23 electrons/ml", "electrons/ml")
        allowed = set[str]().union(*map(written, statement.evidence))
        for item in statement.evidence:
            if item.pointer.endswith("/label"):
                kind = triplet.regions[int(item.pointer.split("/")[2])].kind
                allowed.add(str(labels[kind, str(item.value)]))
        assert set(NUMBERS.findall(text)) <= allowed, text


@pytest.mark.parametrize("seed", SEEDS)
async def test_counts_are_right(seed: int) -> None:
    """Each label has one statement, which says how many regions of it there are and names each, or the ends of many."""
    triplet = await composed(drawn_image(seed))
    groups = Counter((region.kind, region.label) for region in triplet.regions)
    assert len(triplet.description.regions) == len(groups)
    for statement, ((kind, label), n) in zip(triplet.description.regions, groups.items(), strict=True):
        if kind == "whole image":
            assert statement.text.startswith("No part of the image is outlined, because ")
            continue
        ids = [region.region_id for region in triplet.regions if (region.kind, region.label) == (kind, label)]
        named = ids if n <= 1 + AREAS_TOLD else [*ids[:2], ids[-1]]
        assert re.findall(r"\br\d+\b", statement.text) == named
        noun = f"{'annotated' if kind == 'source annotation' else 'candidate'} {label}"
        if n == 1:
            assert f"{'an' if kind == 'source annotation' else 'a'} {noun} of " in statement.text
        else:
            plural = re.sub("(region|field)", r"\1s", noun)
            assert statement.text.lower().startswith(f"{count(n)} {plural} are outlined: ".lower())
            assert ("the other covers" in statement.text) == (n == 2)
            assert ("the others cover" in statement.text) == (n > 2)


@pytest.mark.parametrize("seed", SEEDS)
async def test_text_is_whole_and_well_formed(seed: int) -> None:
    """The description is all statements in order; sentences begin with a capital and end with a stop."""
    triplet = await composed(drawn_image(seed))
    told = statements(triplet)
    assert triplet.description.description == " ".join(statement.text for statement in told)
    for statement in told:
        text = statement.text.replace("1e23 electrons/ml", "units")
        assert re.match(r"[A-Z0-9]", text), text
        assert re.search(r"[.”]$", text), text
        assert not re.search(r"  | [,.;:)]|\(\)|\) \(|None|nan\b|\binf\b|\d e|\.\.", text), text
        wrong = r"\ba (?:[aeio]|MR|X-ray|ultra|unlisted|unknown)|\ban (?!MR\b|X-ray|ultra|un)[^aeio]"
        assert not re.search(wrong, text), text


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_diagnosis(seed: int) -> None:
    """Words of diagnosis come from passages alone, and inside quotation marks."""
    for statement in statements(await composed(drawn_image(seed))):
        assert not DIAGNOSES.search(own_words(statement)), statement.text


@pytest.mark.parametrize("seed", SEEDS[:20])
async def test_same_image_same_text(seed: int) -> None:
    """Nothing but the image decides what is said."""
    assert await composed(drawn_image(seed)) == await composed(drawn_image(seed))


async def test_drawn_images_are_varied() -> None:
    """The images of this file reach every kind of statement."""
    told = [statement for seed in SEEDS for statement in statements(await composed(drawn_image(seed)))]
    text = " ".join(statement.text for statement in told)
    for phrase in (
        "without a recorded pixel spacing", "mm across and", "names a contrast agent", "on both sides", "the left knee",
        "are outlined", "candidate", "every expert failed", "no expert fits", "no expert found", "one expert or",
        "more uniform", "more varied", "a standard deviation of", "the same standard deviation", "a higher mean",
        "a lower mean", "the same mean", "The whole image has", "apart vertically", "apart horizontally", "encloses",
        "s differ by", "times the area", "For reference", "cm²", "mm²", "px", "an unlisted modality",
        "mediolateral oblique", "GLCM contrast", "lies around the", "is round", "is oval and lobulated", "µm",
        " touches ", " overlaps ", " mirrors ", "same texture", "further to the patient's left", "anterior to",
        "superior to", "is outlined, and places are told", "multifocal", "on the patient's left side",
        "on both sides of its midline", "as displayed", "(fat density", "continues in the next slice towards the head",
        "continues in the next three slices", "is not seen in the next slice before this one", "towards the back",
        "in the nearest of which it covers", "parts into two regions",
    ):  # fmt: skip
        assert phrase in text, phrase
    assert re.search(r"\b\d\d candidate", text)


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("plane", [None, "axial", "coronal"])
async def test_modality_is_named(modality: str, plane: str | None) -> None:
    """The first sentence says which kind of image it is, with the right article."""
    kind = {
        "X-ray": "radiograph", "mammography": "mammogram", "fundus photography": "fundus photograph",
        "other": "image of an unlisted modality", "unknown": "image of unknown modality",
    }.get(modality, f"{modality} image")  # fmt: skip
    kind = f"{plane} {kind}" if plane else kind
    an = kind[0] in "aeiou" or (modality == "MR" and not plane)
    text = (await composed(plain_image(modality=modality, plane=plane))).description.modality.text
    assert text == f"This is {'an' if an else 'a'} {kind} measuring 30 × 20 px, without a recorded pixel spacing."


@pytest.mark.parametrize(
    ("metadata", "end"),
    [
        ({}, ", without a recorded pixel spacing."),
        ({"contrast_agent": False}, ", without a recorded pixel spacing."),
        ({"contrast_agent": True}, ", without a recorded pixel spacing, for which the source names a contrast agent."),
        ({"spacing": (0.5, 0.5)}, " with a pixel spacing of 0.5 mm."),
        ({"spacing": (0.5, 0.8)}, " with a pixel spacing of 0.8 mm across and 0.5 mm down."),
    ],
)
async def test_what_is_unknown_is_not_said(metadata: dict[str, Any], end: str) -> None:
    """Spacing goes across then down; a contrast agent is named only where the source names one."""
    if "spacing" in metadata:
        row, column = metadata["spacing"]
        metadata = {"spacing": {"row_mm": row, "column_mm": column, "source": "PixelSpacing"}}
    text = (await composed(plain_image(**metadata))).description.modality.text
    assert text == f"This is a CT image measuring 30 × 20 px{end}"


@pytest.mark.parametrize(
    ("organ", "laterality", "said"),
    [
        ("knee", None, "the knee"), ("knee", "left", "the left knee"), ("knee", "both", "the knee on both sides"),
        ("whole body", None, "the whole body"),
    ],
)  # fmt: skip
async def test_organ(organ: str, laterality: str | None, said: str) -> None:
    """The organ is the source's word, never ours."""
    statement = (await composed(plain_image(organ=organ, laterality=laterality))).description.organ
    assert statement is not None
    assert statement.text == f"The source names {said} as the part examined."


async def test_no_organ_is_no_statement() -> None:
    """A side without an organ says nothing."""
    assert (await composed(plain_image(laterality="left"))).description.organ is None


@pytest.mark.parametrize("modality", ["CT", "MR", "X-ray", "PET", "ultrasound", "histopathology"])
async def test_five_parts(modality: Modality) -> None:
    """Of an image with regions all five parts are told, each with evidence that is in the triplet, in few words."""
    phantom = draw(modality, seed=1, contrast=8)
    grounding = Registry.load().ground(phantom.values, phantom.metadata, phantom.unit)
    assert grounding.regions[0].kind == "candidate"
    triplet = await composed(
        plain_image().model_copy(update={"metadata": phantom.metadata, "grounding": grounding, "passages": ()})
    )
    told = triplet.description
    assert told.organ is not None
    assert told.regions
    assert told.texture
    assert told.relations
    document = triplet.model_dump(mode="json")
    for item in (item for statement in statements(triplet) for item in statement.evidence):
        assert at(document, item.pointer) == item.value
    assert len(told.description.split()) <= 400


async def test_outlined_structure() -> None:
    """Where the source names no organ, what an expert outlined is the structure."""
    phantom = draw("CT", seed=1)
    metadata = phantom.metadata.model_copy(update={"organ": None})
    grounding = Registry.load().ground(phantom.values, metadata, phantom.unit)
    told = await composed(plain_image().model_copy(update={"metadata": metadata, "grounding": grounding}))
    assert told.description.organ is not None
    assert told.description.organ.text == "The body is outlined, and places are told within it."


async def test_words_do_not_contradict_the_label() -> None:
    """A region found against its wider neighbourhood is not called otherwise for its ring in the same sentence."""
    for seed in SEEDS:
        for statement in (await composed(drawn_image(seed))).description.regions:
            if "hypoechoic region" in statement.text:
                assert "slightly hypoechoic" not in statement.text


async def test_passages_of_other_modalities_are_not_quoted() -> None:
    """Only passages on this modality and organ are quoted, at most two, word for word."""
    for seed in SEEDS:
        triplet = await composed(drawn_image(seed))
        quoted = [item for s in triplet.description.context for item in s.evidence if item.pointer.endswith("/title")]
        assert len(quoted) <= 2
        for statement, item in zip(triplet.description.context, quoted, strict=True):
            passage = triplet.passages[int(item.pointer.split("/")[2])]
            assert not passage.modalities or triplet.metadata.modality in passage.modalities
            assert not passage.organs or triplet.metadata.organ in passage.organs
            assert passage.modalities or passage.organs
            title, sentence = re.findall("“([^”]*)”", statement.text)
            assert title == passage.title
            assert passage.text.startswith(sentence.rstrip("."))


async def test_masked_text_is_metadata_and_no_sentence() -> None:
    """What was hidden says nothing of the image: it stands in the metadata, and in no statement or evidence."""
    cleaning = {"scanned": True, "reason": "ultrasound", "policy": "mask", "masked_share": 0.03}
    triplet = await composed(plain_image(pixel_cleaning=cleaning))
    assert "mask" not in triplet.description.description
    assert "pixel_cleaning" not in triplet.description.model_dump_json()
    assert triplet.metadata.pixel_cleaning is not None
