"""The composer says what was measured, one finding once, in several granularities, and nothing else."""

import re
from dataclasses import replace
from typing import Any

import pytest
from drawn_images import composed, drawn_image, plain_image

from benchmarks.statements import statements_of
from models.describers.choosing import choose
from models.describers.composer import compose, phrase_of
from models.statements import Facts, judge
from schemas.images import MODALITIES, ImageMetadata
from schemas.triplets import Triplet, as_text
from tests.models.statements.known_images import brain

SEEDS = range(42)
NUMBERS = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\d)")


def at(document: Any, pointer: str) -> Any:
    """What a JSON Pointer (RFC 6901) points at."""
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        document = document[int(token)] if isinstance(document, list) else document[token]
    return document


def own_words(text: str) -> str:
    """Without what is quoted."""
    return re.sub("“[^”]*”", "", text)


@pytest.mark.parametrize("seed", SEEDS)
async def test_evidence_is_there_and_every_sentence_is_supported(seed: int) -> None:
    """Each pointer leads, within the triplet's JSON, to the value it gives; verification refuses none."""
    image = drawn_image(seed)
    triplet = await composed(image)
    document = triplet.model_dump(mode="json")
    for statement in statements_of(triplet.description):
        assert statement.evidence
        for item in statement.evidence:
            assert as_text(at(document, item.pointer)) == item.value, item.pointer
        found = judge(statement.text, Facts.of_triplet(triplet))
        assert found.verdict.outcome == "supported", (statement.text, found.verdict.reason)


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_raw_numbers(seed: int) -> None:
    """Running text has numbers with a physical unit only: no stored values, no pixels, no statistics."""
    triplet = await composed(drawn_image(seed))
    text = own_words(triplet.description.description)
    for number in NUMBERS.finditer(text):
        unit = re.match(r" (?:mm|cm|millimetres|centimetres|HU)\b", text[number.end() :])
        assert unit or re.search(r"SUV(?:max)? (?:of|near) ?\w* ?$", text[: number.start()]), text
    assert not re.search(r"\b(?:px|stored|GLCM|luma|standard deviation)\b", text)


async def test_the_same_image_reads_the_same_and_another_otherwise() -> None:
    """Phrasings are chosen by the content."""
    facts = brain()
    assert compose(facts, "a") == compose(facts, "a")
    assert len({compose(facts, seed).description for seed in "abcdef"}) == 6


def test_one_finding_is_told_once() -> None:
    """What the source marks, two experts see too, and a signal map shows is one finding, under the source's name."""
    facts = brain()
    chosen = choose(facts)
    assert "r1" in chosen.findings
    assert set(chosen.same["r1"]) >= {"r3", "r4"}
    assert not {"r3", "r4"} & set(chosen.findings)
    description = compose(facts, "seed")
    assert not re.search(r"\br[34]\b", description.description)


def test_the_caption_names_the_sources_disease_as_the_sources() -> None:
    """Kind of image, plane, organ, disease in one sentence."""
    caption = compose(brain(), "seed").caption
    assert caption is not None
    assert "glioblastoma" in caption.text
    assert "source" in caption.text
    assert {"/metadata/disease", "/metadata/modality", "/metadata/plane", "/metadata/organ"} <= {
        item.pointer for item in caption.evidence
    }


@pytest.mark.parametrize("seed", "abcdefgh")
def test_a_description_has_30_to_120_words_and_a_phrase_at_most_25(seed: str) -> None:
    """Where there is something to tell."""
    facts = brain()
    assert 30 <= len(compose(facts, seed).description.split()) <= 120
    for region_id in facts.regions:
        phrase = phrase_of(facts, region_id, seed)
        assert phrase is None or len(phrase.split()) <= 25


@pytest.mark.parametrize("modality", MODALITIES)
async def test_what_is_unknown_is_not_said(modality: str) -> None:
    """Of an image of which nothing is known but its modality, nothing else is told."""
    triplet = await composed(plain_image(modality=modality))
    description = triplet.description
    assert description.regions == description.texture == description.relations == ()
    assert description.organ is None
    assert description.description == description.modality.text


@pytest.mark.parametrize("expert", ["pet-uptake@2.0.0", "ultrasound-echo@1.0.0", "xray-chest@4.0.0"])
async def test_that_nothing_was_found_is_not_told(expert: str) -> None:
    """ "No opacity" of an expert that misses half of them reads as health; below its bound uptake is plain to see."""
    image = plain_image(modality="PET")
    runs = [{"expert": expert, "outcome": "nothing found", "regions": 0}]
    known = image.grounding.model_dump()
    known["intensity"]["maximum"] = 3.0
    grounding = image.grounding.model_validate({**known, "experts": runs})
    triplet = await composed(image.model_copy(update={"grounding": grounding}))
    assert not triplet.description.absences
    assert not re.search(r"\bno\b", triplet.description.description, re.IGNORECASE)


def test_a_structure_is_listed_or_described_and_not_both() -> None:
    """A heart that the source marks, and of which there is room to tell more, is not seen "besides"."""
    facts = brain()
    heart = facts.region("r1").model_copy(update={"label": "heart"})
    grounding = facts.grounding.model_copy(update={"regions": (heart,), "relations": (), "continuations": ()})
    metadata = ImageMetadata(source_format="PNG", modality="X-ray", organ="chest")
    described = 0
    for seed in "abcdefgh":
        description = compose(replace(facts, metadata=metadata, grounding=grounding), seed)
        assert description.description.lower().count("heart") == 1, description.description
        described += description.organ is None
    assert described


async def test_regions_have_phrases() -> None:
    """Each in its triplet, beside its measurements."""
    triplet: Triplet = await composed(drawn_image(5))
    assert any(region.phrase for region in triplet.regions if region.kind != "whole image")
