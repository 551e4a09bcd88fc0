"""Anybody's sentences held against triplets: JSON Lines in, the same with verdict, reason and claims out."""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import pydantic

from infra.exports import lines_of
from infra.triplet_lines import BadTriplet, triplets_of
from models.statements import Facts, judge
from models.statements.claims import Claim, Together


@dataclasses.dataclass
class Verified:
    """What came of a file of sentences."""

    verdicts: Counter[str]
    errors: list[str]


class Sentence(pydantic.BaseModel):
    """One line in. Other fields are handed on as they are."""

    model_config = pydantic.ConfigDict(extra="allow")

    text: str
    triplet_id: str | None = None
    object_id: str | None = None
    frame: int | None = None


class NoImage(ValueError):
    """A sentence does not say which image it speaks of, or names none of the file."""


class Known:
    """The facts of triplets, by triplet_id, and by object_id and frame."""

    def __init__(self, path: Path) -> None:
        self._facts: dict[str, Facts] = {}
        self._frames: dict[str, dict[int, Facts]] = {}
        for _, triplet in triplets_of(path):
            if isinstance(triplet, BadTriplet):
                raise triplet
            facts = Facts.of_triplet(triplet)
            self._facts[triplet.triplet_id] = facts
            for object_id in (triplet.object_id, *triplet.also_in):
                self._frames.setdefault(object_id, {})[triplet.frame] = facts

    def facts(self, sentence: Sentence) -> Facts:
        """Of the image that a sentence speaks of; without a frame, of an object that has one frame only.

        Raises:
            NoImage: it names none, or one that is not there.
        """
        if sentence.triplet_id is not None:
            if (facts := self._facts.get(sentence.triplet_id)) is None:
                raise NoImage("no triplet of the file has this triplet_id")
            return facts
        if sentence.object_id is None:
            raise NoImage("names no image: give triplet_id, or object_id and frame")
        if not (frames := self._frames.get(sentence.object_id)):
            raise NoImage("no triplet of the file has this object_id")
        if sentence.frame is None:
            if len(frames) > 1:
                raise NoImage(f"the object has {len(frames)} frames: give frame too")
            return next(iter(frames.values()))
        if sentence.frame not in frames:
            raise NoImage("the object has no triplet of this frame")
        return frames[sentence.frame]


def verify(triplets: Path, statements: Path, out: BinaryIO) -> Verified:
    """Write each sentence with its verdict. Lines that cannot be judged are told in `errors`, and not written.

    Raises:
        BadTriplet: a line of the triplets is none.
        CannotWrite: a file cannot be read.
    """
    known, found = Known(triplets), Verified(Counter(), [])
    for line, data in _lines(statements):
        try:
            sentence = Sentence.model_validate_json(data)
        except pydantic.ValidationError:
            found.errors.append(f"line {line}: not a JSON object with text, and triplet_id or object_id")
            continue
        try:
            facts = known.facts(sentence)
        except NoImage as error:
            found.errors.append(f"line {line}: {error}")
            continue
        judged = judge(sentence.text, facts)
        found.verdicts[judged.verdict.outcome] += 1
        told = {
            "verdict": judged.verdict.outcome,
            "reason": judged.verdict.reason,
            "claims": [_told(claim, facts) for claim in judged.claims],
        }
        out.write(orjson.dumps({**orjson.loads(data), **told}) + b"\n")
    return found


def _told(claim: Claim, facts: Facts) -> dict[str, Any]:
    judgement = claim.judge(facts)
    fields = {
        key: value for key, value in dataclasses.asdict(claim).items() if key not in ("loose", "decimals", "beside")
    }
    if isinstance(claim, Together):
        fields["claims"] = [_told(one, facts) for one in claim.claims]
    return {"kind": claim.kind, **fields, "holds": judgement.truth, "pointers": judgement.pointers}


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    return ((number, line) for number, line in enumerate(lines_of(path), 1) if line.strip())
