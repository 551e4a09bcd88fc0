"""Real images without any text in them: of pydicom, pydicom-data, scikit-image, and PyRadiomics' source archive.

Each was looked at. None was used to train the line finder: scikit-image's surfaces, which were, are not among them.
"""

import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import data_store
import nrrd
import numpy as np
import pydicom
import skimage
from numpy.typing import NDArray

from benchmarks.experts_real import VOLUMES
from models.imaging import Frame, FramePolicy, open_source, render
from models.imaging.dicom import cleaner_of, pixel_data
from models.imaging.parsing import read_header
from schemas.failures import InvalidInput

View = NDArray[np.uint8]
FOLDERS = (Path(pydicom.__file__).parent / "data" / "test_files", Path(data_store.__file__).parent / "data")
DICOM = (
    "CT_small.dcm", "693_J2KR.dcm", "bad_sequence.dcm", "explicit_VR-UN.dcm", "J2K_pixelrep_mismatch.dcm",
    "eCT_Supplemental.dcm", "MR_small.dcm", "emri_small.dcm", "examples_overlay.dcm", "MR2_J2KR.dcm", "RG1_J2KR.dcm",
    "JPEG-LL.dcm", "JPEG2000.dcm", "liver_1frame.dcm", "image_dfl.dcm", "SC_rgb_gdcm_KY.dcm", "color-pl.dcm",
    "MR-SIEMENS-DICOM-WithOverlays.dcm", "SC_jpeg_no_color_transform_2.dcm",
)  # fmt: skip
"""Not among them: OT-PAL-8-face.dcm, whose cardboard box has signs, and RG3, which has a marker."""
WITH_OWN_TEXT = (
    "examples_palette.dcm", "color3d_jpeg_baseline.dcm", "JPGLosslessP14SV1_1s_1f_8b.dcm", "OT-PAL-8-face.dcm",
    "RG3_J2KR.dcm",
)  # fmt: skip
PICTURES = (
    "camera.png", "cell.png", "clock_motion.png", "color.png", "horse.png", "ihc.png", "microaneurysms.png", "moon.png",
    "phantom.png", "retina.jpg",
)  # fmt: skip
"""Of scikit-image. Not among them: letters on suits, coins and rockets."""
_EVERY = 4
"""Slices of the archive's volumes, one of so many."""


def view_of(name: str) -> View:
    """The first frame of a DICOM file, as it is shown, with whatever text it has."""
    path = next(folder / name for folder in FOLDERS if (folder / name).exists())
    header, data, at = read_header(path.read_bytes())
    found = cleaner_of(header, pixel_data(header, data, at), None).quantities(0)
    values = found.stored.astype(np.float32) * np.float32(found.slope) + np.float32(found.intercept)
    return render(values, found.window, found.inverted)


def frames_of(name: str) -> list[View]:
    """All frames of a DICOM file, as they are shown."""
    path = next(folder / name for folder in FOLDERS if (folder / name).exists())
    source = open_source(path.read_bytes(), FramePolicy(), burned_in=None)
    return [render(frame.values, frame.window, frame.inverted) for frame in source.frames()]


def of_packages() -> Iterator[tuple[str, View]]:
    """Named views of what pydicom, pydicom-data and scikit-image hold."""
    for name in DICOM:
        yield name, view_of(name)
    for name in PICTURES:
        picture: Any = cv2.imread(str(Path(skimage.__file__).parent / "data" / name), cv2.IMREAD_UNCHANGED)
        yield name, picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., 2::-1])


def of_archive(archive: Path) -> Iterator[tuple[str, View]]:
    """Slices of the two heads, the breast and the two chests, in a window of their middle 98 %; CT at -600 ± 800 HU."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as opened:
            wanted = [one for one in opened.getmembers() if one.name.endswith("_image.nrrd")]
            opened.extractall(folder, wanted, filter="data")
        for volume in VOLUMES:
            (path,) = Path(folder).glob(f"*/data/{volume.name}_image.nrrd")
            values, _ = nrrd.read(str(path))
            low, high = (-1400, 200) if volume.modality == "CT" else np.percentile(values, (1, 99))
            for index in range(0, values.shape[2], _EVERY):
                part = np.clip((values[:, :, index].T - low) * (255 / (high - low)), 0, 255)
                yield f"{volume.name}, slice {index}", np.ascontiguousarray(part, np.uint8)


def of_folder(folder: Path) -> Iterator[tuple[str, Frame]]:
    """The first frames of a folder's images, cleaned as the pipeline does, with what their sidecars mark."""
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or path.suffix in (".json", ".csv", ".md", ".txt"):
            continue
        sidecar = path.with_name(path.name + ".json")
        told = sidecar.read_bytes() if sidecar.exists() else None
        mask = _mask_of(sidecar)
        try:
            yield (
                str(path.relative_to(folder)),
                open_source(path.read_bytes(), FramePolicy("spread"), sidecar=told, mask=mask).read(0),
            )
        except InvalidInput as error:
            print(f"left out: {path.relative_to(folder)} ({type(error).__name__})")


def _mask_of(sidecar: Path) -> bytes | None:
    if not sidecar.exists():
        return None
    import orjson

    name = orjson.loads(sidecar.read_bytes().removeprefix(b"\xef\xbb\xbf")).get("mask")
    path = sidecar.parent / str(name)
    return path.read_bytes() if name and path.is_file() else None
