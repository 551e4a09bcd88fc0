"""A sentence while it is read: what it names, what it comes to speak of, and how it ends. Knows nothing of truth."""

from dataclasses import replace

from models.statements import claims as c
from models.statements.reading.binding import bound
from models.statements.reading.mentions import HOLDING, Mention
from models.statements.reading.saying import Open, Saying
from models.statements.reading.spans import ATTRIBUTES

_SEEN = {
    "seen", "visible", "present", "shown", "outlined", "identified", "found", "detected", "noted", "evident", "there",
    "apparent", "demonstrated", "appreciated", "depicted", "displayed", "recognised", "discernible", "perceptible",
    "encountered", "visualised", "observed", "discerned", "perceived", "recognisable", "appreciable", "distinguished",
}  # fmt: skip


_LOCATED = _SEEN | {
    "lies", "lie", "lying", "is", "are", "was", "were", "sits", "located", "situated", "positioned",
    "resides", "placed", "proposed", "suggested", "marked", "annotated", "delineated", "segmented", "drawn",
}  # fmt: skip
"""Words before 'in' by which a region lies in another."""
_BEFORE_A_PLACE = {
    "the",
    "a",
    "an",
    "region",
    "regions",
    "each",
    "both",
    "all",
    "every",
    "either",
    "these",
    "those",
    "two",
}
_PLACED_WITHIN = (("inside", False), ("mostly inside", False))
_LOOSE = {"on", "upon", "near", "along", "through", "throughout", "beside", "towards"}
"""Prepositions that tell how a region lies to another, where no relation was made of them."""
_FREE_OF = {"free of", "free from", "devoid of", "clear of", "without", "lacks", "without any"}
ONLY = {"only", "solely", "exclusively", "confined to", "restricted to", "limited to"}


class Sentence(Saying):
    """One sentence, from left to right. Places are indices of its atoms."""

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
            if self.relation.subject is not None and self.denied_next and not mention.explicit and mention.name:
                self._relate_to_none(self.relation, self.relation.subject, mention)
                return
            if mention.regions and self.relation.subject is not None:
                self.related(self.relation, self.relation.subject, mention)
                return
            self.unlicensed(self.relation.atom.text)
            self.relation = None
        subject = self.subject
        if self.phrases.is_surroundings(mention):
            return
        if mention.name and not mention.explicit and self.denied_next and self._is_free_of(mention):
            self.denied_next = False
            # "The lung fields are free of opacities": there are none, or none in them.
            for one in subject.regions if subject is not None and mention.regions else ():
                self.say(c.Relation(regions=mention.regions, predicate="overlapping", object=one), negated=True)
            if subject is None or not mention.regions:
                self.say_none(mention.name, negated=False)
                if subject is not None:
                    self.unlicensed("free of")  # As "contains no".
            return
        if mention.name and not mention.regions and self.denies(subject):
            self.say_none(mention.name, negated=False)  # "Neither lung field contains an opacity."
            return
        if subject is not None and (place := self._located_in(mention, subject)) is not None:
            predicate = "inside" if self.atoms[place].text == "in" else "mostly inside"
            inside = replace(self.atoms[place], kind="relation", value=(predicate, False))
            self.related(Open(inside, subject, self.take_denial()), subject, mention)
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
            and self.atoms[mention.start].text != "one"
            and subject is not None
            and mention.name
            and not mention.explicit
        ):
            self.say(c.Finding(regions=mention.regions, name=mention.name), negated=False)
            self._look_at_the_preposition(mention, subject)
            if len(mention.regions) == 1:
                self.spoken_of = mention
        else:
            if subject is not None and mention.regions and not mention.explicit:
                self._look_at_the_preposition(mention, subject)
            self.speak_of(mention)

    def _look_at_the_preposition(self, mention: Mention, subject: Mention) -> None:
        """'A reflex near the polyp': how it lies to it is told, and was not read."""
        n = mention.start - 1
        while n > 0 and (self.atoms[n].text in _BEFORE_A_PLACE or self.atoms[n].kind in ATTRIBUTES):
            n -= 1
        if self.atoms[n].text in _LOOSE and subject.regions and not set(subject.regions) & set(mention.regions):
            self.unlicensed(self.atoms[n].text)

    def _located_in(self, mention: Mention, subject: Mention) -> int | None:
        """Where 'in' stands before a region in which another is said to lie: 'r4 lies in the tumour'."""
        n = mention.start - 1
        while n > 0 and (
            self.atoms[n].text in _BEFORE_A_PLACE
            or self.atoms[n].kind in ATTRIBUTES
            or self.atoms[n].kind in ("how many", "compared")
            or (self.atoms[n].kind == "bound" and self.atoms[n].text in ("larger", "smaller"))
        ):
            n -= 1
        apart = subject.regions and mention.regions and set(subject.regions) - set(mention.regions)
        if (
            not apart
            or n < 1
            or self.atoms[n].text not in ("in", "on", "upon")
            or not (self.atoms[n - 1].text in _LOCATED or self._is_named_there(subject, n))
        ):
            return None
        return n

    def _is_named_there(self, subject: Mention, n: int) -> bool:
        """'Proposes r8 in the lung field', 'r8 was found by the expert in …': right behind a name or who found it."""
        return (subject.explicit and subject.end == n) or self.atoms[n - 1].kind == "expert"

    def _relate_to_none(self, relation: Open, subject: Mention, mention: Mention) -> None:
        """'The left lung field contains no opacity': there is none, or none in it."""
        self.denied_next = False
        if mention.regions:
            self.related(replace(relation, denied=not relation.denied), subject, replace(mention, several=False))
        else:
            self.relation = None
            self.say_none(mention.name, negated=relation.denied)
            self.unlicensed("contains no")

    def _is_free_of(self, mention: Mention) -> bool:
        """Whether the words before it say that something is without it."""
        m = mention.start - 1
        while m >= 0 and (self.atoms[m].kind in ATTRIBUTES or self.atoms[m].text in ("a", "an", "any", "the")):
            m -= 1
        return m >= 0 and self.atoms[m].kind == "no" and self.atoms[m].text in _FREE_OF

    def opposite(self, region_id: str) -> Mention | None:
        """The other of the two that the sentence compares."""
        rest = tuple(one for one in self.pair if one != region_id)
        return Mention(rest, "", True, False, 0, 0) if len(rest) == 1 and len(self.pair) == 2 else None

    def turn_to_the_last(self, n: int) -> None:
        """A relative clause behind n: 'r1 is larger than r2, which is round'; up to the next comma."""
        last = next((one for one in self.mentions.values() if one.end == n), None)
        if last is None or last == self.subject or not (last.explicit or self._is_an_object(last)):
            return
        if len(last.regions) == 1:
            self.resumed, self.subject = self.subject, last
        elif not last.explicit:
            self.unlicensed("which")

    def turn_to_the_object(self, n: int) -> None:
        """'Overlaps a region that is irregular', '… covering 17 % of the image': of what a verb points at."""
        last = next((one for one in self.mentions.values() if one.end == n), None)
        if last is not None and last != self.subject and self._is_an_object(last):
            self.turn_to_the_last(n)

    def _is_an_object(self, mention: Mention) -> bool:
        """Whether a verb or a comparison stands before it: 'in' and 'within' leave open what goes on."""
        related = {region for one in self.said if isinstance(one, c.Relation) for region in (one.object, *one.regions)}
        n = mention.start - 1
        while n >= 0 and (self.atoms[n].kind in ATTRIBUTES or self.atoms[n].text in _BEFORE_A_PLACE):
            n -= 1
        placed = self.atoms[n].value in _PLACED_WITHIN and self.atoms[n].text.split(" ")[0] not in _LOCATED
        return bool(set(mention.regions) & related) and self.atoms[n].kind in ("relation", "compared") and not placed

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
        if denied and not mention.regions and self.subject is not None and self._is_held(mention):
            self.unlicensed("holds none")
        if mention.several and not mention.explicit and self._is_of_each():
            mention = replace(mention, every=True)
        self.subject = mention
        self._look_for_only(mention)
        if denied and not mention.explicit:
            self.say_none(mention.name, negated=False)
        elif mention.name:
            self.say(c.Finding(regions=mention.regions, every=mention.several, name=mention.name), negated=denied)
        for one in mention.regions if mention.explicit else ():
            if one not in self.facts.regions:
                self.say(c.Finding(regions=(one,), name=mention.name or "region"), negated=False)
        if self.inverted is not None:
            (relation, other), self.inverted = self.inverted, None
            self.related(relation, mention, other)
        pending, self.pending = self.pending, []
        for said, negated in pending:
            self._say_of(said, mention, negated)

    def _is_held(self, mention: Mention) -> bool:
        """'The lung fields contain no opacity': that an expert finds none tells of it, and not of what it looked at."""
        n = mention.start - 1
        while n > 0 and (self.atoms[n].kind in {*ATTRIBUTES, "no"} or self.atoms[n].text in ("any", "a")):
            n -= 1
        return self.atoms[n].text in HOLDING

    def _is_of_each(self) -> bool:
        """Whether 'each' stands at the end of a clause: 'the foci measure 2 cm each'."""
        ends = [n for n, atom in enumerate(self.atoms) if atom.text == "each"]
        return any(n + 1 == len(self.atoms) or self.atoms[n + 1].text in (",", ";", "and", "but") for n in ends)

    def _look_for_only(self, mention: Mention) -> None:
        """Whether it is so of this alone, or this is the only one that is called so."""
        before = self.atoms[mention.start - 1].text if mention.start else ""
        behind = self.atoms[mention.end].text if mention.end < len(self.atoms) else ""
        if self.only_next and mention.regions:
            self.only, self.only_next = mention, False
        if (mention.explicit and before in ONLY) or (behind == "alone" and mention.regions):
            self.only = mention
        if not mention.explicit and len(mention.regions) == 1 and self._is_alone(mention.start):
            self.only = mention

    def _is_alone(self, n: int) -> bool:
        """Whether a noun stands behind 'only the', with its adjectives: 'only the left lung field'."""
        n -= 1
        while n > 0 and (self.atoms[n].kind in ATTRIBUTES or self.atoms[n].text in ("sided", "region")):
            n -= 1
        return n > 0 and self.atoms[n].text == "the" and self.atoms[n - 1].text in ("only", "solely")

    def _turn(self) -> None:
        """'It is not true that …': the one thing that the sentence tells is denied."""
        telling = [one for one in self.said if not isinstance(one, c.Finding)] or self.said
        if len(telling) == 1 and telling[0] in self.reading.claims:
            self.reading.claims[self.reading.claims.index(telling[0])] = telling[0].turned()
        else:
            self.unlicensed("not true")

    def _look_for_the_idle(self) -> None:
        """Regions that are named by id and that nothing was told of: 'r1 is oval, r2 likely so'."""
        told = {one for claim in self.said for one in _ids_of(claim)}
        named = {one for mention in self.mentions.values() if mention.explicit for one in mention.regions}
        if told and named - told - self.accounted:
            self.unlicensed("a region that nothing is told of")

    def _look_for_the_patient(self) -> None:
        """'The only tumour in the body': how many are outlined in a picture tells nothing of the rest."""
        last = [atom.text for atom in self.atoms[-3:]]
        counted = any(isinstance(one, c.Count) and one.name for one in self.said)
        outlined = any(atom.text in ("outlined", "marked", "proposed", "annotated") for atom in self.atoms)
        if last[0] in ("in", "of") and last[1:] in (["the", "body"], ["the", "patient"]) and counted and not outlined:
            self.unlicensed(" ".join(last))

    def _look_for_others(self) -> None:
        """'Only the left lung field is outlined': there is no other."""
        only = self.only
        told = [one for one in self.said if isinstance(one, c.OfRegions) and not isinstance(one, c.Finding | c.Place)]
        if only is not None and only.name and not told:
            self.say(c.Count(name=only.name, n=len(only.regions), outlined=True), negated=False)

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
        self.drop_denial()
        if self.idle and self._is_not_there():
            assert self.subject is not None
            name = self.subject.name
            self.reading.claims[:] = [one for one in self.reading.claims if not is_mere_name(one, name)]
            self.say_none(name, negated=False)
        elif self.idle:
            self.unlicensed("not")
        self._look_for_the_idle()
        self._look_for_the_patient()
        self._look_for_others()
        if self.fronted is not None or self.inverted is not None:
            self.unlicensed("compared")
        if self.untrue:
            self._turn()
        else:
            self.reading.bound += bound(self.said_of, self.atoms, self.none)
        self.subject = self.subject or self.before


def is_mere_name(claim: c.Claim, name: str) -> bool:
    """Whether it only says that what nothing outlines is there: what is denied behind it is not there."""
    return isinstance(claim, c.Finding) and not claim.regions and claim.name == name


def _ids_of(claim: c.Claim) -> set[str]:
    """Regions that a claim tells of."""
    if isinstance(claim, c.Together):
        return {one for part in claim.claims for one in _ids_of(part)}
    beside = {getattr(claim, "object", ""), getattr(claim, "against", "")}
    return {*getattr(claim, "regions", ()), *beside}
