"""How well the starter corpus is found in other words than its own: python -m benchmarks.knowledge_check [ENCODER...]

subject-questions.csv has two sorts of questions. *spoken*: what a clinician or a patient might say of a disease on one
modality, mostly without its name; asked of the base as text. *labelled*: a disease as a source spells it, which becomes
a question as the pipeline makes it; asked once as text alone, and once as the pipeline asks, which takes only passages
about what is named. Right are the passages about the disease, or about one that is `also` true of the question's words,
that fit the modality.

Weights were chosen on one half of the names, *chosen on*; what is claimed is the *other*. ENCODER: folders of encoders;
one that is fitted is always measured, and BM25 alone.
"""

import argparse
import csv
import math
import random
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from infra.processes import Processes
from infra.servers import WEAVIATE, install
from infra.weaviate import LocalWeaviate
from models.knowledge import (
    STARTER_CORPUS,
    KnowledgeBase,
    Query,
    ensure_index,
    find,
    load_encoder,
    open_embedded,
    questions,
    read_corpus,
)
from models.knowledge.embedded import DIMENSIONS
from models.knowledge.encoder import Encoder, Vectors, fit_encoder
from models.knowledge.text import indexed
from models.knowledge.weaviate import WeaviateKnowledge, build
from schemas.images import MODALITIES, ImageMetadata, Modality
from schemas.knowledge import Passage
from schemas.regions import Grounding, Intensity

QUESTIONS = Path(__file__).with_name("subject-questions.csv")
DEPTH = 5
ALONE = 1e6
"""A weight beside which BM25's 1 is nothing."""
# Of an image that has nothing but a label: no region, not even the whole.
_NOTHING = Grounding.model_construct(
    regions=(), intensity=Intensity(minimum=0, maximum=1, mean=0, standard_deviation=0, unit="stored value")
)


class Row(NamedTuple):
    """One question, and the passages that answer it."""

    name: str
    modality: Modality
    labelled: bool
    text: str
    right: frozenset[str]
    strictly: frozenset[str]

    @property
    def other(self) -> bool:
        """Whether it is of the half on which nothing was chosen."""
        return zlib.crc32(self.name.encode()) % 2 == 1

    @property
    def metadata(self) -> ImageMetadata:
        """Of an image with this label."""
        return ImageMetadata(source_format="PNG", modality=self.modality, disease=self.text)

    @property
    def query(self) -> Query:
        """As text, without more than the modality."""
        text = questions(self.metadata, _NOTHING)[0].query.text if self.labelled else self.text
        return Query(text, self.modality, limit=DEPTH)


class Score(NamedTuple):
    """The answer to one question."""

    first: bool
    found: bool
    gain: float
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Weighted:
    """An encoder with another weight beside BM25."""

    encoder: Encoder
    weight: float

    @property
    def name(self) -> str:
        return self.encoder.name

    @property
    def dimensions(self) -> int:
        return self.encoder.dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        return self.encoder.encode(texts)

    def encode_passages(self, passages: Sequence[tuple[str, str]]) -> Vectors:
        return self.encoder.encode_passages(passages)


@dataclass(frozen=True, slots=True)
class Nothing:
    """No encoder: every text is the same nothing."""

    name: str = "none"
    dimensions: int = 1
    weight: float = 0.0

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.zeros((len(texts), 1), np.float32)

    def encode_passages(self, passages: Sequence[tuple[str, str]]) -> Vectors:
        return self.encode([title for title, _ in passages])


def rows(passages: Sequence[Passage]) -> list[Row]:
    """All questions of the file."""
    known: dict[str, Modality] = {name: name for name in MODALITIES}
    found: list[Row] = []
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            modality = known[row["modality"]]
            names = [row["name"], *filter(None, row["also"].split("|"))]
            right, strictly = (_about(passages, about, modality) for about in (names, names[:1]))
            found.append(Row(row["name"], modality, row["asked"] == "labelled", row["question"], right, strictly))
    return found


def _about(passages: Sequence[Passage], names: Sequence[str], modality: str) -> frozenset[str]:
    fitting = (one for one in passages if not one.modalities or modality in one.modalities)
    return frozenset(one.passage_id for one in fitting if not set(names).isdisjoint(one.diseases))


def scored(search: Callable[[Row], Iterable[str]], asked: Sequence[Row], *, strictly: bool = False) -> list[Score]:
    """Each question's score."""
    found: list[Score] = []
    for row in asked:
        begun = time.perf_counter()
        ids = list(search(row))[:DEPTH]
        took = (time.perf_counter() - begun) * 1000
        right = row.strictly if strictly else row.right
        hits = [name in right for name in ids]
        ideal = sum(1 / math.log2(place + 2) for place in range(min(DEPTH, len(right))))
        gain = sum(hit / math.log2(place + 2) for place, hit in enumerate(hits)) / ideal
        found.append(Score(any(hits[:1]), any(hits), gain, took))
    return found


def as_text(base: KnowledgeBase) -> Callable[[Row], Iterable[str]]:
    """Asked by words and modality alone."""
    return lambda row: [one.passage_id for one in base.search(row.query)]


def as_the_pipeline(base: KnowledgeBase) -> Callable[[Row], Iterable[str]]:
    """Asked for an image that has nothing but this label."""
    return lambda row: [one.passage_id for one in find(base, questions(row.metadata, _NOTHING))]


def line(scores: Sequence[Score]) -> str:
    """The shares, recall with its 95 % interval from questions drawn again with replacement."""
    draw = random.Random(0)
    hits = [one.found for one in scores]
    means = sorted(statistics.mean(draw.choices(hits, k=len(hits))) for _ in range(1000))
    return (
        f"n={len(scores):<4} hit@1 {statistics.mean(one.first for one in scores):.3f}  "
        f"recall@{DEPTH} {statistics.mean(hits):.3f} ({means[25]:.3f}-{means[-26]:.3f})  "
        f"nDCG@{DEPTH} {statistics.mean(one.gain for one in scores):.3f}  "
        f"p50 {statistics.median(one.milliseconds for one in scores):.1f} ms"
    )


def report(name: str, base: KnowledgeBase, asked: Sequence[Row]) -> None:
    """Print what a base finds."""
    spoken, labelled = ([row for row in asked if row.labelled is sort] for sort in (False, True))
    for sort, those in (("spoken, chosen on", [row for row in spoken if not row.other]),
                        ("spoken, other", [row for row in spoken if row.other])):  # fmt: skip
        print(f"{name:22}{sort:26}{line(scored(as_text(base), those))}")
    print(f"{name:22}{'both sorts, other':26}{line(scored(as_text(base), [row for row in asked if row.other]))}")
    strictly = scored(as_text(base), [row for row in spoken if row.other], strictly=True)
    print(f"{name:22}{'spoken, other, by label':26}{line(strictly)}")
    print(f"{name:22}{'labelled, as text':26}{line(scored(as_text(base), labelled))}")
    print(f"{name:22}{'labelled, as the pipeline':26}{line(scored(as_the_pipeline(base), labelled))}", flush=True)


def rankers(folders: Sequence[Path], passages: Sequence[Passage]) -> dict[str, Encoder]:
    """Each way of ranking, as an encoder with its weight."""
    fitted = fit_encoder([indexed(one.title, one.text) for one in passages], DIMENSIONS)
    found: dict[str, Encoder] = {"BM25": Nothing(), "fitted alone": Weighted(_Named(fitted), ALONE)}
    found["BM25 and fitted"] = Weighted(_Named(fitted), fitted.weight)
    for folder in folders:
        encoder = load_encoder(folder)
        assert encoder is not None
        short = encoder.name.partition("@")[0].partition("-")[0]
        found |= {f"{short} alone": Weighted(encoder, ALONE), f"BM25 and {short}": encoder}
    return found


class _Named(Weighted):
    """A fitted encoder that is given rather than kept in the index, so that its weight can be another."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder, encoder.weight)

    @property
    def name(self) -> str:
        return "fitted"


def main() -> None:
    """Ask all, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoders", type=Path, nargs="*", metavar="ENCODER")
    parser.add_argument("--indexes", type=Path, help="folder in which indexes are kept for the next run")
    parser.add_argument("--weaviate", action="store_true", help="ask a real server too, which is started for it")
    options = parser.parse_args()
    passages = read_corpus(STARTER_CORPUS)
    asked = rows(passages)
    print(f"{len(passages)} passages, {len(asked)} questions")
    with tempfile.TemporaryDirectory() as temporary, Processes() as processes:
        folder = options.indexes or Path(temporary)
        server = LocalWeaviate(Path(temporary) / "weaviate")
        if options.weaviate:
            install(WEAVIATE, processes)
            server.start(processes)
        for name, encoder in rankers(options.encoders, passages).items():
            report(name, open_embedded(ensure_index(STARTER_CORPUS, folder, encoder), encoder), asked)
            if options.weaviate and name.startswith("BM25 and"):
                build(server.server, "starter", passages, encoder=encoder)
                knowledge = WeaviateKnowledge(server.server, encoder)
                report(f"{name}, W.", knowledge(), asked)
                knowledge.close()


if __name__ == "__main__":
    main()
