"""What is said of one of several regions must be so of the same one, over real images: none but it bears it out."""

import pytest
from known_images import facts_of

from models.statements import judge, read

CT, RADIOGRAPH = "CT_small.dcm", "RG1_UNCR.dcm"
"""The first: fat-density regions of which the largest is posterior and irregular, a small one on the patient's left
irregular, and the two smallest round, one of them posterior and one anterior. The second: of five darker fields the
smallest is oval, above, and on the patient's right."""

TRUE = """
The largest fat-density region is irregular and lies posteriorly.
One of the fat-density regions is round and lies anteriorly.
One of the fat-density regions lies on the patient's left and is irregular.
A round fat-density region lies anteriorly.
A fat-density region is not round and lies on the patient's left.
One of the fat-density regions is not round.
The smallest of the fat-density regions is round and lies anteriorly.
The smallest fat-density region is round, the largest is irregular.
Four fat-density regions are seen; the largest measures over 3 cm and lies posteriorly.
One fat-density region is round, another is irregular.
Two of the fat-density regions are round and lie on the patient's left.
One of the fat-density regions lies posteriorly. It is irregular.
Fat-density regions lie posteriorly and anteriorly.
One of the fat-density regions is smaller than r4.
r5 is larger than one of the fat-density regions.
r5 is larger than a round fat-density region.
A high-density region is larger than a fat-density region.
"""
FALSE = """
The largest fat-density region is round.
The largest fat-density region is irregular and lies anteriorly.
The smallest fat-density region lies posteriorly.
A round fat-density region measures over 3 cm.
One of the fat-density regions measures over 3 cm and lies anteriorly.
The smallest of the fat-density regions is irregular.
The smallest fat-density region is irregular, the largest is round.
Four fat-density regions are seen; the largest is round.
Two of the fat-density regions are round and lie posteriorly.
One of the fat-density regions lies anteriorly. It measures over 3 cm.
r6 is larger than a round fat-density region.
Round fat-density regions measuring over 3 cm are seen.
"""
TRUE_OF_THE_RADIOGRAPH = """
One of the darker fields is oval and lies on the patient's right.
The largest darker field lies on the patient's left and is irregular.
No darker field lies in the lower part on the patient's left.
"""
FALSE_OF_THE_RADIOGRAPH = """
One of the darker fields is oval and lies on the patient's left.
The largest darker field lies on the patient's right.
The largest darker field is oval.
No darker field lies in the upper part on the patient's left.
"""


@pytest.mark.parametrize(
    ("name", "text", "outcome"),
    [
        (name, text, outcome)
        for name, texts, outcome in (
            (CT, TRUE, "supported"),
            (CT, FALSE, "contradicted"),
            (RADIOGRAPH, TRUE_OF_THE_RADIOGRAPH, "supported"),
            (RADIOGRAPH, FALSE_OF_THE_RADIOGRAPH, "contradicted"),
        )
        for text in texts.strip().splitlines()
    ],
)
def test_one_region_bears_out_all_that_is_said_of_it(name: str, text: str, outcome: str) -> None:
    """True where there is such a region; false where each claim is true, and of another region."""
    found = judge(text, facts_of(name))
    assert found.verdict.outcome == outcome, (found.verdict.reason, found.claims)


def test_the_reason_is_of_the_region_that_is_meant() -> None:
    """Of what a rank chooses, not of any that the noun fits."""
    reason = judge("The largest fat-density region is round.", facts_of(CT)).verdict.reason
    assert reason == "region r1 is irregular"


def test_what_is_read_is_told_claim_by_claim() -> None:
    """Beside what is bound: the composer holds single claims against those that it wrote from."""
    reading = read("The largest fat-density region is irregular.", facts_of(CT))
    (bound,) = reading.bound
    assert set(bound.claims) <= set(reading.claims)
    assert reading.judged == [bound]
