"""Which of two is meant where nothing tells the patient's sides, parts that are shared, and inventions beside truth."""

import pytest
from known_images import judged, lined

OF_THE_PAIR = """
+ The upper one of the two lesions is smaller.
+ The lower lesion is nearly twice the size of the upper one.
- The upper lesion is nearly twice the size of the lower one.
+ The lower lesion is larger than the upper one.
- The upper lesion is larger than the lower one.
+ The upper lesion measures about 24 mm.
- The upper lesion measures about 33 mm.
+ A lesion lies at the upper left.
- A lesion lies at the lower left.
+ r1 lies at the right.
- r1 lies at the left.
? r1 lies on the right.
? r1 lies on the patient's right.
? r1 lies in the right hemisphere.
? The upper lesion lies in the upper lobe.
? The upper lesion lies in the insula.
+ The two lesions lie on either side of the brain.
+ The greater lesion measures 33 mm.
- The greater lesion measures 24 mm.
+ r3 is larger than the largest lesion.
- r2 is larger than the largest lesion.
+ r3 is about seven times as large as the largest lesion.
- r3 is about twice as large as the largest lesion.
? r3 is larger than the oldest lesion.
? Both lesions lie on one side.
"""
OF_THE_BRAIN = """
+ r1 overlaps most of r3.
- r6 overlaps most of r1.
- r6 overlaps two thirds of r1.
- r6 overlaps with three quarters of the tumour.
+ r3 overlaps with nine tenths of the tumour.
? r3 overlaps the frontal lobe.
? r3 overlaps most of the tumour, which has grown.
? The tumour has a solid component.
? The tumour is one of several in the brain.
- r6 is part of the tumour.
- r2 and r6 are parts of the tumour.
? The tumour lies in the white matter.
? The tumour lies in the grey matter.
? The tumour is the only abnormality of the patient.
? A typical tumour with sharp margins.
? A known tumour with sharp margins.
? The tumour with sharp margins was found incidentally.
? The tumour will spread.
? The tumour should be removed.
? The tumour is far from the skull.
- The tumour is far from oval.
? The tumour covers its base.
? The tumour is sharply defined and encapsulated.
? The tumour is bright, more so than before.
? The tumour is bright with restricted diffusion.
? The tumour is bright on FLAIR.
? The oval tumour exerts pressure.
? The oval tumour is twice its former size.
? The oval tumour, resected in part, is bright.
? The oval tumour is bright; the ventricles are normal.
? The oval tumour is bright and the rest of the brain is normal.
"""
OF_THE_CT = """
+ The attenuation of r1 is in the range of fat.
- The attenuation of r1 is in the range of soft tissue.
? The attenuation of r1 is in the normal range.
? r1 is subcutaneous fat.
"""


@pytest.mark.parametrize(
    ("name", "wanted", "text"), lined(("pair", OF_THE_PAIR), ("", OF_THE_BRAIN), ("CT_small.dcm", OF_THE_CT))
)
def test_two_alike_and_what_stands_beside_the_truth_get_the_verdict_of_the_facts(
    name: str, wanted: str, text: str
) -> None:
    """Each true sentence beside false ones of the same construction, and true clauses beside what nothing measured."""
    found = judged(name, text)
    assert found.verdict.outcome == wanted, (found.verdict.reason, found.unlicensed, found.claims)
