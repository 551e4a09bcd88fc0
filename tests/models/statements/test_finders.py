"""Who outlined what: experts as subject, what alone is outlined, the label of the source; true beside false."""

import pytest
from known_images import judged, lined

OF_THE_BRAIN = """
+ The expert mr-signal proposes three regions.
- The expert mr-signal proposes four regions.
+ The expert mr-brain proposes one hyperintense region within the brain.
- The expert mr-brain proposes two hyperintense regions within the brain.
- The expert mr-signal proposes one hyperintense region within the brain.
+ Two hypointense regions are proposed by the expert mr-signal.
- Two hypointense regions are proposed by the expert mr-brain.
- Three hypointense regions are proposed by the expert mr-signal.
- The expert mr-brain looked for hyperintense regions within the brain and found nothing.
- The expert mr-signal reports nothing in this slice.
+ The mr-signal expert outlines at least two regions.
- The mr-signal expert outlines more than three regions.
+ r6 was proposed by the expert mr-signal.
- r6 was proposed by the expert mr-brain.
- r6 was not proposed by mr-signal.
? The expert mr-brain looked for haemorrhages and found none.
- The tumour r1 is outlined by an expert.
- r6 is marked by the source.
+ No tumour other than r1 is marked by the source.
+ The source marks no tumour besides r1.
+ Apart from r1, no tumour is marked.
+ r1 is the only region marked by the source.
+ Besides r1 the source marks nothing.
- r6 is the only region marked by the source.
- r1 is the only region outlined.
- No region other than r1 is outlined.
- No hypointense region other than r2 is outlined.
- No tumour other than r6 is marked by the source.
- The source labels r1 as the kidney.
- Region r1 is marked by the source as an infarct.
+ Region r1 is marked by the source as a tumour.
? r1 marks a metastasis.
+ r3 is inside r1.
- r3 is not inside r1.
+ r6 is not inside r1.
+ The tumour measures 44 by 27 mm.
+ The tumour measures 44 by 28 mm.
- The tumour measures 44 by 20 mm.
- The tumour measures 27 by 28 mm.
- Nothing in this slice is marked by the source.
- No region is outlined.
? No cyst is marked by the source.
- The source proposes r6.
? r1 is the only tumour in the body.
- The source marks nothing.
+ r5 has a higher mean signal than r6.
- r6 has a higher mean signal than r5.
? r5 has a higher attenuation than r6.
+ Two hypointense regions are outlined, of which r2 is the largest.
- Two hypointense regions are outlined, of which r6 is the largest.
+ Of the two hypointense regions r2 is the largest.
+ r3 lies within r1 and is about 90 % of its size.
- r3 lies within r1 and is about 40 % of its size.
+ r1 lies in the left part of the brain and covers about 5 % of it.
- r1 lies in the upper part of the image and covers about 50 % of it.
"""
OF_THE_RADIOGRAPH = """
+ Four areas of greater X-ray transmission are proposed.
- Six areas of greater X-ray transmission are proposed.
+ Two lung fields, r1 and r2, are outlined by the expert chest-lungs.
- Two lung fields, r1 and r2, are outlined by the expert xray-chest.
+ The expert xray-chest looked for opacities and found one.
- The expert xray-chest looked for opacities and found none.
- No opacity was found by the expert xray-chest.
? No opacity was found by the expert chest-lungs.
- Four darker fields are proposed by the expert chest-lungs.
+ An opacity (r7) is proposed in the lung field r1.
- An opacity (r7) is proposed in the lung field r2.
- The expert xray-chest proposes an opacity (r7) in the lung field r2.
+ The opacity r7 was found by the expert xray-chest in the lung field r1.
- The opacity r7 was found by the expert xray-chest in the lung field r2.
- The opacity r7 in the lung field r2 is oval.
+ Nothing in this film is marked by the source.
- A nodule is marked by the source.
+ Four darker fields are proposed by the expert xray-transmission, of which r3 is the largest.
- Four darker fields are proposed by the expert xray-transmission, of which r5 is the largest.
+ The lung field r1 lies on the right of the image and r2 on the left.
- The lung field r1 lies on the left of the image and r2 on the right.
- Lung fields are seen on the left side only.
+ The lung fields proposed by the expert chest-lungs lie on both sides.
"""
OF_THE_CT = """
+ The hypoattenuating candidate r7 measures 6.6 by 4.8 mm.
- The hyperattenuating candidate r7 measures 6.6 by 4.8 mm.
+ Two regions are proposed by the expert ct-focal.
- Nothing was found by the expert ct-focal.
+ The expert ct-density proposes ten regions.
- The expert ct-density proposes eleven regions.
"""


@pytest.mark.parametrize(
    ("name", "wanted", "text"),
    lined(("RG1_UNCR.dcm", OF_THE_RADIOGRAPH), ("", OF_THE_BRAIN), ("CT_small.dcm", OF_THE_CT)),
)
def test_who_outlined_what_is_read(name: str, wanted: str, text: str) -> None:
    """What is said of experts and of the source is held against their runs and marks."""
    found = judged(name, text)
    assert found.verdict.outcome == wanted, (found.verdict.reason, found.unlicensed, found.claims)
