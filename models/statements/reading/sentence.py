"""A sentence while it is read: what it speaks of, what is denied, and what it has claimed. Knows nothing of truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from models.statements import claims as c
from models.statements.facts import Facts
from models.statements.reading.atoms import Atom
from models.statements.reading.binding import Said as SaidOf
from models.statements.reading.binding import bound
from models.statements.reading.mentions import Mention
from models.statements.reading.phrases import Phrases
from models.statements.table import table

Said = Callable[[Mention], c.Claim | list[c.Claim]]
"""A claim, or several, once what it is said of is known."""


_SEEN = {
    "seen", "visible", "present", "shown", "outlined", "identified", "found", "detected", "noted", "evident", "there",
    "apparent", "demonstrated", "appreciated", "depicted", "displayed", "recognised", "discernible", "perceptible",
    "encountered", "visualised", "observed", "discerned", "perceived", "recognisable", "appreciable", "distinguished",
}  # fmt: skip


ONLY = {"only", "solely", "exclusively"}


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


class Sentence:
    """One sentence, from left to right. Places are indices of its atoms.

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
        self.pending: list[tuple[Said, bool]] = []
        self.used: set[int] = set()
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

    def take_denial(self) -> bool:
        """Whether what comes now is denied: 'no' denies one thing, 'not' what follows."""
        denied, self.denied_next = self.denied or self.denied_next, False
        self.idle = self.idle and not denied
        return denied

    def unlicensed(self, text: str) -> None:
        """Words that claim something which cannot be read."""
        self.reading.unlicensed.append(text)

    def say_of(self, n: int, said: Said, end: int | None = None) -> None:
        """A claim by the phrase at n, which ends before `end`, of what that is said of."""
        negated = self.take_denial()
        if end is None and self.phrases.stands_before_the_unknown(n):
            return
        target = self.phrases.target(n + 1 if end is None else end, self.subject)
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
        """Of what it tells where nothing is named: of the one region, or behind 'it' of the one marked finding."""
        if len(self.facts.regions) == 1:
            return next(iter(self.facts.regions))
        marked = [
            one
            for one, (_, region) in self.facts.regions.items()
            if region.kind == "source annotation" and table().called(region.label).role == "finding"
        ]
        return marked[0] if len(marked) == 1 and self.atoms[0].text in ("it", "its") else None

    def _say_of_no_other(self, claim: c.Claim, target: Mention, negated: bool) -> None:
        """'Only r1 is oval': no other is."""
        others = tuple(one for one in self.facts.regions if one not in target.regions)
        if self.only is not None and target.regions == self.only.regions and isinstance(claim, c.OfRegions) and others:
            self.say(replace(claim, regions=others, every=False, part=None), negated=not negated)

    def denies(self, target: Mention | None) -> bool:
        """Whether it is that of which none is so."""
        return self.none is not None and target is not None and target.regions == self.none.regions

    def deny_of(self, head: Mention) -> None:
        """All that follows is so of none of what is named here."""
        self.denied_next = False
        self.subject = self.none = replace(head, explicit=True, several=False, every=False)
        if head.name:
            self.say(c.Finding(regions=head.regions, name=head.name), negated=False)

    def mention(self, mention: Mention) -> None:
        """Regions are named: what a relation points at, what the subject is, or what comes to be spoken of."""
        if self.relation is not None:
            if mention.regions and self.relation.subject is None and self.subject is None:
                self.inverted, self.relation = (self.relation, mention), None
                return
            if mention.regions and self.relation.subject is not None:
                self._related(self.relation, self.relation.subject, mention)
                return
            self.unlicensed(self.relation.atom.text)
            self.relation = None
        subject = self.subject
        if self.phrases.is_surroundings(mention):
            return
        if mention.name and not mention.regions and self.denies(subject):
            self.say(c.Absence(name=mention.name), negated=False)  # "Neither lung field contains an opacity."
            return
        if subject is not None and self.spoken_of is None:
            self.spoken_of = subject
        if (
            subject is not None
            and subject.regions
            and mention.name != ""
            and self.phrases.behind_copula(mention.start, subject)
        ):
            if mention.explicit and mention.regions != subject.regions:
                self.speak_of(mention)
            else:
                named = c.Finding(regions=subject.regions, every=subject.every, part=subject.part, name=mention.name)
                self.say(named, negated=self.take_denial() != self.denies(subject))
        elif (
            self.phrases.behind_preposition(mention.start)
            and subject is not None
            and mention.name
            and not mention.explicit
        ):
            self.say(c.Finding(regions=mention.regions, name=mention.name), negated=False)
        else:
            self.speak_of(mention)

    def opposite(self, region_id: str) -> Mention | None:
        """The other of the two that the sentence compares."""
        rest = tuple(one for one in self.pair if one != region_id)
        return Mention(rest, "", True, False, 0, 0) if len(rest) == 1 and len(self.pair) == 2 else None

    def turn_to_the_last(self, n: int) -> None:
        """A relative clause behind n: 'r1 is larger than r2, which is round'; up to the next comma."""
        last = next((one for one in self.mentions.values() if one.end == n and one.explicit), None)
        if last is not None and last != self.subject and len(last.regions) == 1:
            self.resumed, self.subject = self.subject, last

    def speak_of_all_but(self, mention: Mention) -> int | None:
        """'All regions except r2': where that ends; None where nothing is excepted."""
        n = mention.end
        if (
            not mention.several
            or n >= len(self.atoms)
            or not (self.atoms[n].kind == "except" or self.atoms[n].text == "but")
        ):
            return None
        m = n + 2 if n + 1 < len(self.atoms) and self.atoms[n + 1].text in ("for", "the", "region") else n + 1
        excepted = self.mentions.get(m)
        if excepted is None or not excepted.explicit or not set(excepted.regions) < set(mention.regions):
            return None
        left = tuple(one for one in mention.regions if one not in excepted.regions)
        self.instead = excepted
        self.speak_of(replace(mention, regions=left, explicit=True, every=True, end=excepted.end))
        return excepted.end

    def speak_of(self, mention: Mention) -> None:
        """It is what comes next is said of, and what was said before of what was not named yet."""
        denied = self.take_denial() if mention.name else False
        self.subject = mention
        self._look_for_only(mention)
        if denied and not mention.explicit:
            self.say(c.Absence(name=mention.name), negated=False)
        elif mention.name:
            self.say(c.Finding(regions=mention.regions, every=mention.several, name=mention.name), negated=denied)
        for one in mention.regions if mention.explicit else ():
            if one not in self.facts.regions:
                self.say(c.Finding(regions=(one,), name=mention.name or "region"), negated=False)
        if self.inverted is not None:
            (relation, other), self.inverted = self.inverted, None
            self._related(relation, mention, other)
        pending, self.pending = self.pending, []
        for said, negated in pending:
            self._say_of(said, mention, negated)

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

    def _look_for_only(self, mention: Mention) -> None:
        """Whether it is so of this alone, or this is the only one that is called so."""
        before = self.atoms[mention.start - 1].text if mention.start else ""
        behind = self.atoms[mention.end].text if mention.end < len(self.atoms) else ""
        if self.only_next and mention.regions:
            self.only, self.only_next = mention, False
        if (mention.explicit and before in ONLY) or (behind == "alone" and mention.regions):
            self.only = mention

    def _turn(self) -> None:
        """'It is not true that …': the one thing that the sentence tells is denied."""
        telling = [one for one in self.said if not isinstance(one, c.Finding)] or self.said
        if len(telling) == 1 and telling[0] in self.reading.claims:
            self.reading.claims[self.reading.claims.index(telling[0])] = telling[0].turned()
        else:
            self.unlicensed("not true")

    def _related(self, relation: Open, subject: Mention, other: Mention) -> None:
        predicate, turned = relation.atom.value
        self.relation, self.spoken_of = None, other
        if other.name:
            self.say(c.Finding(regions=other.regions, every=other.several, name=other.name), negated=False)
        self.relate(subject, predicate, other, turned=turned, negated=relation.denied != self.denies(subject))

    def relate(self, subject: Mention, predicate: str, other: Mention, *, turned: bool, negated: bool) -> None:
        """How regions lie to others: of each that a plural names, and of one of several that a noun fits."""
        # Of one by one, so that each stands by itself; of some of many, together.
        apart = [(one,) for one in subject.regions] if subject.every or subject.explicit else [subject.regions]
        of_one = not other.several and not other.explicit and len(other.regions) > 1
        for regions in apart:
            if of_one and len(regions) == 1:
                made = c.Relation(
                    regions=other.regions, predicate=predicate, object=regions[0], turned_round=not turned
                )
                self.say(made, negated=negated, of=other)
                continue
            for whole in other.regions[: None if other.several else 1]:
                if turned and len(regions) == 1:
                    made = c.Relation(regions=(whole,), predicate=predicate, object=regions[0])
                else:
                    made = c.Relation(
                        regions=regions,
                        predicate=predicate,
                        object=whole,
                        or_else=other.regions[1:] if of_one else (),
                        turned_round=turned,
                        part=subject.part,
                    )
                self.say(made, negated=negated)

    def _look_for_the_idle(self) -> None:
        """Regions that are named by id and that nothing was told of: 'r1 is oval, r2 likely so'."""
        told = {one for claim in self.said for one in _ids_of(claim)}
        named = {one for mention in self.mentions.values() if mention.explicit for one in mention.regions}
        if told and named - told:
            self.unlicensed("a region that nothing is told of")

    def _is_not_there(self) -> bool:
        """Whether all that it tells is that its subject is not seen: 'the nodule is not visible'."""
        behind = [n + 1 for n, atom in enumerate(self.atoms) if atom.kind == "not"]
        seen = any(self.atoms[n].text in _SEEN for n in behind if n < len(self.atoms))
        named = self.subject is not None and bool(self.subject.name) and not self.subject.explicit
        return seen and named and all(isinstance(one, c.Finding) for one in self.said)

    def end(self) -> None:
        """What is still open is said of what was spoken of before, or is not licensed."""
        if self.relation is not None:
            self.unlicensed(self.relation.atom.text)
        for said, negated in self.pending:
            self._say_of(said, self.before, negated)
        if self.idle and self._is_not_there():
            assert self.subject is not None
            self.say(c.Absence(name=self.subject.name), negated=False)
        elif self.idle:
            self.unlicensed("not")
        self._look_for_the_idle()
        if self.fronted is not None or self.inverted is not None:
            self.unlicensed("compared")
        if self.untrue:
            self._turn()
        else:
            self.reading.bound += bound(self.said_of, self.atoms, self.none)
        self.subject = self.subject or self.before


def _ids_of(claim: c.Claim) -> set[str]:
    """Regions that a claim tells of."""
    if isinstance(claim, c.Together):
        return {one for part in claim.claims for one in _ids_of(part)}
    beside = {getattr(claim, "object", ""), getattr(claim, "against", "")}
    return {*getattr(claim, "regions", ()), *beside}
