"""Fit the probe that spares the recogniser's second half: models/imaging/text/signs.npy.

    python -m benchmarks.text_signs reads READS --seeds 101 102 --cases 130
    python -m benchmarks.text_signs reads READS --pictures FOLDER ...
    python -m benchmarks.text_signs fit models/imaging/text/signs.npy READS ...

`reads` writes what the probe would be told of each read of drawn text, or of real pictures, and whether it was of text:
in a line that was refused, or of signs in one that was kept. `fit` learns from that. The least sum of what may be signs
is that of the read of drawn text below which 0.2 % of them lie, each picture judged by weights that were fitted without
it: what is kept of real pictures is not text without exception.
"""

import argparse
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple
from unittest.mock import patch

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.burned_in import cut
from benchmarks.burned_text import SIZES, STYLES, available, burn, made_up
from benchmarks.text_free import DICOM, WITH_OWN_TEXT, View, view_of
from models.imaging import FramePolicy, open_source, render
from models.imaging.text import Box, choice, find_text, proof, reader
from models.imaging.text.proof import Proof
from models.imaging.text.reader import Reading
from models.imaging.text.signs import Middle, described, placed
from models.imaging.text.strokes import Picture
from schemas.failures import InvalidInput

_LEGIBLE = 0.6
"""Score of the clearest sign of a read that a kept line rests on."""
_FOLDS, _LOST, _DECAY = 4, 0.002, 1e-3
"""Groups of pictures; share of reads of text that the threshold loses; weight of the squares of weights."""


class Read(NamedTuple):
    """A read, and how it came out."""

    picture: str
    told: NDArray[np.float32]
    seconds: float
    text: bool


class Record:
    """What the search reads in pictures."""

    def __init__(self) -> None:
        self.reads: list[Read] = []
        self._told: NDArray[np.float32] | None = None
        self._of_box: list[tuple[NDArray[np.float32], Reading, float]] = []

    def search(self, name: str, view: View) -> None:
        """Look for text in a picture as the pipeline does, with nothing spared."""
        read, proved, is_sign = reader.read, choice.proved, choice.is_sign

        def told(middle: Middle, box: Box) -> bool:
            self._told = np.concatenate((described(middle), placed(box)))
            return True

        def reading(line: Picture, box: Box | None = None) -> Reading:
            started = time.thread_time()
            found = read(line, box)
            if self._told is not None:
                self._of_box.append((self._told, found, time.thread_time() - started))
                self._told = None
            return found

        def proving(picture: Picture, box: Box) -> Proof:
            self._of_box = []
            found = proved(picture, box)
            self._add(name, kept=found.score > 0, doubtful=found.score == 0 and bool(found.sign))
            return found

        def of_sign(picture: Picture, box: Box) -> bool:
            self._of_box = []
            found = is_sign(picture, box)
            self._add(name, kept=found, doubtful=False)
            return found

        with (
            patch.object(reader, "may_be_signs", told), patch.object(proof, "read", reading),
            patch.object(choice, "proved", proving), patch.object(choice, "is_sign", of_sign),
        ):  # fmt: skip
            find_text(view)

    def _add(self, name: str, *, kept: bool, doubtful: bool) -> None:
        """Of a line with one clear sign nothing is learnt, nor of what a kept one says the wrong way round."""
        for told, found, seconds in self._of_box:
            legible = max(found.scores, default=0.0) >= _LEGIBLE
            if not doubtful and (legible or not kept):
                self.reads.append(Read(name, told, seconds, kept))


def drawn(seed: int, cases: int) -> Iterator[tuple[str, View]]:
    """Parts of real and made-up images with burned-in text, as benchmarks.burned_in draws them."""
    real = {name: view_of(name) for name in DICOM + WITH_OWN_TEXT}
    pool = [(name, view) for name, view in real.items() if min(view.shape[:2]) >= 240] + list(made_up(1 + seed))
    pairings = list(enumerate(itertools.product(STYLES, SIZES, available())))
    Random(seed).shuffle(pairings)
    for case, (style, size, font) in pairings[:cases]:
        number = case + 1000 * seed
        name, view = pool[number % len(pool)]
        burned = burn(cut(view, number), number, size=size, style=style, font=font, turned=number % 5 == 0)
        if burned.lines:
            yield f"{number} {name}", burned.image


def of_folder(folder: Path) -> Iterator[tuple[str, View]]:
    """First frames of the images below a folder; masks, which are none, are passed over."""
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        inside = path.relative_to(folder)
        if path.suffix not in (".png", ".jpg", ".jpeg", ".dcm") or "mask" in str(inside) or str(inside).startswith("."):
            continue
        try:
            frame = open_source(path.read_bytes(), FramePolicy(), burned_in=None).read(0)
        except InvalidInput:
            continue
        yield str(path), render(frame.values, frame.window, frame.inverted)


def fitted(told: NDArray[np.float32], text: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights and bias of a logistic regression, both classes weighing the same, for what is told as it is."""
    mean, spread = told.mean(axis=0), told.std(axis=0) + 1e-3
    scaled = np.column_stack(((told - mean) / spread, np.ones(len(told)))).astype(np.float64)
    sign = np.where(text, 1.0, -1.0)
    weight = np.where(text, 1 / text.sum(), 1 / (~text).sum())

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin, kept = sign * (scaled @ weights), np.append(weights[:-1], 0)
        wrong = weight * sign / (1 + np.exp(np.minimum(margin, 500)))
        value = (weight * np.logaddexp(0, -margin)).sum() + _DECAY * kept @ kept
        return float(value), -wrong @ scaled + 2 * _DECAY * kept

    weights = minimize(loss, np.zeros(scaled.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    return np.append(weights[:-1] / spread, weights[-1] - (weights[:-1] * mean / spread).sum())


def fit(reads: list[Path], out: Path) -> None:
    """Write the weights, and print what they cost and spare in pictures that they were not fitted on."""
    parts = [np.load(path) for path in reads]
    told, text, seconds, names = (
        np.concatenate([part[key] for part in parts]) for key in ("told", "text", "seconds", "names")
    )
    distinct, of_picture = np.unique(names, return_inverse=True)
    folds = np.random.default_rng(0).integers(0, _FOLDS, len(distinct))[of_picture]
    sums = np.zeros(len(text))
    for fold in range(_FOLDS):
        weights = fitted(told[folds != fold], text[folds != fold])
        sums[folds == fold] = told[folds == fold] @ weights[:-1] + weights[-1]
    is_drawn = np.char.isdigit([name[:1] for name in names])  # A case's number; else a path.
    least = float(np.sort(sums[text & is_drawn])[int(_LOST * (text & is_drawn).sum())])
    for title, chosen in (("drawn", is_drawn), ("real", ~is_drawn)):
        refused, kept = chosen & ~text, chosen & text
        ended = seconds[refused & (sums < least)].sum() / max(seconds[refused].sum(), 1e-9)
        print(
            f"{title}: of {refused.sum()} reads in refused lines those end halfway that take {100 * ended:.0f} % of "
            f"the time; of {kept.sum()} reads of text {(kept & (sums < least)).sum()} do"
        )
    weights = fitted(told, text)
    np.save(out, np.append(weights[:-1], least - weights[-1]).astype(np.float32))


def main() -> None:
    """Gather reads, or fit to them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    gather = commands.add_parser("reads")
    gather.add_argument("out", type=Path)
    gather.add_argument("--seeds", type=int, nargs="*", default=[])
    gather.add_argument("--cases", type=int, default=130)
    gather.add_argument("--pictures", type=Path, nargs="*", default=[])
    fitting = commands.add_parser("fit")
    fitting.add_argument("out", type=Path)
    fitting.add_argument("reads", type=Path, nargs="+")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.command == "fit":
        fit(arguments.reads, arguments.out)
        return
    record = Record()
    pictures = (of_folder(folder) for folder in arguments.pictures)
    for name, view in itertools.chain(*(drawn(seed, arguments.cases) for seed in arguments.seeds), *pictures):
        record.search(name, view)
    names, told, seconds, text = zip(*record.reads, strict=True)
    np.savez(arguments.out, names=names, told=np.array(told), seconds=seconds, text=np.array(text))


if __name__ == "__main__":
    main()
