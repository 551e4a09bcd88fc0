"""What a source says of left and right is flagged where it contradicts itself."""

import numpy as np
import pytest

from models.imaging import FramePolicy, encode_png, open_source

# pycocotools 2.0.11 decodes through an __array__ of the old kind.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

KIDNEYS = np.zeros((60, 80), np.uint8)
KIDNEYS[20:40, 5:20], KIDNEYS[20:40, 60:75] = 1, 2


def flag(sidecar: bytes, labels: np.ndarray | None = None) -> bool | None:
    """Of an image with such a sidecar, and a mask."""
    mask = None if labels is None else encode_png(labels)
    (frame,) = open_source(
        encode_png(np.arange(4800, dtype=np.uint8).reshape(60, 80)), FramePolicy(), sidecar=sidecar, mask=mask
    ).frames()
    return frame.metadata.sides_contradict


@pytest.mark.parametrize(
    ("view", "laterality", "wanted"),
    [("LL", "right", True), ("RL", "left", True), ("LL", "left", None), ("PA", "right", None), ("RL", "both", None)],
)
def test_a_lateral_view_of_the_other_side_is_flagged(view: str, laterality: str, wanted: bool | None) -> None:
    """And no other."""
    sidecar = f'{{"modality": "X-ray", "view": "{view}", "laterality": "{laterality}"}}'.encode()
    assert flag(sidecar) is wanted


@pytest.mark.parametrize(("right", "wanted"), [("patient left", None), ("patient right", True)])
def test_marks_on_each_others_sides_are_flagged(right: str, wanted: bool | None) -> None:
    """The right kidney on the left of the display is where it belongs, unless columns grow to the patient's right."""
    orientation = f'"orientation": {{"right": "{right}", "down": "posterior"}}'
    sidecar = (
        f'{{"modality": "CT", {orientation}, "mask": "m.png", "labels": {{"1": "right kidney", "2": "left kidney"}}}}'
    )
    assert flag(sidecar.encode(), KIDNEYS) is wanted


def test_a_mark_of_another_side_than_the_images_is_flagged() -> None:
    """Where the image is of one side alone."""
    labels = b'"labels": {"1": "right kidney", "2": "left kidney"}'
    assert flag(b'{"modality": "CT", "laterality": "right", "mask": "m.png", %s}' % labels, KIDNEYS) is True
