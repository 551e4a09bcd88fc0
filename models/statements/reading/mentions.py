"""What a sentence speaks of: regions, by id or by noun; and the verbs and prepositions around them."""

from dataclasses import dataclass

from models.statements.claims import Part

PREPOSITIONS = {"in", "within", "at", "over", "on", "inside", "of", "into", "through", "throughout", "near"}
VERBS = {
    "is", "are", "was", "were", "be", "being", "been", "lies", "lie", "lying", "shows", "show", "shown", "appears",
    "appear", "seems", "seem", "measures", "measure", "covers", "cover", "occupies", "occupy", "has", "have",
    "spans", "contains", "represents", "represent", "sits", "located", "situated", "found", "seen", "visible",
    "present", "displays", "exhibits", "extends", "reaches", "corresponds", "marked", "outlined", "identified",
    "noted", "notes", "picks", "recognises", "observes", "discerns", "demonstrates", "stands",
    "does", "do", "finds", "sees",
}  # fmt: skip


HOLDING = {
    "contain", "contains", "harbour", "harbours", "show", "shows", "house", "houses", "hold", "holds", "display",
    "displays", "has", "have", "demonstrate", "demonstrates", "exhibit", "exhibits", "include", "includes", "reveals",
    "reveal", "bear", "bears", "present", "presents",
}  # fmt: skip
"""Verbs of what holds something, or nothing."""
GROWTHS = {"tumour", "mass", "lesion", "neoplasm"}
"""What a region is called that a disease may stand for: 'the glioma is round'."""
EDGES = {
    "margin", "margins", "border", "borders", "edge", "edges", "outline", "outlines", "contour", "contours",
    "boundary", "boundaries", "demarcation", "delineation", "rim", "circumference", "perimeter",
}  # fmt: skip
"""Nouns for the margin of a region."""
COMPARING = {"compared", "relative", "comparison", "versus", "against"}
"""Words before what something is compared with."""
OTHERS = {"counterpart", "contralateral"}
"""Words for the other of two that are called alike."""
DIRECTIONS = {"above", "left of", "patient left of", "anterior to", "superior to"}
"""Relations along an axis."""
ANY = {"region", "regions", "foci", "areas", "spots", "lesions", "findings"}
"""Words for regions of any kind."""
ANY_ONE = {*ANY, "focus", "area", "spot", "patch", "zone"}
"""The same behind 'no', 'each' and 'every'."""
ALL = {"the", "all", "both", "these", "those", "each", "every", "its", "their"}
"""Words before a plural by which all of them are meant."""
MOSTLY = {"most of", "the bulk of", "the majority of"}
"""Words before a plural by which more than half of them are meant."""
OPPOSING = {"unlike", "contrast", "opposed", "contrary", "contrasting"}
"""Words before that of which the opposite is so."""


@dataclass(frozen=True, slots=True)
class Mention:
    """Regions that a sentence speaks of: those it names by id, else those that its noun fits.

    `every`: what is said is said of each: of "the nodules", and not of "nodules" or "some nodules". `part`: of so many
    of them: "two of the five nodules".
    """

    regions: tuple[str, ...]
    name: str
    explicit: bool
    several: bool
    start: int
    end: int
    every: bool = False
    part: Part | None = None
    loose: bool = False
    """'A dark patch': it can be any that is outlined, and one that is not."""
