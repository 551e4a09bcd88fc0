"""Ways to say one thing of regions that takes several phrases: distances, sums, ranks, sides by which one is told."""

import pytest
from known_images import judged, lined

OF_THE_RADIOGRAPH = """
+ In area, the two lung fields are almost identical.
- In size, the right lung field surpasses the left lung field.
+ The two lung fields match in size.
+ Together the lung fields cover less than half of the image.
- Together the lung fields cover less than a tenth of the image.
- Neither lung field contains any mass, and no opacity was detected.
- The right lung field contains no opacity, and none was detected.
- Every opacity lies on the right lung field.
+ On the left the lung field contains an opacity.
- Plain abdominal radiograph.
+ Plain chest radiograph.
? The opacity has no discernible cause.
? The opacity runs along the left lung field.
"""
OF_THE_BRAIN = """
+ r1 and r6 lie 33 mm apart.
- r1 and r6 lie 66 mm apart.
+ The distance between the centres of r1 and r6 is 33 mm.
- The distance between the centres of r1 and r6 is 66 mm.
+ Between the centres of r1 and r6 there are 33 mm.
+ Measured by area, r2 surpasses r6.
- Measured by area, r6 surpasses r2.
+ r2 is the largest of the two hypointense areas.
- r6 is the largest of the two hypointense areas.
- Nothing but the tumour has been outlined.
? The mean of r1 is twice that of r6.
? The tumour is five times the level of its surroundings.
"""
OF_THE_CT = """
- Slice thickness equals one millimetre.
"""


@pytest.mark.parametrize(
    ("name", "wanted", "text"),
    lined(("RG1_UNCR.dcm", OF_THE_RADIOGRAPH), ("", OF_THE_BRAIN), ("CT_small.dcm", OF_THE_CT)),
)
def test_a_construction_gets_the_verdict_of_the_facts(name: str, wanted: str, text: str) -> None:
    """Each true way to say it beside a false one."""
    found = judged(name, text)
    assert found.verdict.outcome == wanted, (found.verdict.reason, found.unlicensed, found.claims)
