"""One sentence: what its phrases are said of, what is denied, and what this claims. Knows nothing of truth."""

from dataclasses import dataclass, field, replace
from typing import Any

from models.statements import claims as c
from models.statements.atoms import Atom, Quantity
from models.statements.facts import Facts
from models.statements.lexicon import Meaning
from models.statements.table import table
from models.statements.tokens import words

_PREPOSITIONS = {"in", "within", "at", "over", "on", "inside", "of", "into", "through", "throughout", "near"}
_VERBS = {
    "is", "are", "was", "were", "be", "being", "been", "lies", "lie", "lying", "shows", "show", "shown", "appears",
    "appear", "seems", "seem", "measures", "measure", "covers", "cover", "occupies", "occupy", "has", "have",
    "spans", "contains", "represents", "represent", "sits", "located", "situated", "found", "seen", "visible",
    "present", "displays", "exhibits", "extends", "reaches", "corresponds", "marked", "outlined", "identified",
    "noted", "demonstrates", "stands", "does", "do", "finds", "sees",
}  # fmt: skip
_COPULAS = {
    "is", "are", "was", "were", "represents", "represent", "appears", "seems", "corresponds", "being", "be", "as",
    "called", "denoted",
}  # fmt: skip
_BETWEEN = {
    ",", "a", "an", "the", "its", "this", "these", "that", "and", "candidate", "marked", "annotated", "outlined",
    "same",
}  # fmt: skip
_DISPLAY_KINDS = {"dermoscopy", "fundus photography", "histopathology", "endoscopy", "microscopy"}
"""Modalities whose bare left and right are those of the display."""
_ATTRIBUTES = {"word", "level", "share", "place", "degree", "quantity", "spread", "rank", "sides"}
_LENGTHS, _VALUES = ("longest", "shortest", "across"), ("mean", "maximum", "minimum", "spread", "around")
_MEASURES = {"mm": _LENGTHS, "cm": _LENGTHS, "µm": _LENGTHS, "px": _LENGTHS, "HU": _VALUES, "SUV": _VALUES}
"""What a number of a unit can be of."""
_IMAGE_NUMBERS = {"ms": "ms", "kV": "kV", "T": "T"}


@dataclass(frozen=True, slots=True)
class Mention:
    """Regions that a sentence speaks of: those it names by id, else those that its noun fits."""

    regions: tuple[str, ...]
    name: str
    explicit: bool
    several: bool
    start: int
    end: int


@dataclass
class Reading:
    """What was read: claims in order, each once, and words that no phrase licenses."""

    claims: list[c.Claim] = field(default_factory=list[c.Claim])
    unlicensed: list[str] = field(default_factory=list[str])

    def add(self, claim: c.Claim) -> None:
        """Once."""
        if claim not in self.claims:
            self.claims.append(claim)


class Reader:
    """One sentence, from left to right."""

    def __init__(self, atoms: list[Atom], facts: Facts, reading: Reading, subject: Mention | None) -> None:
        self.atoms, self.facts, self.reading = atoms, facts, reading
        self.before, self.subject = subject, None
        self.mentions = self._mentions()
        self.denied = False
        self.denied_next = False
        self.degree = ""
        self.relation: Atom | None = None
        self.relation_subject: Mention | None = None
        self.relation_denied = False
        self.pending: list[tuple[Any, bool]] = []
        self.used: set[int] = set()
        self.n = 0
        self.verb = False

    # Mentions: "region r1", "the enhancing tumour r1", "an opacity (r7)", "regions r3 and r4", "the nodule".

    def _mentions(self) -> dict[int, Mention]:
        """By the index of their first atom."""
        found: dict[int, Mention] = {}
        n = 0
        while n < len(self.atoms):
            atom = self.atoms[n]
            if atom.kind == "finding":
                ids, end = self._ids(n + 1, skip=True)
                name = atom.value
            elif atom.kind == "organ" and self.facts.named(" ".join(words(atom.value))):
                ids, end = self._ids(n + 1, skip=True)
                name = " ".join(words(atom.value))
            elif atom.kind == "ref":
                ids, end = self._ids(n, skip=False)
                name = ""
            else:
                n += 1
                continue
            explicit = bool(ids)
            regions = ids or self.facts.named(name)
            several = len(ids) > 1 or (not ids and atom.several)
            found[n] = Mention(tuple(regions), name, explicit, several, n, max(end, n + 1))
            n = max(end, n + 1)
        return found

    def _ids(self, n: int, *, skip: bool) -> tuple[tuple[str, ...], int]:
        """Ids from here on, joined by commas and 'and'; past an opening bracket where `skip`."""
        ids: list[str] = []
        end = n
        while n < len(self.atoms):
            atom = self.atoms[n]
            if atom.kind == "ref":
                ids.append(atom.value)
                n += 1
                end = n
            elif (skip and not ids and atom.text in ("(", ",", "region", "regions")) or (
                ids
                and atom.text in (",", "and", "region", ")")
                and any(self.atoms[m].kind == "ref" for m in range(n + 1, min(n + 3, len(self.atoms))))
                and all(
                    self.atoms[m].text in (",", "and", "region") or self.atoms[m].kind == "ref"
                    for m in range(n + 1, min(n + 3, len(self.atoms)))
                    if self.atoms[m].kind != "ref" or m == n + 1
                )
            ):
                n += 1
            else:
                break
        if not ids:
            return (), end
        if end < len(self.atoms) and self.atoms[end].text == ")":
            end += 1
        return tuple(ids), end

    def run(self) -> None:
        """Read all of it."""
        while self.n < len(self.atoms):
            n = self.n
            self.n += 1
            if n in self.used:
                continue
            if n in self.mentions:
                self._mention(self.mentions[n])
                self.n = self.mentions[n].end
                continue
            getattr(self, f"_{self.atoms[n].kind.replace(' ', '_')}", self._neutral)(n)
        if self.relation is not None:
            self._unbound(self.relation)
        for claim, negated in self.pending:
            self._emit_on(claim, self.before, negated)
        self.subject = self.subject or self.before

    def _say(self, claim: c.Claim, negated: bool | None = None) -> None:
        negated = self._take_denial() if negated is None else negated
        self.reading.add(replace(claim, negated=True) if negated else claim)

    def _take_denial(self) -> bool:
        denied, self.denied_next = self.denied or self.denied_next, False
        return denied

    def _unbound(self, atom: Atom) -> None:
        self.reading.unlicensed.append(atom.text)

    def _neutral(self, n: int) -> None:
        atom = self.atoms[n]
        if atom.text in (";", "but", "while", "whereas", "although", "though", "however"):
            self.denied = self.denied_next = False
            self.verb = False
        elif atom.text in (",", "and"):
            self.denied = False
        elif atom.text in _VERBS:
            self.verb = True
            if self.denied_next and self.atoms[n - 1].kind != "no":
                self.denied_next = False

    def _mark(self, n: int) -> None:
        if self.atoms[n].text in (";", ","):
            self._neutral(n)

    def _unknown(self, n: int) -> None:
        self.reading.unlicensed.append(self.atoms[n].text)
        self.denied_next = False

    def _number(self, n: int) -> None:
        self.reading.unlicensed.append(self.atoms[n].text)

    def _unit(self, n: int) -> None:
        if self.atoms[n].text not in ("t", "hounsfield"):
            self.reading.unlicensed.append(self.atoms[n].text)

    # Denials.

    def _not(self, n: int) -> None:
        self.denied = True

    def _no(self, n: int) -> None:
        self.denied_next = True
        text = self.atoms[n].text
        if text in ("no other", "no further", "no additional", "no second", "no more"):
            head = self._next_mention(n + 1)
            if head is not None and head.name and head.regions and not head.explicit:
                self.denied_next = False
                self._say(c.Count(name=head.name, n=1), negated=False)
                self.subject = head
                self.used.update(range(head.start, head.end))

    def _next_mention(self, n: int) -> Mention | None:
        """The mention that begins here, behind adjectives at most."""
        while n < len(self.atoms):
            if n in self.mentions:
                return self.mentions[n]
            atom = self.atoms[n]
            if (
                atom.kind in _ATTRIBUTES
                or atom.text in _BETWEEN
                or atom.kind in ("how many", "about", "unknown")
                or (atom.kind == "neutral" and atom.text not in _PREPOSITIONS | _VERBS)
            ):
                n += 1
            else:
                return None
        return None

    # Mentions.

    def _mention(self, mention: Mention) -> None:
        if self.relation is not None and mention.regions and self.relation_subject is not None:
            self._related(mention)
            return
        if self.relation is not None:
            self._unbound(self.relation)
            self.relation = None
        complement = (
            self.subject is not None
            and self.subject.regions
            and mention.name != ""
            and self._behind_copula(mention.start)
        )
        if complement and self.subject is not None:
            known = self.subject.regions if not mention.explicit else mention.regions
            if mention.explicit and mention.regions != self.subject.regions:
                self._new_subject(mention)
                return
            self._say(c.Finding(regions=known, every=self.subject.several, name=mention.name))
            return
        if (
            self._preposition_before(mention.start)
            and self.subject is not None
            and mention.name
            and not mention.explicit
        ):
            self._say(c.Finding(regions=mention.regions, name=mention.name), negated=False)
            return
        self._new_subject(mention)

    def _new_subject(self, mention: Mention) -> None:
        denied = self._take_denial() if mention.name else False
        self.subject = mention
        self.verb = False
        if denied and not mention.explicit:
            self._say(c.Absence(name=mention.name), negated=False)
        elif mention.name:
            self._say(c.Finding(regions=mention.regions, every=mention.several, name=mention.name), negated=denied)
        for one in mention.regions if mention.explicit else ():
            if one not in self.facts.regions:
                self._say(c.Finding(regions=(one,), name=mention.name or "region"), negated=False)
        pending, self.pending = self.pending, []
        for claim, negated in pending:
            self._emit_on(claim, mention, negated)

    def _behind_copula(self, n: int) -> bool:
        n -= 1
        steps = 0
        while n >= 0 and steps < 12:
            atom = self.atoms[n]
            if atom.text in _COPULAS:
                return True
            if (
                atom.text == ","
                and self.subject is not None
                and n == self.subject.end
                and self.subject.explicit
                and not self.subject.name
            ):
                return True
            if n < (self.subject.end if self.subject else 0):
                return False
            if not (
                atom.kind in _ATTRIBUTES
                or atom.text in _BETWEEN
                or atom.kind in ("not", "no", "how many", "about", "unknown", "source")
                or atom.text in ("to", "most", "likely", "also", "therefore")
            ):
                return False
            n -= 1
            steps += 1
        return False

    def _preposition_before(self, n: int) -> bool:
        n -= 1
        while n >= 0:
            atom = self.atoms[n]
            if atom.text in _PREPOSITIONS or atom.text in ("around", "surrounding", "from", "against", "than"):
                return True
            if (
                atom.kind in _ATTRIBUTES
                or atom.text in _BETWEEN
                or atom.text in ("both", "'s", "patient", "other")
                or atom.kind == "how many"
            ):
                n -= 1
            else:
                return False
        return False

    # What is said of them.

    def _target(self, n: int, end: int | None = None) -> Mention | None:
        """What an attribute at n is said of: the noun it stands before, else the subject; None: what comes next."""
        m = n + 1 if end is None else end
        while m < len(self.atoms):
            if m in self.mentions:
                mention = self.mentions[m]
                if self._preposition_before(m) and self.subject is not None and not mention.explicit:
                    return self.subject
                if (
                    self.subject is not None
                    and self.subject.regions
                    and self._behind_copula(m)
                    and mention.name
                    and (not mention.explicit or mention.regions == self.subject.regions)
                ):
                    return self.subject
                return mention
            atom = self.atoms[m]
            if atom.text in (",", "and") and not (m + 1 < len(self.atoms) and self.atoms[m + 1].kind in _ATTRIBUTES):
                break
            if (
                atom.kind in _ATTRIBUTES
                or atom.text in _BETWEEN
                or (
                    atom.kind == "neutral"
                    and atom.text in ("region", "area", "structure", "regions", "areas", "tissue")
                )
            ):
                m += 1
                continue
            break
        return self.subject

    def _of_the_unknown(self, n: int) -> bool:
        """Whether it stands before a noun that nothing licenses: 'white veil'."""
        m = n + 1
        while (
            m < len(self.atoms)
            and m not in self.mentions
            and (self.atoms[m].kind in _ATTRIBUTES or self.atoms[m].text == "and")
        ):
            m += 1
        return m < len(self.atoms) and self.atoms[m].kind == "unknown"

    def _emit(self, n: int, claim: Any, end: int | None = None) -> None:
        """A claim without its regions yet: said of its target."""
        negated = self._take_denial()
        if end is None and self._of_the_unknown(n):
            return
        target = self._target(n, end)
        if target is None:
            self.pending.append((claim, negated))
        else:
            self._emit_on(claim, target, negated)

    def _emit_on(self, make: Any, target: Mention | None, negated: bool) -> None:
        if target is None:
            if len(self.facts.regions) == 1:
                only = next(iter(self.facts.regions))
                self._say(make(Mention((only,), "", True, False, 0, 0)), negated=negated)
            else:
                self.reading.unlicensed.append("what it speaks of")
            return
        claim = make(target)
        for one in claim if isinstance(claim, list) else [claim]:
            self._say(one, negated=negated)

    def _word(self, n: int) -> None:
        aspect, word = self.atoms[n].value
        self.degree = ""
        self._emit(n, lambda target: c.Word(regions=target.regions, every=target.several, aspect=aspect, word=word))

    def _share(self, n: int) -> None:
        word, of = self.atoms[n].value, self._of(n + 1)
        self._emit(n, lambda target: c.Share(regions=target.regions, every=target.several, word=word, of=of))

    def _of(self, n: int) -> str:
        """Of what a share is: 'image', or the name of what it lies within; "" where it is not said."""
        for m in range(n, min(n + 5, len(self.atoms))):
            atom = self.atoms[m]
            if atom.text in table().placing.shown:
                return "image"
            if atom.kind == "organ":
                self.used.add(m)
                return str(atom.value)
            if any(atom.text.removesuffix("s") == within.removesuffix("s") for within in self._withins()):
                self.used.add(m)
                return atom.text
            if atom.text not in ("of", "the", "whole", "entire", "patient", "'s", "total", "area", "this"):
                return ""
        return ""

    def _withins(self) -> set[str]:
        return {region.place.within for _, region in self.facts.regions.values() if region.place}

    def _degree(self, n: int) -> None:
        self.degree = self.atoms[n].value

    def _level(self, n: int) -> None:
        scale, direction, comparative = self.atoms[n].value
        degree = self.degree or comparative
        self.degree = ""
        other = self._compared(n + 1)
        if other is not None and other.name and not other.explicit and self._is_around(other):
            other = None
        if other is not None:
            against = other.regions
            self.used.update(range(other.start, other.end))
            negated = self._take_denial()
            target = self.subject
            if target is None or not against:
                self._unbound(self.atoms[n])
                return
            if other.name:
                self._say(c.Finding(regions=against, every=other.several, name=other.name), negated=False)
            for one in against[: len(against) if other.several else 1]:
                self._say(
                    c.Level(
                        regions=target.regions,
                        every=target.several,
                        scale=scale,
                        direction=direction,
                        degree=comparative,
                        against=one,
                    ),
                    negated=negated,
                )
            return
        self._emit(
            n,
            lambda target: c.Level(
                regions=target.regions, every=target.several, scale=scale, direction=direction, degree=degree
            ),
        )

    def _compared(self, n: int) -> Mention | None:
        """The region that a level is compared with, where one is named behind 'than' or 'to'."""
        behind = False
        for m in range(n, min(n + 9, len(self.atoms))):
            atom = self.atoms[m]
            if atom.kind == "around":
                return None
            if m in self.mentions:
                return self.mentions[m] if behind and not self._beside(m) else None
            if atom.text in ("than", "to", "as", "with", "relative", "compared"):
                behind = True
            elif atom.text in _VERBS or atom.text in (";", ",") or atom.kind == "unknown":
                return None
        return None

    def _is_around(self, other: Mention) -> bool:
        """Whether what a level is compared with is the part of the body that its subject lies in."""
        return bool(self.subject and set(other.regions) - set(self.subject.regions) and other.name in table().organs)

    def _beside(self, m: int) -> bool:
        """Whether an organ here is named as what lies around: 'the lung around it', 'the surrounding brain'."""
        end = self.mentions[m].end if m in self.mentions else m + 1
        after = " ".join(atom.text for atom in self.atoms[end : end + 2])
        before = " ".join(atom.text for atom in self.atoms[max(0, m - 2) : m])
        return after.startswith(("around", "surrounding", "nearby", "beside", "next to")) or any(
            one in before for one in ("surround", "adjacent", "neighbouring")
        )

    def _spread(self, n: int) -> None:
        word = self.atoms[n].value
        self._emit(n, lambda target: c.Spread(name=target.name, word=word))

    def _sides(self, n: int) -> None:
        self._emit(n, lambda target: c.Sides(name=target.name or self._name_of(target)))

    def _name_of(self, target: Mention) -> str:
        return (
            " ".join(words(self.facts.region(target.regions[0]).label))
            if target.regions and target.regions[0] in self.facts.regions
            else ""
        )

    def _rank(self, n: int) -> None:
        word = self.atoms[n].value
        self._emit(n, lambda target: c.Rank(regions=target.regions, word=word))

    def _how_many(self, n: int) -> None:
        head = self._next_mention(n + 1)
        if head is not None and not head.explicit and head.name:
            value = self.atoms[n].value
            self._say(c.Count(name=head.name, n=value))
            if value is None or value > 1:
                self.denied_next = False
        elif head is None and self.atoms[n].text not in ("one", "both", "several", "many"):
            follows = self.atoms[n + 1].text if n + 1 < len(self.atoms) else ""
            if follows in ("regions", "region", "areas", "candidates", "structures", "foci", "findings"):
                self._say(c.Count(name="", n=self.atoms[n].value))
            else:
                self.reading.unlicensed.append(self.atoms[n].text)

    # Places.

    def _place(self, n: int) -> None:
        group, m = [n], n + 1
        parts = set(table().placing.parts)
        third = corner = patient = False
        while m < len(self.atoms):
            atom = self.atoms[m]
            if atom.kind == "place":
                group.append(m)
            elif atom.text in parts or (atom.kind == "neutral" and atom.text in parts):
                third |= atom.text == "third"
                corner |= atom.text in ("corner", "edge")
                third |= atom.text == "corner"
            elif not (
                atom.text in ("'s", "patient", "and", "most")
                and m + 1 < len(self.atoms)
                and (self.atoms[m + 1].kind == "place" or self.atoms[m + 1].text == "'s")
            ):
                break
            m += 1
        self.used.update(range(n, m))
        said = [one for index in group for one in self._ends(index)]
        texts = {atom.text for atom in self.atoms}
        near = " ".join(atom.text for atom in self.atoms[max(0, n - 3) : m + 6])
        patient = "patient" in near or any("patient" in self.atoms[index].text for index in group)
        frame = self._frame(m)
        structure = m in self.mentions and not self.mentions[m].explicit
        organ = m < len(self.atoms) and self.atoms[m].kind == "organ"
        if organ and self.subject is None and not self.pending_mention(m):
            side = next((end for axis, end in said if axis == "patient left"), None)
            if side is not None and len(group) == 1 and not patient:
                self.used.add(m)
                self._say(c.Structure(organ=self.atoms[m].value, side="left" if side == "high" else "right"))
                return
        if "displayed" in texts or (corner and not patient):
            frame = "shown"
        elif patient or structure or organ:
            frame = frame if frame not in ("shown", "") and not patient else "patient"
        self._emit(n, lambda target: self._placed(target, said, frame, third), end=m)

    def pending_mention(self, n: int) -> bool:
        """Whether a region is named further on."""
        return any(start > n for start in self.mentions)

    def _ends(self, index: int) -> list[tuple[str, str]]:
        atom = self.atoms[index]
        return [one.value for one in atom.others if one.kind == "place"] or [atom.value]

    def _frame(self, n: int) -> str:
        """What the words behind a place say that it is a part of: "shown", "patient", a name, or "" for nothing."""
        m = n
        seen = False
        while m < len(self.atoms) and m < n + 6:
            atom = self.atoms[m]
            if seen and atom.text in table().placing.shown and atom.text not in self._withins() - {"image"}:
                return "shown"
            if seen and any(atom.text.removesuffix("s") == within.removesuffix("s") for within in self._withins()):
                self.used.add(m) if atom.kind != "organ" else None
                return atom.text.removesuffix("s")
            if seen and (
                atom.kind == "organ" or atom.text in ("body", "patient", "trunk", "head") or m in self.mentions
            ):
                return "patient"
            if atom.text in ("of", "in", "within"):
                seen = True
            elif atom.text not in ("the", "this", "'s", "patient", "whole", "displayed", "shown", "a"):
                return ""
            m += 1
        return ""

    def _placed(self, target: Mention, said: list[tuple[str, str]], frame: str, third: bool) -> list[c.Claim]:
        region = (
            self.facts.region(target.regions[0]) if target.regions and target.regions[0] in self.facts.regions else None
        )
        axes = (
            {axis.towards for axis in region.place.axes}
            if region is not None and region.place is not None
            else set[str]()
        )
        named = frame not in ("", "shown", "patient")
        if not frame:
            frame = (
                "shown"
                if axes & {"image right", "image down"} and self.facts.metadata.modality in _DISPLAY_KINDS
                else "patient"
            )
        found: list[c.Claim] = []
        for axis, end in said:
            if axis == "*":
                shown = ("image right", "image down")
                fitting = list(shown if frame == "shown" else sorted(axes)) or list(shown)
                taken = {one.axis for one in found if isinstance(one, c.Place)}
                along = [one for one in fitting if one not in taken and not any(one == other for other, _ in said)]
                wholly = len({axis for axis, _ in said}) == 1
                found += [
                    c.Place(
                        regions=target.regions,
                        every=target.several,
                        axis=one,
                        end=end,
                        frame="shown" if frame == "shown" else "patient" if one not in shown else "within",
                    )
                    for one in (along if wholly else along[:1])
                ]
                continue
            on_display = axis.startswith("image")
            if frame == "shown" and not on_display:
                if axis == "posterior" or (axis == "feet" and not any(one.startswith("image") for one, _ in said)):
                    found.append(
                        c.Place(regions=target.regions, every=target.several, axis=axis, end=end, frame="patient")
                    )
                continue
            if frame == "patient" and on_display:
                continue
            if named and axes and axis not in axes:
                continue
            found.append(
                c.Place(
                    regions=target.regions,
                    every=target.several,
                    axis=axis,
                    end=end,
                    frame=frame if frame == "shown" else "within" if on_display else "patient",
                    third=third,
                )
            )
        return found

    # Relations.

    def _relation(self, n: int) -> None:
        atom = self.atoms[n]
        if atom.value[0] == "inside" and not atom.value[1] and not self._soon(n + 1):
            self.verb = True
            return
        if self.relation is not None:
            self._unbound(self.relation)
        if not self._soon(n + 1):
            if atom.text not in ("contain", "contains", "containing", "surround"):
                self._unbound(atom)
            return
        self.relation, self.relation_subject = atom, self.subject
        self.relation_denied = self._take_denial()

    def _soon(self, n: int) -> bool:
        """Whether a region is named here, before the next verb."""
        for m in range(n, min(n + 8, len(self.atoms))):
            if m in self.mentions:
                return True
            if self.atoms[m].text in _VERBS or self.atoms[m].text == ";" or self.atoms[m].kind in ("organ", "around"):
                return False
        return False

    def _related(self, other: Mention) -> None:
        assert self.relation is not None
        assert self.relation_subject is not None
        predicate, turned = self.relation.value
        subject, negated = self.relation_subject, self.relation_denied
        self.relation = None
        if other.name:
            self._say(c.Finding(regions=other.regions, every=other.several, name=other.name), negated=False)
        if turned:
            pairs = [
                (one, whole) for one in other.regions[: None if other.several else 1] for whole in subject.regions[:1]
            ]
        else:
            pairs = [(one, whole) for one in subject.regions for whole in other.regions[: None if other.several else 1]]
        for one, whole in pairs:
            self._say(c.Relation(regions=(one,), predicate=predicate, object=whole), negated=negated)

    # Numbers.

    def _quantity(self, n: int) -> None:
        quantity: Quantity = self.atoms[n].value
        head = self._next_mention(n + 1) if not quantity.unit and quantity.values[0].is_integer() else None
        if head is not None and head.name and not head.explicit:
            self._say(c.Count(name=head.name, n=int(quantity.values[0])))
            return
        measure = self._measure(n)
        unit = quantity.unit
        if unit in _IMAGE_NUMBERS or measure in ("thickness", "spacing"):
            kind = _IMAGE_NUMBERS.get(unit, measure)
            for value in quantity.values:
                self._say(
                    c.ImageNumber(
                        measure=kind, value=value, unit=unit or "mm", loose=quantity.loose, decimals=quantity.decimals
                    )
                )
            return
        if not unit:
            own_unit = {"HU": "HU", "SUVbw": "SUV"}.get(self.facts.grounding.intensity.unit, "")
            suv = any("suv" in atom.text for atom in self.atoms)
            unit = "SUV" if suv else own_unit if measure in ("mean", "maximum", "minimum", "spread") else ""
        if not unit:
            self.reading.unlicensed.append("a number")
            return
        if unit == "%":
            measure = self._of(n + 1)
        elif measure not in ("apart", "times", *_MEASURES.get(unit, ())):
            measure = ""
        if measure in ("apart", "times"):
            self.reading.unlicensed.append("a distance")
            return
        one_each = (
            self.subject is not None and self.subject.several and len(self.subject.regions) == len(quantity.values) > 2
        )

        def make(target: Mention) -> c.Claim:
            return c.Size(
                regions=target.regions,
                every=target.several,
                measure=measure,
                values=quantity.values,
                unit=unit,
                bound=quantity.bound,
                loose=quantity.loose,
                decimals=quantity.decimals,
            )

        if one_each:
            self._unbound(self.atoms[n])
            return
        self._emit(n, make)

    def _measure(self, n: int) -> str:
        """What a number is of, by the nearest such word: behind it in its phrase, else before it."""
        for m in range(n + 1, min(n + 5, len(self.atoms))):
            if self.atoms[m].kind == "quantity" or self.atoms[m].text in (",", ";", "and", ")") or m in self.mentions:
                break
            if (found := self._measured(m)) is not None:
                return found
        for m in range(n - 1, max(-1, n - 8), -1):
            if self.atoms[m].kind == "quantity":
                break
            if (found := self._measured(m)) is not None:
                return found
            if self.atoms[m].kind == "around":
                return "around"
        return ""

    def _measured(self, m: int) -> str | None:
        meanings = (Meaning(self.atoms[m].kind, self.atoms[m].value), *self.atoms[m].others)
        return next((str(one.value) for one in meanings if one.kind == "measure"), None)

    def _bound(self, n: int) -> None:
        relation = next((one for one in self.atoms[n].others if one.kind == "relation"), None)
        if relation is not None:
            self.atoms[n] = replace(self.atoms[n], kind="relation", value=relation.value)
            self._relation(n)
        elif not any(one.kind == "neutral" for one in self.atoms[n].others):
            self._unbound(self.atoms[n])

    # The image.

    def _modality(self, n: int) -> None:
        self._say(c.Modality(word=self.atoms[n].value))

    def _plane(self, n: int) -> None:
        self._say(c.Plane(word=self.atoms[n].value))

    def _view(self, n: int) -> None:
        self._say(c.View(word=self.atoms[n].value))

    def _agent(self, n: int) -> None:
        self._say(c.ContrastAgent(given=self.atoms[n].value))

    def _organ(self, n: int) -> None:
        self._say(c.Structure(organ=self.atoms[n].value, beside=self._beside(n)))

    def _disease(self, n: int) -> None:
        ids, _ = self._ids(n + 1, skip=True)
        denied = self._take_denial()
        if ids and self.atoms[n].value != self.facts.metadata.disease:
            self._say(c.Finding(regions=ids, name=self.atoms[n].value), negated=denied)
        else:
            self._say(c.Disease(name=self.atoms[n].value), negated=denied)

    def _localizer(self, n: int) -> None:
        self._say(c.Localizer())

    def _goes_on(self, n: int) -> None:
        outcome = self.atoms[n].value
        way = next((atom.value for atom in self.atoms[n + 1 : n + 3] if atom.kind == "way"), "")
        self._emit(
            n, lambda target: c.Continues(regions=target.regions, every=target.several, outcome=outcome, way=way)
        )

    def _marks(self, n: int) -> None:
        def make(target: Mention) -> c.Claim:
            return c.Marked(regions=target.regions, every=target.several, by="source")

        passive = self.atoms[n].text.startswith(("marked", "annotated", "outlined", "drawn", "labelled"))
        if passive and self.subject is not None:
            self._say(make(self.subject), negated=False)
        else:
            self.pending.append((make, False))

    def _source(self, n: int) -> None:
        return

    def _around(self, n: int) -> None:
        return
