"""Parts of other regions, two that are called alike, and what 'its' and 'the one' stand for."""

import pytest
from known_images import brain

from models.statements import judge

TRUE = """
The tumour covers less than half the area of r2.
r3 takes up nearly all of the tumour.
r3 occupies about 99 % of the tumour.
Most of the tumour is taken up by r3.
r3 lies largely within the tumour.
The larger of the two hypointense areas is ring-shaped, whereas the smaller is irregular.
Of the two hypointense areas, the larger is nearly five times the size of the other.
The tumour is to the left of the centre.
The tumour lies slightly left of the centre.
Glioblastoma is the diagnosis given by the source.
The tumour is shorter than r2.
The tumour measures just under four and a half centimetres.
Its margins are sharp.
The region of interest is oval.
Four to five percent of the brain is occupied by the tumour.
r2 is larger than the tumour marked by the source.
Two hypointense zones are seen, one of them ring-shaped.
The spot measures 44 mm.
In signal, r5 hardly differs from r3.
A hyperintense zone, r3, was flagged; r3 is a hyperintense patch.
Two hypointense zones are seen, of which one is ring-shaped and one is irregular.
Hypointense patches are seen, the largest being r2.
The tumour is brighter than the tissue bordering it.
Somebody's brain in cross section, with a tumour that the data set annotates.
"""
FALSE = """
The source marks a haemorrhage.
r3 lies in the tumour and takes up 30 % of it.
r2 is a little larger than the tumour marked by the source.
The tumour covers more than half the area of r2.
r3 takes up half of the tumour.
Barely a tenth of the tumour is taken up by r3.
r2 lies largely within the tumour.
The larger of the two hypointense areas is irregular, whereas the smaller is ring-shaped.
Of the two hypointense areas, the larger is twice the size of the other.
The tumour is to the right of the centre.
The tumour is longer than r2.
Its margins are blurred.
The region of interest is round.
The tumour is as long as it is wide.
Six to seven percent of the brain is occupied by the tumour.
r2, a hypointense zone, is marked by the source.
The spot measures 14 mm.
In signal, r6 hardly differs from r3.
In signal, r5 hardly differs from r3 and is irregular.
Two hypointense zones are seen, of which one is ring-shaped and one is oval.
Hypointense patches are seen, the largest being r6.
"""
UNTOLD = """
The tumour is barely visible and barely homogeneous.
The skull is of normal size.
The tumour is long.
Their margins are sharp.
"""


@pytest.mark.parametrize("text", TRUE.strip().splitlines())
def test_true_sentences_of_parts_and_pairs_are_supported(text: str) -> None:
    """What is covered of another region, and which of two is meant, are measured."""
    found = judge(text, brain())
    assert found.verdict.outcome == "supported", (found.verdict.reason, found.unlicensed, found.claims)


@pytest.mark.parametrize("text", FALSE.strip().splitlines())
def test_false_sentences_of_parts_and_pairs_are_contradicted(text: str) -> None:
    """The same with another part, or the other of two."""
    found = judge(text, brain())
    assert found.verdict.outcome == "contradicted", (found.unlicensed, found.claims)


@pytest.mark.parametrize("text", UNTOLD.strip().splitlines())
def test_what_a_pronoun_or_a_denying_adverb_leaves_open_is_unsupported(text: str) -> None:
    """Nothing stands for 'their' alone; 'barely' denies where no number follows."""
    found = judge(text, brain())
    assert found.verdict.outcome == "unsupported", (found.verdict.reason, found.claims)
