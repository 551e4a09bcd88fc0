"""Our view of every image that DCMTK can also read, against DCMTK's, and JPEG 2000 against its uncompressed twins."""

import subprocess
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.imaging import Frame, FramePolicy, open_source, render
from schemas.failures import InvalidInput
from tests.models.imaging.samples import DATA, MORE_DATA, needs_dcmtk

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

# What DCMTK 3.6.7 reads otherwise or not at all, by file name, and why that is no fault of ours.
EXCEPTIONS = {
    "*J2K*.dcm": "no JPEG 2000 decoder",
    "JPEG2000.dcm": "no JPEG 2000 decoder",
    "examples_jpeg2k.dcm": "no JPEG 2000 decoder",
    "explicit_VR-UN.dcm": "no JPEG 2000 decoder",
    "SC_rgb_gdcm_KY.dcm": "no JPEG 2000 decoder",
    "*jp2klossless.dcm": "no JPEG 2000 decoder",
    "*jpeg_2k_lossless.dcm": "no JPEG 2000 decoder",
    "SC_rgb*_32bit*.dcm": "refuses colour of 32 bits",
    "gdcm-US-ALOKA-16*.dcm": "does not read segmented palettes",
    "SC_rgb_jpeg.dcm": "refuses an Adobe marker without its last bytes; libjpeg passes over it",
    "rtdose*.dcm": "does not apply Dose Grid Scaling",
    "badVR.dcm": "does not apply Dose Grid Scaling: a dose under another name",
    "SC_ybr_full_uncompressed.dcm": "takes 127.5 for the middle of colour and cuts fractions: two levels off",
}
FILES = sorted(path for root in (DATA, MORE_DATA) for path in root.rglob("*") if path.is_file())


def frames_of(path: Path) -> list[Frame]:
    """Two frames at most; none of what is no image."""
    try:
        return list(open_source(path.read_bytes(), FramePolicy("spread", 2), burned_in=None).frames())
    except InvalidInput:
        return []


def dcmtk_view(path: Path, frame: Frame, folder: Path) -> NDArray[np.uint8]:
    """DCMTK's 8-bit view of a frame, without overlays, at the header's first window or at ours where it has none."""
    if "JPEG-LS" in (frame.metadata.transfer_syntax or ""):
        plain = folder / "plain.dcm"
        subprocess.run(["dcmdjpls", path, plain], check=True, capture_output=True)
        path = plain
    window: list[str] = []
    if frame.stored.ndim == 2:
        # DCMTK does not look into functional groups.
        if frame.window.curve:
            window = ["+Wl", "1"]
        elif frame.window.source == "header" and frame.metadata.frames_in_object == 1:
            window = ["+Wi", "1"]
        else:
            window = ["+Ww", str(frame.window.center), str(frame.window.width), "+Wfl"]
    view = folder / "view.pnm"
    command = ["dcmj2pnm", "-q", "-O", "+op", "+F", str(frame.index + 1), *window, path, view]
    subprocess.run(command, check=True, capture_output=True)
    pixels = cv2.imread(str(view), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return pixels if pixels.ndim == 2 else pixels[..., ::-1]


@needs_dcmtk
def test_every_image_looks_as_in_dcmtk(tmp_path: Path) -> None:
    """Same size and at most one grey level apart, in every file that both read, lossy JPEG too."""
    compared, different = 0, dict[str, object]()
    for path in FILES:
        if any(fnmatch(path.name, pattern) for pattern in EXCEPTIONS):
            continue
        for frame in frames_of(path):
            ours = render(frame.values, frame.window, frame.inverted).astype(int)
            theirs = dcmtk_view(path, frame, tmp_path)
            compared += 1
            if ours.shape != theirs.shape:
                different[path.name] = theirs.shape
            elif (most := np.abs(ours - theirs).max()) > 1:
                different[path.name] = most
    assert different == {}
    assert compared > 140


def test_every_exception_is_of_a_file_that_is_there() -> None:
    """A reason that no file needs any more must go."""
    names = [path.name for path in FILES]
    assert [pattern for pattern in EXCEPTIONS if not any(fnmatch(name, pattern) for name in names)] == []


@pytest.mark.parametrize(
    ("encoded", "plain"),
    [
        ("693_J2KR.dcm", "693_UNCR.dcm"),
        ("MR2_J2KR.dcm", "MR2_UNCR.dcm"),
        ("RG1_J2KR.dcm", "RG1_UNCR.dcm"),
        ("RG3_J2KR.dcm", "RG3_UNCR.dcm"),
        ("US1_J2KR.dcm", "US1_UNCR.dcm"),
        ("emri_small_jpeg_2k_lossless.dcm", "emri_small.dcm"),
        ("emri_small_RLE.dcm", "emri_small_big_endian.dcm"),
        ("emri_small_jpeg_ls_lossless.dcm", "emri_small.dcm"),
        ("SC_rgb_rle_16bit_2frame.dcm", "SC_rgb_16bit_2frame.dcm"),
        ("SC_rgb_rle_32bit_2frame.dcm", "SC_rgb_expb_32bit_2frame.dcm"),
        ("rtdose_rle.dcm", "rtdose_expb.dcm"),
    ],
)
def test_a_losslessly_encoded_file_holds_the_values_of_its_plain_twin(
    sample: Callable[[str], bytes], encoded: str, plain: str
) -> None:
    """Files that others encoded: NEMA's compression set and pydicom's own."""
    pairs = zip(
        open_source(sample(encoded), FramePolicy()).frames(),
        open_source(sample(plain), FramePolicy()).frames(),
        strict=True,
    )
    for one, other in pairs:
        np.testing.assert_array_equal(one.values, other.values)


@pytest.mark.parametrize("name", ["693", "MR2", "RG1", "RG3", "US1"])
def test_lossy_jpeg_2000_stays_near_its_plain_twin(sample: Callable[[str], bytes], name: str) -> None:
    """NEMA's lossy files: one part in 50 of the range on average."""
    (lossy,) = open_source(sample(f"{name}_J2KI.dcm"), FramePolicy()).frames()
    (plain,) = open_source(sample(f"{name}_UNCI.dcm"), FramePolicy()).frames()
    assert np.abs(lossy.values - plain.values).mean() < np.ptp(plain.values) / 50
