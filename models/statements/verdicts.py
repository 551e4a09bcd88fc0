"""A sentence held against the facts: its claims judged, and one verdict of them. Knows nothing of who wrote it.

Reasons name what was measured and words of our own lists; never other words of the sentence, which can be anything.
"""

from dataclasses import dataclass, replace

from models.statements.claims import Claim, Disease, Modality, OfRegions, Structure
from models.statements.facts import Facts
from models.statements.reading import read
from models.statements.reading.atoms import atoms_of
from models.statements.tokens import tokens
from schemas.triplets import Verdict

_NAMES = {"organ", "modality", "plane", "weighting", "view", "agent", "localizer", "mark", "unknown"}
"""Kinds of phrases in a bare name; what is unknown to the table is a full stop there, for it would not be supported."""
_ARTICLES = {"a", "an", "the"}


@dataclass(frozen=True, slots=True)
class Judged:
    """A sentence with its claims and its verdict."""

    text: str
    claims: tuple[Claim, ...]
    verdict: Verdict
    failed: tuple[tuple[Claim, str], ...] = ()
    """Claims that the facts do not bear out, each with the reason."""
    unlicensed: tuple[str, ...] = ()
    """Words that no phrase licenses, as they were read. They can be a name: for whoever wrote them, and no one else."""


def judge(text: str, facts: Facts) -> Judged:
    """The claims of a text, and one verdict: contradicted before unsupported before supported."""
    reading = read(text, facts)
    claims = reading.judged
    judged = [claim.judge(facts) for claim in claims]
    pointers = tuple(dict.fromkeys(pointer for one in judged for pointer in one.pointers if pointer))
    unresolved = reading.unlicensed or any(isinstance(one, OfRegions) and not one.regions for one in claims)
    normal = any(isinstance(one, Disease) and one.name == "healthy" for one in claims)
    # "The heart is of normal size" tells nothing of the lungs that the source names, and does not deny them.
    unresolved = unresolved or (normal and any(isinstance(one, Structure) and one.is_near(facts) for one in claims))
    firm = [not (unresolved and _is_soft(claim)) for claim in claims]
    denied = [one.reason for one, is_firm in zip(judged, firm, strict=True) if one.truth is False and is_firm]
    untold = [
        one.reason
        for one, is_firm in zip(judged, firm, strict=True)
        if one.truth is None or (one.truth is False and not is_firm)
    ]
    if denied:
        verdict = Verdict(outcome="contradicted", reason="; ".join(dict.fromkeys(denied)), pointers=pointers)
    elif untold or reading.unlicensed:
        reasons = [*untold, *(["it says more than was recognised"] if reading.unlicensed else [])]
        verdict = Verdict(outcome="unsupported", reason="; ".join(dict.fromkeys(reasons)), pointers=pointers)
    elif not claims:
        verdict = Verdict(outcome="unsupported", reason="it states nothing that was measured", pointers=())
    else:
        verdict = Verdict(outcome="supported", pointers=pointers)
    failed = tuple((claim, one.reason) for claim, one in zip(claims, judged, strict=True) if one.truth is not True)
    return Judged(text, tuple(claims), verdict, failed, tuple(reading.unlicensed))


def judge_sentence(text: str, facts: Facts) -> Judged:
    """As `judge`, of who is to write sentences: a bare name, such as "liver", is true of a picture and says nothing."""
    judged = judge(text, facts)
    if judged.verdict.outcome != "supported" or not _is_bare(judged, facts):
        return judged
    verdict = Verdict(
        outcome="unsupported", reason="it names something and says nothing", pointers=judged.verdict.pointers
    )
    return replace(judged, verdict=verdict)


def _is_bare(judged: Judged, facts: Facts) -> bool:
    """Whether a text is but one name of the picture, articles and marks aside: of an organ, a plane, "CT".

    A finding is none, for "haemorrhage" says that there is one; nor is "ultrasound scan": it says what the picture is.
    """
    if len(judged.claims) != 1 or isinstance(judged.claims[0], OfRegions | Disease):
        return False
    if isinstance(judged.claims[0], Modality) and len(judged.text.split()) > 1:
        return False
    atoms = atoms_of(tuple(tokens(judged.text)), facts)
    return all(atom.kind in _NAMES or atom.text in _ARTICLES for atom in atoms)


def _is_soft(claim: Claim) -> bool:
    """Whether words beside it that nothing licenses or outlines may be what is meant: 'the cerebellum is normal'."""
    return isinstance(claim, Structure) or (isinstance(claim, Disease) and claim.name == "healthy")
