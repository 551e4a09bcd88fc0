"""How values are shown: windows, VOI lookup tables and the sigmoid function."""

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from models.imaging import Frame, FramePolicy, open_source, render, windows
from models.imaging.lookup import Lookup
from schemas.images import Window
from tests.models.imaging.samples import MakeDicom

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)
GAMMA = np.rint(4095 * (np.arange(4096) / 4095) ** 0.45).astype(np.uint16)


def only_frame(data: bytes) -> Frame:
    """The frame of a single-frame object."""
    (frame,) = open_source(data, FramePolicy()).frames()
    return frame


def table(entries: np.ndarray, first: int, bits: int, vr: str = "OW", order: str = "<") -> Dataset:
    """An item of a LUT sequence."""
    item = Dataset()
    item.LUTDescriptor = [entries.size % 2**16, first, bits]
    item["LUTDescriptor"].VR = "SS" if first < 0 else "US"
    item.LUTData = entries.astype(f"{order}u2").tobytes() if vr == "OW" else entries.tolist()
    item["LUTData"].VR = vr
    return item


@pytest.mark.parametrize("vr", ["OW", "US"])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_voi_lut_is_shown_as_it_is(make_dicom: MakeDicom, vr: str, syntax: str) -> None:
    """Within a grey level of the table, in either byte order, before a window beside it; values stay what they are."""
    big = syntax == ExplicitVRBigEndian
    item = table(GAMMA, 0, 12, vr, ">" if big else "<")
    pixels = RAMP.byteswap() if big else RAMP
    data = make_dicom(pixels, syntax=syntax, VOILUTSequence=[item], WindowCenter=2000, WindowWidth=100)
    frame = only_frame(data)
    np.testing.assert_array_equal(frame.values, RAMP)
    view = render(frame.values, frame.window)
    assert np.abs(view.ravel() - GAMMA / 4095 * 255).max() <= 1
    assert len(frame.window.curve or ()) < 50


def test_a_voi_lut_maps_values_not_stored_pixels(make_dicom: MakeDicom) -> None:
    """The table's first value is in Hounsfield units, and negative though its VR says unsigned."""
    item = table(GAMMA, -1000, 12)
    item["LUTDescriptor"].VR = "US"
    item["LUTDescriptor"].value = [4096, 2**16 - 1000, 12]
    frame = only_frame(make_dicom(RAMP, VOILUTSequence=[item], RescaleSlope=1, RescaleIntercept=-1000))
    assert frame.unit == "HU"
    assert np.abs(render(frame.values, frame.window).ravel() - GAMMA / 4095 * 255).max() <= 1


def test_beyond_its_ends_a_table_stays_level() -> None:
    """C.11.2.1.1: below the first value the first entry, above the last the last."""
    window = windows.from_lookup(Lookup(100, 8, np.array([10, 200, 90], np.uint16)))
    assert window is not None
    assert render(np.array([-5, 100, 101, 102, 5000], np.float32), window).tolist() == [10, 10, 200, 90, 90]


@pytest.mark.parametrize(
    "item",
    [
        table(GAMMA[:100], 0, 12),
        table(np.full(4096, 7), 0, 12),
        table(GAMMA + 30_000, 0, 16),
    ],
    ids=["too few entries", "all alike", "all white"],
)
def test_a_useless_voi_lut_gives_way_to_the_window(make_dicom: MakeDicom, item: Dataset) -> None:
    """Malformed, level, or without anything to see."""
    if item.LUTDescriptor[0] == 100:
        item.LUTDescriptor[0] = 4096
    if item.LUTDescriptor[2] == 16:
        item.LUTData = np.array([2**16 - 1, 2**16 - 2], "<u2").tobytes()
        item.LUTDescriptor[0] = 2
    frame = only_frame(make_dicom(RAMP, VOILUTSequence=[item], WindowCenter=2000, WindowWidth=100))
    assert frame.window == Window(center=2000, width=100, source="header")


def test_sigmoid_is_the_function_of_the_standard(make_dicom: MakeDicom) -> None:
    """C.11.2.1.3.1, value by value."""
    frame = only_frame(make_dicom(RAMP, WindowCenter=2000, WindowWidth=800, VOILUTFunction="SIGMOID"))
    expected = 255 / (1 + np.exp(-4 * (RAMP.astype(float) - 2000) / 800))
    assert np.abs(render(frame.values, frame.window) - expected).max() <= 1
    assert (frame.window.center, frame.window.width) == (2000, 800)


def test_the_first_window_that_shows_something_is_taken(make_dicom: MakeDicom) -> None:
    """A writer's empty first window does not hide its second."""
    frame = only_frame(make_dicom(RAMP, WindowCenter=[-9000, 300], WindowWidth=[10, 1500]))
    assert frame.window == Window(center=300, width=1500, source="header")


def test_a_table_of_noise_stays_small() -> None:
    """A message must not grow with the table of its source."""
    noise = np.random.default_rng(0).integers(0, 2**16, 2**16).astype(np.uint16)
    window = windows.from_lookup(Lookup(0, 16, noise))
    assert window is not None
    assert 2 <= len(window.curve or ()) <= 512
