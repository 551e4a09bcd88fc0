"""Which turns of an image are taken: as many of each kind as of others, as many yes as no."""

from collections import Counter

from models.datasets.conversations import Conversation, Turn
from models.datasets.instructions.asking import turns_of
from models.statements.voice import Voice
from schemas.triplets import Triplet

WHOLE = ("caption", "description")
"""Kinds that describe the whole image; a conversation has one of them."""
MOST_AHEAD = 2
"""By how many the answers yes or no of a kind may lead before the leading one is left out."""


class Mixer:
    """Makes a conversation of each triplet. The same triplets in the same order give the same ones.

    Args:
        turns: at most, before the one that describes the whole image.
        kinds: that are taken; None: all.
    """

    def __init__(self, turns: int = 4, kinds: frozenset[str] | None = None) -> None:
        self._turns = turns
        self._kinds = kinds
        self.taken: Counter[str] = Counter()
        self.closed: Counter[tuple[str, str]] = Counter()

    def conversation(self, triplet: Triplet) -> Conversation:
        """The conversation about a triplet's image.

        What describes the whole image stands last, where it gives no other answer away.
        """
        turns = [turn for turn in turns_of(triplet) if self._kinds is None or turn.kind in self._kinds]
        found = self._chosen([turn for turn in turns if turn.kind not in WHOLE], triplet.image_id)
        whole = [turn for turn in turns if turn.kind in WHOLE]
        if whole:
            found.append(Voice(f"{triplet.image_id}:whole").pick(whole))
        self.taken.update(turn.kind for turn in found)
        return Conversation(tuple(found))

    def _chosen(self, turns: list[Turn], seed: str) -> list[Turn]:
        """The rarest kinds first; of one subject one turn, so that no answer gives another one away."""
        voice = Voice(f"{seed}:mix")
        told: set[str] = set()
        chosen: list[Turn] = []
        for turn in sorted(voice.shuffled(turns), key=lambda one: self.taken[one.kind]):
            if len(chosen) == self._turns:
                break
            if _subject(turn) in told or not self._balanced(turn, turns):
                continue
            told.add(_subject(turn))
            chosen.append(turn)
        self.closed.update((turn.kind, turn.answer) for turn in chosen if turn.answer in ("Yes", "No"))
        return voice.shuffled(chosen)

    def _balanced(self, turn: Turn, turns: list[Turn]) -> bool:
        """Whether yes and no of its kind stay about as frequent when it is taken."""
        if turn.answer not in ("Yes", "No"):
            return True
        other = "No" if turn.answer == "Yes" else "Yes"
        lead = self.closed[turn.kind, turn.answer] - self.closed[turn.kind, other]
        if any(one.kind == turn.kind and one.answer == other for one in turns):
            return lead <= 0
        return lead < MOST_AHEAD


def _subject(turn: Turn) -> str:
    return turn.kind.removesuffix("-closed")
