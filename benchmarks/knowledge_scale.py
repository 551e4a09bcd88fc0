"""How both stores keep up with size: python -m benchmarks.knowledge_scale [--passages N...] [--stores STORE...]

Passages are made: the texts are sentences of the starter corpus shuffled together, the vectors are those of the corpus
moved by seeded noise, so that each has neighbours at all distances; questions likewise. No encoder runs: its time comes
on top, and is the same in both stores. For each size: seconds to build, milliseconds of 200 searches with a modality,
resident memory, and, of Weaviate and LanceDB, which share of the exact 5 nearest vectors the index finds without words.
LanceDB is no dependency of the project: it is measured where it is installed (in a throw-away environment).
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from weaviate.classes.query import MetadataQuery

from benchmarks.knowledge import synthetic
from infra.processes import Processes
from infra.servers import WEAVIATE, install
from infra.weaviate import LocalWeaviate
from models.knowledge import STARTER_CORPUS, KnowledgeBase, Query, open_embedded, read_corpus, write_index
from models.knowledge.encoder import Vectors, fit_encoder
from models.knowledge.text import indexed, words
from models.knowledge.weaviate import WeaviateKnowledge, build
from models.knowledge.wording import counted
from schemas.images import Modality
from schemas.knowledge import FoundPassage, Passage

DIMENSIONS = 384
ASKED = 200
NEAREST = 5
NOISE = 0.6
"""Length of what is added to a vector of length 1: the cosine to where it began is then about 0.86."""


@dataclass(frozen=True)
class Made:
    """An encoder of made vectors: each passage's by its place, a question's by its words."""

    passages: Vectors
    places: dict[tuple[str, str], int]
    questions: dict[str, Vectors]
    name: str = "made@1"
    dimensions: int = DIMENSIONS
    weight: float = 0.5

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self.questions[text] for text in texts])

    def encode_passages(self, passages: Sequence[tuple[str, str]]) -> Vectors:
        return self.passages[[self.places[passage] for passage in passages]]


def made(count: int) -> tuple[tuple[Passage, ...], Made, list[Query]]:
    """Passages, their encoder and questions, the same for the same count."""
    draw = np.random.default_rng(0)
    starter = read_corpus(STARTER_CORPUS)
    fitted = fit_encoder([indexed(one.title, one.text) for one in starter], DIMENSIONS)
    centres = fitted.encode_passages([(one.title, one.text) for one in starter])
    width = centres.shape[1]
    passages = tuple(sorted(synthetic(count), key=lambda one: one.passage_id))

    def around(number: int) -> Vectors:
        noise = draw.standard_normal((number, width)).astype(np.float32) * (NOISE / width**0.5)
        near = centres[draw.integers(0, len(centres), number)] + noise
        return (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)

    chosen = random.Random(1).choices([one for one in starter if one.modalities], k=ASKED)
    texts = [" ".join(random.Random(place).choices(words(one.text), k=10)) for place, one in enumerate(chosen)]
    asked: list[Query] = []
    for text, one in zip(texts, chosen, strict=True):
        modality: Modality = one.modalities[0]  # type: ignore[assignment]
        asked.append(Query(text, modality, limit=NEAREST))
    encoder = Made(
        around(count),
        {(one.title, one.text): place for place, one in enumerate(passages)},
        dict(zip(texts, around(ASKED), strict=True)),
        dimensions=width,
    )
    return passages, encoder, asked


def timed(base: KnowledgeBase, asked: Sequence[Query]) -> str:
    """p50 and p99 of searches, the first ten not counted, and p50 of this process' CPU time: load changes it little."""
    times: list[tuple[float, float]] = []
    for query in (*asked[:10], *asked):
        begun, worked = time.perf_counter(), time.process_time()
        base.search(query)
        times.append(((time.perf_counter() - begun) * 1000, (time.process_time() - worked) * 1000))
    passed, cpu = zip(*times[10:], strict=True)
    told = f"p50 {statistics.median(passed):.1f} ms  p99 {statistics.quantiles(passed, n=100)[98]:.1f} ms"
    return f"{told}  CPU p50 {statistics.median(cpu):.1f} ms"


def embedded(count: int, folder: Path) -> None:
    """One file, in this process."""
    passages, encoder, asked = made(count)
    path = folder / f"{count}.npz"
    begun = time.perf_counter()
    write_index("made", passages, path, encoder)
    built = time.perf_counter() - begun
    del passages
    begun = time.perf_counter()
    base = open_embedded(path, encoder)
    opened = time.perf_counter() - begun
    memory = psutil.Process().memory_info().rss / 2**20
    told = f"built in {built:.0f} s, opened in {opened:.1f} s, {memory:.0f} MiB"
    print(f"embedded  {count:>7,}  {timed(base, asked)}  {told}", flush=True)


def weaviate(count: int, folder: Path) -> None:
    """A real server, started for this."""
    passages, encoder, asked = made(count)
    with Processes() as processes:
        install(WEAVIATE, processes)
        local = LocalWeaviate(folder / f"weaviate-{count}")
        local.start(processes)
        begun = time.perf_counter()
        build(local.server, "made", passages, encoder=encoder, tell=_told(begun))
        built = time.perf_counter() - begun
        knowledge = WeaviateKnowledge(local.server, encoder)
        took = timed(knowledge(), asked)
        share = recall(knowledge, encoder, passages, asked)
        memory = sum(
            one.memory_info().rss for one in psutil.Process().children(recursive=True) if "weaviate" in one.name()
        )
        knowledge.close()
    print(
        f"weaviate  {count:>7,}  {took}  built in {built:.0f} s, {memory / 2**20:.0f} MiB, "
        f"recall@{NEAREST} of its vector index {share:.3f}",
        flush=True,
    )


def lancedb(count: int, folder: Path) -> None:
    """LanceDB in this process: full-text index, IVF of HNSW graphs over quantised vectors, its own fusion by ranks."""
    import lancedb as lance  # type: ignore[import-not-found]
    import pyarrow as pa  # type: ignore[import-not-found]

    passages, encoder, asked = made(count)
    begun = time.perf_counter()
    database: Any = lance.connect(folder / f"lance-{count}")
    table = database.create_table(
        "passages",
        pa.table(
            {
                "passage_id": [one.passage_id for one in passages],
                "text": [" ".join(terms) for terms in counted(passages)],
                "fits": [list(one.modalities) or ["any"] for one in passages],
                "vector": pa.FixedSizeListArray.from_arrays(
                    pa.array(encoder.passages.reshape(-1)), encoder.passages.shape[1]
                ),
            }
        ),
    )
    table.create_fts_index("text")
    table.create_scalar_index("fits", index_type="LABEL_LIST")
    table.create_index(metric="dot", index_type="IVF_HNSW_SQ", vector_column_name="vector")
    built = time.perf_counter() - begun

    class Base:
        snapshot = "lancedb"

        def search(self, query: Query) -> tuple[FoundPassage, ...]:
            found = table.search(query_type="hybrid", vector_column_name="vector")
            found = found.vector(encoder.encode([query.text])[0]).text(" ".join(words(query.text)))
            found = found.where(f"array_has_any(fits, ['{query.modality}', 'any'])", prefilter=True)
            found.limit(query.limit).select(["passage_id"]).to_list()
            return ()

    took = timed(Base(), asked)
    shares: list[float] = []
    for query in asked:
        vector = encoder.questions[query.text]
        exact = np.argpartition(-(encoder.passages @ vector), NEAREST)[:NEAREST]
        rows = table.search(vector, vector_column_name="vector").limit(NEAREST).select(["passage_id"]).to_list()
        shares.append(len({row["passage_id"] for row in rows} & {passages[place].passage_id for place in exact}))
    memory = psutil.Process().memory_info().rss / 2**20
    print(
        f"lancedb   {count:>7,}  {took}  built in {built:.0f} s, {memory:.0f} MiB with passages and exact vectors, "
        f"recall@{NEAREST} of its vector index {statistics.mean(shares) / NEAREST:.3f}",
        flush=True,
    )


def recall(knowledge: WeaviateKnowledge, encoder: Made, passages: Sequence[Passage], asked: Sequence[Query]) -> float:
    """Which share of the exact nearest the server's index finds, without words or a filter."""
    base = knowledge()
    shares: list[float] = []
    with knowledge._connection.use() as client:  # pyright: ignore[reportPrivateUsage]
        collection = client.collections.use(base.collection)  # type: ignore[attr-defined]
        for query in asked:
            vector = encoder.questions[query.text]
            exact = np.argpartition(-(encoder.passages @ vector), NEAREST)[:NEAREST]
            found = collection.query.near_vector(
                vector.tolist(),
                limit=NEAREST,
                return_properties=["passage"],
                return_metadata=MetadataQuery(distance=True),
            )
            ids = {str(one.uuid) for one in found.objects}
            shares.append(len(ids & {_uuid(passages[place]) for place in exact}) / NEAREST)
    return statistics.mean(shares)


def _uuid(passage: Passage) -> str:
    from models.knowledge.weaviate.collections import object_id

    return str(object_id(passage.passage_id))


def _told(begun: float) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        if done % 20_000 == 0:
            print(f"  {done:,} of {total:,} after {time.perf_counter() - begun:.0f} s", flush=True)

    return tell


STORES = {"embedded": embedded, "weaviate": weaviate, "lancedb": lancedb}


def main() -> None:
    """Measure each store at each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--stores", choices=STORES, nargs="+", default=["embedded", "weaviate"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for count in options.passages:
            for store in options.stores:
                STORES[store](count, Path(temporary))


if __name__ == "__main__":
    main()
