"""Questions about regions of interest: which there are, how many, where they lie, how they compare, and their boxes."""

import re
from collections.abc import Iterator
from functools import lru_cache, partial

from models.datasets.conversations import Turn
from models.datasets.instructions.offers import MOST_REGIONS, SIDES, Asker, Offer, is_one, name_of, with_boxes
from models.describers.plans import phrase
from models.describers.proven import may_be_denied
from models.statements import claims as c
from models.statements.measures import experts_for, share_of
from models.statements.table import table
from models.statements.voice import Voice
from models.statements.writing.text import COUNTS, article
from schemas.regions import Region, Relation, expert_name

OFF_THE_MIDDLE = 0.1
"""Of the extent: a region whose centre lies nearer to the midline is not asked for its side."""
MOST_DENIED = 4
"""Regions: where there are fewer, this number of them at most is denied."""
MOST_COVERED = 0.5
"""Of the image: the box of a larger region is not asked for, as it can be had without looking."""
_SIDE = {"patient left": ("left", "right"), "patient right": ("right", "left")}
_HALVES = {
    "left": ("image right", "low"), "right": ("image right", "high"), "upper": ("image down", "low"),
    "lower": ("image down", "high"),
}  # fmt: skip
_SAID = {"patient left of": "further to the patient's left than", "mirror of": "the mirror image of"}
"""Predicates that are said in other words than the triplet's."""
_ID = re.compile(r",? \(?r\d+\)?(?=[ ,.]|$)")
_UNTOLD = re.compile(r" \(orientation unknown\)")


def regions(asker: Asker) -> Iterator[Offer]:
    """All of them."""
    for ask in (_findings, _absences, _sides, _places, _sizes, _comparisons, _grounding):
        yield from ask(asker)


def _findings(asker: Asker) -> Iterator[Offer]:
    if not asker.labels:
        return
    labels = asker.labels[:MOST_REGIONS]

    def found(label: str) -> c.Finding:
        name = name_of(label)
        return c.Finding(regions=asker.facts.named(name), every=True, name=name)

    def all_of(voice: Voice) -> Turn | None:
        claims = tuple((found(label), True) for label in labels)
        return asker.turn("finding", voice, claims=claims, names=", ".join(labels))

    def yes(voice: Voice, label: str) -> Turn | None:
        return asker.turn(
            "finding-closed", voice, "Yes", claims=((found(label), True),), named=label, a_name=article(label)
        )

    def counted(voice: Voice, option: tuple[str, int]) -> Turn | None:
        label, n = option
        name = name_of(label)
        if not asker.are_told(label):
            return None
        truth = n == len(asker.facts.named(name))
        held = ((c.Count(name=name, n=n), truth),)
        answer = "Yes" if truth else "No"
        return asker.turn(
            "count-closed", voice, answer, claims=held, named=f"{n} {label}", name=label, a_name=article(label),
            n=COUNTS[n],
        )  # fmt: skip

    def count(voice: Voice, label: str) -> Turn | None:
        name = name_of(label)
        n = len(asker.facts.named(name))
        if n >= len(COUNTS) or not asker.are_told(label):
            return None
        are = "is" if n == 1 else "are"
        held = ((found(label), True), (c.Count(name=name, n=n), True))
        return asker.turn(
            "count", voice, claims=held, core=COUNTS[n], named=label, name=label, a_name=article(label), n=COUNTS[n],
            are=are,
        )  # fmt: skip

    if len(asker.labels) <= MOST_REGIONS:
        yield asker.one("finding", "", all_of)
    yield asker.offer("finding-closed", "Yes", labels, yes)
    yield asker.offer("count", "", labels, count)
    numbers = {label: len(asker.facts.named(name_of(label))) for label in labels}
    right = [(label, n) for label, n in numbers.items() if n < len(COUNTS)]
    wrong = [(label, other) for label, n in right for other in range(1, max(n, MOST_DENIED) + 1) if other != n]
    yield asker.offer("count-closed", "Yes", right, counted)
    yield asker.offer("count-closed", "No", wrong, counted)


def _absences(asker: Asker) -> Iterator[Offer]:
    runs = asker.facts.grounding.experts
    if not runs:
        return
    labels = _sought_by(
        frozenset(
            expert_name(run.expert)
            for run in runs
            if run.outcome != "failed" and (asker.unproven or may_be_denied(asker.facts, run.expert))
        )
    )

    def absent(voice: Voice, label: str, kind: str, answer: str | None) -> Turn | None:
        claims = ((c.Absence(name=name_of(label), reported=True), True),)
        named = label if answer else ""
        return asker.turn(kind, voice, answer, claims=claims, named=named, name=label, a_name=article(label))

    yield asker.offer("absence", "", labels, lambda voice, label: absent(voice, label, "absence", None))
    yield asker.offer("finding-closed", "No", labels, lambda voice, label: absent(voice, label, "finding-closed", "No"))


@lru_cache(maxsize=512)
def _sought_by(experts: frozenset[str]) -> tuple[str, ...]:
    """Labels of findings that one of these experts looks for: most are of experts that did not run."""
    return tuple(
        row.label
        for row in table().labels
        if row.role == "finding" and row.expert and not experts.isdisjoint(experts_for(name_of(row.label)))
    )


def _sides(asker: Asker) -> Iterator[Offer]:
    # A region that is called by its side answers for itself.
    sided = [(one, side) for one in asker.regions if not SIDES.search(one.label) and (side := side_of(one))]
    if not sided:
        return
    sided = [one for one in sided if asker.is_alone(one[0])] or sided

    def claim(region: Region, side: str) -> c.Place:
        end = "high" if side == "left" else "low"
        return c.Place(regions=(region.region_id,), axis="patient left", end=end, frame="patient")

    def make(voice: Voice, kind: str, region: Region, said: str, truth: bool) -> Turn | None:
        if not is_one(region):
            return None
        answer = None if kind == "side" else "Yes" if truth else "No"
        core = said if kind == "side" else ""
        held = ((claim(region, said), truth),)
        named = region.label if kind == "side" else f"{region.label} {said}"
        return asker.turn(
            kind, voice, answer, claims=held, regions=(region,), core=core, named=named, the_name=asker.the(region),
            side=said,
        )  # fmt: skip

    yield asker.offer("side", "", sided, lambda voice, one: make(voice, "side", one[0], one[1], True))
    yield asker.offer("side-closed", "Yes", sided, lambda voice, one: make(voice, "side-closed", one[0], one[1], True))
    other = {"left": "right", "right": "left"}
    yield asker.offer(
        "side-closed", "No", sided, lambda voice, one: make(voice, "side-closed", one[0], other[one[1]], False)
    )


def side_of(region: Region) -> str | None:
    """Of the patient, where that is known and the region does not lie near the middle."""
    for axis in region.place.axes if region.place is not None else ():
        if axis.towards in _SIDE and abs(axis.fraction - 0.5) >= OFF_THE_MIDDLE:
            there, opposite = _SIDE[axis.towards]
            return there if axis.fraction > 0.5 else opposite
    return None


def _places(asker: Asker) -> Iterator[Offer]:
    def make(voice: Voice, region: Region) -> Turn | None:
        if not is_one(region):
            return None
        position = _UNTOLD.sub("", region.position)
        return asker.turn(
            "place", voice, regions=(region,), core=position, named=region.label, the_name=asker.the(region),
            position=position,
        )  # fmt: skip

    def halved(answer: str, voice: Voice, option: tuple[Region, str]) -> Turn | None:
        region, half = option
        if not is_one(region):
            return None
        axis, end = _HALVES[half]
        held = ((c.Place(regions=(region.region_id,), axis=axis, end=end, frame="shown"), answer == "Yes"),)
        return asker.turn(
            "place-closed", voice, answer, claims=held, named=f"{region.label} {half}", the_name=asker.the(region),
            half=half,
        )  # fmt: skip

    if asker.regions:
        # A box in the question tells where its region lies.
        alone = [one for one in asker.regions if asker.is_alone(one)]
        yield asker.offer("place", "", alone or asker.regions, make)
        for answer in ("Yes", "No"):
            halves = [(one, half) for one in alone for half in _HALVES]
            yield asker.offer("place-closed", answer, halves, partial(halved, answer))


def _sizes(asker: Asker) -> Iterator[Offer]:
    def make(voice: Voice, region: Region) -> Turn | None:
        share, _ = share_of(asker.facts, region.region_id, region, "image")
        row = next((row for row in table().shares if share is not None and row.at_least <= share < row.below), None)
        if row is None or not is_one(region):
            return None
        said = voice.phrase(row.say).removesuffix(" of")
        held = ((c.Share(regions=(region.region_id,), word=row.word, of="image"), True),)
        return asker.turn(
            "size", voice, claims=held, regions=(region,), core=said, named=region.label, told=row.word,
            the_name=asker.the(region), share=said,
        )  # fmt: skip

    def unknown(voice: Voice, region: Region) -> Turn | None:
        if not is_one(region):
            return None
        return asker.turn("not-measurable", voice, regions=(region,), the_name=asker.the(region))

    if asker.regions:
        yield asker.offer("size", "", asker.regions, make)
        if asker.facts.metadata.spacing is None:
            yield asker.offer("not-measurable", "", asker.regions, unknown)


def _comparisons(asker: Asker) -> Iterator[Offer]:
    by_id = {region.region_id: region for region in asker.regions}
    pairs = [
        (relation, first, second)
        for relation in asker.triplet.relations
        if (first := by_id.get(relation.subject)) and (second := by_id.get(relation.object))
        if first.label != second.label
    ]
    if not pairs:
        return
    # A name with a side in it answers for itself where the question is of sides.
    open_ones = [
        pair for pair in pairs
        if "left" not in pair[0].predicate or not (SIDES.search(pair[1].label) or SIDES.search(pair[2].label))
    ]  # fmt: skip

    def related(voice: Voice, pair: tuple[Relation, Region, Region], turned: bool) -> Turn | None:
        relation, first, second = pair if not turned else (pair[0], pair[2], pair[1])
        if not (is_one(first) and is_one(second)):
            return None
        claim = c.Relation(regions=(first.region_id,), predicate=relation.predicate, object=second.region_id)
        here, there = asker.the(first), asker.the(second)
        named = f"{first.label} {relation.predicate} {second.label}"
        return asker.turn(
            "relation-closed", voice, "No" if turned else "Yes", claims=((claim, not turned),), named=named,
            regions=with_boxes([(first, here), (second, there)]), first=here, second=there,
            predicate=_SAID.get(relation.predicate, relation.predicate),
        )  # fmt: skip

    def compared(voice: Voice, pair: tuple[Relation, Region, Region]) -> Turn | None:
        _, larger, smaller = pair
        held = ((c.Relation(regions=(larger.region_id,), predicate="larger than", object=smaller.region_id), True),)
        name, other = asker.the(larger), asker.the(smaller)
        if with_boxes([(larger, name), (smaller, other)]) or not (is_one(larger) and is_one(smaller)):
            return None
        # Which of the two stands first in the question tells nothing.
        first, second = (name, other) if voice.maybe(0.5) else (other, name)
        both = " and ".join(sorted((name, other)))
        return asker.turn(
            "comparison", voice, claims=held, core=name, named=both, larger=name, first=first, second=second
        )

    larger = [pair for pair in pairs if pair[0].predicate == "larger than"]
    yield asker.offer("relation-closed", "Yes", open_ones, lambda voice, pair: related(voice, pair, False))
    yield asker.offer("relation-closed", "No", open_ones, lambda voice, pair: related(voice, pair, True))
    if larger:
        yield asker.offer("comparison", "", larger, compared)


def _grounding(asker: Asker) -> Iterator[Offer]:
    phrases = {one.region_id: _ID.sub("", one.phrase).rstrip(".") for one in asker.regions if one.phrase is not None}
    told = [one for one in asker.regions if one.region_id in phrases]
    # A phrase that says where its region lies tells the box, and without that only a name tells which one is meant.
    alone = [one for one in told if asker.is_alone(one) and _covers(asker, one) < MOST_COVERED]

    def to_phrase(voice: Voice, region: Region) -> Turn | None:
        if not is_one(region):
            return None
        said = phrases[region.region_id]
        return asker.turn("box-to-phrase", voice, regions=(region,), core=said, phrase=said[0].lower() + said[1:])

    def to_box(voice: Voice, region: Region) -> Turn | None:
        cell = _cell(asker, region)
        # To find how a region looks takes longer than all else that is asked.
        if asker.balance.enough("phrase-to-box", region.label, cell) or not is_one(region):
            return None
        said = phrase(asker.facts, region, placed=False)(voice)
        if said is None:
            return None
        return asker.turn(
            "phrase-to-box", voice, claims=tuple((claim, True) for claim in said.claims), regions=(region,),
            core=said.text, named=region.label, told=cell, phrase=_ID.sub("", said.text),
        )  # fmt: skip

    yield asker.offer("box-to-phrase", "", told, to_phrase)
    yield asker.offer("phrase-to-box", "", alone, to_box)


def _covers(asker: Asker, region: Region) -> float:
    """Share of the image that its box covers."""
    return region.box.width * region.box.height / (asker.facts.rows * asker.facts.columns)


def _cell(asker: Asker, region: Region) -> str:
    """Which ninth of the image the middle of its box lies in."""
    box = region.box
    row = (2 * box.y + box.height) * 3 // (2 * asker.facts.rows)
    column = (2 * box.x + box.width) * 3 // (2 * asker.facts.columns)
    return f"{row} {column}"
