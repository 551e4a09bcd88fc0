"""What the projector of the tiny preset says of held-out pictures, before the language model says anything.

    .venv-llava/bin/python -m models.llava_tri.evaluation.read_out MODEL SET --facts triplets.jsonl --out read-out.json

Each gap of its sentence is held against the word that the source's facts put there, and against the word that they put
there most often in the training split; boxes by their overlap, against a box in the middle of the median size.
Intervals are over patients. A model says no more than this sentence holds, so its answers are read beside these
figures.
"""

# pyright: basic, reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from models.llava_tri.evaluation.in_process import load, pictures_beside
from models.llava_tri.evaluation.questions import Corners
from models.llava_tri.evaluation.scores.boxes import middle_box, overlap
from models.llava_tri.evaluation.scores.intervals import mean
from models.llava_tri.evaluation.scoring import FEWEST
from models.llava_tri.tiny.reader import BINS
from models.llava_tri.tiny.sentence import Words
from models.llava_tri.training.concepts import pixels_of, reading_tower, words_in
from models.llava_tri.training.examples import TrainingSet
from models.llava_tri.training.facts import FactsOnDisk


@dataclass(frozen=True, slots=True)
class _Row:
    """A held-out picture: what the facts say of it, what the sentence says, and whose it is."""

    truth: Words
    choices: dict[str, str]
    box: Corners
    patient: str


def measure(folder: Path, data: Path, triplets: Sequence[str], split: Any = "test") -> dict[str, Any]:
    """By gap, and for boxes: the share that is right, or the mean IoU, with n, 95 % interval and control.

    The same `by modality`, of those with five patients or more; controls then know the modality.
    """
    model, processor = load(folder)
    tower = reading_tower(model, "read-out")
    facts = FactsOnDisk(tuple(triplets))
    held_out = TrainingSet(data, split=split, cache=pictures_beside(folder))
    known, truth = words_in(TrainingSet(data), facts), words_in(held_out, facts)
    with torch.inference_mode():
        readings = [tower.reader.read(tower.features(some)) for some in pixels_of(processor, held_out).split(64)]
    said = {
        name: [words[one] for reading in readings for one in reading.choices[name].argmax(dim=1).tolist()]
        for name, words in tower.config.choices.items()
    }
    boxes: list[Corners] = [
        tuple(value / BINS for value in box) for reading in readings for box in reading.hundredths().tolist()
    ]
    rows = [
        _Row(one, {name: words[at] for name, words in said.items()}, boxes[at], patient)
        for at, (one, patient) in enumerate(zip(truth, held_out.groups(), strict=True))
    ]
    found = _figures(rows, known)
    for modality in sorted({str(one.choices["modality"]) for one in truth}):
        of_it = [one for one in rows if one.truth.choices["modality"] == modality]
        if len({one.patient for one in of_it}) >= FEWEST:
            alike = [one for one in known if one.choices["modality"] == modality]
            found.setdefault("by modality", {})[modality] = _figures(of_it, alike)
    return found


def _figures(rows: Sequence[_Row], known: Sequence[Words]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in rows[0].choices:
        often = Counter(one.choices[name] for one in known if one.choices[name] is not None)
        asked = [one for one in rows if one.truth.choices[name] is not None]
        if asked and often:
            (most, _), *_ = often.most_common(1)
            right = [one.choices[name] == one.truth.choices[name] for one in asked]
            frequent = [one.truth.choices[name] == most for one in asked]
            found[name] = _told(right, asked) | {"most frequent": _told(frequent, asked)}
    middle = middle_box([one.edges for one in known if one.edges is not None])
    marked = [(one, one.truth.edges) for one in rows if one.truth.edges is not None]
    if marked and middle is not None:
        whose = [one for one, _ in marked]
        found["box, IoU"] = _told([overlap(one.box, edges) for one, edges in marked], whose) | {
            "box in the middle": _told([overlap(middle, edges) for _, edges in marked], whose)
        }
    return found


def _told(values: Sequence[float], rows: Sequence[_Row]) -> dict[str, Any]:
    told = asdict(mean([float(one) for one in values], [one.patient for one in rows]))
    told["patients"] = told.pop("images")
    return {name: round(value, 4) for name, value in told.items()}


def main() -> None:
    """Measure, write, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="the folder of a model whose projector says a sentence")
    parser.add_argument("data", type=Path, help="the data set whose test split is asked")
    parser.add_argument("--facts", action="append", required=True, help="triplets that the data was made of")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    given = parser.parse_args()
    told = json.dumps(measure(given.model, given.data, given.facts), indent=1)
    if given.out is not None:
        given.out.write_text(told + "\n", encoding="utf-8")
    sys.stdout.write(told + "\n")


if __name__ == "__main__":
    main()
