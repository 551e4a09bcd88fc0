"""Collections that lie in arrays: PanNuke's npy, PatchCamelyon's HDF5, and MedSAM's npz."""

import re
import zipfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from models.datasets.sources.collections import Collection
from models.datasets.sources.found import Drawn, Found, LeftOut, WrongFile, WrongLayout
from models.datasets.sources.tables import rows_of

NUCLEI = ("neoplastic cell", "inflammatory cell", "connective tissue cell", "dead cell", "epithelial cell")
"""PanNuke's channels before the background."""
_ORGANS = {"HeadNeck": "head and neck", "Bile-duct": "bile duct", "Adrenal_gland": "adrenal gland"}
_SPLITS = {"train": "train", "valid": "validation", "test": "test"}


def pannuke(root: Path, collection: Collection) -> Iterator[Found | LeftOut]:
    """Fold by fold: images/fold1/images.npy and types.npy, masks/fold1/masks.npy, below any folder.

    Raises:
        WrongLayout: there is no images.npy, or its neighbours are not of as many images.
    """
    folds = sorted(root.rglob("images/fold*/images.npy"))
    if not folds:
        raise WrongLayout(f"{collection.title} has images/fold1/images.npy, and none is below the folder")
    for path in folds:
        fold = path.parent.name
        base = path.parents[2]
        images, masks, types = (
            _opened(one, collection) for one in (path, base / "masks" / fold / "masks.npy", path.with_name("types.npy"))
        )
        if not len(images) == len(masks) == len(types) or images.ndim != 4 or masks.shape[-1] != len(NUCLEI) + 1:
            raise WrongLayout(
                f"{fold} of {collection.title}: expected images.npy (n, 256, 256, 3), masks.npy (n, 256, 256, 6) and "
                "types.npy (n) of as many images"
            )
        for n in range(len(images)):
            organ = str(types[n])
            said = collection.said(organ=_ORGANS.get(organ, organ.lower().replace("_", " ")), series=fold)
            yield Found(path, f"{fold}/{n:05}.png", said, draw=partial(_nuclei, images, masks, n))


def _opened(path: Path, collection: Collection) -> Any:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise WrongLayout(f"{collection.title} comes with {path.parent.name}/{path.name}, which is not there") from None
    except (ValueError, OSError, EOFError):
        raise WrongLayout(f"{path.parent.name}/{path.name} of {collection.title} is no array of NumPy's") from None


def _nuclei(images: Any, masks: Any, n: int) -> Drawn:
    marks = np.asarray(masks[n])[..., : len(NUCLEI)] > 0
    numbers = np.where(marks.any(axis=-1), marks.argmax(axis=-1) + 1, 0).astype(np.uint8)
    there = {str(number + 1): name for number, name in enumerate(NUCLEI) if (numbers == number + 1).any()}
    return Drawn(np.clip(images[n], 0, 255).astype(np.uint8), numbers if there else None, there)


def patchcamelyon(root: Path, collection: Collection) -> Iterator[Found | LeftOut]:
    """camelyonpatch_level_2_split_{train,valid,test}_x.h5 and _y.h5; slides as patients by the _meta.csv, where it is.

    Raises:
        WrongLayout: there is none, or one is no HDF5 file with `x` and `y`.
    """
    files = sorted(root.rglob("camelyonpatch_level_2_split_*_x.h5"))
    if not files:
        raise WrongLayout(
            f"{collection.title} has camelyonpatch_level_2_split_train_x.h5, and none is below the folder"
        )
    for path in files:
        match = re.search(r"split_(train|valid|test)_x", path.name)
        labels = path.with_name(path.name.replace("_x.h5", "_y.h5"))
        if match is None or not labels.is_file():
            raise WrongLayout(f"{collection.title} comes with {labels.name}, which is not there")
        slides = _slides(path.with_name(path.name.replace("_x.h5", "_meta.csv")), collection)
        with _held(path, "x", collection) as x, _held(labels, "y", collection) as y:
            for n in range(x.shape[0]):
                said = collection.said(
                    split=_SPLITS[match[1]],
                    disease="metastasis" if np.asarray(y[n]).ravel()[0] else "healthy",
                    patient=slides[n] if n < len(slides) else None,
                    series=match[1],
                )
                yield Found(path, f"{match[1]}/{n:06}.png", said, draw=partial(_patch, x, n))


@contextmanager
def _held(path: Path, name: str, collection: Collection) -> Generator[Any]:
    """An array of an HDF5 file while it is open."""
    import h5py

    with ExitStack() as stack:
        try:
            array = stack.enter_context(h5py.File(path))[name]
        except (OSError, KeyError):
            raise WrongFile(f"{path.name} of {collection.title} is no HDF5 file with {name}") from None
        yield array


def _patch(x: Any, n: int) -> Drawn:
    return Drawn(np.asarray(x[n], np.uint8))


def _slides(path: Path, collection: Collection) -> list[str]:
    if not path.is_file():
        return []
    return [row["wsi"] for row in rows_of(path, {"wsi"}, collection)]


def npz(root: Path, collection: Collection) -> Iterator[Found | LeftOut]:
    """MedSAM's npz: `imgs` (rows, columns, 3) or (slices, rows, columns), `gts` alike; slices without a mark are left.

    What its numbers mean stands nowhere in the file. Modality is the first part of the file's or its folder's name.

    Raises:
        WrongLayout: there is no npz file.
    """
    files = sorted(root.rglob("*.npz"))
    if not files:
        raise WrongLayout(f"{collection.title} is of npz files, and none is below the folder")
    for path in files:
        name = path.relative_to(root).with_suffix("")
        try:
            # NumPy leaves files open that it cannot read.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
                images, marks = held["imgs"], held["gts"]
        except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile):
            yield LeftOut(path, "not an npz file with imgs and gts")
            continue
        said = collection.said(modality=_modality(name.parts), series=name.as_posix())
        flat = images.ndim == 2 or (images.ndim == 3 and images.shape[-1] == 3 and marks.ndim == 2)
        if flat:
            yield Found(path, f"{name.as_posix()}.png", said, draw=partial(_marked, images, marks))
            continue
        if images.shape[:3] != marks.shape:
            yield LeftOut(path, "imgs and gts are of different sizes")
            continue
        for n in np.flatnonzero(marks.reshape(len(marks), -1).any(axis=1)):
            draw = partial(_marked, images[n], marks[n])
            yield Found(path, f"{name.as_posix()}-{n:04}.png", said, draw=draw)


def _marked(image: Any, marks: Any) -> Drawn:
    if marks.max(initial=0) > 255:
        raise ValueError("more labels than a mask holds")
    numbers = marks.astype(np.uint8)
    return Drawn(
        np.clip(image, 0, 255).astype(np.uint8),
        numbers,
        {str(number): "annotated region" for number in np.unique(numbers) if number},
    )


def _modality(parts: tuple[str, ...]) -> str | None:
    words = {
        "CT": "CT", "MR": "MR", "MRI": "MR", "XRay": "X-ray", "X-Ray": "X-ray", "CXR": "X-ray", "US": "ultrasound",
        "PET": "PET", "Dermoscopy": "dermoscopy", "Endoscopy": "endoscopy", "Fundus": "fundus photography",
        "Microscopy": "microscopy", "Mammography": "mammography", "Mamm": "mammography", "OCT": "OCT",
    }  # fmt: skip
    for part in parts:
        if (word := words.get(re.split(r"[_ ]|-\d", part)[0])) is not None:
            return word
    return None
