"""Triplets as the pipeline makes them, of files that pydicom carries and of drawn ones whose source marks a region."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pydicom
import pydicom.data
import pytest
from click.testing import CliRunner

from infra.cli import main
from infra.exports import lines_of
from models.datasets.build import build
from models.datasets.formats import FORMATS
from models.datasets.lines import Line
from models.datasets.policy import Policy
from models.datasets.report import Report
from models.datasets.splits import Shares
from models.experts.phantoms import draw
from schemas.triplets import Triplet

FILES = ("CT_small.dcm", "MR_small.dcm", "examples_ybr_color.dcm", "examples_overlay.dcm", "US1_J2KR.dcm")
Picture = npt.NDArray[np.uint8]
POLICY = Policy(shares=Shares(0.2, 0.2))
SPLITS = {"P2-0": "test", "P2-1": "validation"}
DRAWN = (("MR", "brain", "glioma"), ("ultrasound", "breast", "breast cancer"), ("CT", "liver", None))


@pytest.fixture(scope="session")
def triplet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `annotate` wrote of these files."""
    folder = tmp_path_factory.mktemp("datasets")
    source = folder / "in"
    source.mkdir()
    for name in FILES:
        (source / name).write_bytes(Path(str(pydicom.data.get_testdata_file(name, download=False))).read_bytes())
    for number, (modality, organ, disease) in enumerate(DRAWN * 3):
        _draw(source / f"drawn-{number}.png", number, modality, organ, disease)
    out = folder / "triplets.jsonl"
    arguments = ["annotate", str(source), "--triplets", str(out), "--frames", "spread:3", "--patients", "file"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return out


def _draw(path: Path, seed: int, modality: str, organ: str, disease: str | None) -> None:
    drawn = draw(modality, seed=seed)  # pyright: ignore[reportArgumentType]
    values = drawn.values
    grey = np.interp(values, (values.min(), values.max()), (0, 255)).astype(np.uint8)
    rows, columns = grey.shape[:2]
    mask = np.zeros((rows, columns), np.uint8)
    cv2.ellipse(mask, (columns // 3, rows // 2), (columns // 10, rows // 14), 20, 0, 360, 255, -1)
    cv2.imwrite(str(path), grey)
    cv2.imwrite(str(path.with_suffix(".mask.png")), mask)
    patient = f"P{seed % 3}-{seed // 6}"
    sidecar = {
        "source": "Drawn 1", "licence": "CC0-1.0", "patient": patient, "split": SPLITS.get(patient),
        "modality": modality, "organ": organ,
        "mask": path.with_suffix(".mask.png").name, "labels": {"255": "tumour"},
        **({"disease": disease} if disease else {}),
    }  # fmt: skip
    told = {key: value for key, value in sidecar.items() if value is not None}
    path.with_name(f"{path.name}.json").write_text(json.dumps(told))


@pytest.fixture(scope="session")
def triplets(triplet_file: Path) -> list[Triplet]:
    """The same, read."""
    return [line.triplet() for line in read(triplet_file)]


@pytest.fixture(scope="session")
def built(triplet_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    """A data set in all formats."""
    out = tmp_path_factory.mktemp("built") / "set"
    return out, build(lambda: read(triplet_file), out, tuple(FORMATS), POLICY)


def real(name: str) -> Picture:
    """A real image, grey, in 8 bits."""
    path = pydicom.data.get_testdata_file(name, download=False)
    values = pydicom.dcmread(str(path)).pixel_array
    values = values if values.ndim == 2 else values.reshape(-1, *values.shape[-3:])[0][..., :3].mean(axis=-1)
    low, high = np.percentile(values, (1, 99))
    return (255 * np.clip((values - low) / (high - low), 0, 1)).astype(np.uint8)


def splits_of(folder: Path) -> dict[str, str]:
    """The split of each image, by triplet_id."""
    entries = [json.loads(line) for line in (folder / "index.jsonl").read_text().splitlines()]
    return {entry["triplet_id"]: entry["split"] for entry in entries}


def read(path: Path) -> Iterator[Line]:
    """Lines of a file."""
    return (Line(f"line {number}", text) for number, text in enumerate(lines_of(path), start=1))


def lines(triplets: Iterable[Triplet]) -> Iterator[Line]:
    """Triplets as a file has them."""
    return (Line(one.triplet_id, one.model_dump_json().encode()) for one in triplets)
