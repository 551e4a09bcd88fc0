"""Over real grounding: what is written is read back, and every fact turned round is caught."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from known_images import brain, registry
from pydicom.data import get_testdata_file

from benchmarks.statements import files, phantoms, sayings, statements_of
from models.describers.checked import TRIES, reads_back
from models.describers.composer import compose
from models.describers.plans import description, image, introduction, phrase
from models.experts.phantoms import DRAWN
from models.statements import Facts, judge
from models.statements.voice import Voice
from models.statements.writing import FACETS, sentence
from schemas.images import Modality


def drawn(modality: Modality) -> Facts:
    """The facts of a phantom."""
    (found,) = phantoms(registry(), 1, (modality,))
    return found.facts


@pytest.mark.parametrize("modality", DRAWN)
def test_every_fact_in_every_phrasing_is_supported_and_turned_round_contradicted(modality: Modality) -> None:
    """Denied, mirrored, exchanged, scaled by 1.5."""
    facts = drawn(modality)
    wrong = [
        (one, found.verdict.reason)
        for one in sayings(facts)
        for found in [judge(one.text, facts)]
        if found.verdict.outcome != one.wanted
    ]
    assert not wrong


@pytest.mark.parametrize("modality", DRAWN)
def test_what_is_written_is_read_back_to_its_claims(modality: Modality) -> None:
    """Of an indefinite noun as those of one that it fits; in the first wording, for nearly all: few are wasted."""
    facts = drawn(modality)
    tried: Counter[bool] = Counter()
    for turn in range(TRIES):
        plans = [image(facts, caption=False), image(facts, caption=True)]
        for _, region in list(facts.regions.values())[:4]:
            plans += [
                introduction(facts, region, FACETS[:3]),
                introduction(facts, region, FACETS[3:6]),
                description(facts, region, FACETS),
                phrase(facts, region),
            ]
        for number, plan in enumerate(plans):
            piece = plan(Voice(f"{turn}:{number}"))
            if piece is not None:
                tried[reads_back(sentence(piece.text), piece, facts)] += 1
    assert tried[True] >= 0.97 * tried.total()


@pytest.mark.parametrize("name", ["brain", "CT_small.dcm", "MR_small.dcm", "RG1_UNCR.dcm", "US1_UNCR.dcm"])
def test_all_that_the_composer_writes_is_supported(name: str) -> None:
    """On real images too: none of its own sentences is refused."""
    if name == "brain":
        facts = brain()
    else:
        path = Path(str(get_testdata_file(name, download=False)))
        (facts,) = (one.facts for one in files(registry(), [path]))
    for statement in statements_of(compose(facts, "seed")):
        found = judge(statement.text, facts)
        assert found.verdict.outcome == "supported", (statement.text, found.verdict.reason)


@pytest.mark.parametrize("modality", ["CT", "MR", "PET"])
def test_a_localizer_is_called_by_its_modality(modality: Modality) -> None:
    """No "CT CUT scout": a localizer is no slice, and a topogram is one of CT (PS3.3 C.8.2.1.1.1)."""
    known = drawn(modality)
    facts = replace(known, metadata=known.metadata.model_copy(update={"localizer": True, "plane": None}))
    for turn in range(20):
        piece = image(facts, caption=False)(Voice(f"{turn}"))
        assert piece is not None
        assert any(f"{modality} {word}" in piece.text for word in ("localizer", "localiser", "scout"))
        assert judge(sentence(piece.text), facts).verdict.outcome == "supported"
