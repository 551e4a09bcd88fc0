"""Which turns of an image are taken: of each kind as many, and none that tells another's answer, nor its own.

A question tells its own answer where what it names has nearly always the same one: an X-ray film has two lung fields.
So yes stands about as often as no, and of each name every answer about as often as the others.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from models.datasets.conversations import Conversation, Turn
from models.datasets.instructions.offers import Asker, Enough, Offer, phrasings
from models.datasets.instructions.regions import regions
from models.datasets.instructions.whole import whole
from models.statements.voice import Voice
from schemas.triplets import Triplet

KINDS = tuple(phrasings())
"""Kinds of turns, in the table's order."""
WHOLE = ("caption", "description")
"""Kinds that describe the whole image; a conversation has one of them."""
FIRST = ("modality", "plane", "organ", "disease", "finding")
"""Subjects that are asked about before regions are called by their names."""
MOST_AHEAD = 2
"""By how many the answers yes or no of a kind may lead before the leading one is left out; and the answers to questions
that name the same thing, before the mean of these answers."""
_GROUNDING = ("box-to-phrase", "phrase-to-box")


def offers_of(
    triplet: Triplet, enough: Enough = lambda kind, named, told: False, *, unproven: bool = False
) -> list[Offer]:
    """Everything that can be asked of an image, in a fixed order, but what there is enough of."""
    asker = Asker(triplet, enough, unproven=unproven)
    return [*whole(asker), *regions(asker)]


def turns_of(triplet: Triplet, *, unproven: bool = False) -> list[Turn]:
    """Every turn that an image allows, in a fixed order; the same triplet gives the same ones."""
    return [turn for offer in offers_of(triplet, unproven=unproven) for turn in offer.turns()]


class Mixer:
    """Makes a conversation of each triplet. The same triplets in the same order give the same ones.

    Args:
        turns: at most, before the one that describes the whole image.
        kinds: that are taken; None: all.
        unproven: also turns about what experts found that are not known to be mostly right.
    """

    def __init__(self, turns: int = 4, kinds: frozenset[str] | None = None, *, unproven: bool = False) -> None:
        self._turns = turns
        self._kinds = kinds
        self._unproven = unproven
        self.taken: Counter[str] = Counter()
        self.closed: Counter[tuple[str, str]] = Counter()
        self._told: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    def state(self) -> dict[str, Any]:
        """What has been taken so far, as JSON holds it: who goes on from it keeps the balance."""
        return {
            "taken": dict(self.taken),
            "closed": [[*key, n] for key, n in self.closed.items()],
            "told": [[*key, dict(counts)] for key, counts in self._told.items()],
        }

    def go_on(self, state: Mapping[str, Any]) -> None:
        """From what `state` gave, of a mixer with the same arguments."""
        self.taken.update(state["taken"])
        self.closed.update({(kind, answer): n for kind, answer, n in state["closed"]})
        for kind, named, counts in state["told"]:
            self._told[kind, named].update(counts)

    def conversation(self, triplet: Triplet) -> Conversation:
        """The conversation about a triplet's image.

        What describes the whole image stands last, where it gives no other answer away.
        """
        offers = [
            offer
            for offer in offers_of(triplet, self._enough, unproven=self._unproven)
            if self._kinds is None or offer.kind in self._kinds
        ]
        found = self._chosen([offer for offer in offers if offer.kind not in WHOLE], triplet.image_id)
        texts = [offer for offer in offers if offer.kind in WHOLE]
        if texts:
            found.extend(Voice(f"{triplet.image_id}:whole").pick(texts).turns())
        self.taken.update(turn.kind for turn in found)
        return Conversation(tuple(found))

    def _chosen(self, offers: list[Offer], seed: str) -> list[Turn]:
        """The rarest kinds first; of one subject one turn, and none whose answer stands in another one's text."""
        voice = Voice(f"{seed}:mix")
        subjects: set[str] = set()
        chosen: list[Turn] = []
        for offer in sorted(voice.shuffled(offers), key=lambda one: self.taken[one.kind]):
            if len(chosen) == self._turns:
                break
            if _subject(offer.kind) in subjects or not self._balanced(offer, offers):
                continue
            turn = next((one for one in offer.turns() if not _tells(one, chosen)), None)
            if turn is not None:
                if turn.named:
                    self._told[turn.kind, turn.named][turn.told] += 1
                subjects.add(_subject(offer.kind))
                chosen.append(turn)
        self.closed.update((turn.kind, turn.answer) for turn in chosen if turn.answer in ("Yes", "No"))
        chosen = voice.shuffled(chosen)
        return sorted(chosen, key=lambda turn: _subject(turn.kind) not in FIRST)

    def _enough(self, kind: str, named: str, answer: str) -> bool:
        """Whether what a question names has had this sort of answer more often than others already."""
        told = self._told.get((kind, named))
        if told is None:
            return False
        sorts = len(told.keys() | {answer})
        return told[answer] - told.total() / max(2, sorts) >= MOST_AHEAD

    def _balanced(self, offer: Offer, offers: list[Offer]) -> bool:
        """Whether yes and no of its kind stay about as frequent when it is taken."""
        if not offer.answer:
            return True
        other = "No" if offer.answer == "Yes" else "Yes"
        lead = self.closed[offer.kind, offer.answer] - self.closed[offer.kind, other]
        if any(one.kind == offer.kind and one.answer == other for one in offers):
            return lead <= 0
        return lead < MOST_AHEAD


def _subject(kind: str) -> str:
    if kind == "absence":  # what was not found is what "was it found" answers by no
        return "finding"
    return "grounding" if kind in _GROUNDING else kind.removesuffix("-closed")


def _tells(turn: Turn, others: Sequence[Turn]) -> bool:
    """Whether what one of two turns answers stands in the text of the other, or a box that one of them asks for."""
    return any(
        _stands(turn.core, other)
        or _stands(other.core, turn)
        or ((turn.kind in _GROUNDING or other.kind in _GROUNDING) and any(box in other.boxes for box in turn.boxes))
        for other in others
    )


def _stands(core: str, turn: Turn) -> bool:
    said = core.lower()
    # Most do not stand there even as a part of a word, which costs a tenth of a search by words.
    if not said or said not in turn.text:
        return False
    return re.search(rf"\b{re.escape(said)}\b", turn.text) is not None
