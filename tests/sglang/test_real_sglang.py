"""The describer against the real SGLang server. Its model has random weights: words are noise, all else is real."""

# pyright: reportPrivateUsage=false

import asyncio
import base64
import dataclasses
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import orjson
import pytest
from confluent_kafka import Producer
from pycocotools import mask as coco

from agents.settings import Settings
from infra.processes import Processes
from infra.sglang.local import MODEL, NAME, LocalSglang
from models.describers import Composer
from models.describers.served import RequestRefused
from models.describers.settings import Serving
from models.describers.sglang import SglangDescriber
from models.imaging.png import encode_png
from models.statements import Facts, judge
from schemas.failures import Unavailable
from schemas.images import ImageMetadata, Pixels
from schemas.knowledge import EnrichedImage, FoundPassage
from schemas.regions import Grounding
from schemas.triplets import Description, Statement
from streams.codec import Context, encode, headers
from streams.reader import latest, read
from streams.settings import Wires
from streams.topics import DEAD_LETTERS, ENRICHED, STAGES, TRIPLETS, create_topics
from tests.models.describers.observers import Counts

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(2400),
    # pycocotools 2.0.11 decodes through an __array__ of the old kind.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def image(seed: int) -> EnrichedImage:
    """A CT slice of noise in which one region is outlined; each seed is another image."""
    grey = np.random.default_rng(seed).integers(0, 255, (112, 112)).astype(np.uint8)
    data = base64.b64encode(encode_png(grey)).decode()
    mask = np.zeros((112, 112), np.uint8, order="F")
    mask[40:60, 40:60] = 1
    runs: Any = coco.encode(mask)
    intensity = {"mean": -92.2, "standard_deviation": 12.5, "minimum": -140, "maximum": -40, "unit": "HU"}
    region = {
        "region_id": "r1", "label": "fat-density region", "rule": "-190 to -30 HU", "expert": "ct-density@1.0.0",
        "mask": {"size": (112, 112), "counts": runs["counts"].decode()},
        "box": {"x": 40, "y": 40, "width": 20, "height": 20},
        "area_px": 400 + seed, "centroid": (56.0, 56.0), "position": "centre of the image", "intensity": intensity,
    }  # fmt: skip
    return EnrichedImage(
        image_id=f"{seed:032x}", object_id=f"{seed:032x}", frame=0, frames_taken=1,
        metadata=ImageMetadata(source_format="DICOM", modality="CT", organ="chest"),
        view=Pixels(rows=112, columns=112, channels=1, bits=8, unit="grey level", data=data),
        grounding=Grounding.model_validate({"regions": [region], "intensity": intensity}),
        passages=(FoundPassage(passage_id="p", title="Fat", text="Fat is dark.", reference="-", score=1.0),),
        knowledge_snapshot="k@1", preprocess_version="p@1", grounding_version="g@1",
    )  # fmt: skip


def serving(server: LocalSglang, **changes: Any) -> Serving:
    return dataclasses.replace(
        Serving(
            server.url, f"{MODEL}@random", server.api_key, max_tokens=512, deadline=300, retries=12, concurrency=16
        ),
        **changes,
    )


Opened = Callable[[Serving, Counts], SglangDescriber]


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """Makes describers whose connections end with the test."""
    made: list[SglangDescriber] = []

    def describer(asked: Serving, observer: Counts) -> SglangDescriber:
        made.append(SglangDescriber(asked, observer=observer))
        return made[-1]

    yield describer
    for one in made:
        await one.close()


def statements(d: Description) -> list[Statement]:
    return [d.modality, *([d.organ] if d.organ else []), *d.regions, *d.texture, *d.relations, *d.context]


async def test_an_answer_fits_the_schema_and_the_prefix_is_cached(sglang: LocalSglang, opened: Opened) -> None:
    """The grammar holds noise to the schema; of a second image's prompt, the stable prefix is not computed again."""
    counts = Counts()
    describer = opened(serving(sglang), counts)
    replies: list[tuple[str, dict[str, Any]]] = []
    ask = describer._server.ask

    async def remembered(messages: list[dict[str, Any]], schema: dict[str, Any]) -> Any:
        reply = await ask(messages, schema)
        if reply.finished:
            replies.append((reply.text, schema))
        return reply

    describer._server.ask = remembered
    await describer.describe(image(1))
    before = counts.counted["cached"]
    await describer.describe(image(2))
    assert replies, "no answer ended within the most tokens"
    for reply, schema in replies:
        jsonschema.validate(orjson.loads(reply), schema)
    # Of the second image: at least the system message, which is most of a prompt.
    assert counts.counted["cached"] - before > counts.counted["prompt"] / counts.counted["answers"] / 2
    assert counts.counted["completion"] > 0


@pytest.mark.parametrize("policy", ["remove", "mark"])
@pytest.mark.parametrize("shown", ["outlines", "crops"])
async def test_noise_is_not_believed(sglang: LocalSglang, opened: Opened, policy: Any, shown: Any) -> None:
    """What is kept as supported verifies; the rest is removed or marked; every part has statements and authors."""
    counts = Counts()
    describer = opened(serving(sglang, unsupported=policy, shown=shown), counts)
    seen = image(3)
    d = await describer.describe(seen)
    facts = Facts.of(seen)
    for statement in statements(d):
        assert statement.author in (describer.name, Composer.name)
        assert statement.verdict is not None
        assert statement.evidence
        if statement.verdict.outcome == "supported":
            assert judge(statement.text, facts).verdict.outcome == "supported"
        else:
            assert (policy, statement.author) == ("mark", describer.name)
    assert all(one.verdict.outcome != "supported" for one in d.removed)
    assert all(statement.text in d.description for statement in statements(d))
    told = [one for one in statements(d) if one.author == describer.name]
    assert len(told) + len(d.removed) == sum(counts.counted[o] for o in ("supported", "unsupported", "contradicted"))


async def test_a_full_queue_lowers_the_concurrency_and_loses_nothing(sglang: LocalSglang, opened: Opened) -> None:
    """Sixteen at once meet a server that takes two and lets three wait: 503, fewer at once, and all are described."""
    counts = Counts()
    describer = opened(serving(sglang, max_tokens=24, queue=1000), counts)
    describer._server.concurrency._allowed = 16.0

    away: list[str] = []

    async def described(seed: int) -> Description:
        while True:  # as the stage does
            try:
                return await describer.describe(image(seed))
            except Unavailable as reason:
                away.append(str(reason))

    made = await asyncio.gather(*(described(seed) for seed in range(100, 124)))
    assert len(made) == 24
    assert all("queue is full" in reason for reason in away)
    assert counts.counted["overloaded"] > 0
    assert min(counts.bounds) <= 8


@pytest.mark.parametrize("most", [16_300, 1_000_000])
async def test_a_request_that_is_too_long_is_that_images_dead_letter(
    sglang: LocalSglang, opened: Opened, most: int
) -> None:
    """Prompt and answer together, or the answer alone; and the message says what to do."""
    describer = opened(serving(sglang, max_tokens=most), Counts())
    with pytest.raises(RequestRefused, match="--context-length"):
        await describer.describe(image(4))


@pytest.mark.parametrize(
    ("change", "words"), [({"api_key": "another"}, "TRISTREAM_SGLANG_API_KEY"), ({"model": "other@1"}, "another model")]
)
async def test_who_is_not_let_in_waits(sglang: LocalSglang, opened: Opened, change: dict[str, Any], words: str) -> None:
    """Without the key, or for another model, nothing is described, and the reason is said."""
    with pytest.raises(Unavailable, match=words):
        await opened(serving(sglang, **change), Counts()).describe(image(5))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)


@pytest.fixture
def settings(kafka: str, sglang: LocalSglang, tmp_path: Path) -> Settings:
    """A describe stage of the test's own: its topics exist, nothing runs."""
    wires = Wires(
        bootstrap=kafka, prefix=f"t{uuid.uuid4().hex[:8]}.", partitions=2, state=tmp_path / "state", session_timeout=6.0
    )
    create_topics(wires)
    return Settings(wires=wires, serving=serving(sglang, max_tokens=24, concurrency=4, retries=1), key="0" * 64)


@pytest.fixture
def stage(settings: Settings, processes: Processes, tmp_path: Path) -> Iterator[Path]:
    """A describe worker; gives its log."""
    log_path = tmp_path / "describe.log"
    processes.start(
        "describe",
        [sys.executable, "-m", "infra.cli", "worker", "describe"],
        env=settings.handed_on(),
        log_path=log_path,
    )
    yield log_path
    processes.stop("describe")


def test_a_restart_of_the_server_loses_nothing(
    settings: Settings, stage: Path, sglang: LocalSglang, processes: Processes
) -> None:
    """Stopped in the middle, the stage waits and says so; started again, it goes on by itself: no dead letter."""
    wires, total = settings.wires, 12
    producer = Producer({"bootstrap.servers": wires.bootstrap})

    def send(seeds: range) -> None:
        for seed in seeds:
            message = image(seed)
            head = headers(message, "retrieve", Context())
            producer.produce(ENRICHED.on(wires), encode(message), message.image_id, headers=list(head))
        assert producer.flush(30) == 0

    send(range(200, 206))
    wait_until(lambda: len(latest(wires, TRIPLETS)) >= 1)
    sglang.stop(processes)
    send(range(206, 200 + total))

    def waits() -> bool:
        words = [record.message for record in latest(wires, STAGES).values() if record.message]
        return any(word.state == "waiting" and "the model server does not answer" in word.reason for word in words)

    wait_until(waits)
    done = len(latest(wires, TRIPLETS))
    assert done < total
    assert NAME not in processes.pids
    sglang.start(processes)
    sglang.wait_ready(processes)
    wait_until(lambda: len(latest(wires, TRIPLETS)) == total)
    assert list(read(wires, [DEAD_LETTERS])) == []
    assert sglang.api_key not in stage.read_text()
    for record in latest(wires, TRIPLETS).values():
        assert record.message is not None
        assert record.message.lineage.describer == f"{MODEL}@random"
