"""How often the expected passage is among the first: the embedded store and Weaviate side by side. Knows no pipeline.

    python -m benchmarks.recall [--encoder FOLDER]

Asks the questions of benchmarks/questions.jsonl, written for the starter corpus as a clinician would ask: one for each
passage, with modality and organ where a question has them, mostly without its words. They were not used to choose
anything. Milliseconds are medians; the stores take turns, on a Weaviate that was just started.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from infra.processes import Processes
from infra.servers import WEAVIATE, install
from infra.weaviate import LocalWeaviate
from models.knowledge import (
    STARTER_CORPUS,
    Encoder,
    KnowledgeBase,
    Query,
    load_encoder,
    open_embedded,
    read_corpus,
    write_index,
)
from models.knowledge.weaviate import WeaviateKnowledge, build
from schemas.images import Modality

QUESTIONS = Path(__file__).with_name("questions.jsonl")
DEPTHS = (1, 5, 10)
RESAMPLED = 2000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the passages of which one must be found."""

    question: str
    modality: Modality | None
    organ: str | None
    expected: tuple[str, ...]

    @property
    def query(self) -> Query:
        """As a store is asked."""
        return Query(self.question, self.modality, self.organ, limit=max(DEPTHS))


def questions() -> list[Question]:
    """All of the file."""
    lines = map(orjson.loads, QUESTIONS.read_bytes().splitlines())
    return [Question(one["question"], one["modality"], one["organ"], tuple(one["expected"])) for one in lines]


def places(base: KnowledgeBase, asked: Sequence[Question], times: list[float]) -> list[int]:
    """The place of the best expected passage of each question, from 1; beyond the deepest where it is not found."""
    found: list[int] = []
    for one in asked:
        begun = time.perf_counter()
        ids = [passage.passage_id for passage in base.search(one.query)]
        times.append((time.perf_counter() - begun) * 1000)
        found.append(min((ids.index(name) + 1 for name in one.expected if name in ids), default=max(DEPTHS) + 1))
    return found


def interval(hits: Sequence[bool]) -> tuple[float, float]:
    """95 % of means of questions drawn again with replacement."""
    draw = random.Random(0)
    means = sorted(statistics.mean(draw.choices(hits, k=len(hits))) for _ in range(RESAMPLED))
    return means[RESAMPLED // 40], means[-RESAMPLED // 40]


def report(stores: dict[str, Callable[[], KnowledgeBase]], asked: Sequence[Question]) -> None:
    """Print a line for each store."""
    times: dict[str, list[float]] = {name: [] for name in stores}
    found = {name: places(knowledge(), asked, times[name]) for name, knowledge in stores.items()}
    for _ in range(2):
        for name, knowledge in stores.items():
            places(knowledge(), asked, times[name])
    print(f"{len(asked)} questions, {len({name for one in asked for name in one.expected})} passages expected")
    print(f"{'store':10}" + "".join(f"{f'recall@{depth}':>11}" for depth in DEPTHS) + "  95 % of recall@5   p50 ms")
    for name, ranks in found.items():
        recalls = "".join(f"{statistics.mean(rank <= depth for rank in ranks):11.3f}" for depth in DEPTHS)
        low, high = interval([rank <= 5 for rank in ranks])
        print(f"{name:10}{recalls}  {low:.3f}-{high:.3f}{statistics.median(times[name]):16.1f}")
    same = sum(one == other for one, other in zip(*found.values(), strict=True))
    print(f"the same place in both: {same} of {len(asked)}")


def main() -> None:
    """Build both stores, ask both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, help="folder of an exported encoder; without it, one is fitted")
    options = parser.parse_args()
    encoder: Encoder | None = load_encoder(options.encoder)
    passages = read_corpus(STARTER_CORPUS)
    with tempfile.TemporaryDirectory() as temporary, Processes() as processes:
        index = Path(temporary) / "starter.npz"
        write_index("starter", passages, index, encoder)
        embedded = open_embedded(index, encoder)
        install(WEAVIATE, processes)
        local = LocalWeaviate(Path(temporary) / "weaviate")
        local.start(processes)
        build(local.server, "starter", passages, encoder=encoder)
        knowledge = WeaviateKnowledge(local.server, encoder)
        report({"embedded": lambda: embedded, "weaviate": knowledge}, questions())
        knowledge.close()


if __name__ == "__main__":
    main()
