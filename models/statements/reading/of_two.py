"""Which of two that are called alike, or of all, is the larger or the brighter: 'the larger of the two'."""

from collections.abc import Callable
from dataclasses import replace

from models.statements import claims as c
from models.statements.measures.places import along
from models.statements.reading.figures import Factor
from models.statements.reading.mentions import ANY, PREPOSITIONS, Mention
from models.statements.reading.sentence import Sentence

_THE_OTHER = {
    "the", "other", "one", "on", "at", "to", "side", "of", "image", "picture", "film", "left", "right", "in", "this",
    "is", "its", "than", "upper", "lower", "top", "bottom", "corner", "half", "part", "quadrant",
}  # fmt: skip


def between_sides(s: Sentence, n: int, claim: Callable[[str, str], c.Claim]) -> bool:
    """'Larger on the right than on the left', of two that are called alike; False where no two places follow.

    Args:
        s: the sentence.
        n: index of the comparative.
        claim: what is so of the region at the first place and the one at the second.
    """
    subject = s.subject
    if subject is None or not subject.name or subject.explicit or len(subject.regions) != 2:
        return False
    end = next((m for m in range(n + 1, len(s.atoms)) if s.atoms[m].text in _ENDS_A_CLAUSE), len(s.atoms))
    places = [m for m in range(n + 1, end) if s.atoms[m].kind == "place"]
    than = [m for m in range(n + 1, end) if s.atoms[m].text == "than"]
    if len(places) != 2 or len(than) != 1 or not places[0] < than[0] < places[1]:
        return False
    ends = [{one.value for one in (*s.atoms[m].others, s.atoms[m]) if one.kind == "place"} for m in places]
    for axis, end_of in sorted(ends[0]):
        other = {"low": "high", "high": "low"}.get(end_of, "")
        if (axis, other) not in ends[1]:
            continue
        frame = "shown" if axis.startswith("image") else "patient"
        if frame == "shown" and s.facts.metadata.orientation is not None:
            continue
        told = {one: along(s.facts, s.facts.region(one), axis, frame) for one in subject.regions}
        if None in told.values():
            continue
        low, high = sorted(subject.regions, key=lambda one: told[one] or 0.0)
        first, second = (low, high) if end_of == "low" else (high, low)
        s.used.update(range(n + 1, end))
        s.say(claim(first, second), negated=s.take_denial())
        return True
    return False


_ENDS_A_CLAUSE = {",", ";", "but", "while", "whereas"}


def one_of_two(s: Sentence, n: int, word: str) -> bool:
    """'The larger lung field', and of two that are called alike 'is larger than the one on the right', 'is larger'.

    Args:
        s: the sentence.
        n: index of the comparative.
        word: the rank of what is so; "" where none says it.

    Returns:
        Whether it is one of two, and was read as a rank among them.
    """
    if not word:
        return False
    if _is_told_behind(s, n, word):
        return True
    head = s.phrases.next_mention(n + 1)
    before = s.atoms[n - 1].text if n else ""
    if (
        n > 1
        and before == "the"
        and s.atoms[n - 2].text in PREPOSITIONS
        and head is not None
        and len(head.regions) == 1
    ):
        return True  # "In the larger lung field" names it.
    apart = before == "the" and head is None and not s.phrases.behind_copula(n, s.subject)
    if apart and (two := _two_alike(s, n)) is not None:
        s.speak_of(replace(two, several=False, every=False, start=n, end=n + 1))  # "Whereas the smaller is round."
        s.say(c.Rank(regions=two.regions, word=word, among=two.name))
        return True
    if " than" not in s.atoms[n].text and head is not None and _is_a_pair(head) and before in ("the", "a"):
        s.say_of(n, lambda target: c.Rank(regions=target.regions, word=word, among=head.name))
        return True
    subject = s.subject or s.before
    if subject is None or not _is_a_pair(subject) or not _names_the_other(s, n):
        return False
    s.say(c.Rank(regions=subject.regions, word=word, among=subject.name), of=subject)
    return True


def _is_told_behind(s: Sentence, n: int, word: str) -> bool:
    """'Two areas, the larger being r2'."""
    two, told = _two_alike(s, n), s.mentions.get(n + 2)
    copula = n + 1 < len(s.atoms) and s.atoms[n + 1].text in ("being", "is")
    if two is None or told is None or not told.explicit or not copula or s.atoms[n - 1].text != "the":
        return False
    s.say(c.Rank(regions=told.regions, word=word, among=two.name), negated=False, of=told)
    s.subject = told
    s.used.update(range(n + 1, told.end))
    return True


def _names_the_other(s: Sentence, n: int) -> bool:
    """Whether up to the end of the clause only 'the other' is named, or 'the one on the right'."""
    end = next((m for m in range(n + 1, len(s.atoms)) if s.atoms[m].text not in _THE_OTHER), len(s.atoms))
    if end < len(s.atoms) and s.atoms[end].text not in (",", ";", "and", "but", "while", "whereas"):
        return False
    s.used.update(range(n + 1, end))
    for m in range(n + 1, end):
        s.mentions.pop(m, None)  # "The other" is of the two, and named no further.
    return True


def times_the_other(s: Sentence, n: int, factor: Factor) -> bool:
    """'Twice the size of the other', 'half as large as the one on the left', of two that are called alike."""
    subject = s.subject
    behind = {atom.text for atom in s.atoms[n + 1 : n + 4]}
    if subject is None or not _is_a_pair(subject) or not behind & {"one", "other"} or not _names_the_other(s, n):
        return False
    s.say(factor.claim(subject, "", subject.regions))
    return True


def _two_alike(s: Sentence, n: int) -> Mention | None:
    """The two that were named last, where they are called alike."""
    named = [one for start, one in sorted(s.mentions.items()) if start < n] or list(s.phrases.earlier)
    last = named[-1] if named else None
    return last if last is not None and last.name and not last.explicit and len(last.regions) == 2 else None


def _is_a_pair(mention: Mention) -> bool:
    return bool(mention.name) and not mention.explicit and not mention.several and len(mention.regions) == 2


def than_all(s: Sentence, n: int, word: str) -> bool:
    """'Larger than all other regions', 'brighter than any other nodule': a rank; False where no such words follow.

    Args:
        s: the sentence.
        n: index of the comparative.
        word: the rank of what is so; "" where none says it.
    """
    m = n + 1
    while m < len(s.atoms) and s.atoms[m].text in ("than", "of", "the", "that"):
        m += 1
    every = m < len(s.atoms) and s.atoms[m].text in ("all", "any", "every", "each", "any of", "each of", "all of")
    rest = range(m + 1, min(m + 4, len(s.atoms)))
    other = next((k for k in rest if s.atoms[k].text in ("other", "others", "else")), None)
    if not word or not every or other is None:
        return False
    head = s.phrases.next_mention(other + 1)
    named = head is not None and head.name and not head.explicit
    end = head.end if head is not None and (named or not head.name) else other + 1
    while end < len(s.atoms) and s.atoms[end].text in ("outlined", "marked", "annotated", *ANY):
        end += 1
    s.used.update(range(n + 1, end))
    for k in range(n + 1, end):
        s.mentions.pop(k, None)  # "All other regions" is no subject of its own.
    s.say_of(
        n,
        lambda target: c.Rank(regions=target.regions, word=word, among=head.name if head is not None and named else ""),
        n + 1,
    )
    return True
