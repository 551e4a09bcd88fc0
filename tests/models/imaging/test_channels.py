"""What the channel of a slice says of it, beside what its header says."""

import pytest

from models.imaging.channels import as_channel
from models.vocabulary import channel_of
from schemas.images import ImageMetadata


@pytest.mark.parametrize(
    ("name", "header", "told"),
    [("T1ce", None, True), ("T1ce", False, True), ("T1", None, None), ("T1", False, False), ("T1", True, True)],
)
def test_whether_an_agent_was_given(name: str, header: bool | None, told: bool | None) -> None:
    """A name that says nothing of it leaves what the header says, that none was given too."""
    channel = channel_of(name)
    assert channel is not None
    metadata = ImageMetadata(source_format="DICOM", modality="MR", contrast_agent=header)
    assert as_channel(metadata, channel).contrast_agent is told
