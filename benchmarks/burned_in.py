"""How much seeded text the detector finds, what else it masks, and how long it takes.

    python -m benchmarks.burned_in [--cases N] [--seed N] [--plot FILE]

A character counts as unreadable when at least 90 % of its ink is masked, or when PP-OCRv6's recogniser (of the
development dependency rapidocr) no longer reads it in the masked line. Only characters that differ from what is behind
them count. Backgrounds: files of pydicom and pydicom-data, and made-up ones.
"""

import argparse
import itertools
import time
from collections import defaultdict
from collections.abc import Iterable
from difflib import SequenceMatcher
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import cv2
import data_store
import numpy as np
import onnxruntime as ort
import pydicom
from numpy.typing import NDArray

from benchmarks.burned_text import SIZES, STYLES, Burned, Line, available, burn, made_up
from models.imaging import render
from models.imaging.dicom import cleaner_of, pixel_data
from models.imaging.header import read_header
from models.imaging.text_boxes import Box
from models.imaging.text_detector import find_text

View = NDArray[np.uint8]
FOLDERS = (Path(pydicom.__file__).parent / "data" / "test_files", Path(data_store.__file__).parent / "data")
CLEAN = (
    "CT_small.dcm", "693_J2KR.dcm", "bad_sequence.dcm", "explicit_VR-UN.dcm", "J2K_pixelrep_mismatch.dcm",
    "eCT_Supplemental.dcm", "MR_small.dcm", "emri_small.dcm", "examples_overlay.dcm", "MR2_J2KR.dcm", "RG1_J2KR.dcm",
    "JPEG-LL.dcm", "liver_1frame.dcm", "image_dfl.dcm", "SC_rgb_gdcm_KY.dcm",
)  # fmt: skip
"""Without any text. Not among them: OT-PAL-8-face.dcm, whose cardboard box has signs, and RG3, which has a marker."""
WITH_OWN_TEXT = (
    "examples_palette.dcm", "color3d_jpeg_baseline.dcm", "JPGLosslessP14SV1_1s_1f_8b.dcm", "OT-PAL-8-face.dcm",
    "RG3_J2KR.dcm",
)  # fmt: skip
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
VISIBLE = 15
"""Mean difference of a character from what was there, of 255."""


def view_of(name: str) -> View:
    """The first frame of a file, as it is shown, with whatever text it has."""
    path = next(folder / name for folder in FOLDERS if (folder / name).exists())
    header, data, at = read_header(path.read_bytes())
    found = cleaner_of(header, pixel_data(header, data, at), None).quantities(0)
    values = found.stored.astype(np.float32) * np.float32(found.slope) + np.float32(found.intercept)
    return render(values, found.window, found.inverted)


def cut(view: View, seed: int) -> View:
    """A part of at most 416 × 544."""
    chance = Random(seed)
    rows, columns = min(416, view.shape[0]), min(544, view.shape[1])
    top, left = chance.randint(0, view.shape[0] - rows), chance.randint(0, view.shape[1] - columns)
    return np.ascontiguousarray(view[top : top + rows, left : left + columns])


def mask_of(boxes: Iterable[Box], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(rows, columns): where boxes lie."""
    mask = np.zeros(shape[:2], bool)
    for left, top, right, bottom, _ in boxes:
        mask[top:bottom, left:right] = True
    return mask


def shares(labels: NDArray[np.int32], values: NDArray[Any]) -> NDArray[np.float64]:
    """Mean of `values` over each character, from number 1."""
    counts = np.bincount(labels.ravel())
    sums = np.bincount(labels.ravel(), weights=values.ravel().astype(np.float64))
    return (sums / np.maximum(counts, 1))[1:]


class Reader:
    """PP-OCRv6's recogniser, as the wheel of rapidocr has it."""

    def __init__(self) -> None:
        spec = find_spec("rapidocr")
        assert spec is not None
        assert spec.submodule_search_locations
        model = Path(spec.submodule_search_locations[0]) / "models" / "PP-OCRv6_rec_small.onnx"
        self._session: Any = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
        letters = self._session.get_modelmeta().custom_metadata_map["character"].split("\n")
        self._letters = ["", *letters, " "]

    def read(self, image: View, line: Line) -> set[int]:
        """Numbers of the line's characters that are read where it stands."""
        left, top, right, bottom = line.box
        part: Any = image[top:bottom, left:right]
        part = np.rot90(part, -1) if line.turned else part
        part = np.repeat(part[..., None], 3, axis=2) if part.ndim == 2 else part[..., ::-1]
        width = max(48, round(48 * part.shape[1] / part.shape[0]))
        batch = cv2.resize(np.ascontiguousarray(part), (width, 48)).astype(np.float32).transpose(2, 0, 1)[None]
        best = self._session.run(None, {"x": batch / 127.5 - 1})[0][0].argmax(axis=1)
        text = "".join(self._letters[one] for one, _ in itertools.groupby(best)).replace(" ", "")
        wanted = line.text.replace(" ", "")
        same = SequenceMatcher(None, wanted.upper(), text.upper(), autojunk=False).get_matching_blocks()
        return {line.first + block.a + step for block in same for step in range(block.size)}


def score(burned: Burned, clean: View, boxes: Iterable[Box], reader: Reader) -> tuple[set[int], set[int], set[int]]:
    """Characters that are visible; of those that are covered; and of those that are read all the same."""
    mask = mask_of(boxes, clean.shape)
    difference = np.abs(burned.image.astype(np.float32) - clean).reshape(*mask.shape, -1).max(axis=2)
    visible = set((np.flatnonzero(shares(burned.labels, cv2.blur(difference, (3, 3))) >= VISIBLE) + 1).tolist())
    covered = set((np.flatnonzero(shares(burned.labels, mask) >= 0.9) + 1).tolist()) & visible
    hidden = burned.image.copy()
    hidden[mask] = np.median(clean)
    leaked: set[int] = set()
    for line in burned.lines:
        if set(range(line.first, line.first + len(line.text.replace(" ", "")))) & visible - covered:
            leaked |= reader.read(hidden, line) & visible - covered
    return visible, covered, leaked


def plot(path: Path, curve: list[tuple[float, float, float]]) -> None:
    """Share of characters left readable and of clean pixels masked, both in percent, over the threshold."""
    canvas = np.full((360, 640, 3), 255, np.uint8)
    most = max(2.5, *(max(left, masked) for _, left, masked in curve))

    def at(threshold: float, percent: float) -> tuple[int, int]:
        return 60 + round(540 * threshold), 310 - round(270 * percent / most)

    for percent in np.arange(0, most, 0.5):
        cv2.line(canvas, at(0, percent), at(1, percent), (225, 225, 225), 1)
        cv2.putText(canvas, f"{percent:.1f} %", (8, at(0, percent)[1] + 4), 0, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    for threshold in np.arange(0, 1.01, 0.2):
        cv2.putText(canvas, f"{threshold:.1f}", (at(threshold, 0)[0] - 8, 328), 0, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    names = ("characters left readable", "clean pixels masked")
    for number, (name, colour) in enumerate(zip(names, ((40, 40, 200), (200, 90, 0)), strict=True)):
        points = np.array([at(row[0], row[1 + number]) for row in curve], np.int32)
        cv2.polylines(canvas, [points], isClosed=False, color=colour, thickness=2, lineType=cv2.LINE_AA)
        cv2.putText(canvas, name, (90 + 240 * number, 24), 0, 0.5, colour, 1, cv2.LINE_AA)
    cv2.putText(canvas, "least score of a box", (260, 348), 0, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    cv2.imwrite(str(path), canvas)


def main() -> None:
    """Print the tables of docs/burned-in-text.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0, help="of texts, places and pairings; the rules were tuned on 0")
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    reader = Reader()
    real = {name: view_of(name) for name in CLEAN + WITH_OWN_TEXT}
    pool: list[tuple[str, View]] = [(name, view) for name, view in real.items() if min(view.shape[:2]) >= 240]
    pool += made_up(1 + arguments.seed)

    counts: dict[tuple[str, object], list[int]] = defaultdict(lambda: [0, 0, 0])
    by_threshold = {threshold: [0, 0] for threshold in THRESHOLDS}
    around: list[float] = []
    cases = list(enumerate(itertools.product(STYLES, SIZES, available())))
    Random(arguments.seed).shuffle(cases)
    for case, (style, size, font) in cases[: arguments.cases]:
        number = case + 1000 * arguments.seed
        name, view = pool[number % len(pool)]
        clean = cut(view, number)
        burned = burn(clean, number, size=size, style=style, font=font, turned=number % 5 == 0)
        if not burned.lines:
            continue
        found = find_text(burned.image).boxes
        visible, covered, leaked = score(burned, clean, found, reader)
        groups = (("size", size), ("style", style), ("font", font), ("direction", "up" if number % 5 == 0 else "right"))
        for group in (("all", "all"), *groups, ("background", name)):
            for position, characters in enumerate((visible, covered, leaked)):
                counts[group][position] += len(characters)
        for threshold in THRESHOLDS:
            kept = [box for box in found if box.score >= threshold]
            left = leaked if len(kept) == len(found) else score(burned, clean, kept, reader)[2]
            by_threshold[threshold][0] += len(left)
            by_threshold[threshold][1] += len(visible)
        if name not in WITH_OWN_TEXT:
            outside = mask_of(found, clean.shape)
            for left, top, right, bottom in (line.box for line in burned.lines):
                outside[top:bottom, left:right] = False
            around.append(float(outside.mean()))

    masked: dict[float, list[float]] = defaultdict(list)
    without = [(name, real[name]) for name in CLEAN] + list(made_up(2))
    print("| without text | px | ms | masked % |\n| --- | --- | --- | --- |")
    for name, view in without:
        started = time.perf_counter()
        found = find_text(view).boxes
        took = time.perf_counter() - started
        for threshold in THRESHOLDS:
            kept = mask_of([box for box in found if box.score >= threshold], view.shape)
            masked[threshold].append(float(kept.mean()))
        print(f"| {name} | {view.shape[0]} × {view.shape[1]} | {took * 1e3:.0f} | {100 * masked[0.2][-1]:.2f} |")
    print(f"\nmasked beside seeded text, of all pixels, mean: {100 * float(np.mean(around)):.2f} %\n")

    print("| | | characters | covered % | unreadable % |\n| --- | --- | --- | --- | --- |")
    for (group, value), (visible, covered, leaked) in sorted(counts.items(), key=str):
        unreadable = 100 * (1 - leaked / max(visible, 1))
        print(f"| {group} | {value} | {visible} | {100 * covered / max(visible, 1):.1f} | {unreadable:.2f} |")
    curve = [
        (threshold, 100 * left / total, 100 * float(np.mean(masked[threshold])))
        for threshold, (left, total) in by_threshold.items()
    ]
    print("\n| least score | left readable % | clean pixels masked % |\n| --- | --- | --- |")
    for threshold, left, share in curve:
        print(f"| {threshold} | {left:.2f} | {share:.2f} |")
    if arguments.plot:
        plot(arguments.plot, curve)


if __name__ == "__main__":
    main()
