"""Two sides, the other of two, all others, parts of several, what is dealt out, held by a place, or at an edge."""

import pytest
from known_images import judged, lined

RADIOGRAPH = "RG1_UNCR.dcm"
"""Of two lung fields the left (r1) is larger by a fortieth, which is no difference; of r3 and r4, darker fields in
them, the left is larger by a quarter; r7, a small opacity, lies in the left field."""

OF_THE_RADIOGRAPH = """
- Of the two lung fields, the left is the larger.
- Of the two lung fields, the right is the larger.
- The left lung field is larger than the right.
+ The darker field r3 is larger than r4.
+ The darker field r4 is smaller than r3.
+ r3 is slightly larger than r4.
- r4 is larger than r3.
- The left lung field is smaller than the right.
- The left lung field is slightly larger than the right.
- The left lung field is much larger than the right.
- The right lung field is smaller than its counterpart on the left.
- The right lung field is larger than its counterpart on the left.
- The left lung field is the larger of the two.
- The right lung field is the larger one.
+ The left and right lung fields are similar in size.
- The opacity lies in the left and right lung fields.
+ The right lung field contains no opacity.
- The left lung field contains no opacity.
+ The opacity is in the left lung field.
- The opacity is in the right lung field.
+ The opacity occupies less than one percent of the trunk.
- The opacity occupies more than one percent of the trunk.
- The opacity reaches the left edge of the image.
? The opacity reaches the pleura.
? The right hilum is larger than the left.
- The left-sided lung field is larger than the right-sided one.
- The left-sided lung field is smaller than the right-sided one.
+ There is an opacity in the left lung field but none on the right.
- An opacity is seen on the right but none on the left.
+ The opacity is confined to the left side.
- The opacity is confined to the right side.
- Only the left lung field is outlined.
- An opacity lies in each lung field.
- Opacities lie in both lung fields.
- The opacity is less opaque than its surroundings.
? The opacity lies between the lung fields.
- Together the lung fields take up a fifth of the image.
+ Together the lung fields take up about 42 % of the image.
+ One lung field is slightly larger than the other.
+ The right lung field is nearly as large as the left one.
- The right lung field is about three times the size of the left one.
- Two lung fields are outlined, r1 being the larger.
- Two lung fields are outlined, r2 being the larger.
+ The lung fields are of nearly equal size.
+ The opacity lies in the larger lung field.
- The opacity lies in the smaller lung field.
- The opacity lies in the smaller of the two lung fields.
- The opacity is in neither lung field.
? The right lung field is the one with the opacity.
- The lung fields take up less than a tenth of the image each.
- The opacity lies in the left lung field and covers more than half of it.
"""
OF_THE_BRAIN = """
+ r2 is larger than all other regions.
- The tumour is larger than all other regions.
+ r2 is larger than any other outlined region.
- r1 is smaller than any other outlined region.
- r2 is not as large as r6.
+ r6 is not as large as r2.
+ r2 is at least as large as r1.
- r6 is at least as large as r1.
- r2 is no larger than r6.
+ r2 is no smaller than r6.
- The tumour is not as bright as its surroundings.
+ r2 is much larger than r6.
- r1 is much larger than r6.
+ r1 is slightly larger than r6.
- r2 is slightly larger than r6.
+ r1 and r6 are oval and irregular, respectively.
- r1 and r6 are irregular and oval, respectively.
- r6 lies in the tumour.
+ r3 lies in the tumour.
+ At least two regions lie within the tumour.
- At least six regions lie within the tumour.
- No more than one region is oval.
+ Exactly one region is ring-shaped.
- Exactly three regions are ring-shaped.
+ Fewer than half of the regions are ring-shaped.
- More than half of the regions are ring-shaped.
- Most of the regions are ring-shaped.
+ The largest region is ring-shaped.
- The largest region is oval.
+ The second-largest region is oval.
- The second-largest region is ring-shaped.
+ The right hemisphere contains no tumour.
- The left hemisphere contains no tumour.
+ The right hemisphere is free of tumour.
- The left hemisphere does not contain a tumour.
? The right hemisphere contains no haemorrhage.
+ The tumour lies only on the left side of the patient.
- The tumour lies only on the right side of the patient.
- The hypointense areas lie only within the tumour.
+ The tumour measures 4-5 cm.
- The tumour measures 2–3 cm.
+ The tumour is > 4 cm long.
- The tumour is < 4 cm.
+ Roughly 4 to 5 % of the brain is taken up by the tumour.
- Roughly 8 to 10 % of the brain is taken up by the tumour.
+ About one twentieth of the brain is taken up by the tumour.
+ The tumour spans less than a quarter of the image width.
- The tumour spans more than half of the image width.
? The tumour spans half the width of the hemisphere.
- The tumour touches the edge of the image.
- The tumour is at 9 o'clock.
+ The larger of r1 and r6 is r1.
- The smaller of r1 and r6 is r1.
+ r3 lies within r1 and is of nearly identical size.
- The tumour is far from oval.
- The tumour is anything but bright.
? The brain is half filled by the tumour.
? The tumour is less oval than r3.
- No expert found any hyperintense region.
- Only r6 lies within r1.
? r1 and r6 lie on the same side.
? Not one region is oval.
? All but one of the regions are oval.
- Half of the hypointense areas lie in the tumour, the other half too.
+ r3 is inside and smaller than r2.
- r6 is inside and smaller than r1.
+ r1 and r3 have almost the same area.
- r2 and r6 have almost the same area.
+ Two hypointense areas are outlined, the largest measuring 20 cm.
- Two hypointense areas are outlined, the largest measuring 4.6 cm.
+ The tumour's margin is sharp rather than indistinct.
- The tumour's margin is indistinct rather than sharp.
"""
OF_THE_CT = """
+ The density of r1 is that of fat.
- The density of r1 is that of soft tissue.
- High-density regions lie only on the left.
+ r1 lies behind the middle of the body.
- r1 lies in front of the middle of the body.
+ The shortest of the outlined regions is r12.
- The shortest of the outlined regions is r1.
- Half of the fat-density regions measure over 3 cm.
"""


@pytest.mark.parametrize(
    ("name", "wanted", "text"), lined((RADIOGRAPH, OF_THE_RADIOGRAPH), ("", OF_THE_BRAIN), ("CT_small.dcm", OF_THE_CT))
)
def test_what_is_compared_counted_or_held_gets_the_verdict_of_the_facts(name: str, wanted: str, text: str) -> None:
    """Each true sentence beside a false one of the same construction."""
    found = judged(name, text)
    assert found.verdict.outcome == wanted, (found.verdict.reason, found.unlicensed, found.claims)
