"""Colours that a file's ICC profile describes, brought to sRGB."""

from io import BytesIO

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from pydicom import Dataset

from models.imaging import BurnedInPolicy, Frame, FramePolicy, open_source
from tests.models.imaging.samples import MakeDicom

ALL = FramePolicy()
ADOBE, SRGB = imagecodecs.cms_profile("adobergb"), imagecodecs.cms_profile("srgb")
COLOURS = np.stack(np.meshgrid(*[np.arange(0, 256, 17, dtype=np.uint8)] * 3), axis=-1).reshape(64, 64, 3)


def png(stored: np.ndarray, profile: bytes | None) -> bytes:
    """A PNG file with a profile."""
    file = BytesIO()
    Image.fromarray(stored).save(file, "PNG", icc_profile=profile)
    return file.getvalue()


def tiff(stored: np.ndarray, profile: bytes | None) -> bytes:
    """A TIFF file with a profile."""
    file = BytesIO()
    tifffile.imwrite(file, stored, photometric="rgb" if stored.ndim == 3 else "minisblack", iccprofile=profile)
    return file.getvalue()


def read(data: bytes) -> Frame:
    """Its one frame."""
    return open_source(data, ALL, burned_in=BurnedInPolicy("pass")).read(0)


def expected(profile: bytes) -> np.ndarray:
    """By Pillow's binding to Little CMS."""
    given, wanted = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(Image.fromarray(COLOURS), given, wanted)
    assert converted is not None
    return np.asarray(converted)


def test_colours_become_srgb_the_same_from_each_format(make_dicom: MakeDicom) -> None:
    """Within a level of Pillow's, from PNG, TIFF and DICOM, also where a slide's optical path has the profile."""
    path = Dataset()
    path.ICCProfile = ADOBE
    files = [
        png(COLOURS, ADOBE),
        tiff(COLOURS, ADOBE),
        make_dicom(COLOURS, ICCProfile=ADOBE),
        make_dicom(COLOURS, OpticalPathSequence=[path]),
    ]
    frames = [read(data) for data in files]
    assert len({frame.image_id for frame in frames}) == 1
    converted = frames[0].stored
    assert np.abs(converted.astype(int) - expected(ADOBE)).max() <= 1
    assert np.abs(converted.astype(int) - COLOURS).max() > 20


def test_a_jpeg_profile_in_parts_is_joined() -> None:
    """One of more than 64 KiB stands in several markers, of which the decoder knows nothing."""
    large = bytearray(ADOBE + bytes(100_000))
    large[:4] = len(large).to_bytes(4, "big")
    plain, profiled = BytesIO(), BytesIO()
    Image.fromarray(COLOURS).save(plain, "JPEG", quality=95)
    Image.fromarray(COLOURS).save(profiled, "JPEG", quality=95, icc_profile=bytes(large))
    wanted = imagecodecs.cms_transform(
        read(plain.getvalue()).stored, ADOBE, SRGB, colorspace="rgb", outcolorspace="rgb"
    )
    np.testing.assert_array_equal(read(profiled.getvalue()).stored, wanted)


@pytest.mark.parametrize("write", [png, tiff])
@pytest.mark.parametrize("profile", [SRGB, b"no profile at all", ADOBE[:300], imagecodecs.cms_profile("gray", gamma=2)])
def test_srgb_and_what_is_no_profile_of_colours_change_nothing(write, profile: bytes) -> None:
    """The id is that of the same pixels without a profile."""
    assert read(write(COLOURS, profile)).image_id == read(write(COLOURS, None)).image_id


def test_grey_pixels_and_wide_ones(make_dicom: MakeDicom) -> None:
    """Grey values are measurements and stay; 16 bits are converted in 16 bits."""
    grey = COLOURS[..., 0].copy()
    assert read(tiff(grey, ADOBE)).image_id == read(tiff(grey, None)).image_id
    wide = read(tiff(COLOURS.astype(np.uint16) * 257, ADOBE)).stored
    assert wide.dtype == np.uint16
    assert np.abs(wide / 257 - expected(ADOBE)).max() <= 1.5
    assert np.unique(wide % 257).size > 1
