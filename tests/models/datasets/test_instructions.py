"""Questions and answers: true as the facts have it, balanced, and worded in many ways."""

import re
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco

from models.datasets.conversations import BOX, Turn, listed, within_one
from models.datasets.instructions import KINDS, Mixer, turns_of
from models.datasets.instructions.offers import phrasings
from models.datasets.instructions.whole import _far_from  # pyright: ignore[reportPrivateUsage]
from models.describers.proven import is_proven
from models.statements import Facts, judge
from schemas.shapes import Box, Mask
from schemas.triplets import Triplet


def test_every_kind_of_the_issue_is_asked(triplets: list[Triplet]) -> None:
    """Over a few real images each kind of question comes up but those that need what these images lack."""
    asked = {turn.kind for triplet in triplets for turn in turns_of(triplet, unproven=True)}
    assert set(KINDS) - asked <= {"plane-closed", "plane", "comparison", "relation-closed", "side", "side-closed"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_eight_phrasings(kind: str) -> None:
    """None of which stands twice."""
    asked = phrasings()[kind]["ask"]
    assert len(set(asked)) == len(asked) >= 8


@pytest.mark.parametrize("kind", [kind for kind, rows in phrasings().items() if len(rows.get("answer", ())) > 1])
def test_an_answer_in_words_has_eight_phrasings(kind: str) -> None:
    """What tells more than a box or a phrase of the triplet's own."""
    answers = phrasings()[kind]["answer"]
    assert len(set(answers)) == len(answers) >= 8


def test_a_mark_of_many_is_not_spoken_of_as_one(triplets: list[Triplet]) -> None:
    """Where a source marks all nuclei together nobody asks where the nucleus lies, nor how many there are."""
    one = next(each for each in triplets if each.regions[0].kind == "source annotation")
    rows, columns = one.image.rows, one.image.columns
    mask = np.zeros((rows, columns), np.uint8)
    mask[2:12, 2:12] = mask[-12:-2, -12:-2] = mask[2:12, -12:-2] = 1
    encoded: Any = coco.encode(np.asfortranarray(mask))
    marked = one.regions[0].model_copy(update={"mask": Mask(size=(rows, columns), counts=encoded["counts"].decode())})
    apart = one.model_copy(update={"regions": (marked,), "relations": ()})
    kinds = {turn.kind for turn in turns_of(apart)}
    assert "finding-closed" in kinds
    assert kinds.isdisjoint({"count", "place", "size", "not-measurable", "box-to-phrase", "phrase-to-box"})
    assert {"count", "place", "size"} <= {turn.kind for turn in turns_of(one)}


def test_what_is_not_proven_is_asked_about_only_where_it_is_asked_for(triplets: list[Triplet]) -> None:
    """Of regions that an expert of no measured precision proposed, and of what such a one did not find."""
    unproven = 0
    for triplet in triplets:
        facts = Facts.of_triplet(triplet)
        told = {region.label for _, region in facts.regions.values() if is_proven(facts, region)}
        for turn in turns_of(triplet):
            assert set(turn.names) <= told, turn.question
        unproven += len(turns_of(triplet, unproven=True)) > len(turns_of(triplet))
    assert unproven > 3


def test_answers_are_what_the_facts_say(triplets: list[Triplet]) -> None:
    """Claims are judged anew: yes and open answers are borne out, no is denied, and what is not told is not told."""
    checked = Counter[str]()
    for triplet in triplets:
        facts = Facts.of_triplet(triplet)
        for turn in turns_of(triplet):
            for claim, truth in turn.claims:
                assert claim.judge(facts).truth is truth, (turn.question, turn.answer)
            if turn.answer == "No":
                assert turn.claims
                # An absence is a claim that holds; all else that is answered by no is denied.
                assert all(truth is (claim.kind == "absence") for claim, truth in turn.claims)
            checked[turn.kind] += bool(turn.claims)
    assert checked["modality-closed"] > 10
    assert checked["finding-closed"] > 10


def test_open_answers_read_as_sentences_are_supported(triplets: list[Triplet]) -> None:
    """The reader of statements, which knows nothing of how they were made, bears out what they say."""
    said = {
        "modality": "This is a {} image.", "plane": "An {} slice.", "organ": "The image shows the {}.",
        "disease": "The source labels it {}.",
    }  # fmt: skip
    seen = 0
    for triplet in triplets:
        facts = Facts.of_triplet(triplet)
        for turn in turns_of(triplet):
            if turn.kind not in said:
                continue
            assert turn.core.lower() in turn.answer.lower()
            word = turn.core.removesuffix(" image")
            verdict = judge(said[turn.kind].format(word), facts).verdict
            assert verdict.outcome == "supported", (turn.answer, verdict)
            seen += 1
    assert seen >= 10


def test_the_same_triplet_gives_the_same_turns(triplets: list[Triplet]) -> None:
    """Nothing is left to chance."""
    assert turns_of(triplets[0]) == turns_of(triplets[0])
    one, other = Mixer(), Mixer()
    assert [one.conversation(each) for each in triplets] == [other.conversation(each) for each in triplets]


def test_yes_and_no_are_balanced(triplets: list[Triplet]) -> None:
    """Over many images no closed kind leans to one answer, whatever the images bring."""
    mixer = Mixer(turns=6)
    for _ in range(12):
        for triplet in triplets:
            mixer.conversation(triplet)
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (kind, answer), n in mixer.closed.items():
        kinds[kind][answer] += n
    assert len(kinds) >= 3
    for kind, answers in kinds.items():
        assert abs(answers["Yes"] - answers["No"]) <= 2, kind


def test_a_conversation_asks_of_one_thing_once(triplets: list[Triplet]) -> None:
    """An answer does not give away another one, and the description comes last."""
    for triplet in triplets:
        kinds = Mixer(turns=8).conversation(triplet).kinds
        subjects = [kind.removesuffix("-closed").replace("absence", "finding") for kind in kinds]
        assert len(set(subjects)) == len(subjects)
        assert not {"caption", "description"} & set(kinds[:-1])


def test_boxes_are_those_of_the_regions_named(triplets: list[Triplet]) -> None:
    """Phrase to box and box to phrase lead to the same region, and ids of regions are in no text."""
    found = 0
    for triplet in triplets:
        boxes: list[Box] = [region.box for region in triplet.regions]
        for turn in turns_of(triplet):
            assert all(box in boxes for box in turn.boxes)
            assert not re.search(r"\br\d+\b", turn.question + turn.answer)
            if turn.kind == "phrase-to-box":
                assert turn.names[0] in {
                    one.label for one in triplet.regions if one.box == turn.boxes[0] and one.phrase
                }
                found += 1
    assert found >= 5


def test_a_turn_without_as_many_boxes_as_places_is_none() -> None:
    """A text that speaks of a box has it."""
    with pytest.raises(ValueError, match="boxes"):
        Turn("place", f"Where is {BOX}?", "Above.")


def test_boxes_are_written_as_the_format_has_them() -> None:
    """Question before answer."""
    first, second = Box(x=0, y=10, width=50, height=20), Box(x=50, y=0, width=50, height=100)
    turn = Turn("place", f"Is {BOX} left of this?", f"Of {BOX}.", (first, second), ("a", "b"))
    question, answer = turn.rendered(lambda box: listed(within_one(box, 100, 100), 2))
    assert question == "Is [0.00, 0.10, 0.50, 0.30] left of this?"
    assert answer == "Of [0.50, 0.00, 1.00, 1.00]."


def test_organs_that_are_denied_lie_elsewhere() -> None:
    """Never beside what the image is of: a slice of a chest can show the liver."""
    assert {"liver", "kidney", "neck", "thyroid"}.isdisjoint(_far_from("lung", "CT"))
    assert {"brain", "knee"} <= set(_far_from("lung", "CT"))
    assert {"neck", "thyroid", "brain"}.isdisjoint(_far_from("retina", "fundus photography"))
    assert _far_from("lymph node", "CT") == ()
    assert "brain" in _far_from("skin", "dermoscopy")
    for organ in ("lung", "brain", "liver", "prostate", "knee"):
        assert organ not in _far_from(organ, "MR")


def test_texts_are_plain_english(triplets: list[Triplet]) -> None:
    """No pattern of the table is left open, no place unfilled, no id of a region told."""
    for triplet in triplets:
        for turn in turns_of(triplet):
            text = f"{turn.question} {turn.answer}"
            assert not re.search(r"[{}|]", text), text
            assert not re.search(r"\br\d+\b", text), text
            assert not re.search(r"\ba (?!one)[aeio]|\ban [^aeioumhxfMXFAO]|  ", turn.question), text


def test_places_are_asked_of_regions_that_are_alone_of_their_name(triplets: list[Triplet]) -> None:
    """A box in a question of place or side tells the answer: it stands there only where every region needs one."""
    boxed = 0
    for triplet in triplets:
        named = Counter(region.label for region in triplet.regions)
        alike = tuple(region for region in triplet.regions if named[region.label] > 1)
        for one in (triplet, *([triplet.model_copy(update={"regions": alike, "relations": ()})] if alike else ())):
            alone = [region.label for region in one.regions[:6] if named[region.label] == 1]
            for turn in turns_of(one):
                if turn.kind == "place":
                    assert not (alone and turn.boxes), (alone, turn.question)
                    boxed += bool(turn.boxes)
    assert boxed


def test_only_the_kinds_that_are_asked_for_are_taken(triplets: list[Triplet]) -> None:
    """A data set of some kinds has no other turn."""
    mixer = Mixer(turns=6, kinds=frozenset({"modality", "place", "caption"}))
    for triplet in triplets:
        assert {turn.kind for turn in mixer.conversation(triplet).turns} <= {"modality", "place", "caption"}
    assert set(mixer.taken) == {"modality", "place", "caption"}
