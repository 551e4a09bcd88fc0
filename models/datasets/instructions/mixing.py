"""Which turns of an image are taken: of each kind as many, and none that tells another's answer, nor its own.

A question tells its own answer where what it names has nearly always the same one: an X-ray film has two lung fields.
So yes stands about as often as no, and of each name every answer about as often as the others.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from models.datasets.conversations import Conversation, Turn
from models.datasets.instructions.balance import MOST_AHEAD, OTHER, Balance
from models.datasets.instructions.offers import Asker, Offer, phrasings
from models.datasets.instructions.regions import regions
from models.datasets.instructions.whole import whole, words_of
from models.statements.voice import Voice
from schemas.triplets import Triplet

KINDS = tuple(phrasings())
"""Kinds of turns, in the table's order."""
WHOLE = ("caption", "description")
"""Kinds that describe the whole image; a conversation has one of them."""
FIRST = ("modality", "plane", "organ", "disease", "finding")
"""Subjects that are asked about before regions are called by their names."""
OF_THE_WHOLE = ("modality", "plane", "organ", "disease")
"""Subjects of the metadata: a word of each is right of the whole image."""
_GROUNDING = ("box-to-phrase", "phrase-to-box")


def offers_of(triplet: Triplet, balance: Balance | None = None, *, unproven: bool = False) -> list[Offer]:
    """Everything that can be asked of an image, in a fixed order, but what there is enough of."""
    asker = Asker(triplet, balance or Balance(), unproven=unproven)
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
        shown: how many images of each modality, organ and disease will come; None: nobody knows.
    """

    def __init__(
        self,
        turns: int = 4,
        kinds: frozenset[str] | None = None,
        *,
        unproven: bool = False,
        shown: Mapping[tuple[str, str, str], int] | None = None,
    ) -> None:
        self._turns = turns
        self._kinds = kinds
        self._unproven = unproven
        self.taken: Counter[str] = Counter()
        self.closed: Counter[tuple[str, str]] = Counter()
        self._balance = Balance() if shown is None else _balance_of(shown)

    def state(self) -> dict[str, Any]:
        """What has been taken so far, as JSON holds it: who goes on from it keeps the balance."""
        return {
            "taken": dict(self.taken),
            "closed": [[*key, n] for key, n in self.closed.items()],
            "told": self._balance.state(),
        }

    def go_on(self, state: Mapping[str, Any]) -> None:
        """From what `state` gave, of a mixer with the same arguments."""
        self.taken.update(state["taken"])
        self.closed.update({(kind, answer): n for kind, answer, n in state["closed"]})
        self._balance.go_on(state["told"])

    def conversation(self, triplet: Triplet) -> Conversation:
        """The conversation about a triplet's image.

        What describes the whole image stands last, where it gives no other answer away.
        """
        offers = [
            offer
            for offer in offers_of(triplet, self._balance, unproven=self._unproven)
            if self._kinds is None or offer.kind in self._kinds
        ]
        found = self._chosen([offer for offer in offers if offer.kind not in WHOLE], triplet.image_id)
        texts = [offer for offer in offers if offer.kind in WHOLE]
        if texts:
            found.extend(Voice(f"{triplet.image_id}:whole").pick(texts).turns())
        self.taken.update(turn.kind for turn in found)
        return Conversation(tuple(found))

    def _chosen(self, offers: list[Offer], seed: str) -> list[Turn]:
        """The rarest subjects first, of these the rarest kinds; of one subject one turn, and none whose answer stands
        in another one's text.

        Whether the whole image is asked about by yes and no, by a choice or by an open question is drawn, and where
        there is none of that form the open one stands in: so an answer is not made rare by being hard to deny.
        """
        voice = Voice(f"{seed}:mix")
        taken = Counter[str]()
        for kind, n in self.taken.items():
            taken[_subject(kind)] += n
        forms = {
            subject: voice.pick(kinds)
            for subject in OF_THE_WHOLE
            if (kinds := sorted({one.kind for one in offers if _subject(one.kind) == subject}))
        }
        subjects: set[str] = set()
        chosen: list[Turn] = []

        def rarity(kind: str) -> tuple[int, int]:
            subject = _subject(kind)
            return taken[subject], int(kind != forms[subject]) if subject in forms else self.taken[kind]

        drawn = [one for one in offers if one.kind in (subject := _subject(one.kind), forms.get(subject, one.kind))]
        for offer in sorted(voice.shuffled(drawn), key=lambda one: rarity(one.kind)):
            if len(chosen) == self._turns:
                break
            if _subject(offer.kind) in subjects or not self._balanced(offer, offers):
                continue
            turn = next((one for one in offer.turns() if not _tells(one, chosen)), None)
            if turn is not None:
                if turn.named:
                    self._balance.add(turn.kind, turn.named, turn.told)
                subjects.add(_subject(offer.kind))
                chosen.append(turn)
        self.closed.update((turn.kind, turn.answer) for turn in chosen if turn.answer in OTHER)
        chosen = voice.shuffled(chosen)
        return sorted(chosen, key=lambda turn: _subject(turn.kind) not in FIRST)

    def _balanced(self, offer: Offer, offers: list[Offer]) -> bool:
        """Whether yes and no of its kind stay about as frequent when it is taken."""
        if not offer.answer:
            return True
        other = OTHER[offer.answer]
        lead = self.closed[offer.kind, offer.answer] - self.closed[offer.kind, other]
        if any(one.kind == offer.kind and one.answer == other for one in offers):
            return lead <= 0
        return lead < MOST_AHEAD


def _subject(kind: str) -> str:
    if kind == "absence":  # what was not found is what "was it found" answers by no
        return "finding"
    return "grounding" if kind in _GROUNDING else kind.removesuffix("-closed").removesuffix("-choice")


def _balance_of(shown: Mapping[tuple[str, str, str], int]) -> Balance:
    words, denied = Counter[tuple[str, str]](), defaultdict[tuple[str, str], set[str]](set)
    for told, n in shown.items():
        for subject, word, others in words_of(*told):
            words[subject, word] += n
            denied[subject, word].update(others)
    return Balance(words, denied)


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
