"""The turns that one image's facts allow, kind by kind. Which of them are taken is decided in mixing.py.

`yes` and `no` turns come in pairs where both can be had: the answer is the judgement of a claim, never a guess.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from models.datasets.conversations import BOX, Turn
from models.statements import claims as c
from models.statements.facts import Facts
from models.statements.measures import share_of
from models.statements.table import table
from models.statements.tokens import words
from models.statements.voice import Voice
from models.statements.writing.text import COUNTS, article
from models.vocabulary import TERMS
from schemas.images import MODALITIES, Modality, Plane
from schemas.regions import Region
from schemas.shapes import Box
from schemas.triplets import Triplet

QUESTIONS = Path(__file__).with_name("questions.toml")
PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")
MOST_REGIONS = 6
"""Regions that are asked about; the first in the triplet's order."""
TRIES = 8
_UNKNOWN = (
    "How old is the patient?", "What is the patient's name?", "On what day was the image taken?",
    "Is the patient a smoker?", "In which hospital was this taken?", "Which treatment did the patient get?",
    "How long will the patient live?", "What did the earlier image show?", "What are the patient's symptoms?",
    "Who reported this image?",
)  # fmt: skip
"""Questions that no triplet can answer: what they ask for never passes preprocess, or is of another time."""
_SAID = {"patient left of": "further to the patient's left than", "mirror of": "the mirror image of"}
"""Predicates that are said in other words than the triplet's."""
_DISEASES = [term.name for term in TERMS.values() if term.kind == "disease"]
_ID = re.compile(r",? \(?r\d+\)?(?=[ ,.]|$)")
_UNTOLD = re.compile(r" \(orientation unknown\)")


@lru_cache(maxsize=1)
def phrasings() -> dict[str, dict[str, list[str]]]:
    """Of questions and answers, by kind."""
    return tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))


def turns_of(triplet: Triplet) -> list[Turn]:
    """Every turn that an image allows, in a fixed order; the same triplet gives the same ones."""
    asker = _Asker(triplet)
    return [turn for ask in _ASKERS for turn in ask(asker)]


class _Asker:
    """A triplet's facts, with the words for its regions."""

    def __init__(self, triplet: Triplet) -> None:
        self.triplet = triplet
        self.facts = Facts.of_triplet(triplet)
        self.voice = Voice(f"{triplet.image_id}:instructions")
        self.regions = [region for _, region in self.facts.regions.values()][:MOST_REGIONS]
        labels = [region.label for _, region in self.facts.regions.values()]
        self.labels = tuple(dict.fromkeys(labels))
        self._alone = {label for label in labels if len(self.facts.named(_name(label))) == 1}

    def turn(
        self,
        kind: str,
        answer: str | None = None,
        *,
        claims: tuple[tuple[c.Claim, bool | None], ...] = (),
        regions: tuple[Region, ...] = (),
        **parts: str,
    ) -> Turn | None:
        """A turn of a kind, worded anew each time; None where the facts do not judge its claims so.

        Args:
            answer: as it stands; None: one of the kind's phrasings.
            regions: whose names in `parts` may hold a box, in the order in which the text names them.
            parts: what stands in the places of the phrasings.
        """
        if any(claim.judge(self.facts).truth is not truth for claim, truth in claims):
            return None
        rows = phrasings()[kind]
        question = self.voice.pick(rows["ask"]).format(**parts)
        answer = self.voice.pick(rows["answer"]).format(**parts) if answer is None else answer
        answer = answer[0].upper() + answer[1:] if answer and not answer.startswith(BOX) else answer
        boxes = self._boxes(question + answer, regions)
        names = tuple(region.label for region in regions)
        return Turn(kind, question, answer, boxes, names[: len(boxes)] if boxes else (), claims)

    def denied(self, words: Sequence[str], claim: Callable[[str], c.Claim]) -> str | None:
        """A word of several with which a claim is false; None where a few tries find none."""
        tried = (self.voice.pick(words) for _ in range(TRIES))
        return next((word for word in tried if claim(word).judge(self.facts).truth is False), None)

    def _boxes(self, text: str, regions: tuple[Region, ...]) -> tuple[Box, ...]:
        return tuple(region.box for region in regions)[: text.count(BOX)]

    def the(self, region: Region) -> str:
        """What a region is called; with its box where others are called so too."""
        bare = _name(region.label)
        return f"the {bare}" if region.label in self._alone else f"the {bare} at {BOX}"

    def named(self) -> Iterator[tuple[Region, str]]:
        """Regions with what they are called."""
        for region in self.regions:
            yield region, self.the(region)


def _name(label: str) -> str:
    return " ".join(words(label))


def _of_modality(word: Modality) -> str:
    return table().modality(word).say[0]


def _some(turns: Iterator[Turn | None]) -> list[Turn]:
    return [turn for turn in turns if turn is not None]


def _caption(asker: _Asker) -> list[Turn]:
    caption = asker.triplet.description.caption
    return [] if caption is None else _some(iter([asker.turn("caption", caption.text)]))


def _description(asker: _Asker) -> list[Turn]:
    return _some(iter([asker.turn("description", asker.triplet.description.description)]))


def _modality(asker: _Asker) -> list[Turn]:
    found = asker.facts.metadata.modality
    if found in ("unknown", "other"):
        return []
    noun = _of_modality(found)
    others: list[Modality] = [word for word in MODALITIES if word not in ("unknown", "other", found)]

    def asked() -> Iterator[Turn | None]:
        yield asker.turn("modality", claims=((c.Modality(word=found), True),), noun=noun, a_noun=article(noun))
        yield asker.turn("modality-closed", "Yes", claims=((c.Modality(word=found), True),), a_noun=article(noun))
        other = asker.voice.pick(others)
        said = article(_of_modality(other))
        yield asker.turn("modality-closed", "No", claims=((c.Modality(word=other), False),), a_noun=said)

    return _some(asked())


def _plane(asker: _Asker) -> list[Turn]:
    found = asker.facts.metadata.plane
    if found is None:
        return []
    other = asker.voice.pick([plane for plane in PLANES if plane != found])
    return _some(
        iter(
            [
                asker.turn("plane", claims=((c.Plane(word=found), True),), word=found, a_word=article(found)),
                asker.turn(
                    "plane-closed", "Yes", claims=((c.Plane(word=found), True),), word=found, a_word=article(found)
                ),
                asker.turn(
                    "plane-closed", "No", claims=((c.Plane(word=other), False),), word=other, a_word=article(other)
                ),
            ]
        )
    )


def _organ(asker: _Asker) -> list[Turn]:
    found = asker.facts.metadata.organ
    if found is None or found not in table().organs:
        return []
    true = c.Structure(organ=found)
    other = asker.denied(list(table().organs), lambda organ: c.Structure(organ=organ))

    def asked() -> Iterator[Turn | None]:
        yield asker.turn("organ", claims=((true, True),), word=found)
        yield asker.turn("organ-closed", "Yes", claims=((true, True),), word=found)
        if other is not None:
            yield asker.turn("organ-closed", "No", claims=((c.Structure(organ=other), False),), word=other)

    return _some(asked())


def _disease(asker: _Asker) -> list[Turn]:
    found = asker.facts.metadata.disease
    if found is None:
        return []
    true = c.Disease(name=found)
    other = asker.denied(_DISEASES, lambda name: c.Disease(name=name))

    def asked() -> Iterator[Turn | None]:
        yield asker.turn("disease", claims=((true, True),), word=found)
        yield asker.turn("disease-closed", "Yes", claims=((true, True),), word=found)
        if other is not None:
            yield asker.turn("disease-closed", "No", claims=((c.Disease(name=other), False),), word=other)

    return _some(asked())


def _findings(asker: _Asker) -> list[Turn]:
    if not asker.labels:
        return []
    names = [_name(label) for label in asker.labels[:MOST_REGIONS]]
    claims = tuple((c.Finding(regions=asker.facts.named(name), every=True, name=name), True) for name in names)

    def asked() -> Iterator[Turn | None]:
        if len(asker.labels) <= MOST_REGIONS:
            yield asker.turn("finding", claims=claims, names=", ".join(names))
        for name, claim in zip(names, claims, strict=True):
            yield asker.turn("finding-closed", "Yes", claims=(claim,), a_name=article(name))
            there = asker.facts.named(name)
            n = len(there)
            if n < len(COUNTS):
                are = "is" if n == 1 else "are"
                count = ((c.Count(name=name, n=n), True),)
                yield asker.turn("count", claims=count, name=name, a_name=article(name), n=COUNTS[n], are=are)

    return _some(asked())


def _absences(asker: _Asker) -> list[Turn]:
    def asked() -> Iterator[Turn | None]:
        for row in table().labels:
            if row.role != "finding" or row.expert is None:
                continue
            name = _name(row.label)
            claims = ((c.Absence(name=name), True),)
            if claims[0][0].judge(asker.facts).truth is not True:
                continue
            yield asker.turn("absence", claims=claims, name=name, a_name=article(name))
            yield asker.turn("finding-closed", "No", claims=claims, a_name=article(name))

    return _some(asked())


def _sides(asker: _Asker) -> list[Turn]:
    def asked() -> Iterator[Turn | None]:
        for region, name in asker.named():
            for side, end, other in (("left", "high", "right"), ("right", "low", "left")):
                claim = c.Place(regions=(region.region_id,), axis="patient left", end=end, frame="patient")
                if claim.judge(asker.facts).truth is not True:
                    continue
                held = ((claim, True),)
                of = (region,)
                yield asker.turn("side", claims=held, regions=of, the_name=name, side=side)
                yield asker.turn("side-closed", "Yes", claims=held, regions=of, the_name=name, side=side)
                wrong = c.Place(
                    regions=(region.region_id,),
                    axis="patient left",
                    end="low" if end == "high" else "high",
                    frame="patient",
                )
                yield asker.turn("side-closed", "No", claims=((wrong, False),), regions=of, the_name=name, side=other)

    return _some(asked())


def _places(asker: _Asker) -> list[Turn]:
    return _some(
        asker.turn("place", regions=(region,), the_name=name, position=_UNTOLD.sub("", region.position))
        for region, name in asker.named()
    )


def _sizes(asker: _Asker) -> list[Turn]:
    def asked() -> Iterator[Turn | None]:
        for region, name in asker.named():
            share, _ = share_of(asker.facts, region.region_id, region, "")
            row = next((row for row in table().shares if share is not None and row.at_least <= share < row.below), None)
            if row is None:
                continue
            said = asker.voice.pick(row.say).removesuffix(" of")
            claims = ((c.Share(regions=(region.region_id,), word=row.word), True),)
            yield asker.turn("size", claims=claims, regions=(region,), the_name=name, share=said)

    return _some(asked())


def _comparisons(asker: _Asker) -> list[Turn]:
    by_id = {region.region_id: region for region in asker.regions}

    def asked() -> Iterator[Turn | None]:
        for relation in asker.triplet.relations:
            first, second = by_id.get(relation.subject), by_id.get(relation.object)
            if first is None or second is None or first.label == second.label:
                continue
            held = c.Relation(regions=(first.region_id,), predicate=relation.predicate, object=second.region_id)
            said = _SAID.get(relation.predicate, relation.predicate)
            here, there = asker.the(first), asker.the(second)
            pair = tuple(region for region, name in ((first, here), (second, there)) if BOX in name)
            yield asker.turn(
                "relation-closed", "Yes", claims=((held, True),), regions=pair, predicate=said, first=here, second=there
            )
            turned = c.Relation(regions=(second.region_id,), predicate=relation.predicate, object=first.region_id)
            yield asker.turn(
                "relation-closed",
                "No",
                claims=((turned, False),),
                regions=pair[::-1],
                predicate=said,
                first=there,
                second=here,
            )
            if relation.predicate == "larger than" and not pair:
                yield asker.turn("comparison", claims=((held, True),), larger=here, first=here, second=there)

    return _some(asked())


def _grounding(asker: _Asker) -> list[Turn]:
    regions = {one.region_id: _ID.sub("", one.phrase) for one in asker.regions if one.phrase is not None}
    phrases = list(regions.values())

    def asked() -> Iterator[Turn | None]:
        for region in asker.regions:
            if (said := regions.get(region.region_id)) is None:
                continue
            phrase = said[0].lower() + said[1:]
            yield asker.turn("box-to-phrase", regions=(region,), phrase=said)
            if phrases.count(said) == 1:
                yield asker.turn("phrase-to-box", regions=(region,), phrase=phrase)

    return _some(asked())


def _not_stated(asker: _Asker) -> list[Turn]:
    unknown = asker.voice.pick(_UNKNOWN)
    low = unknown[0].lower() + unknown[1:]
    return _some(iter([asker.turn("not-stated", unknown=unknown, unknown_low=low)]))


_ASKERS: tuple[Callable[[_Asker], list[Turn]], ...] = (
    _caption, _description, _modality, _plane, _organ, _disease, _findings, _absences, _sides, _places, _sizes,
    _comparisons, _grounding, _not_stated,
)  # fmt: skip
KINDS = tuple(phrasings())
"""Kinds of turns, in the table's order."""
