"""Real images laid out as five public collections, and all the way to what loaders read of a training set.

    python -m benchmarks.collections DATA [--out DIR] [--evaluation NAME=DIR]

DATA has the folders of `make real-data` or the like: ultrasound/busi, fundus/drive, endoscopy/kvasir-seg, MR/lgg,
CT/lung1-001, PET/sts-001-fdg, masks and structure sets in .masks and .marks. Each step is the command that one would
type, its output is printed; then each format is read back by its own library. Exit status 1 where a step fails or a
loader reads another number of images than were written.
"""

import argparse
import contextlib
import io
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from PIL import Image

from infra.cli import main as cli

FORMATS = ("parquet", "llava", "swift", "webdataset", "coco", "imagefolder", "nifti", "dicom")
SERIES = {"LUNG1-001": "CT/lung1-001", "STS_001": "PET/sts-001-fdg"}


def _into(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _mask(picture: Path) -> Image.Image:
    with Image.open(picture.parent / ".masks" / f"{picture.name}.png") as marks:
        return marks.convert("L").point(lambda value: 255 if value else 0)


def lay_out(data: Path, root: Path) -> list[str]:
    """Copy images as five collections lie; their names, of those that there is something of."""
    for path in (data / "ultrasound/busi").glob("*.png"):
        name = path.stem.replace("malignant_", "malignant (") + ")"
        folder = root / "busi/Dataset_BUSI_with_GT/malignant"
        shutil.copy(path, _into(folder / f"{name}.png"))
        _mask(path).save(folder / f"{name}_mask.png")
    for path in (data / "fundus/drive").glob("*.tif"):
        number, split = path.stem.split("_")
        folder = root / "drive" / ("test" if split == "test" else "training")
        shutil.copy(path, _into(folder / "images" / path.name))
        _mask(path).save(_into(folder / "1st_manual" / f"{number}_manual1.gif"))
    for path in (data / "endoscopy/kvasir-seg").glob("*.jpg"):
        shutil.copy(path, _into(root / "kvasir-seg/images" / path.name))
        _mask(path).save(_into(root / "kvasir-seg/masks" / path.name))
    for path in (data / "MR/lgg").glob("*.jpg"):
        patient = re.match(r"TCGA_\w+_\d+_\d{8}", path.stem)
        if patient is None:
            continue
        folder = root / "lgg-mri/kaggle_3m" / patient[0]
        with Image.open(path) as picture:
            picture.convert("RGB").save(_into(folder / f"{path.stem}.tif"))
        _mask(path).save(folder / f"{path.stem}_mask.tif")
    for series, folder in SERIES.items():
        for path in (data / folder).glob("*.dcm"):
            shutil.copy(path, _into(root / "tcia" / series / "images" / path.name))
        for path in (data / folder / ".marks").glob("*.dcm"):
            shutil.copy(path, _into(root / "tcia" / series / "rtstruct" / path.name))
    return sorted(path.name for path in root.iterdir()) if root.is_dir() else []


def run(*arguments: str) -> None:
    """One command, told and run."""
    print("$ tristream", *arguments, flush=True)
    result = CliRunner().invoke(cli, arguments)
    print(result.output, flush=True)
    if result.exit_code:
        raise SystemExit(f"exit status {result.exit_code}")


def read_back(made: Path, cache: Path) -> Iterator[tuple[str, int]]:
    """How many images each format's own library reads."""
    import datasets
    import highdicom
    import nibabel
    import pydicom
    import webdataset
    from pycocotools.coco import COCO

    given: dict[str, Any] = {"cache_dir": str(cache)}
    yield "parquet", sum(len(rows) for rows in datasets.load_dataset(str(made), **given).values())
    loaded = datasets.load_dataset("imagefolder", data_dir=str(made / "imagefolder"), **given)
    yield "imagefolder", sum(len(rows) for rows in loaded.values())
    reader: Any = webdataset  # its stubs know no WebDataset
    shards = [reader.WebDataset(str(path), shardshuffle=False) for path in (made / "webdataset").glob("*.tar")]
    yield "webdataset", sum(1 for shard in shards for _ in shard)
    yield "llava", sum(len(json.loads(path.read_bytes())) for path in (made / "llava").glob("*.json"))
    yield "swift", sum(len(path.read_bytes().splitlines()) for path in (made / "swift").glob("*.jsonl"))
    with contextlib.redirect_stdout(io.StringIO()):
        images = sum(len(COCO(str(path)).imgs) for path in (made / "coco/annotations").glob("*.json"))
    yield "coco", images
    masks = (made / "nifti").glob("*/*_mask.nii.gz")
    yield "dicom", sum(bool(pydicom.dcmread(path).pixel_array.size) for path in (made / "dicom").glob("*/*/image.dcm"))
    for path in (made / "dicom").glob("*/*/segmentation.dcm"):
        regions = highdicom.seg.segread(path).number_of_segments
        report: Any = highdicom.sr.srread(path.with_name("report.dcm")).content
        groups = report.get_planar_roi_measurement_groups()
        if len(groups) != regions:
            raise SystemExit(f"{path}: {regions} segments, {len(groups)} in the report")
    yield "nifti", sum(bool(nibabel.load(path).shape) for path in masks)  # pyright: ignore[reportPrivateImportUsage, reportAttributeAccessIssue]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, help="A new folder to keep all of it in.")
    parser.add_argument("--evaluation", action="append", default=[], metavar="NAME=DIR")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder: Path = arguments.out or Path(place)
        names = lay_out(arguments.data, folder / "collections")
        if not names:
            raise SystemExit(f"{arguments.data} holds none of the folders that this is made of")
        for name in names:
            run("source", name, str(folder / "collections" / name), "--out", str(folder / "in" / name))
        inputs, triplets, made = str(folder / "in"), str(folder / "triplets.jsonl"), folder / "set"
        kept = ("--map", str(folder / "map.csv"), "--dead-letters", str(folder / "dead-letters.jsonl"))
        run("annotate", inputs, "--annotations", inputs, "--triplets", triplets, *kept, "--frames", "spread:3")
        held = [part for one in arguments.evaluation for part in ("--evaluation", one)]
        formats = [part for name in FORMATS for part in ("--format", name)]
        run("dataset", "build", triplets, "--out", str(made), *formats, *held)
        run("dataset", "audit", str(made), *held)
        written = sum(json.loads((made / "splits.json").read_bytes())["images"].values())
        wrong = 0
        for name, images in read_back(made, folder / "cache"):
            print(f"{name:<12}{images:>6} images read, {written} written")
            wrong += images != written
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
