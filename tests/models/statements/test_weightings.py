"""What an MR image is weighted for, as its header proves it."""

import re
from dataclasses import replace

import pytest
from known_images import brain

from models.describers.composer import compose
from models.statements import judge

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize(
    ("text", "told", "outcome"),
    [
        ("An axial T2-weighted MR image of the brain.", "T2-weighted", "supported"),
        ("A T2-weighted image.", "FLAIR", "supported"),
        ("A FLAIR image of the brain.", "T2-weighted", "unsupported"),
        ("A DWI scan.", "T1-weighted", "contradicted"),
        ("This image is not T1-weighted.", "T1-weighted", "contradicted"),
        ("A T1-weighted image.", None, "unsupported"),
    ],
)
def test_the_weighting_of_an_mr_image_is_what_its_header_proves(text: str, told: str | None, outcome: str) -> None:
    """Fluid is attenuated before a T2-weighted readout; T1 excludes the others."""
    facts = brain()
    metadata = facts.metadata.model_copy(update={"weighting": told})
    facts = replace(facts, metadata=metadata)
    assert judge(text, facts).verdict.outcome == outcome
    said = compose(facts, "any").caption.text
    assert (told in said) if told else not re.search("weighted|FLAIR", said)
