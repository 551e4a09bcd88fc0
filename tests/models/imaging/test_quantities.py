"""What pixel values mean: rescale, units, storage, photometric interpretation, windows."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from models.imaging import Frame, FramePolicy, open_source, render
from models.imaging.storing import store
from schemas.images import Window
from tests.models.imaging.samples import MakeDicom

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
Sample = Callable[[str], bytes]


def only_frame(data: bytes) -> Frame:
    """The frame of a single-frame object."""
    (frame,) = open_source(data, FramePolicy()).frames()
    return frame


RAMP = np.arange(-1200, 1200, dtype=np.int16)[:2304].reshape(48, 48)


def test_ct_values_are_hounsfield_units(make_dicom: MakeDicom) -> None:
    """Signed stored values, slope and intercept come out as HU, exactly."""
    frame = only_frame(make_dicom(RAMP, RescaleSlope=2, RescaleIntercept=-24))
    assert frame.unit == "HU"
    assert frame.stored.dtype == np.uint16
    np.testing.assert_array_equal(frame.values, RAMP.astype(np.float32) * 2 - 24)


@pytest.mark.parametrize(
    ("elements", "unit"),
    [
        ({"RescaleSlope": 1, "RescaleIntercept": 0}, "HU"),
        ({"RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "US"}, "stored value"),
        ({"RescaleSlope": 3, "RescaleIntercept": 0, "RescaleType": "US"}, "rescaled value"),
        ({}, "stored value"),
        ({"Modality": "MR", "RescaleSlope": 3, "RescaleIntercept": 0}, "rescaled value"),
        ({"Modality": "PT", "RescaleSlope": 3, "RescaleIntercept": 0, "Units": "BQML"}, "Bq/ml"),
        ({"Modality": "RTDOSE", "DoseGridScaling": 0.001, "DoseUnits": "GY"}, "Gy"),
        ({"RescaleSlope": 3, "RescaleIntercept": 0, "RescaleType": "DOE JANE"}, "rescaled value"),
    ],
)
def test_a_unit_is_named_only_where_the_source_tells(
    make_dicom: MakeDicom, elements: dict[str, object], unit: str
) -> None:
    """HU for CT, Gy for dose; what is not told stays a stored or rescaled value, and free text is not passed on."""
    assert only_frame(make_dicom(RAMP, **elements)).unit == unit


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
def test_integers_of_up_to_16_bits_are_stored_without_loss(dtype: type[np.integer]) -> None:
    """Every value of the type comes back, negative ones too."""
    limits = np.iinfo(dtype)
    samples = np.arange(limits.min, limits.max + 1, dtype=dtype).reshape(2, -1)
    stored, step, base, _ = store(samples)
    assert stored.dtype == np.dtype(f"u{samples.itemsize}")
    np.testing.assert_array_equal(stored * step + base, samples)


@pytest.mark.parametrize(
    "samples",
    [
        np.array([[-5, 60_000]], np.int32),
        np.array([[2**31, 2**31 + 65_535]], np.uint32),
        np.array([[7, 7]], np.uint32),
    ],
)
def test_wide_integers_of_a_narrow_range_are_stored_without_loss(samples: NDArray[np.integer]) -> None:
    """32 bits that span less than 2¹⁶ lose nothing."""
    stored, step, base, _ = store(samples)
    np.testing.assert_array_equal(stored * step + base, samples)


@pytest.mark.parametrize(
    "samples",
    [
        np.array([[0, 2**31, 2**32 - 1]], np.uint32),
        np.array([[-1.5, 0.25, 1e6]], np.float64),
        np.array([[0.1, 0.1]], np.float32),
    ],
)
def test_wider_values_are_quantised_within_half_a_step(samples: NDArray[np.generic]) -> None:
    """65,536 steps of the frame's own range."""
    stored, step, base, _ = store(samples)
    assert stored.dtype == np.uint16
    assert np.abs(stored * step + base - samples.astype(np.float64)).max() <= step * 0.501


def test_values_that_are_no_numbers_become_background(make_dicom: MakeDicom) -> None:
    """NaN and infinities become 0 below all values, and have no part in the range."""
    samples = np.array([[np.nan, -np.inf, np.inf, 1.0, 3.0, 2.0]], np.float32)
    frame = only_frame(make_dicom(samples, Modality="MR"))
    np.testing.assert_allclose(frame.values[0], [0, 0, 0, 1, 3, 2], atol=1e-4)


def test_dose_is_the_stored_value_times_its_scaling(sample: Sample) -> None:
    """RTDOSE of 32 bits: within one part in 65,536 of the range of what pydicom reads."""
    data = sample("rtdose_1frame.dcm")
    dataset = dcmread(BytesIO(data))
    dose = dataset.pixel_array * float(dataset.DoseGridScaling)
    frame = only_frame(data)
    assert frame.unit == "relative dose"
    np.testing.assert_allclose(frame.values, dose, atol=np.ptp(dose) / 65_535)


def test_a_modality_lookup_table_is_applied(make_dicom: MakeDicom) -> None:
    """Values are the table's, in the unit that it names."""
    table = Dataset()
    table.LUTDescriptor = [4, 0, 16]
    table["LUTDescriptor"].VR = "US"
    table.ModalityLUTType = "HU"
    table.LUTData = np.array([10, 20, 30, 4000], "<u2").tobytes()
    table["LUTData"].VR = "OW"
    samples = np.array([[0, 1, 2, 3]], np.uint16)
    frame = only_frame(make_dicom(samples, ModalityLUTSequence=[table]))
    assert frame.values.tolist() == [[10, 20, 30, 4000]]
    assert frame.unit == "HU"


def test_monochrome1_is_inverted_when_it_is_shown_not_when_it_is_stored(make_dicom: MakeDicom) -> None:
    """Values keep their order; the view turns them over."""
    samples = np.array([[0, 255]], np.uint8)
    frame = only_frame(make_dicom(samples, PhotometricInterpretation="MONOCHROME1"))
    assert frame.inverted
    assert frame.values.tolist() == [[0, 255]]
    assert render(frame.values, Window(center=128, width=256), inverted=True).tolist() == [[255, 0]]


@pytest.mark.parametrize(
    "name",
    ["SC_rgb_rle.dcm", "SC_rgb_gdcm_KY.dcm", "SC_rgb_jpeg_dcmtk.dcm", "SC_ybr_full_422_uncompressed.dcm"],
)
def test_every_colour_space_becomes_rgb(sample: Sample, name: str) -> None:
    """The test chart's first bars are red, green and blue, whatever they were stored as."""
    frame = only_frame(sample(name))
    bars = frame.stored[[5, 25, 45], 50].astype(int)
    assert np.abs(bars - np.diag([255, 255, 255])).max() <= 5
    np.testing.assert_array_equal(render(frame.values, frame.window), frame.stored)


def test_a_palette_becomes_rgb_in_either_byte_order(sample: Sample) -> None:
    """The big-endian copy of a palette image is the same image."""
    little, big = only_frame(sample("OBXXXX1A.dcm")), only_frame(sample("OBXXXX1A_expb.dcm"))
    assert little.stored.shape == (600, 800, 3)
    assert little.stored.max() == 255
    assert little.image_id == big.image_id


def test_colour_of_16_and_32_bits_is_shown_like_that_of_8(sample: Sample) -> None:
    """Depth is storage; the view is the same."""
    views = []
    for name in ("SC_rgb.dcm", "SC_rgb_16bit.dcm", "SC_rgb_32bit.dcm"):
        frame = only_frame(sample(name))
        views.append(render(frame.values, frame.window).astype(int))
    assert np.abs(views[1] - views[0]).max() <= 1
    np.testing.assert_array_equal(views[1], views[2])


def test_the_header_window_is_kept_in_the_unit_of_the_values(make_dicom: MakeDicom) -> None:
    """Of several windows the first; LINEAR_EXACT is turned into the linear window of the same effect."""
    elements = {"RescaleSlope": 1, "RescaleIntercept": 0, "WindowCenter": [40, 300], "WindowWidth": [400, 1500]}
    frame = only_frame(make_dicom(RAMP, **elements))
    assert frame.window == Window(center=40, width=400, source="header")
    exact = only_frame(make_dicom(RAMP, **elements, VOILUTFunction="LINEAR_EXACT"))
    values = np.array([-160, 40, 240], np.float32)
    assert render(values, exact.window).tolist() == [0, 128, 255]


@pytest.mark.parametrize(("center", "width"), [(40, 0), (40, -5), (50_000, 10), (-50_000, 10)])
def test_a_useless_header_window_is_replaced(make_dicom: MakeDicom, center: float, width: float) -> None:
    """A window without width, or that shows all black or all white, gives way to percentiles."""
    window = only_frame(make_dicom(RAMP, WindowCenter=center, WindowWidth=width)).window
    assert window.source == "percentiles"
    assert -1200 <= window.center <= 1200


def test_padding_does_not_count_in_percentiles(make_dicom: MakeDicom) -> None:
    """A wide border of padding leaves the window on the image."""
    samples = np.full((64, 64), -2000, np.int16)
    samples[20:40, 20:40] = np.arange(400).reshape(20, 20)
    plain = make_dicom(samples, RescaleSlope=1, RescaleIntercept=-1000)
    window = only_frame(plain).window
    assert window.center - window.width / 2 < -2900
    padded = make_dicom(samples, RescaleSlope=1, RescaleIntercept=-1000, PixelPaddingValue=-2000)
    # Some writers put the value down as unsigned: 63536 in a US element.
    for data in (padded, padded.replace(b"\x28\x00\x20\x01SS", b"\x28\x00\x20\x01US")):
        window = only_frame(data).window
        assert window.source == "percentiles"
        assert window.center - window.width / 2 >= -1000
        assert window.center + window.width / 2 <= -599


def test_a_flat_image_has_a_window_too(make_dicom: MakeDicom) -> None:
    """All pixels alike: the full range, and a view without error."""
    frame = only_frame(make_dicom(np.full((8, 8), 7, np.uint16)))
    assert frame.window.source == "full range"
    assert render(frame.values, frame.window).shape == (8, 8)


def test_rescale_and_window_of_each_frame_are_its_own(make_dicom: MakeDicom) -> None:
    """Per-frame functional groups win over shared ones, and those over the top level."""

    def group(slope: float, center: float) -> Dataset:
        item, transform, window = Dataset(), Dataset(), Dataset()
        transform.RescaleSlope, transform.RescaleIntercept, transform.RescaleType = slope, 0, "HU"
        window.WindowCenter, window.WindowWidth = center, 10
        item.PixelValueTransformationSequence = [transform]
        item.FrameVOILUTSequence = [window]
        return item

    samples = np.arange(2 * 64, dtype=np.uint16).reshape(2, 8, 8)
    per_frame = make_dicom(samples, PerFrameFunctionalGroupsSequence=[group(2, 20), group(3, 300)])
    first, second = open_source(per_frame, FramePolicy()).frames()
    assert (first.slope, first.window.center, second.slope, second.window.center) == (2, 20, 3, 300)
    np.testing.assert_array_equal(second.values, samples[1] * 3.0)
    shared = make_dicom(samples, SharedFunctionalGroupsSequence=[group(5, 100)])
    assert [frame.slope for frame in open_source(shared, FramePolicy()).frames()] == [5, 5]


def test_render_is_the_linear_window_of_the_standard() -> None:
    """The pseudo-code of PS3.3 C.11.2.1.2.1, value by value."""
    center, width = 40.0, 400.0
    values = np.linspace(-400, 500, 901, dtype=np.float32)
    expected = ((values - (center - 0.5)) / (width - 1) + 0.5) * 255
    expected[values <= center - 0.5 - (width - 1) / 2] = 0
    expected[values > center - 0.5 + (width - 1) / 2] = 255
    assert np.abs(render(values, Window(center=center, width=width)) - expected).max() <= 0.51
