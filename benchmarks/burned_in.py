"""How much seeded text is hidden, what is masked in real images without text, and how long it takes.

    make burned-in-check
    python -m benchmarks.burned_in [--cases N] [--seed N ...] [--archive FILE] [--pictures DIR ...] [--plot FILE]

A character counts as covered when at least 90 % of its ink is masked, and as unreadable when it is covered or when the
judge no longer reads it in the masked line. The judge is PP-OCRv6's recogniser, which also decides what is masked: what
it cannot read at all is left and counts as unreadable, so the share that is covered is the figure that stands by
itself, and `--judge` takes another recogniser. Only characters that differ from what is behind them count.
"""

import argparse
import itertools
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from benchmarks.burned_text import SIZES, STYLES, Burned, Line, available, burn, made_up
from benchmarks.text_free import DICOM, WITH_OWN_TEXT, View, of_archive, of_folder, of_packages, view_of
from models.imaging.masking import marked_in
from models.imaging.text import Box, find_text
from models.imaging.text.boxes import painted
from models.imaging.text.strokes import strokes_of, worth_a_look
from models.imaging.text.weights import recogniser

THRESHOLDS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
VISIBLE = 15
"""Mean difference of a character from what was there, of 255."""


def cut(view: View, seed: int) -> View:
    """A part of at most 416 × 544."""
    chance = Random(seed)
    rows, columns = min(416, view.shape[0]), min(544, view.shape[1])
    top, left = chance.randint(0, view.shape[0] - rows), chance.randint(0, view.shape[1] - columns)
    return np.ascontiguousarray(view[top : top + rows, left : left + columns])


def shares(labels: NDArray[np.int32], values: NDArray[Any]) -> NDArray[np.float64]:
    """Mean of `values` over each character, from number 1."""
    counts = np.bincount(labels.ravel())
    sums = np.bincount(labels.ravel(), weights=values.ravel().astype(np.float64))
    return (sums / np.maximum(counts, 1))[1:]


class Reader:
    """A recogniser of the PaddleOCR family, whose ONNX file names its characters."""

    def __init__(self, model: Path) -> None:
        self._session: Any = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
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
        best = self._session.run(None, {self._input: batch / 127.5 - 1})[0][0].argmax(axis=1)
        text = "".join(self._letters[one] for one, _ in itertools.groupby(best)).replace(" ", "")
        wanted = line.text.replace(" ", "")
        same = SequenceMatcher(None, wanted.upper(), text.upper(), autojunk=False).get_matching_blocks()
        return {line.first + block.a + step for block in same for step in range(block.size)}


def score(burned: Burned, clean: View, boxes: Iterable[Box], reader: Reader) -> tuple[set[int], set[int], set[int]]:
    """Characters that are visible; of those that are covered; and of those that are read all the same."""
    mask = painted(boxes, clean.shape)
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


class Seeded:
    """Counts over images with seeded text: visible characters, covered ones, and those read all the same."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.groups: dict[tuple[str, object], list[int]] = defaultdict(lambda: [0, 0, 0])
        self.left_readable = dict.fromkeys(THRESHOLDS, 0)
        self.uncovered = dict.fromkeys(THRESHOLDS, 0)
        self.beside: list[float] = []
        self.seconds: list[float] = []
        self.passed_by = 0
        """Images that the stroke test alone would have sent past the line finder."""

    def run(self, seed: int, cases: int) -> None:
        """Burn text into parts of real and made-up images, and look for it."""
        real = {name: view_of(name) for name in DICOM + WITH_OWN_TEXT}
        pool: list[tuple[str, View]] = [(name, view) for name, view in real.items() if min(view.shape[:2]) >= 240]
        pool += made_up(1 + seed)
        drawn = list(enumerate(itertools.product(STYLES, SIZES, available())))
        Random(seed).shuffle(drawn)
        for case, (style, size, font) in drawn[:cases]:
            number = case + 1000 * seed
            name, view = pool[number % len(pool)]
            clean, turned = cut(view, number), number % 5 == 0
            burned = burn(clean, number, size=size, style=style, font=font, turned=turned)
            if burned.lines:
                direction = "up" if turned else "right"
                groups = (
                    ("size", size),
                    ("style", style),
                    ("font", font),
                    ("direction", direction),
                    ("background", name),
                )
                self._add(burned, clean, groups, own_text=name in WITH_OWN_TEXT)

    def _add(self, burned: Burned, clean: View, groups: Sequence[tuple[str, object]], *, own_text: bool) -> None:
        started = time.process_time()
        found = find_text(burned.image).boxes
        self.seconds.append(time.process_time() - started)
        visible, covered, leaked = score(burned, clean, found, self._reader)
        self.passed_by += bool(visible) and not worth_a_look(strokes_of(burned.image)).any()
        for group in (("all", "all"), *groups):
            for position, characters in enumerate((visible, covered, leaked)):
                self.groups[group][position] += len(characters)
        for threshold in THRESHOLDS:
            kept = [box for box in found if box.score >= threshold]
            if len(kept) < len(found):
                _, hidden, left = score(burned, clean, kept, self._reader)
            else:
                hidden, left = covered, leaked
            self.left_readable[threshold] += len(left)
            self.uncovered[threshold] += len(visible - hidden)
        if not own_text:
            outside = painted(found, clean.shape)
            for left_, top, right, bottom in (line.box for line in burned.lines):
                outside[top:bottom, left_:right] = False
            self.beside.append(float(outside.mean()))


class TextFree:
    """What is masked in images without text, by the least score of a box."""

    def __init__(self) -> None:
        self.touched = dict.fromkeys(THRESHOLDS, 0)
        self.share = dict.fromkeys(THRESHOLDS, 0.0)
        self.images = 0
        self.seconds: list[float] = []

    def add(self, name: str, view: View) -> None:
        """Look for text in one, and print what was taken for it."""
        started = time.process_time()
        found = find_text(view).boxes
        self.seconds.append(time.process_time() - started)
        self.images += 1
        for threshold in THRESHOLDS:
            kept = [box for box in found if box.score >= threshold]
            self.touched[threshold] += bool(kept)
            self.share[threshold] += float(painted(kept, view.shape).mean())
        if found:
            boxes = ", ".join(f"{box[:4]} {box.score:.2f}" for box in found)
            print(f"masked without text: {name}, {view.shape[1]} × {view.shape[0]}: {boxes}")


def plot(path: Path, curve: list[tuple[float, float, float]]) -> None:
    """Share of characters left readable and of images without text in which something is masked, both in percent."""
    canvas = np.full((360, 640, 3), 255, np.uint8)
    most = max(4.0, *(max(left, touched) for _, left, touched in curve))

    def at(threshold: float, percent: float) -> tuple[int, int]:
        return 60 + round(540 * threshold), 310 - round(270 * percent / most)

    for percent in np.arange(0, most, 0.5 if most < 6 else 2):
        cv2.line(canvas, at(0, percent), at(1, percent), (225, 225, 225), 1)
        cv2.putText(canvas, f"{percent:.1f} %", (8, at(0, percent)[1] + 4), 0, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    for threshold in np.arange(0, 1.01, 0.2):
        cv2.putText(canvas, f"{threshold:.1f}", (at(threshold, 0)[0] - 8, 328), 0, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    names = ("characters left readable", "images without text masked")
    for number, (name, colour) in enumerate(zip(names, ((40, 40, 200), (200, 90, 0)), strict=True)):
        points = np.array([at(row[0], row[1 + number]) for row in curve], np.int32)
        cv2.polylines(canvas, [points], isClosed=False, color=colour, thickness=2, lineType=cv2.LINE_AA)
        cv2.putText(canvas, name, (90 + 260 * number, 24), 0, 0.5, colour, 1, cv2.LINE_AA)
    cv2.putText(canvas, "least score of a box", (260, 348), 0, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    cv2.imwrite(str(path), canvas)


def pictures(folder: Path) -> None:
    """Print what the pipeline masks in a folder's images, whatever is in them, and of regions that sidecars mark."""
    touched, share, images, lost, marked_images = 0, 0.0, 0, 0, 0
    print("\n| picture | why | masked % | boxes | px of marked regions |\n| --- | --- | --- | --- | --- |")
    for name, frame in of_folder(folder):
        cleaning = frame.metadata.pixel_cleaning
        assert cleaning is not None
        boxes = [Box(*box.model_dump().values()) for box in cleaning.boxes]
        hidden = painted(boxes, frame.stored.shape)
        over = int((hidden & marked_in(frame.annotations, frame.stored.shape)).sum())
        images, touched, share = images + 1, touched + bool(boxes), share + float(hidden.mean())
        lost, marked_images = lost + over, marked_images + bool(frame.annotations)
        if boxes:
            print(f"| {name} | {cleaning.reason} | {100 * hidden.mean():.3f} | {len(boxes)} | {over} |")
    print(
        f"\n{images} images, {touched} masked, mean share {100 * share / max(images, 1):.3f} %; "
        f"{marked_images} with marked regions, of which {lost} px were masked"
    )


def main() -> None:
    """Print the tables of docs/burned-in-text.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=400, help="of each seed")
    parser.add_argument("--seed", type=int, nargs="+", default=[0], help="of texts, places and pairings")
    parser.add_argument("--archive", type=Path, help="PyRadiomics' source archive, as make real-data brings it")
    parser.add_argument("--pictures", type=Path, nargs="+", default=[], help="folders to look at as well")
    parser.add_argument("--judge", type=Path, help="another recogniser: ONNX with its characters in the metadata")
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    find_text(made_up_first())  # the models are loaded

    free = TextFree()
    for name, view in itertools.chain(of_packages(), of_archive(arguments.archive) if arguments.archive else ()):
        free.add(name, view)
    drawn = TextFree()
    for name, view in made_up(2):
        drawn.add(name, view)
    for title, each in (("real", free), ("made up", drawn)):
        print(
            f"{each.images} {title} images without text: nothing masked in "
            f"{100 * (1 - each.touched[0.0] / each.images):.1f} %, mean masked share "
            f"{100 * each.share[0.0] / each.images:.3f} %, {1e3 * float(np.mean(each.seconds)):.0f} ms each, "
            f"{1e3 * max(each.seconds):.0f} at most"
        )
    seeded = Seeded(Reader(arguments.judge or recogniser()))
    for seed in arguments.seed:
        seeded.run(seed, arguments.cases)
    print(
        f"\nseeds {arguments.seed}, {len(seeded.seconds)} images: masked beside the text, of all pixels, mean "
        f"{100 * float(np.mean(seeded.beside)):.2f} %; sent past the line finder by the stroke test "
        f"{seeded.passed_by}; {1e3 * float(np.mean(seeded.seconds)):.0f} ms each\n"
    )
    print("| | | characters | covered % | unreadable % |\n| --- | --- | --- | --- | --- |")
    for (group, value), (visible, covered, leaked) in sorted(seeded.groups.items(), key=str):
        unreadable = 100 * (1 - leaked / max(visible, 1))
        print(f"| {group} | {value} | {visible} | {100 * covered / max(visible, 1):.1f} | {unreadable:.2f} |")
    total = seeded.groups["all", "all"][0]
    curve = [
        (
            threshold,
            100 * seeded.left_readable[threshold] / max(total, 1),
            100 * free.touched[threshold] / free.images,
        )
        for threshold in THRESHOLDS
    ]
    print("\n| least score | not covered % | left readable % | images masked % | mean share % |")
    print("| --- | --- | --- | --- | --- |")
    for threshold, left, touched in curve:
        print(
            f"| {threshold} | {100 * seeded.uncovered[threshold] / max(total, 1):.2f} | {left:.2f} | {touched:.1f} | "
            f"{100 * free.share[threshold] / free.images:.3f} |"
        )
    if arguments.plot:
        plot(arguments.plot, curve)
    for folder in arguments.pictures:
        pictures(folder)


def made_up_first() -> View:
    """Any picture."""
    return next(view for _, view in made_up(0))


if __name__ == "__main__":
    main()
