"""Text → claims: phrases of the table are found, bound to what they are said of, and turned round where denied.

Every word must be one of a recognised phrase or of the neutral list; others are kept as unlicensed. Knows nothing of
what is true. One module a concern: `atoms` finds the phrases, `figures` joins numbers to
their units, `nouns` finds what is named, `phrases` looks round among them, `saying` keeps what is
claimed, `sentence` what is spoken of and denied, and the others read the kinds of phrases in `_READERS`.
"""

import re
from collections.abc import Callable, Sequence

from models.statements import claims as c
from models.statements.facts import Facts
from models.statements.opinions import read_opinion
from models.statements.reading import (
    comparisons,
    constructions,
    dealing,
    ellipsis,
    finders,
    grammar,
    image,
    looks,
    numbers,
    picture,
    places,
    ranks,
    relations,
)
from models.statements.reading.atoms import atoms_of
from models.statements.reading.binding import Said
from models.statements.reading.figures import numbered
from models.statements.reading.holders import turned
from models.statements.reading.mentions import Mention
from models.statements.reading.picture import joined
from models.statements.reading.saying import Reading
from models.statements.reading.sentence import Sentence
from models.statements.tokens import Token, tokens

_READERS: dict[str, Callable[[Sentence, int], None]] = {
    "neutral": grammar.neutral, "mark": grammar.mark, "unknown": grammar.unknown, "number": grammar.unread,
    "unit": grammar.unit, "not": grammar.deny, "no": grammar.deny_next, "absent": grammar.absent,
    "untrue": grammar.untrue, "source": finders.source, "around": grammar.nothing, "measure": grammar.measure,
    "quantity": numbers.quantity, "how many": numbers.how_many, "most": numbers.most, "place": places.place,
    "word": looks.word, "share": looks.share, "degree": looks.degree, "level": looks.level, "rank": ranks.rank,
    "ratio": relations.ratio, "spread": looks.spread, "sides": looks.sides, "goes on": looks.goes_on,
    "crowding": looks.crowding, "gradient": looks.gradient,
    "marks": finders.marks, "pieces": looks.pieces, "expert": finders.expert, "proposed": finders.proposed,
    "candidate": finders.candidate,
    "ordinal": comparisons.ordinal, "compared": comparisons.compared, "differs": comparisons.differs,
    "heightened": comparisons.heightened,
    "against": comparisons.against, "edged": looks.edged, "again": ellipsis.again, "beside": ellipsis.beside,
    "except": grammar.unknown, "edge": picture.edge, "clock": picture.clock, "peak": ranks.peak,
    "unread": grammar.unknown, "about": grammar.about,
    "relation": relations.relation, "mutual": relations.mutual, "bound": relations.bound,
    "modality": image.modality, "plane": image.plane, "weighting": image.weighting, "view": image.view,
    "agent": image.agent, "organ": image.organ, "disease": image.disease, "localizer": image.localizer,
}  # fmt: skip
"""By the kind of phrase; what is not listed is neutral."""


def read(text: str, facts: Facts) -> Reading:
    """The claims of a text, of one sentence or more, about an image.

    Args:
        text: English; what stands in “ ” is read as a quotation.
        facts: of the image: names are resolved to its regions.
    """
    reading = Reading()
    subject: Mention | None = None
    earlier: tuple[Mention, ...] = ()
    said: Sequence[Said] = ()
    for tokens_of in _sentences(_unversioned(text, facts), reading):
        if (opinion := read_opinion(tokens_of)) is not None:
            reading.add(opinion)
            continue
        atoms = atoms_of(tokens_of, facts)
        if missing := {atom.value for atom in atoms if atom.kind == "ref"} - facts.regions.keys():
            # Whatever is said of what is not there: nothing of the sentence can be measured beside it.
            reading.add(c.Finding(regions=(min(missing),), name="region"))
            continue
        sentence = Sentence(turned(numbered(joined(atoms))), facts, reading, subject, earlier, said)
        subject, said = _read(sentence), sentence.said_of
        earlier = (*(one for _, one in sorted(sentence.mentions.items())),) or earlier
    return reading


def _unversioned(text: str, facts: Facts) -> str:
    """Experts by their names alone, where the version that is written with one is that of its run."""
    for run in facts.grounding.experts:
        name, _, version = run.expert.partition("@")
        for told in {version, version.partition("+")[0]} - {""}:
            text = re.sub(rf"\b{re.escape(name)}@{re.escape(told)}(?!\.?[\w+])", name, text)
    return text


def _read(sentence: Sentence) -> Mention | None:
    """All of a sentence; what it spoke of last."""
    dealing.deal(sentence)
    constructions.read(sentence)
    n = 0
    while n < len(sentence.atoms):
        sentence.at = n
        if n in sentence.used:
            n += 1
        elif n in sentence.mentions:
            mention = sentence.mentions[n]
            if (end := sentence.speak_of_all_but(mention)) is not None:
                n = end
                continue
            (sentence.deny_of if sentence.atoms[n].text == "neither" else sentence.mention)(mention)
            n = mention.end
        else:
            _READERS.get(sentence.atoms[n].kind, grammar.neutral)(sentence, n)
            n += 1
    sentence.end()
    return sentence.subject


def _sentences(text: str, reading: Reading) -> list[tuple[Token, ...]]:
    kept = ""
    for n, piece in enumerate(text.replace("”", "“").split("“")):
        if n % 2:
            reading.add(c.Quotation(text=piece.strip()))
            kept += " "
        else:
            kept += piece
    found: list[tuple[Token, ...]] = []
    current: list[Token] = []
    for token in tokens(kept):
        if token.word in {".", "!", "?"}:
            if current:
                found.append(tuple(current))
            current = []
        else:
            current.append(token)
    if current:
        found.append(tuple(current))
    return found
