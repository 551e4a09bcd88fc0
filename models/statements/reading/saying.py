"""What a sentence has claimed so far, and of what it says what comes next. Knows nothing of truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from models.statements import claims as c
from models.statements.facts import Facts
from models.statements.reading.atoms import Atom
from models.statements.reading.binding import Said as SaidOf
from models.statements.reading.mentions import EDGES, Mention
from models.statements.reading.phrases import Phrases
from models.statements.table import table

Said = Callable[[Mention], c.Claim | list[c.Claim]]
"""A claim, or several, once what it is said of is known."""


_ASPECTS = {
    "shape", "texture", "echogenicity", "echotexture", "density", "attenuation", "signal", "uptake", "size", "form",
    "configuration", "morphology", "internal", "centred", "located", "situated",
}  # fmt: skip
"""Words that a note begins with, which names nothing: 'Shape: irregular.'"""

REPORTING = {
    "automated", "automatic", "automatically", "algorithm", "algorithms", "detector", "computer", "software",
    "outlined", "marked", "annotated", "delineated", "segmented", "proposed", "labelled", "candidate", "candidates",
}  # fmt: skip
"""Words by which a sentence tells of what somebody did, and not of what is there."""


@dataclass
class Reading:
    """What was read: claims in order, each once, and words that no phrase licenses.

    `bound`: those of the claims that must be so of the same region.
    """

    claims: list[c.Claim] = field(default_factory=list[c.Claim])
    unlicensed: list[str] = field(default_factory=list[str])
    bound: list[c.Together] = field(default_factory=list[c.Together])

    def add(self, claim: c.Claim) -> None:
        """Once."""
        if claim not in self.claims:
            self.claims.append(claim)

    @property
    def judged(self) -> list[c.Claim]:
        """The claims, with what is bound in place of its parts."""
        found: list[c.Claim] = []
        for claim in self.claims:
            said = (claim, claim.turned())
            wholes: list[c.Claim] = [one for one in self.bound if said[one.negated] in one.claims]
            found += [one for one in wholes or [claim] if one not in found]
        return found


@dataclass(frozen=True, slots=True)
class Open:
    """A relation whose object has not been named yet."""

    atom: Atom
    subject: Mention | None
    denied: bool


class Saying:
    """The claims of one sentence, and what they are said of. Places are indices of its atoms.

    Args:
        atoms: its phrases.
        facts: of the image.
        reading: that its claims are added to.
        before: what the sentence before it spoke of.
        earlier: all that the sentence before it named, in order.
        carried: what was said of `before`, and is so of the same region as what is said of "it" here.
    """

    def __init__(
        self,
        atoms: list[Atom],
        facts: Facts,
        reading: Reading,
        before: Mention | None,
        earlier: tuple[Mention, ...] = (),
        carried: Sequence[SaidOf] = (),
    ) -> None:
        self.atoms, self.facts, self.reading = atoms, facts, reading
        self.phrases = Phrases(atoms, facts, earlier)
        self.beside: Mention | None = None
        """What is so as its subject is: 'r1, as well as r2, is round'."""
        self.only_next = False
        """Whether it is so of what is named next alone: 'the only oval region is r1'."""
        self.only: Mention | None = None
        """Of what alone it is so: 'only r1 is oval'."""
        self.fronted: Mention | None = None
        """What it compares with, named before what is compared: 'compared with r2, r1 is larger'."""
        self.pair: tuple[str, ...] = ()
        """Two that it compares with each other: 'of r1 and r2, the latter is larger'."""
        self.resumed: Mention | None = None
        """What it goes on to speak of behind a relative clause."""
        self.among = ""
        """What it ranks: 'among the nodules, r1 is the largest and r2 the smallest'."""
        self.inverted: tuple[Open, Mention] | None = None
        """A relation with its object, named before its subject: 'within r1 lies r2'."""
        self.before = before
        self.subject: Mention | None = None
        self.denied = self.denied_next = False
        self.idle = False
        """A 'not' that has denied nothing yet."""
        self.untrue = False
        self.none: Mention | None = None
        """Of what the sentence denies all that it tells: 'no nodule is round'."""
        self.instead: Mention | None = None
        """What is not so as its subject is: 'r1, not r2, is round'."""
        self.degree = ""
        self.spoken_of: Mention | None = None
        """Regions beside the subject that were named last: what 'it' is behind a relation."""
        self.relation: Open | None = None
        self.also: list[Open] = []
        """Relations to the same object: 'above and to the left of r2'."""
        self.pending: list[tuple[Said, bool]] = []
        self.used: set[int] = set()
        self.accounted: set[str] = set()
        """Regions that constructions tell of."""
        self.dealt: dict[int, Mention] = {}
        """Of what phrases are said that 'respectively' deals out: by the places of their atoms."""
        self.said: list[c.Claim] = []
        self.said_of = [replace(one, at=-1) for one in carried if one.of == before]
        self.at = 0
        """The atom that is read."""

    @property
    def mentions(self) -> dict[int, Mention]:
        """Regions that it names, by the place where they begin."""
        return self.phrases.mentions

    def say(self, claim: c.Claim, *, negated: bool | None = None, of: Mention | None = None) -> None:
        """A claim, denied where the words before it deny it, or as given; `of`: of what, where not of its subject."""
        negated = self.take_denial() if negated is None else negated
        claim = claim.turned() if negated else claim
        self.said.append(claim)
        self.said_of.append(SaidOf(claim, of or self.subject, self.at))
        self.reading.add(claim)

    def say_none(self, name: str, *, negated: bool | None = None) -> None:
        """That there is none of what is called so, or that whoever looked found none, where the words say so."""
        self.say(c.Absence(name=name, reported=self.is_report), negated=negated)

    @property
    def is_report(self) -> bool:
        """Whether it tells of what somebody outlined or found: 'no opacity was found on automated analysis'."""
        return any(
            atom.kind in ("expert", "source", "marks") or not REPORTING.isdisjoint(atom.text.split(" "))
            for atom in self.atoms
        )

    def take_denial(self) -> bool:
        """Whether what comes now is denied: 'no' denies one thing, 'not' what follows."""
        denied, self.denied_next = self.denied or self.denied_next, False
        self.idle = self.idle and not denied
        return denied

    def drop_denial(self) -> None:
        """A 'no' that has denied nothing denies what cannot be read: 'has no discernible boundary'."""
        if self.denied_next:
            self.unlicensed("no")
        self.denied_next = False

    def unlicensed(self, text: str) -> None:
        """Words that claim something which cannot be read."""
        self.reading.unlicensed.append(text)

    def say_of(self, n: int, said: Said, end: int | None = None) -> None:
        """A claim by the phrase at n, which ends before `end`, of what that is said of."""
        negated = self.take_denial()
        if end is None and self.phrases.stands_before_the_unknown(n):
            return
        target = self.dealt.get(n) or self.phrases.target(n + 1 if end is None else end, self.subject)
        if target is None:
            self.pending.append((said, negated))
        else:
            self._say_of(said, target, negated)

    def _say_of(self, said: Said, target: Mention | None, negated: bool) -> None:
        if target is None:
            meant = self._meant()
            if meant is None:
                self.unlicensed("what it speaks of")
                return
            target = Mention((meant,), "", True, False, 0, 0)
        claim = said(target)
        claims = [
            replace(one, part=target.part) if isinstance(one, c.OfRegions) and target.part is not None else one
            for one in (claim if isinstance(claim, list) else [claim])
        ]
        negated = negated != self.denies(target)
        if negated and len(claims) > 1:
            claims = [c.Together(claims=tuple(claims))]
        for one in claims:
            self.say(one, negated=negated, of=target)
            self._say_of_no_other(one, target, negated)
            if self.beside is not None and isinstance(one, c.OfRegions) and target == self.subject:
                every = self.beside.several
                self.say(replace(one, regions=self.beside.regions, every=every, part=None), negated=negated)
            if self.instead is not None and isinstance(one, c.OfRegions) and target == self.subject:
                self.say(replace(one, regions=self.instead.regions, every=False), negated=not negated)

    def _meant(self) -> str | None:
        """Of what it tells where nothing is named: the one region, or the one marked finding: 'it', 'Shape: round'."""
        if len(self.facts.regions) == 1:
            return next(iter(self.facts.regions))
        marked = [
            one
            for one, (_, region) in self.facts.regions.items()
            if region.kind == "source annotation" and table().called(region.label).role == "finding"
        ]
        speaks = any(atom.text in ("it", "its") for atom in self.atoms) or self.atoms[0].text in EDGES | _ASPECTS
        return marked[0] if len(marked) == 1 and speaks else None

    def _say_of_no_other(self, claim: c.Claim, target: Mention, negated: bool) -> None:
        """'Only r1 is oval': no other is."""
        others = tuple(one for one in self.facts.regions if one not in target.regions)
        if self.only is not None and target.regions == self.only.regions and isinstance(claim, c.OfRegions) and others:
            self.say(replace(claim, regions=others, every=False, part=None), negated=not negated)

    def denies(self, target: Mention | None) -> bool:
        """Whether it is that of which none is so."""
        return self.none is not None and target is not None and target.regions == self.none.regions

    def twin(self, mention: Mention) -> Mention | None:
        """The other of two that are called alike."""
        called = self.facts.named(mention.name) if mention.name else ()
        rest = tuple(one for one in called if one not in mention.regions)
        single = len(mention.regions) == 1 and len(called) == 2 and len(rest) == 1
        return replace(mention, regions=rest, explicit=True, start=0, end=0) if single else None

    def repeat(self, mention: Mention, *, alike: bool = False) -> bool:
        """What was claimed last, of other regions: denied ('… but not in r2'), or `alike` ('… and so is r2')."""
        told = (one for one in reversed(self.said) if not isinstance(one, c.Finding))
        last = next((one for one in told if isinstance(one, c.OfRegions)), None)
        if last is None or set(last.regions) & set(mention.regions):
            return False
        self.idle = False
        negated = last.negated if alike else not last.negated
        every = mention.several and not negated
        self.say(replace(last, regions=mention.regions, every=every, part=None, negated=negated), negated=False)
        return True

    def relate(self, subject: Mention, predicate: str, other: Mention, *, turned: bool, negated: bool) -> None:
        """How regions lie to others: of each that a plural names, and of one of several that a noun fits."""
        # Of one by one, so that each stands by itself; of some of many, together.
        apart = [(one,) for one in subject.regions] if subject.every or subject.explicit else [subject.regions]
        of_one = not other.several and not other.explicit and len(other.regions) > 1
        degree, self.degree = self.degree, ""
        for regions in apart:
            if of_one and len(regions) == 1:
                made = c.Relation(
                    regions=other.regions,
                    predicate=predicate,
                    object=regions[0],
                    turned_round=not turned,
                    degree=degree,
                )
                self.say(made, negated=negated, of=other)
                continue
            for whole in other.regions[: None if other.several else 1]:
                if turned and len(regions) == 1:
                    made = c.Relation(regions=(whole,), predicate=predicate, object=regions[0], degree=degree)
                else:
                    made = c.Relation(
                        regions=regions,
                        predicate=predicate,
                        object=whole,
                        or_else=other.regions[1:] if of_one else (),
                        turned_round=turned,
                        part=subject.part,
                        degree=degree,
                    )
                self.say(made, negated=negated)
                self._relate_no_other(subject, predicate, whole, turned=turned, negated=negated)

    def _relate_no_other(self, subject: Mention, predicate: str, whole: str, *, turned: bool, negated: bool) -> None:
        """'Only r3 lies in r1': no other does."""
        others = tuple(one for one in self.facts.regions if one not in (*subject.regions, whole))
        if self.only is not None and subject.regions == self.only.regions and others:
            made = c.Relation(regions=others, predicate=predicate, object=whole, turned_round=turned)
            self.say(made, negated=not negated)

    def related(self, relation: Open, subject: Mention, other: Mention) -> None:
        predicate, turned = relation.atom.value
        self.relation, self.spoken_of = None, other
        if other.name:
            self.say(c.Finding(regions=other.regions, every=other.several, name=other.name), negated=False)
        self.relate(subject, predicate, other, turned=turned, negated=relation.denied != self.denies(subject))
        also, self.also = self.also, []
        for one in also:
            self.related(one, subject, other)
