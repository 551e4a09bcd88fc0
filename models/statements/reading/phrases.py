"""The phrases of a sentence and the regions named among them: what stands before and behind what. Claims nothing."""

from dataclasses import replace
from functools import cached_property

from models.statements.reading.mentions import PREPOSITIONS, VERBS, Mention
from models.statements.reading.nouns import Nouns
from models.statements.reading.spans import ATTRIBUTES, BETWEEN
from models.statements.table import table

_ONES = {"one", "region", "area", "finding", "focus", "structure", "spot", "object"}
_GROUPS = {"regions", "areas", "zones", "foci", "patches", "pockets", "spots"}
"""What is counted in place of a noun that has no plural: 'two regions of aerated lung'."""
_BESIDE = {"surrounding", "adjacent", "neighbouring", "nearby"}
_TISSUES = {"mucosa", "skin", "parenchyma", "tissue", "fat", "muscle", "bone"}
"""What lies around a finding and is none."""
WHOLES = {
    "body", "organ", "patient", "trunk", "torso", "anatomy", "specimen", "gland", "tissue", "parenchyma", "subject",
    "structure", "hemisphere", "limb", "cavity", "foreground",
}  # fmt: skip
"""What a share can be of beside the picture: none of it unless regions are said to lie within it."""
_BEFORE_A_WHOLE = {
    "of", "the", "whole", "entire", "'s", "total", "area", "this", "visible", "displayed", "shown", "imaged",
    "depicted", "scanned", "examined", "surface", "cross", "sectional", "section", "our", "complete", "full", "one",
    "its", "that", "all",
}  # fmt: skip


class Phrases(Nouns):
    """What stands round the regions that a sentence names."""

    def next_mention(self, n: int) -> Mention | None:
        """The mention that begins here, behind adjectives at most."""
        while n < len(self.atoms):
            if n in self.mentions:
                return self.mentions[n]
            atom = self.atoms[n]
            if (
                atom.kind in ATTRIBUTES
                or atom.text in BETWEEN
                or atom.kind in ("how many", "about")
                or (atom.kind == "unknown" and self._may_describe(n))
                or (atom.kind == "neutral" and atom.text not in PREPOSITIONS | VERBS)
            ):
                n += 1
            else:
                return None
        return None

    def _may_describe(self, n: int) -> bool:
        """Whether an unknown word can be an adjective: 'three nasty nodules', not 'three hairs cross it'."""
        follows = self.atoms[n + 1] if n + 1 < len(self.atoms) else None
        return n + 1 in self.mentions or (follows is not None and follows.kind in ATTRIBUTES | {"unknown", "organ"})

    def counted(self, n: int) -> Mention | None:
        """The mention that a number here counts: behind adjectives, and the organ that its noun may stand behind."""
        m = n
        while m + 1 < len(self.atoms) and m not in self.mentions and self.atoms[m].kind in ATTRIBUTES:
            m += 1
        if (
            self.atoms[min(m, len(self.atoms) - 1)].text in _GROUPS
            and m + 2 in self.mentions
            and self.atoms[m + 1].text == "of"
        ):
            return replace(self.mentions[m + 2], several=True)
        of_organ = m + 1 in self.mentions and m not in self.mentions and self.atoms[m].kind == "organ"
        return self.mentions[m + 1] if of_organ else self.next_mention(n)

    def is_any_noun(self, n: int) -> bool:
        """Whether a noun for regions of any kind stands here, behind adjectives at most: 'oval region', 'round one'."""
        while n < len(self.atoms) and n not in self.mentions and self.atoms[n].kind in ATTRIBUTES:
            n += 1
        return n < len(self.atoms) and n not in self.mentions and self.atoms[n].text in _ONES

    def said_in(self, n: int) -> int | None:
        """Where the region begins that what ends here is said to be found in: '4.3 in r1'; None where none is."""
        if n >= len(self.atoms) or self.atoms[n].text not in ("in", "for", "at"):
            return None
        m = n + 2 if n + 1 < len(self.atoms) and self.atoms[n + 1].text in ("the", "region") else n + 1
        return m if m in self.mentions and self.mentions[m].explicit else None

    def mentioned_later(self, n: int) -> bool:
        """Whether a region is named further on."""
        return any(start > n for start in self.mentions)

    def mentioned_soon(self, n: int) -> bool:
        """Whether a region is named here, before the next verb."""
        for m in range(n, min(n + 8, len(self.atoms))):
            if m in self.mentions:
                return True
            if (
                (self.atoms[m].text in VERBS and self.atoms[m].text not in BETWEEN)
                or self.atoms[m].text == ";"
                or self.atoms[m].kind in ("organ", "around")
            ):
                return False
        return False

    def target(self, n: int, subject: Mention | None) -> Mention | None:
        """What the attribute that ends before n is said of: the noun it stands before, else the subject."""
        while n < len(self.atoms):
            if n in self.mentions:
                mention = self.mentions[n]
                of_subject = (
                    subject is not None
                    and self.atoms[n].text != "one"
                    and ((self.behind_preposition(n) and not mention.explicit) or self._is_what(subject, mention))
                )
                return subject if of_subject else mention
            atom = self.atoms[n]
            if atom.text in (",", "and") and not (n + 1 < len(self.atoms) and self.atoms[n + 1].kind in ATTRIBUTES):
                break
            if (
                atom.kind not in ATTRIBUTES
                and atom.text not in BETWEEN
                and not (
                    atom.kind == "neutral"
                    and atom.text in ("region", "area", "structure", "regions", "areas", "tissue")
                )
            ):
                break
            n += 1
        return subject

    def _is_what(self, subject: Mention, mention: Mention) -> bool:
        """Whether a mention says what the subject is: 'r1 is an oval nodule'."""
        return (
            bool(subject.regions)
            and self.behind_copula(mention.start, subject)
            and mention.name != ""
            and (not mention.explicit or mention.regions == subject.regions)
        )

    def stands_before_the_unknown(self, n: int) -> bool:
        """Whether it stands before a noun that nothing licenses, or another disease than the source's: 'white veil'."""
        m = n + 1
        while (
            m < len(self.atoms)
            and m not in self.mentions
            and (self.atoms[m].kind in ATTRIBUTES or self.atoms[m].text == "and")
        ):
            m += 1
        if m >= len(self.atoms):
            return False
        atom = self.atoms[m]
        return (atom.kind == "unknown" and atom.text != "ones") or (
            atom.kind == "disease" and atom.value != self.facts.metadata.disease
        )

    def behind_preposition(self, n: int) -> bool:
        """Whether what begins here is where something lies, or what it is compared with."""
        n -= 1
        while n >= 0:
            atom = self.atoms[n]
            if atom.text in PREPOSITIONS or atom.text in ("around", "surrounding", "from", "against", "than"):
                return True
            if (
                atom.kind in ATTRIBUTES
                or atom.text in BETWEEN
                or atom.text in ("both", "'s", "patient", "other")
                or atom.kind == "how many"
            ):
                n -= 1
            else:
                return False
        return False

    def beside(self, m: int) -> bool:
        """Whether an organ here is named as what lies around: 'the lung around it', 'the surrounding brain'."""
        end = self.mentions[m].end if m in self.mentions else m + 1
        after = " ".join(atom.text for atom in self.atoms[end : end + 2])
        before = " ".join(atom.text for atom in self.atoms[max(0, m - 2) : m])
        return after.startswith(("around", "surrounding", "nearby", "beside", "next to")) or any(
            one in before for one in ("surround", "adjacent", "neighbouring")
        )

    def is_surroundings(self, mention: Mention) -> bool:
        """Whether it is a tissue that nothing outlines, named for what lies around: 'than the mucosa around it'."""
        if mention.regions or mention.name not in _TISSUES:
            return False
        endoscopic = self.facts.metadata.modality == "endoscopy"
        if mention.name == "mucosa" and endoscopic and self.behind_preposition(mention.start):
            return True  # What an endoscope looks at is mucosa.
        after = " ".join(atom.text for atom in self.atoms[mention.end : mention.end + 2])
        beside = after in ("around it", "surrounding it", "around them", "beside it") or self.beside(mention.start)
        return self.is_compared(mention.start) or (beside and self.behind_preposition(mention.start))

    def is_compared(self, n: int) -> bool:
        """Whether what begins here is what something is compared with: 'as bright as the mucosa'."""
        before = [
            atom.text
            for atom in self.atoms[max(0, n - 4) : n]
            if atom.kind != "around" and atom.text not in _BESIDE | {"the", "its", "normal"}
        ]
        return bool(before) and before[-1].split(" ")[-1] in ("as", "to", "with", "than")

    @cached_property
    def withins(self) -> frozenset[str]:
        """Names of what the regions of the image lie within."""
        return frozenset(region.place.within for _, region in self.facts.regions.values() if region.place)

    def whole(self, n: int) -> tuple[str, int | None]:
        """Of what a share is that ends before n: 'image', or the name of what it lies within, and where it stands."""
        of_the_patient = ""
        for m in range(n, min(n + 8, len(self.atoms))):
            atom = self.atoms[m]
            if atom.text in table().placing.shown:
                return "image", None
            organ_of = m + 1 < len(self.atoms) and self.atoms[m + 1].kind == "modality"
            if atom.kind == "modality" or (atom.kind == "organ" and organ_of):
                return "image", None  # "A quarter of this breast ultrasound."
            if atom.kind == "organ" and m + 1 < len(self.atoms) and self.atoms[m + 1].text in self.withins:
                continue  # "Of this retinal field."
            if atom.kind == "organ":
                return str(atom.value), m
            if any(atom.text.removesuffix("s") == within.removesuffix("s") for within in self.withins):
                return atom.text, m
            if atom.text.startswith("patient") and self._is_possessive(m):
                of_the_patient = "body"  # "Of the patient's body", "of the patient's cross-section".
            elif atom.text in WHOLES:
                return atom.text, m
            elif atom.text not in _BEFORE_A_WHOLE:
                break
        return of_the_patient, None

    def _is_possessive(self, m: int) -> bool:
        follows = self.atoms[m + 1].text if m + 1 < len(self.atoms) else ""
        return self.atoms[m].text.endswith("'s") or follows == "'s"
