"""Which embedded store searches passages best: time, memory, disk and import, side by side.

Knows nothing of the pipeline.

    python benchmarks/knowledge.py [--passages 100 20000] [--queries 300]

Each store runs in a process of its own over the same passages, vectors and queries, with a modality filter; the stores
take turns, so that a busy machine slows all alike, and the medians of the rounds are printed. LanceDB is
measured where it is installed (`uv pip install lancedb` in a throw-away environment); without it its rows are left out.
"""

import argparse
import importlib.util
import json
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import psutil

from models.knowledge import STARTER_CORPUS, read_corpus
from models.knowledge import embedded as store
from models.knowledge.base import Query
from models.knowledge.text import words
from schemas.images import Modality
from schemas.knowledge import Passage

DIMENSIONS = 256
STORES = ("embedded", "sqlite", "lancedb")
Search = Callable[[str, Modality, int], list[str]]


def synthetic(count: int) -> tuple[Passage, ...]:
    """Passages whose sentences are drawn from the starter corpus; the first are the corpus itself."""
    starter = read_corpus(STARTER_CORPUS)
    sentences = [sentence for passage in starter for sentence in passage.text.split(". ")]
    draw = random.Random(0)
    extra = (
        starter[number % len(starter)].model_copy(
            update={"passage_id": f"synthetic-{number:06}", "text": ". ".join(draw.sample(sentences, 3))}
        )
        for number in range(count - len(starter))
    )
    return (*starter[:count], *extra)


def queries(count: int) -> list[tuple[str, Modality]]:
    """Ten words drawn from passages of the modality that is asked for."""
    starter = [passage for passage in read_corpus(STARTER_CORPUS) if passage.modalities]
    draw = random.Random(1)
    chosen = draw.choices(starter, k=count)
    return [(" ".join(draw.choices(words(each.text), k=10)), each.modalities[0]) for each in chosen]  # type: ignore[misc]


def open_embedded(index: Path, folder: Path) -> Search:
    """The store that is shipped."""
    knowledge = store.open_embedded(index)
    return lambda text, modality, limit: [
        found.passage_id for found in knowledge.search(Query(text, modality, limit=limit))
    ]


def _vectors(index: Path) -> tuple[Any, Any, list[dict[str, Any]]]:
    with np.load(index, allow_pickle=False) as arrays:
        header = orjson.loads(arrays["header"].tobytes())
        encoder = store.LatentSemanticEncoder(header["features"], arrays["feature_weights"], arrays["projection"])
        return arrays["vectors"], encoder, header["passages"]


def _fused(*rankings: list[int]) -> list[int]:
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, place in enumerate(ranking, start=1):
            scores[place] = scores.get(place, 0) + 1 / (60 + rank)
    return sorted(scores, key=lambda place: (-scores[place], place))


def open_sqlite(index: Path, folder: Path) -> Search:
    """SQLite FTS5 with bm25() and exact cosine by NumPy."""
    vectors, encoder, passages = _vectors(index)
    path = folder / "fts.sqlite"
    fresh = not path.exists()
    connection = sqlite3.connect(path)
    if fresh:
        connection.execute("CREATE VIRTUAL TABLE passages USING fts5(text, tokenize = 'ascii')")
        rows = ((n, " ".join(words(f"{p['title']} {p['title']} {p['text']}"))) for n, p in enumerate(passages, 1))
        connection.executemany("INSERT INTO passages(rowid, text) VALUES (?, ?)", rows)
        connection.execute("CREATE TABLE fits (modality TEXT, passage INTEGER, PRIMARY KEY (modality, passage))")
        names = {name for p in passages for name in p["modalities"]}
        connection.executemany(
            "INSERT INTO fits VALUES (?, ?)",
            ((m, n) for n, p in enumerate(passages, 1) for m in (p["modalities"] or names)),
        )
        connection.commit()
    masks = {
        name: np.array([not p["modalities"] or name in p["modalities"] for p in passages])
        for name in {name for p in passages for name in p["modalities"]}
    }
    # The + keeps the planner from probing the full-text index once for each rowid of the subquery (600 times slower).
    statement = (
        "SELECT rowid - 1 FROM passages WHERE passages MATCH ? "
        "AND +rowid IN (SELECT passage FROM fits WHERE modality = ?) ORDER BY bm25(passages), rowid LIMIT 50"
    )

    def search(text: str, modality: Modality, limit: int) -> list[str]:
        match = " OR ".join(f'"{word}"' for word in dict.fromkeys(words(text)))
        lexical = [row[0] for row in connection.execute(statement, (match, modality))]
        cosine = np.where(masks[modality], vectors @ encoder.encode([text])[0], -1)
        nearest = np.argpartition(-cosine, min(50, len(cosine) - 1))[:50]
        semantic = nearest[np.argsort(-cosine[nearest], kind="stable")].tolist()
        return [passages[place]["passage_id"] for place in _fused(lexical, semantic)[:limit]]

    return search


def open_lancedb(index: Path, folder: Path) -> Search:
    """LanceDB: full-text index, flat vectors, its own reciprocal rank fusion, filter before search."""
    import lancedb  # type: ignore[import-not-found]
    import pyarrow as pa  # type: ignore[import-not-found]

    vectors, encoder, passages = _vectors(index)
    database: Any = lancedb.connect(folder / "lance")
    try:
        table = database.open_table("passages")
    except ValueError:
        columns = {
            "passage_id": [p["passage_id"] for p in passages],
            "text": [" ".join(words(f"{p['title']} {p['title']} {p['text']}")) for p in passages],
            "fits": [" ".join(f"|{m}|" for m in p["modalities"]) or "||any||" for p in passages],
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1]),
        }
        table = database.create_table("passages", pa.table(columns))
        table.create_fts_index("text")
    del vectors

    def search(text: str, modality: Modality, limit: int) -> list[str]:
        asked = table.search(query_type="hybrid", vector_column_name="vector")
        asked = asked.vector(encoder.encode([text])[0]).text(" ".join(words(text)))
        asked = asked.where(f"fits LIKE '%|{modality}|%' OR fits = '||any||'", prefilter=True)
        return [row["passage_id"] for row in asked.limit(limit).select(["passage_id"]).to_list()]

    return search


OPENERS = {"embedded": open_embedded, "sqlite": open_sqlite, "lancedb": open_lancedb}


def measure(name: str, index: Path, folder: Path, count: int) -> dict[str, float]:
    """One store in this process, on an index that exists: milliseconds a query, resident MB, seconds to open."""
    asked = queries(count)
    started = time.perf_counter()
    search = OPENERS[name](index, folder)
    search(*asked[0], 4)
    ready = time.perf_counter() - started
    times: list[float] = []
    for text, modality in asked:
        begun = time.perf_counter()
        search(text, modality, 4)
        times.append((time.perf_counter() - begun) * 1000)
    return {
        "p50_ms": statistics.median(times),
        "p99_ms": statistics.quantiles(times, n=100)[98],
        "open_s": ready,
        "rss_mb": psutil.Process().memory_info().rss / 1e6,
    }


def import_seconds(module: str) -> float:
    """Median of three fresh interpreters, start included."""
    times: list[float] = []
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def compare(count: int, asked: int, rounds: int) -> None:
    """Build every store, then let them take turns in new processes."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        corpus = folder / "synthetic.jsonl"
        corpus.write_bytes(b"\n".join(orjson.dumps(each.model_dump(mode="json")) for each in synthetic(count)))
        store.DIMENSIONS = DIMENSIONS
        begun = time.perf_counter()
        index = store.build(corpus, folder / "embedded")
        print(f"\n{count:,} passages × {DIMENSIONS} dimensions; built in {time.perf_counter() - begun:.1f} s")
        present = [name for name in STORES if name != "lancedb" or importlib.util.find_spec("lancedb") is not None]
        figures: dict[str, list[dict[str, float]]] = {name: [] for name in present}
        for turn in range(rounds + 1):
            for name in present:
                (folder / name).mkdir(exist_ok=True)
                command = [sys.executable, __file__, "--measure", name, str(index), str(folder / name)]
                done = subprocess.run([*command, "--queries", str(asked)], check=True, capture_output=True, text=True)
                if turn > 0:  # the first turn builds what is the store's own
                    figures[name].append(json.loads(done.stdout))
        columns = ("p50 ms", "from", "to", "ratio", "p99 ms", "ratio", "open s", "RSS MB", "disk MB")
        print(f"{'store':10}" + "".join(f"{column:>9}" for column in columns))
        base: dict[str, float] = {}
        for name, turns in figures.items():
            middle = {key: statistics.median(turn[key] for turn in turns) for key in turns[0]}
            base = base or middle
            p50s = [turn["p50_ms"] for turn in turns]
            p50, p99 = middle["p50_ms"], middle["p99_ms"]
            disk = sum(file.stat().st_size for file in (folder / name).rglob("*") if file.is_file()) / 1e6
            row = (p50, min(p50s), max(p50s), p50 / base["p50_ms"], p99, p99 / base["p99_ms"])
            row = (*row, middle["open_s"], middle["rss_mb"], disk)
            print(f"{name:10}" + "".join(f"{figure:9.2f}" for figure in row))
        if "lancedb" not in present:
            print("lancedb is not installed: uv pip install lancedb in a throw-away environment")


def main() -> None:
    """Print the tables, or measure one store where `--measure` asks for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, nargs="+", default=[100, 20_000])
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", nargs=3, metavar=("STORE", "INDEX", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, index, folder = options.measure
        print(json.dumps(measure(name, Path(index), Path(folder), options.queries)))
        return
    for module in ("models.knowledge", "sqlite3", "lancedb"):
        if importlib.util.find_spec(module) is not None:
            print(f"import {module}: {import_seconds(module):.2f} s")
    for count in options.passages:
        compare(count, options.queries, options.rounds)


if __name__ == "__main__":
    main()
