"""Which part of one region lies in another, lists of what takes up shares, halves of the image; true beside false."""

import pytest
from known_images import judged, lined

# 99.5 % of the darker field r3 lies in the lung field r1, 61 % of whose area it takes; r1 lies on the patient's left.
OF_THE_RADIOGRAPH = """
+ Most of r1, about 65% of its area, overlaps the darker field r3.
- Most of r1, about 92% of its area, overlaps the darker field r3.
- Most of r3, about 65% of its area, overlaps the lung field r1.
+ Most of r3 (99% of its area) overlaps the lung field r1.
- A small part of r3, about 99% of its area, overlaps the lung field r1.
- A small part of r1, about 65% of its area, overlaps r3.
+ About 65% of the area of r1 overlaps r3.
- About 41% of the area of r1 overlaps r3.
- About 65% of the area of r3 overlaps r1.
+ About 65% of r1's area is shared with r3.
- About 92% of r1's area is shared with r3.
+ About 99% of the area of r3 lies within r1.
- About 65% of the area of r3 lies within r1.
+ Of the area of r1, 65% overlaps r3.
- Of the area of r3, 65% overlaps r1.
+ The lung field r1 shares 65% of its area with r3.
- The darker field r3 shares 65% of its area with r1.
+ r1 overlaps r3, sharing 65% of its area with it.
- r1 overlaps r3, sharing 31% of its area with it.
+ The overlap of r1 with r3 amounts to 65% of the area of r1.
- The overlap of r1 with r3 amounts to 65% of the area of r3.
+ More than half of the area of r1 overlaps r3.
- Less than half of the area of r1 overlaps r3.
+ Between 55 and 65% of the area of r1 overlaps r3.
- Between 25 and 35% of the area of r1 overlaps r3.
+ At least 60% of the area of r1 overlaps r3.
- At least 70% of the area of r1 overlaps r3.
- About 65% of the area of r1 overlaps r4.
- Neither 65% of the area of r1 overlaps r3 nor 41%.
- About 22% of the area of r1 overlaps r3.
? Less than half of r1 (65% of its area) overlaps r3.
? r1 lies in the chest, and about 22% of its area glows.
+ The lung field r2 lies in the left half of the image and r1 in the right half.
- The lung field r2 lies in the left half of the image and r1 in the left half.
- The lung field r2 lies in the right half of the image and r1 in the left half.
+ r2 lies in the left half of the image, whereas r1 lies in the right half.
- r2 lies in the left half of the image, whereas r1 lies in the left half.
+ r2 lies in the left half of the image and r1 in the patient's left half.
- r2 lies in the left half of the image and r1 in the patient's right half.
+ r2 lies in the patient's right half and r1 in the left half.
+ 21% of the image is taken up by r1 and 13% by r3.
- 13% of the image is taken up by r1 and 21% by r3.
- 21% of the image is taken up by r1 and 20% by r3.
- 33% of the image is taken up by r1 and 13% by r3.
+ About 21% is covered by the lung field r1, about 13% by the darker field r3 and 10% by r4.
- About 21% is covered by the lung field r1, about 13% by the darker field r3 and 15% by r4.
+ The image is covered to 21% by r1 and to 13% by r3.
- The image is covered to 13% by r1 and to 21% by r3.
"""


@pytest.mark.parametrize(("name", "wanted", "text"), lined(("RG1_UNCR.dcm", OF_THE_RADIOGRAPH)))
def test_a_true_one_is_accepted_and_its_twin_is_not(name: str, wanted: str, text: str) -> None:
    """The share is of what it is said of, the image, or the region that a verb or a list names."""
    found = judged(name, text)
    assert found.verdict.outcome == wanted, (found.verdict.reason, found.unlicensed, found.claims)
