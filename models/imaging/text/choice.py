"""Which of the lines that were seen are text? Those that can be read, and what continues them.

The surest are read first, and of the others no more than is worth the time. Knows nothing of how lines are found.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from models.imaging.text.boxes import Box, around, beside, continues, painted, share_within
from models.imaging.text.ends import ends_of
from models.imaging.text.proof import TELLING, is_sign, proved
from models.imaging.text.stacks import stacks_in
from models.imaging.text.strokes import Picture

MOST_READ = 60
"""Lines that are read in one picture, the surest first: what bounds the time."""
_DOUBTFUL, _IN_VAIN = 0.8, 4
"""Score below which a line is doubtful, and so many of these, refused in turn, are the last of them that are read; one
more for each line of the picture that was read: a screen of text has faint lines, too."""
_LIKELY = 0.35
"""Score of the line finder from which a line is read; one below it counts where it continues a line that was read."""
_PLAIN = 0.8
"""Score of a sign, from which what goes on beside it is read."""
_SURE = 0.88
"""Score of a block, from which it may be several lines."""
_FEWEST_OF_A_STACK = 2
"""Lines of a block that must be text for any of them to count: tissue has edges beneath each other, too."""
_LONG, _FAINT = 3, 0.22
"""Length by height from which a line is read at the lower score: letters of 8 px are faint to the finder."""
_BESIDE = 0.7
"""Score of single signs that stand beside each other."""
_CONTINUED = 0.75
"""Score of a line from which what continues it belongs to it."""
_MARGIN, _AT_ENDS = 0.15, 0.32
"""Of a line's height, by which its box is larger than its glyphs, and a pixel more; the second at its two ends."""
_COVERED = 0.85
"""Of a line, from which it is masked with others."""


class Candidate(NamedTuple):
    """A line that the finder saw."""

    box: Box
    level: float
    picture: int
    again: bool = False
    """Whether only a second look showed it. What the first look showed at this level is read before it."""


def text_among(pictures: Sequence[Picture], candidates: list[Candidate], known: list[Box]) -> tuple[list[Box], bool]:
    """Of the lines that were seen in a picture, those that can be read, and those that continue them.

    Args:
        pictures: the view, and the values where they were searched, all of one shape.
        candidates: in px of these.
        known: text that is masked already.

    Returns:
        Their boxes, px, tight around their glyphs; and False where there were more likely lines than may be read.
    """
    likely = (
        one for one in candidates if one.box.score >= (_LIKELY if one.box.length < _LONG * one.box.height else _FAINT)
    )
    reader = Reader(pictures, known)
    ordered = sorted(likely, key=lambda one: (-one.level, one.again, -one.box.score))
    complete = reader.read([one for one in ordered if one.box.score >= _DOUBTFUL])
    # Of 1,309 such lines in 212 real pictures and 150 with drawn text 19 were text, each after at most two refusals
    # more than the picture had lines.
    complete &= reader.read_doubtful([one for one in ordered if one.box.score < _DOUBTFUL])
    for stack in _stacks(pictures, reader.refused):
        complete &= reader.read_stack(stack)
    kept, refused, signs = reader.kept, reader.refused, reader.signs
    # Seen in two looks at a picture, a sign bears itself out as one beside it does.
    kept += [sign for sign in signs if any(sign != other and continues(sign, other) for other in signs)]
    short = [line for line in kept if line.score < _CONTINUED]
    signs += _signs_beside(pictures, [*refused, *reader.unread], [*signs, *short])
    kept += [sign for sign in signs if sign not in kept and any(beside(sign, other) for other in (*signs, *kept))]
    return kept + _continued(kept, [one.box for one in candidates]), complete


class Reader:
    """What was read of the candidates in a picture, and what could not be."""

    def __init__(self, pictures: Sequence[Picture], known: list[Box]) -> None:
        self.kept: list[Box] = []
        self.signs: list[Box] = []
        self.refused: list[Candidate] = []
        self.unread: list[Candidate] = []
        """Not worth reading, but where a sign that was read stands beside them."""
        self._pictures, self._left = pictures, MOST_READ
        self._masked = painted(known, pictures[0].shape)

    def read(self, likely: Sequence[Candidate]) -> bool:
        """Read those that are not masked with others. False where there are more than may be read in a picture."""
        for one in likely:
            if self._is_done(one):
                continue
            if self._left == 0:
                return False
            self._left -= 1
            self._read(one)
        return True

    def read_doubtful(self, lines: Sequence[Candidate]) -> bool:
        """The same, the likeliest first, as long as some of them are text."""
        ordered, vain = sorted(lines, key=lambda one: -one.box.score), 0
        for number, one in enumerate(ordered):
            kept, refused = len(self.kept), len(self.refused)
            if not self.read([one]):
                return False
            if len(self.kept) > kept:
                vain = 0
            elif len(self.refused) > refused:
                vain += 1
            if vain >= _IN_VAIN + len(self.kept):
                self.unread += ordered[number + 1 :]
                break
        return True

    def read_stack(self, lines: Sequence[Candidate]) -> bool:
        """The same of lines beneath each other, which must bear each other out: no further than they still may."""
        before, masked, complete, text, vain = len(self.kept), self._masked.copy(), True, 0, 0
        for number, line in enumerate(lines, 1):
            kept, refused, known = len(self.kept), len(self.refused), self._is_masked(line)
            complete = self.read([line])
            text += known or len(self.kept) > kept
            vain += len(self.refused) > refused
            if vain > text + 1 or text + len(lines) - number < _FEWEST_OF_A_STACK or not complete:
                break
        if text < _FEWEST_OF_A_STACK:
            del self.kept[before:]
            self._masked = masked
        return complete

    def _is_masked(self, one: Candidate) -> bool:
        left, top, right, bottom, _ = one.box
        share = float(self._masked[top:bottom, left:right].mean())
        return share > _COVERED or bool(share and spans(one.box, self.kept))

    def _is_done(self, one: Candidate) -> bool:
        same = (_same(one.box, other.box) for other in self.refused if other.picture == one.picture)
        return self._is_masked(one) or any(same)

    def _read(self, one: Candidate) -> None:
        picture = self._pictures[one.picture]
        proof = proved(picture, one.box)
        if proof.score > 0:
            box = one.box._replace(score=proof.score)
            self._keep(box, *ends_of(picture, box, proof.turns))
            return
        if proof.sign in TELLING and one.box.score >= _PLAIN and (both := self._initials(one, proof.turns)):
            self._keep(both)
            return
        self.refused.append(one)
        if proof.sign:
            self.signs.append(one.box._replace(score=_BESIDE))

    def _keep(self, *boxes: Box) -> None:
        self.kept += boxes
        for box in boxes:
            left, top, right, bottom, _ = with_margins(box, self._masked.shape)
            self._masked[top:bottom, left:right] = True

    def _initials(self, one: Candidate, turns: int) -> Box | None:
        """Of "J. D." the finder sees the one, and the other is read where it ends: both, if they can be read."""
        picture = self._pictures[one.picture]
        parts = [one.box, *ends_of(picture, one.box, turns)]
        both = around(parts)
        score = proved(picture, both).score if len(parts) > 1 else 0.0
        return both._replace(score=score) if score > 0 else None


def _stacks(pictures: Sequence[Picture], refused: Sequence[Candidate]) -> Iterator[list[Candidate]]:
    """Of blocks that are surely text and cannot be read as one line, the lines."""
    for one in tuple(refused):
        if one.box.score >= _SURE:
            stacks = stacks_in(pictures[one.picture], one.box)
            yield from ([one._replace(box=line) for line in lines] for lines in stacks)


def _signs_beside(pictures: Sequence[Picture], refused: list[Candidate], signs: list[Box]) -> list[Box]:
    """Signs that are faint, or tell little by themselves, in one line with such as were read: initials."""
    near = [one for one in refused if any(beside(one.box, sign) for sign in signs)]
    return [one.box._replace(score=_BESIDE) for one in near if is_sign(pictures[one.picture], one.box)]


def _continued(lines: list[Box], others: list[Box]) -> list[Box]:
    """What goes on in a line that was read with certainty: letters that are faint, or over something else."""
    found: list[Box] = []
    reached = [line for line in lines if line.score >= _CONTINUED]
    while reached:
        line = reached.pop()
        more = [box for box in others if box not in found and continues(line, box)]
        found += more
        # Not from one faint piece to the next: tissue is full of them.
        reached += [box for box in more if box.score >= _CONTINUED]
    return found


def spans(box: Box, lines: list[Box]) -> bool:
    """Whether it is several lower lines, and what is between them, that a reduced picture shows as one.

    Pieces of one line, as the finder sees in letters that are too large for it, lie beside each other.
    """
    within = [line for line in lines if 1.6 * line.height < box.height and share_within(line, [box]) > 0.7]
    if _beside_each_other(within):
        return False
    return bool(within) and share_within(box, within) > (0.25 if len(within) > 1 else 0.4)


def _beside_each_other(pieces: list[Box]) -> bool:
    """Whether several boxes are all in one line."""
    if len(pieces) < 2:
        return False
    along = [piece.transposed() for piece in pieces] if pieces[0].turned else pieces
    return max(piece.top for piece in along) < min(piece.bottom for piece in along)


def with_margins(box: Box, shape: tuple[int, ...]) -> Box:
    """What is masked of a line in a picture of `shape` (rows, columns), px."""
    return box.grown(_MARGIN * box.height + 1, shape, ends=_AT_ENDS * box.height + 1)


def _same(box: Box, other: Box) -> bool:
    return share_within(box, [other]) > 0.7 and share_within(other, [box]) > 0.7
