"""How well the starter corpus is found by other words than its own: `python -m benchmarks.knowledge_check [ENCODER]`.

subject-questions.csv: what a clinician or a patient might say of a disease on one modality, without its name. Right are
all passages about the disease that fit the modality. ENCODER: a folder; without it, the encoder is fitted.
"""

import csv
import math
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from models.knowledge import STARTER_CORPUS, Query, ensure_index, load_encoder, open_embedded, read_corpus
from schemas.images import MODALITIES, Modality

QUESTIONS = Path(__file__).with_name("subject-questions.csv")
DEPTH = 5


class Asked(NamedTuple):
    """The answer to one question."""

    first: bool
    found: bool
    gain: float
    milliseconds: float


def main() -> None:
    """Ask all, and print the shares."""
    encoder = load_encoder(Path(sys.argv[1])) if len(sys.argv) > 1 else None
    passages = read_corpus(STARTER_CORPUS)
    known: dict[str, Modality] = {name: name for name in MODALITIES}
    asked: list[Asked] = []
    with tempfile.TemporaryDirectory() as folder, QUESTIONS.open(encoding="utf-8", newline="") as file:
        base = open_embedded(ensure_index(STARTER_CORPUS, Path(folder), encoder), encoder)
        for row in csv.DictReader(file):
            modality = known[row["modality"]]
            right = {
                passage.passage_id
                for passage in passages
                if row["name"] in passage.diseases and (not passage.modalities or modality in passage.modalities)
            }
            begun = time.perf_counter()
            hits = [one.passage_id in right for one in base.search(Query(row["question"], modality, limit=DEPTH))]
            took = (time.perf_counter() - begun) * 1000
            ideal = sum(1 / math.log2(place + 2) for place in range(min(DEPTH, len(right))))
            gain = sum(hit / math.log2(place + 2) for place, hit in enumerate(hits)) / ideal
            asked.append(Asked(any(hits[:1]), any(hits), gain, took))
    print(f"{base.snapshot}, {encoder.name if encoder else 'fitted'}: {len(passages)} passages, {len(asked)} questions")
    print(
        f"hit@1 {statistics.mean(one.first for one in asked):.3f}  "
        f"hit@{DEPTH} {statistics.mean(one.found for one in asked):.3f}  "
        f"nDCG@{DEPTH} {statistics.mean(one.gain for one in asked):.3f}  "
        f"p50 {statistics.median(one.milliseconds for one in asked):.1f} ms"
    )


if __name__ == "__main__":
    main()
