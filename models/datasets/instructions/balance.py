"""How often questions that name the same thing are answered in each way: none is to tell its answer by its words.

Where it is known what a set holds, what is denied of its images is what others of it show, as often as it is affirmed
of those, in whatever order the images come. Of a stream nothing is known, so each name stays balanced as it goes.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate
from typing import Any, TypeVar

from models.statements.voice import Voice

MOST_AHEAD = 2
"""By how many yes or no may lead before the leading one is left out, of a kind and of what a question names; and
the answers to other questions that name the same thing, before the mean of these answers."""
OTHER = {"Yes": "No", "No": "Yes"}
_PARTS = 1 << 20
"""Of a chance, in a drawing."""

W = TypeVar("W", bound=str)
Key = tuple[str, str]
"""A subject, as "modality", and the word that is right."""


class Balance:
    """Counts of answers, and what there is enough of.

    Args:
        shown: by how many images of the set each word is right; None: nobody knows.
        denied: words that can be denied where another is right.
    """

    def __init__(self, shown: Mapping[Key, int] | None = None, denied: Mapping[Key, set[str]] | None = None) -> None:
        self._shown, self._denied = shown, denied or {}
        self._rows: dict[Key, tuple[list[str], list[int]]] = {}
        self._told: defaultdict[Key, Counter[str]] = defaultdict(Counter)

    def state(self) -> list[Any]:
        """As JSON holds it."""
        return [[*key, dict(counts)] for key, counts in self._told.items()]

    def go_on(self, state: Iterable[Any]) -> None:
        """From what `state` gave."""
        for kind, named, counts in state:
            self._told[kind, named].update(counts)

    def add(self, kind: str, named: str, told: str) -> None:
        """That a turn was taken."""
        self._told[kind, named][told] += 1

    def enough(self, kind: str, named: str, told: str) -> bool:
        """Whether what a question names has had this sort of answer more often than others already."""
        subject, _, _ = kind.rpartition("-")
        if self._shown is not None and not self._shown.keys().isdisjoint(((subject, named), (subject, told))):
            return False
        counts = self._told.get((kind, named), {})
        if told in OTHER:
            return counts.get(told, 0) - counts.get(OTHER[told], 0) >= MOST_AHEAD
        sorts = len(counts.keys() | {told})
        return counts.get(told, 0) - sum(counts.values()) / max(2, sorts) >= MOST_AHEAD

    def beside(self, subject: str, right: str, words: Collection[W], voice: Voice) -> W | None:
        """A word to be denied, or to be chosen from, where another is right; None: there is to be no such question.

        Of two words of a set each is drawn beside the other equally often. Before a space a subject tells which words
        are drawn.
        """
        if self._shown is None:
            return self._owed(f"{subject.rpartition(' ')[2]}-closed", words, voice)
        others, ends = self._row(subject, right)
        at = bisect_right(ends, voice.draw(_PARTS))
        return next((word for word in words if at < len(others) and word == others[at]), None)

    def may_affirm(self, subject: str, right: str, voice: Voice) -> bool:
        """Whether a word is to be affirmed: in as many images of a set as one is denied there."""
        if self._shown is None:
            return True
        others, ends = self._row(subject, right)
        return bisect_right(ends, voice.draw(_PARTS)) < len(others)

    def _row(self, subject: str, right: str) -> tuple[list[str], list[int]]:
        """Words that can stand beside one, with the upper ends of their chances, of _PARTS."""
        if (subject, right) not in self._rows:
            assert self._shown is not None
            others = sorted(self._mutual(subject, right))
            mine = self._images(subject, right)
            ends = accumulate(
                _PARTS * self._shown[subject, one] // max(mine, self._images(subject, one)) for one in others
            )
            self._rows[subject, right] = others, list(ends)
        return self._rows[subject, right]

    def _images(self, subject: str, word: str) -> int:
        """How many images show what can stand beside a word."""
        assert self._shown is not None
        return sum(self._shown[subject, other] for other in self._mutual(subject, word))

    def _mutual(self, subject: str, word: str) -> set[str]:
        """Words of the set that can be denied where this one is right, and the other way round."""
        assert self._shown is not None
        return {
            other
            for other in self._denied.get((subject, word), ())
            if (subject, other) in self._shown and word in self._denied.get((subject, other), ())
        }

    def _owed(self, kind: str, words: Iterable[W], voice: Voice) -> W | None:
        """Of a stream: one that was affirmed more often than denied, else any that was not denied more often."""
        leads = {word: self._lead(kind, word) for word in words if not self.enough(kind, word, "No")}
        most = max(leads.values(), default=0)
        owed = [word for word, lead in leads.items() if lead == most]
        return voice.pick(owed) if owed else None

    def _lead(self, kind: str, word: str) -> int:
        counts = self._told.get((kind, word), Counter[str]())
        return counts["Yes"] - counts["No"]
