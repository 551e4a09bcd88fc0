"""What a region looks like in one respect, in the forms that a sentence can hold. Knows nothing of what is measured."""

from dataclasses import dataclass

from models.statements import claims as c


@dataclass(frozen=True, slots=True)
class Facet:
    """One thing that a region looks like. Forms that it does not have are "".

    `adjective` stands before the noun; `is_` behind 'is'; `has` behind 'has' and 'with'; `does` is a verb with what
    follows it; `against` stands behind 'is' where what it is compared with, `than`, is told elsewhere.
    """

    kind: str
    claims: tuple[c.Claim, ...]
    adjective: str = ""
    is_: str = ""
    has: str = ""
    does: str = ""
    doing: str = ""
    against: str = ""
    than: str = ""
