"""Text → claims: phrases of the table are found, bound to what they are said of, and turned round where denied.

Every word must be one of a recognised phrase or of the neutral list; others are kept as unlicensed. Knows nothing of
what is true.
"""

from models.statements import claims as c
from models.statements.atoms import atoms_of
from models.statements.facts import Facts
from models.statements.reader import Mention, Reader, Reading
from models.statements.tokens import Token, tokens


def read(text: str, facts: Facts) -> Reading:
    """The claims of a text, of one sentence or more, about an image.

    Args:
        text: English; what stands in “ ” is read as a quotation.
        facts: of the image: names are resolved to its regions.
    """
    reading = Reading()
    subject: Mention | None = None
    for sentence in _sentences(text, reading):
        reader = Reader(atoms_of(sentence, facts), facts, reading, subject)
        reader.run()
        subject = reader.subject
    return reading


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
