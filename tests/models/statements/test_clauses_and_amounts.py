"""Clauses that tell of an object, more and less of a level, parts in words, scarcity, and what is denied of a place."""

import pytest
from known_images import judged, lined

OF_THE_BRAIN = """
+ r1 is larger than r6, which is irregular.
- r6 is smaller than r1, which is irregular.
+ The tumour is larger than the hypointense area r6 that is irregular.
- The hypointense area r6 is smaller than the tumour, which is irregular.
+ r1 touches a region r6 that covers about 3 % of the foreground.
? r1 touches r6 covering 4.8 % of the brain.
- r6 touches r1 covering 3 % of the brain.
+ The tumour touches a smaller hypointense area r6.
- The tumour touches a larger hypointense area r6.
+ The tumour shows more signal than the surrounding brain.
- The tumour shows less signal than the surrounding brain.
- Compared with the surrounding brain, the tumour returns less signal.
- The tumour has a weaker signal than the adjacent tissue.
- The tumour has similar signal to the adjacent tissue.
+ The tumour's signal is higher than its surroundings.
- The tumour's signal is lower than its surroundings.
? The tumour shows less contrast.
? The tumour has more oedema than the adjacent tissue.
? The tumour is more than usual.
- r6 lies outside r2.
- r1 lies outside r2.
+ Nearly five times larger than r6, r2 is ring-shaped.
- Nearly five times larger than r2, r6 is irregular.
+ r2 contains the tumour and is more than four times its size.
- r2 contains the tumour and is about twice its size.
+ The tumour's long axis is about 1.6 times its short axis.
- The tumour's long axis is about three times its short axis.
? The tumour has grown to twice its size.
+ The tumour that the source marks covers nearly 5 % of the brain.
- The tumour that the source marks covers nearly 8 % of the brain.
+ The tumour the source outlines is oval.
- The tumour the source outlines is irregular.
- The hypointense area the source outlines is irregular.
- Hardly any hypointense areas touch, and hardly any bright areas are seen in the brain; no tumour is marked.
? Hardly any tumour is seen.
? Hardly any haemorrhage is seen.
? Hardly any hyperintense lesion of the brainstem is seen.
- The source labels the brain as healthy.
- The source describes the brain as normal.
- The source does not label any disease.
- The source labels this brain as free of disease.
+ The tumour is brighter than the normal brain.
- The tumour is darker than the normal brain.
? The tumour is brighter than normal.
- The tumour and r6 do not touch.
+ The tumour and r6 touch.
+ Most of r5 overlaps the tumour.
+ Hardly more than four percent of the brain is taken up by the tumour.
- Hardly more than a third of one percent of the brain is taken up by the tumour.
"""
OF_THE_RADIOGRAPH = """
? Both lung fields are free of nodules.
? The lung fields contain no nodule.
- The lung fields contain no opacity.
- Both lung fields are free of opacities.
+ Two lung fields were outlined, one on either side.
+ The opacity r7 takes up about two thirds of a percent of the trunk.
- The opacity r7 takes up about two tenths of a percent of the trunk.
+ One opacity lies inside the outline of the left lung field.
- One opacity lies inside the outline of the right lung field.
+ The lung field r1 contains a smaller opacity.
- The lung field r1 contains a larger opacity.
"""


@pytest.mark.parametrize(("name", "wanted", "text"), lined(("", OF_THE_BRAIN), ("RG1_UNCR.dcm", OF_THE_RADIOGRAPH)))
def test_what_a_clause_or_an_amount_tells_gets_the_verdict_of_the_facts(name: str, wanted: str, text: str) -> None:
    """Each true sentence beside a false or unmeasured one of the same construction."""
    found = judged(name, text)
    assert found.verdict.outcome == wanted, (found.verdict.reason, found.unlicensed, found.claims)
