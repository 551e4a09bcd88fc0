"""What lies inside an outline, factors, distances, counts by expert, kinds of endoscopy; true beside false."""

from dataclasses import replace

import pytest
from known_images import brain, judged, lined

from models.statements import judge

# The tumour r1 lies in a gap of the hypointense region r2: inside its outline, with no pixel in common.
OF_THE_BRAIN = """
- The tumour lies outside r2.
- The tumour is separate from r2.
- r2 lies outside the tumour.
- r3 lies outside the tumour.
- The tumour lies outside r3.
+ The tumour does not lie outside r2.
+ r6 lies outside r1.
- r3 lies partly within r6.
- r3 lies partly outside r1.
+ r2 is larger than r1 by a factor of about four.
- r2 is larger than r1 by a factor of about nine.
- r1 is larger than r2 by a factor of about four.
+ r1 is smaller than r2 by a factor of roughly four.
- r1 is smaller than r2 by a factor of roughly two.
+ r2 exceeds r1 in area by a factor of more than four.
- r2 exceeds r1 in area by a factor of more than six.
? r1 is brighter than r2 by a factor of four.
+ r1 and r6 lie in the brain, and the two are similar in size.
- r1 is smaller than r2, and the two are similar in size.
+ r3 overlaps the tumour over 100 % of its area.
- r3 overlaps the tumour over 80 % of its area.
- r6 overlaps the tumour over 80 % of its area.
+ The expert mr-signal@1.1.0 proposes three regions.
- The expert mr-signal@1.1.0 proposes four regions.
- The expert mr-signal@1.2.0 proposes three regions.
- The expert mr-signal@1.1.01 proposes three regions.
+ Two hypointense regions are candidates of the mr-signal expert.
- Three hypointense regions are candidates of the mr-signal expert.
- Two hypointense regions are candidates of the mr-brain expert.
- Two hypointense regions are candidates of the source.
- Two hypointense regions were found by the source.
- The source found two hypointense regions.
- The source's hypointense region r6 lies in the brain.
+ The source's tumour r1 lies in the brain.
+ The source gives glioblastoma as the disease.
- The source gives meningioma as the disease.
- The source gives no disease.
- The image shows a normal brain without disease.
? The disease is in remission.
"""
OF_THE_RADIOGRAPH = """
- Neither r1 nor r3 is a lung field, and the two are similar in size.
+ Four darker fields, where more X-rays are transmitted, are outlined.
- Five darker fields, where more X-rays are transmitted, are outlined.
? r1, where more X-rays are transmitted, is a lung field.
? Four darker fields, where fewer X-rays are transmitted, are outlined.
"""


@pytest.mark.parametrize(("name", "wanted", "text"), lined(("", OF_THE_BRAIN), ("RG1_UNCR.dcm", OF_THE_RADIOGRAPH)))
def test_a_true_one_is_accepted_and_its_twin_is_not(name: str, wanted: str, text: str) -> None:
    """Outlines as grounding told them, areas, and runs of experts decide."""
    found = judged(name, text)
    assert found.verdict.outcome == wanted, (found.verdict.reason, found.unlicensed, found.claims)


@pytest.mark.parametrize(
    ("organ", "text", "outcome"),
    [
        ("colon", "Colonoscopic image.", "supported"),
        ("colon", "Gastroscopic image.", "contradicted"),
        ("colon", "Bronchoscopic image.", "contradicted"),
        ("stomach", "Gastroscopic image.", "supported"),
        ("stomach", "This is no colonoscopy.", "supported"),
        (None, "Bronchoscopic image.", "unsupported"),
    ],
)
def test_the_kind_of_endoscopy_is_that_of_the_organ(organ: str | None, text: str, outcome: str) -> None:
    """A source that names the colon shows no bronchoscopy; where it names no organ, nobody can tell."""
    seen = brain()
    metadata = seen.metadata.model_copy(update={"modality": "endoscopy", "organ": organ, "disease": None})
    facts = replace(seen, metadata=metadata)
    assert judge(text, facts).verdict.outcome == outcome


def test_regions_that_another_expert_left_out_are_none_of_a_count() -> None:
    """Of hypointense regions mr-brain leaves none out; mr-signal, which finds them, may have seen more."""
    seen = brain()

    def of_all_that(name: str) -> str:
        runs = tuple(
            one.model_copy(update={"left_out": 2 * one.expert.startswith(name)}) for one in seen.grounding.experts
        )
        facts = replace(seen, grounding=seen.grounding.model_copy(update={"experts": runs}))
        return judge("Two hypointense regions were found by the expert.", facts).verdict.outcome

    assert of_all_that("mr-brain") == "supported"
    assert of_all_that("mr-signal") == "unsupported"
