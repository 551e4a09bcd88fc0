"""Whether a planted identity comes out of the whole pipeline anywhere: `make leak-check`. Exit status 1 where one does.

Files of made-up patients, under names of theirs, some of them damaged, are dropped into the inbox of a real stack.
Then everything is searched that the stack wrote: every topic of the broker, headers and keys too, logs, payloads,
metrics, and the exports. Only the values on `objects` may hold names, those of the files, for preprocess to read; they
are the control, in which the search must find what was planted.
"""

import argparse
import base64
import re
import shutil
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from agents.settings import Settings
from benchmarks.identities import Kind, Planted, images, plant, seen_in
from infra.accounting import Accounts
from infra.collect import outcomes
from infra.exports import FileExport
from infra.kafka.local import free_ports
from infra.stack import LocalStack
from streams.buckets.companions import DEFAULTS
from streams.buckets.references import reference_to
from streams.security import for_confluent
from streams.settings import Wires
from streams.topics import MAX_MESSAGE_BYTES, OBJECTS

OUT = Path("out/leaks")
WORKERS = 5
DAMAGED = 7
"""Every so many-th file is cut short, and the next one has bytes overwritten."""
CONTROL = "control"
_PIXELS = re.compile(rb'"data": ?"([A-Za-z0-9+/=]{64,})"')


def drop(count: int, seed: int, inbox: Path) -> list[Planted]:
    """Write planted files into the inbox, some with sidecars and defaults that name the patient."""
    sources, files = images(), list[Planted]()
    for number in range(count):
        file = plant(sources[number % len(sources)], seed + number)
        data = file.data
        if number % DAMAGED == 0:
            data = data[: file.identity.chance.randrange(200, len(data))]
        elif number % DAMAGED == 1:
            at = file.identity.chance.randrange(132, len(data) - 16)
            data = data[:at] + file.identity.chance.randbytes(16) + data[at + 16 :]
        path = inbox / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if number % 2:  # Of the others, the header tells.
            told = {name: file.identity.word() for name in ("patient", "study", "series")}
            if number % DAMAGED == 2:
                told[file.identity.word()] = file.identity.word()
            path.with_name(path.name + ".json").write_bytes(orjson.dumps(told))
        if number % DAMAGED == 4:
            path.with_name(DEFAULTS).write_bytes(orjson.dumps({"patient": file.identity.word()}))
        files.append(file)
    return files


def run(inbox: Path) -> Iterator[tuple[str, bytes]]:
    """Send all files of the inbox through a stack, and yield everything it wrote, by where."""
    port = free_ports(WORKERS)[0]
    wires = Wires(dead_letter_share=1.0, metrics_port=port)
    settings = Settings(wires=wires, inbox=str(inbox), frames="spread:2", key="0" * 64)
    state = (OUT / "state").absolute()
    with LocalStack(settings, state, watch=True) as stack:
        files = (path for path in inbox.rglob("*.dcm") if path.is_file())
        ids = {settings.identity.object_id(reference_to(path, inbox)) for path in files}
        triplets, letters = (FileExport(OUT / f"{name}.jsonl", begin="anew") for name in ("triplets", "dead-letters"))
        accounts = Accounts(triplets, letters, ids)
        for result in outcomes(accounts, stack.settings, poll=stack.poll):
            accounts.add(result)
        accounts.finish()
        yield "summary", repr(accounts.summary(0)).encode()
        print(f"{len(ids)} files: {accounts.triplets} triplets, {accounts.dead_letters} dead letters", flush=True)
        for number in range(WORKERS):
            with urllib.request.urlopen(f"http://127.0.0.1:{port + number}/metrics") as answer:
                yield "metrics", answer.read()
        yield from on_topics(stack.settings.wires)
    for path in (*state.rglob("*"), OUT / "triplets.jsonl", OUT / "dead-letters.jsonl"):
        # The broker's own files hold what was read from it above, the values on `objects` among it.
        if "kafka" not in path.relative_to(OUT.absolute() if path.is_absolute() else OUT).parts:
            yield "file names", path.name.encode()
            if path.is_file():
                yield path.name, path.read_bytes()


def on_topics(wires: Wires) -> Iterator[tuple[str, bytes]]:
    """Every message of every topic there is, with key and headers."""
    consumer = Consumer(
        {
            **for_confluent(wires),
            "group.id": "leaks",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.message.max.bytes": MAX_MESSAGE_BYTES,
        }
    )
    topics = consumer.list_topics(timeout=10).topics
    partitions = [TopicPartition(name, n, OFFSET_BEGINNING) for name in topics for n in topics[name].partitions]
    consumer.assign(partitions)
    left = len(partitions)
    while left:
        message = consumer.poll(30)
        if message is None:
            raise TimeoutError("the broker does not give all that it has")
        if (error := message.error()) is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                raise RuntimeError(error.name())
            left -= 1
            continue
        topic = message.topic() or ""
        yield topic, repr((message.key(), message.headers())).encode()
        yield CONTROL if topic == OBJECTS.on(wires) else topic, message.value() or b""
    consumer.close()


def search(found: Iterator[tuple[str, bytes]], planted: Mapping[str, Kind]) -> tuple[dict[str, set[str]], int]:
    """Tokens that stand in what was written, by where, and how many bytes were searched."""
    leaks, searched = dict[str, set[str]](), 0
    for place, written in found:
        searched += len(written)
        seen = seen_in(written)
        for encoded in _PIXELS.findall(written):
            seen |= seen_in(base64.b64decode(encoded))
        if hits := seen & planted.keys():
            leaks.setdefault(place, set()).update(hits)
    return leaks, searched


def check(count: int, seed: int) -> tuple[dict[str, set[str]], str]:
    """Plant, run, search: the leaks, and a line for a person."""
    started = time.monotonic()
    shutil.rmtree(OUT, ignore_errors=True)
    inbox = (OUT / "inbox").resolve()
    files = drop(count, seed, inbox)
    planted: dict[str, Kind] = {}
    for file in files:
        planted |= file.identity.tokens
    leaks, searched = search(run(inbox), planted)
    if len(leaks.pop(CONTROL, ())) < count:
        raise RuntimeError("the search is blind: it does not find the planted names of files where they must be")
    total = sum(len(tokens) for tokens in leaks.values())
    return leaks, (
        f"{len(files)} files, {len(planted)} tokens, {searched / 1e6:.0f} MB searched, {total} leaks, "
        f"{time.monotonic() - started:.0f} s"
    )


def main() -> None:
    """Run the check."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    leaks, line = check(arguments.files, arguments.seed)
    for place, tokens in leaks.items():
        print(f"{place}: {', '.join(sorted(tokens)[:10])}")
    print(line)
    shutil.rmtree(OUT)
    sys.exit(bool(leaks))


if __name__ == "__main__":
    main()
