"""Collections of which one file is not what it should be: it is named, or costs its image; nothing ends in a defect."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from models.datasets.sources import WrongLayout, collections, place
from models.datasets.sources.found import WrongFile
from tests.models.datasets.test_marked_sources import VOC, mammogram
from tests.models.datasets.test_sources import mask, picture, table

PIXELS = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda data: data[: len(data) // 2],
    "empty": lambda _: b"",
    "a page that says no": lambda _: b"<html>404 not found</html>",
    "noise": lambda _: bytes(range(256)) * 4,
}


def mammograms(root: Path) -> None:
    """CBIS-DDSM."""
    case = "Mass-Training_P_00001_LEFT_CC"
    mammogram(root / case / "1" / "2" / "1-1.dcm", PIXELS[0, ..., 0])
    mammogram(root / f"{case}_1" / "1" / "2" / "1-2.dcm", PIXELS[0, ..., 1])
    row = {"image file path": f"{case}/1/2/1-1.dcm", "image view": "CC", "pathology": "BENIGN"}
    table(root / "mass_case_description_train_set.csv", [row])


def packed_pictures(root: Path) -> None:
    """STARE."""
    for name in ("stare-images/im0001.ppm", "labels-ah/im0001.ah.ppm"):
        picture(root / name)
        (root / f"{name}.gz").write_bytes(gzip.compress((root / name).read_bytes()))
        (root / name).unlink()


def boxed_pictures(root: Path) -> None:
    """BCCD."""
    picture(root / "JPEGImages" / "a.jpg")
    for folder, name, text in (("Annotations", "a.xml", VOC), ("ImageSets/Main", "val.txt", "a\n")):
        (root / folder).mkdir(parents=True)
        (root / folder / name).write_text(text)


def patches(root: Path) -> None:
    """PatchCamelyon."""
    root.mkdir(parents=True)
    name = "camelyonpatch_level_2_split_train"
    for part, values in (("x", PIXELS), ("y", np.zeros((2, 1, 1, 1), np.uint8))):
        with h5py.File(root / f"{name}_{part}.h5", "w") as file:
            file[part] = values
    table(root / f"{name}_meta.csv", [{"wsi": "1"}, {"wsi": "2"}])


def folds(root: Path) -> None:
    """PanNuke."""
    for folder in ("images", "masks"):
        (root / folder / "fold1").mkdir(parents=True)
    np.save(root / "images/fold1/images.npy", PIXELS)
    np.save(root / "images/fold1/types.npy", np.array(["Breast", "Colon"]))
    np.save(root / "masks/fold1/masks.npy", np.zeros((2, 64, 64, 6)))


def arrays(root: Path) -> None:
    """MedSAM's npz."""
    root.mkdir(parents=True)
    np.savez(root / "CT_a.npz", imgs=PIXELS[..., 0], gts=np.ones((2, 64, 64), np.uint8))


def tabled_pictures(root: Path) -> None:
    """HAM10000."""
    picture(root / "HAM10000_images_part_1" / "ISIC_1.jpg")
    mask(root / "HAM10000_segmentations_lesion_tschandl" / "ISIC_1_segmentation.png")
    table(root / "HAM10000_metadata.csv", [{"lesion_id": "HAM_1", "image_id": "ISIC_1", "dx": "nv"}])


WHOLE = {
    "cbis-ddsm": mammograms, "stare": packed_pictures, "bccd": boxed_pictures, "patchcamelyon": patches,
    "pannuke": folds, "medsam-npz": arrays, "ham10000": tabled_pictures,
}  # fmt: skip


def refused(root: Path, name: str) -> str | None:
    """What is said of a folder; None: of each file something was told."""
    try:
        assert list(place(root, collections()[name], root.with_name(f"{root.name}-out")))
    except WrongLayout as error:
        return str(error)
    return None


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", WHOLE)
def test_a_download_that_broke_off(name: str, damage: str, tmp_path: Path) -> None:
    """Whatever file it is of: an error that names a file, or what is left of the collection."""
    whole = tmp_path / "whole"
    WHOLE[name](whole)
    for number, path in enumerate(sorted(path for path in whole.rglob("*") if path.is_file())):
        root = tmp_path / str(number)
        shutil.copytree(whole, root)
        (root / path.relative_to(whole)).write_bytes(DAMAGES[damage](path.read_bytes()))
        error = refused(root, name)
        assert error is None or f"{path.name} of " in error


def test_a_renamed_column_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    """And no other folder is proposed: the file is the right one."""
    picture(tmp_path / "HAM10000_images_part_1" / "ISIC_1.jpg")
    table(tmp_path / "HAM10000_metadata.csv", [{"lesion": "HAM_1", "image_id": "ISIC_1", "dx": "nv"}])
    with pytest.raises(
        WrongFile, match=r"metadata\.csv of HAM10000 has no column lesion_id; it has lesion, image_id, dx$"
    ):
        list(place(tmp_path, collections()["ham10000"], tmp_path.with_name("out")))
