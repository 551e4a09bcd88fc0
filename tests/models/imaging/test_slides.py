"""Whole slides: tiles with tissue of the level nearest to the wanted scale, and never a label."""

from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
import pytest
import tifffile
from pydicom import Dataset

from models.imaging import FramePolicy, open_source
from models.imaging.errors import CorruptHeader, SlideLabel, TruncatedFile
from models.imaging.frames import Frame
from models.imaging.policy import FramePolicy as Policy
from tests.models.imaging.samples import MakeDicom

ALL = FramePolicy()
WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
STAIN, GLASS, NAME = (180, 60, 140), (243, 242, 244), (255, 0, 0)


def slide(rows: int = 2048, columns: int = 3072) -> np.ndarray:
    """Glass with an island of tissue in its upper left."""
    image = np.full((rows, columns, 3), GLASS, np.uint8)
    cv2.ellipse(image, (columns // 4, rows // 4), (columns // 6, rows // 6), 0, 0, 360, STAIN, -1)
    return image


def scanned(
    mpp: str = "0.5", levels: int = 3, tile: int = 256, description: str = "Aperio Image|AppMag = 20|MPP = "
) -> bytes:
    """An SVS file as Aperio's scanners write it: levels, a thumbnail, a label and a macro picture."""
    image, buffer = slide(), BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        options = {"photometric": "rgb", "compression": "jpeg", "metadata": None}
        text = f"{description}{mpp}"
        file.write(image, tile=(tile, tile), description=text, **options)
        file.write(image[::8, ::8], description="Aperio thumbnail", **options)
        for level in range(1, levels):
            small = np.ascontiguousarray(image[:: 2**level, :: 2**level])
            file.write(small, tile=(tile, tile), description=text, **options)
        label = np.full((300, 300, 3), NAME, np.uint8)
        file.write(label, subfiletype=1, description="Aperio\nlabel 300x300", **options)
        file.write(label, subfiletype=9, description="Aperio\nmacro 300x300", **options)
    return buffer.getvalue()


def frames_of(data: bytes, policy: FramePolicy = ALL) -> list[Frame]:
    return list(open_source(data, policy).frames())


def colour(frame: Frame) -> list[int]:
    return frame.stored.reshape(-1, 3).mean(axis=0).round().astype(int).tolist()


def test_tiles_with_tissue_at_about_one_micron_are_taken_and_the_label_never() -> None:
    """Of 0.5, 1 and 2 µm the second level; of its 512 px tiles those with tissue; the rest is counted."""
    source = open_source(scanned(), ALL)
    frames = list(source.frames())
    assert source.frames_total == 6
    assert (source.taken, source.skipped) == ((0, 1), 4)
    assert [frame.stored.shape for frame in frames] == [(512, 512, 3), (512, 512, 3)]
    metadata = frames[0].metadata
    assert (metadata.modality, metadata.source_format, metadata.lossy_compression) == ("histopathology", "TIFF", True)
    assert metadata.spacing is not None
    assert (metadata.spacing.row_mm, metadata.spacing.column_mm, metadata.spacing.source) == (
        0.001,
        0.001,
        "Aperio MPP",
    )
    expected = cv2.resize(slide(), (1536, 1024), interpolation=cv2.INTER_NEAREST)[:512, :512]
    assert np.abs(frames[0].stored.astype(int) - expected).mean() < 6
    for frame in frames:
        assert not (np.abs(frame.stored.astype(int) - NAME).max(axis=2) < 40).any()


@pytest.mark.parametrize(("mpp", "size"), [("0.25", 24), ("1", 24), ("2", 24), ("0.1", 2)])
def test_the_level_is_the_nearest_that_there_is(mpp: str, size: int) -> None:
    """Coarse slides at full size, fine ones at the smallest level."""
    assert open_source(scanned(mpp, levels=1 if mpp != "0.1" else 3), ALL).frames_total == size


def test_policies_choose_among_tiles_with_tissue() -> None:
    """spread:N and every:N of those; a slide without any is still sampled."""
    data = scanned("1")
    tissue = open_source(data, ALL).taken
    assert len(tissue) > 4
    assert open_source(data, FramePolicy("every", 2)).taken == tissue[::2]
    assert set(open_source(data, FramePolicy("spread", 2)).taken) < set(tissue)


def test_of_very_many_frames_few_are_looked_at() -> None:
    """spread looks from the middle of each part on; all and every do not look."""
    looked: list[int] = []

    def wanted(index: int) -> bool:
        looked.append(index)
        return index % 10 == 3

    assert Policy("spread", 4).choose_among(10_000, wanted, 100) == (1253, 3753, 6253, 8753)
    assert len(looked) <= 100
    assert Policy("every", 5000).choose_among(10_000, wanted, 100) == (0, 5000)
    assert Policy("spread", 2).choose_among(10_000, lambda _: False, 100) == (2500, 7500)
    assert Policy().choose_among(5, lambda index: index > 2, 100) == (3, 4)
    assert Policy().choose_among(2, lambda _: False, 100) == (0, 1)


def test_a_generic_pyramid_is_a_slide_of_no_claimed_modality() -> None:
    """Resolution tags that can be a microscope's give spacing; edge tiles are cut off."""
    image, buffer = slide(1100, 1300), BytesIO()
    with tifffile.TiffWriter(buffer, bigtiff=True) as file:
        options = {"photometric": "rgb", "tile": (256, 256), "metadata": None}
        file.write(image, subifds=1, resolution=(10_000, 10_000), resolutionunit="CENTIMETER", **options)
        file.write(np.ascontiguousarray(image[::4, ::4]), subfiletype=1, **options)
    source = open_source(buffer.getvalue(), ALL)
    assert source.frames_total == 9
    assert source.read(8).stored.shape == (1100 - 1024, 1300 - 1024, 3)
    metadata = source.read(0).metadata
    assert metadata.modality == "unknown"
    assert metadata.spacing is not None
    assert (metadata.spacing.row_mm, metadata.spacing.source) == (0.001, "TIFF XResolution")
    np.testing.assert_array_equal(source.read(0).stored, image[:512, :512])


def test_a_cut_slide_is_refused() -> None:
    """Tiles beyond the end of the file are noticed before any is decoded."""
    data = scanned()
    for cut in range(1000, len(data), len(data) // 20):
        with pytest.raises((TruncatedFile, CorruptHeader)):
            open_source(data[:cut], ALL)


@pytest.fixture
def tiled(make_dicom: MakeDicom) -> Callable[..., bytes]:
    """A tiled DICOM slide of eight tiles, of which the second and the seventh show tissue."""

    def make(**elements: object) -> bytes:
        tiles = np.full((8, 64, 64, 3), GLASS, np.uint8)
        tiles[1, 8:40, 8:40] = tiles[6, 8:40, 8:40] = STAIN
        flavour = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
        told = {"SOPClassUID": WHOLE_SLIDE, "Modality": "SM", "ImageType": flavour}
        return make_dicom(tiles, **(told | elements))

    return make


def test_tiles_of_a_dicom_slide_are_frames(tiled: Callable[..., bytes]) -> None:
    """Those with tissue are taken, the rest counted as skipped."""
    source = open_source(tiled(), ALL)
    assert (source.frames_total, source.taken, source.skipped) == (8, (1, 6), 6)
    assert source.read(1).metadata.modality == "histopathology"
    assert open_source(tiled(), FramePolicy("spread", 1)).taken == (6,)


def test_tiles_that_stand_anywhere_are_frames_too(tiled: Callable[..., bytes]) -> None:
    """TILED_SPARSE (PS3.3 C.7.6.17.3): each frame tells its place, in any order; all share a spacing."""
    per_frame = [Dataset() for _ in range(8)]
    for index, group in enumerate(per_frame):
        place = Dataset()
        place.ColumnPositionInTotalImagePixelMatrix = 1 + 64 * (97 * index % 31)
        place.RowPositionInTotalImagePixelMatrix = 1 + 64 * (53 * index % 29)
        group.PlanePositionSlideSequence = [place]
    shared, measures = Dataset(), Dataset()
    measures.PixelSpacing = [0.0005, 0.0005]
    shared.PixelMeasuresSequence = [measures]
    elements: dict[str, object] = {
        "DimensionOrganizationType": "TILED_SPARSE",
        "TotalPixelMatrixColumns": 64 * 31,
        "TotalPixelMatrixRows": 64 * 29,
        "SharedFunctionalGroupsSequence": [shared],
        "PerFrameFunctionalGroupsSequence": per_frame,
    }
    source = open_source(tiled(**elements), ALL)
    assert (source.taken, source.skipped) == ((1, 6), 6)
    spacing = source.read(6).metadata.spacing
    assert spacing is not None
    assert (spacing.row_mm, spacing.source) == (0.0005, "PixelSpacing")


@pytest.mark.parametrize(
    "elements",
    [
        {"ImageType": ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "OVERVIEW", "NONE"]},
        {"ImageType": ["DERIVED", "PRIMARY", "THUMBNAIL", "RESAMPLED"]},
        {"SpecimenLabelInImage": "YES"},
    ],
)
def test_pictures_of_the_label_are_refused(tiled: Callable[..., bytes], elements: dict[str, object]) -> None:
    """By Image Type (PS3.3 C.8.12.4.1.1) or by their own word."""
    with pytest.raises(SlideLabel):
        open_source(tiled(**elements), ALL)
