"""`tristream up` left alone over many files, poison of every kind among them: a triplet or a dead letter, one for one.

    python -m tests.soak --files 50000 [--minutes 60] [--keep DIR]

A file in ten is poison. Prints what came of each kind; ends with status 1 unless every good file has its triplet, every
bad one its one dead letter, and nothing else has any. See docs/reliability.md.
"""

import argparse
import io
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import stamina
from confluent_kafka import Producer
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import RLELossless, generate_uid

from agents.settings import Settings
from infra.kafka.local import LocalKafka, free_port
from infra.kafka.login import with_login
from infra.status import look
from schemas.failures import Unavailable
from streams.buckets.references import reference_to
from streams.reader import read
from streams.security import for_confluent
from streams.settings import Wires
from streams.topics import BUCKET_EVENTS, DEAD_LETTERS, OBJECTS
from tests.chaos.files import numbered, written
from tests.chaos.outcomes import Outcomes, outcomes

JUNK = (b"", b"{", b'{"key": "DOE^JOHN"}', b"\xff", bytes(10_000), b"[" * 10_000)
"""Messages that somebody else writes to our topics."""
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
HUGE = 10 * 2**40


def say(line: str) -> None:
    """Tell a person, at once."""
    print(line, flush=True)  # noqa: T201 - a command's output


class Sources:
    """A few real files, from which any number of others is made: other pixels and other UIDs, so other images."""

    def __init__(self) -> None:
        self._sets = [
            dcmread(str(get_testdata_file(name, download=False))) for name in ("CT_small.dcm", "MR_small.dcm")
        ]
        self._pixels = [one.pixel_array for one in self._sets]

    def image(self, number: int) -> bytes:
        """Another one for each number."""
        return written(self._image(number))

    def packed(self, number: int) -> bytes:
        """The same by RLE."""
        dataset = dcmread(io.BytesIO(self.image(number)))
        dataset.compress(RLELossless)
        return written(dataset)

    def _image(self, number: int) -> Dataset:
        dataset = self._sets[number % 2]
        numbered(dataset, self._pixels[number % 2], number)
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        return dataset


@dataclass(slots=True)
class Folder:
    """The files, and what must come of each.

    Args:
        path: where they lie.
        seed: decides what is made.
    """

    path: Path
    seed: int
    sources: Sources = field(default_factory=Sources)
    good: dict[Path, str] = field(default_factory=dict[Path, str])
    bad: dict[Path, str] = field(default_factory=dict[Path, str])
    none: dict[Path, str] = field(default_factory=dict[Path, str])
    """By kind."""

    def fill(self, files: int) -> None:
        """Make so many files that have an outcome, a tenth of them poison."""
        chance = random.Random(self.seed)
        kinds = list(POISON)
        for number in range(files):
            place = self.path / f"{number // 1000:03}"
            place.mkdir(exist_ok=True)
            if number % 10:
                path = place / f"{number:06}.dcm"
                packed = number % 50 == 1
                path.write_bytes(self.sources.packed(number) if packed else self.sources.image(number))
                self.good[path] = "packed by RLE" if packed else "image"
            else:
                kind = kinds[number // 10 % len(kinds)] if number < 10 * len(kinds) else chance.choice(kinds)
                POISON[kind](self, place / f"p{number:06}", kind)


def _content(suffix: str, *contents: bytes) -> Callable[[Folder, Path, str], None]:
    def make(folder: Folder, path: Path, kind: str) -> None:
        path = path.with_suffix(suffix)
        path.write_bytes(contents[len(folder.bad) % len(contents)])
        folder.bad[path] = kind

    return make


def _loop(folder: Folder, path: Path, kind: str) -> None:
    path = path.with_suffix(".dcm")
    path.symlink_to(path.name)
    folder.bad[path] = kind


def _into(folder: Folder, path: Path, kind: str) -> None:
    path.with_suffix(".bin.part").write_bytes(b"a file")
    path = path.with_suffix(".dcm")
    path.symlink_to(f"{path.stem}.bin.part/below.dcm")
    folder.bad[path] = kind


def _long(folder: Folder, path: Path, kind: str) -> None:
    path = path.with_name(path.name + "x" * (255 - len(path.name) - 4) + ".dcm")
    path.write_bytes(folder.sources.image(10**9 + len(folder.good)))
    folder.good[path] = kind


def _not_utf8(folder: Folder, path: Path, kind: str) -> None:
    path = Path(os.fsdecode(os.fsencode(path) + b"\xff\xfe.dcm"))
    path.write_bytes(folder.sources.image(2 * 10**9 + len(folder.good)))
    folder.good[path] = kind


def _sparse(folder: Folder, path: Path, kind: str) -> None:
    path = path.with_suffix(".dcm")
    with path.open("wb") as file:
        file.truncate(HUGE)
    folder.bad[path] = kind


def _sidecar(content: bytes) -> Callable[[Folder, Path, str], None]:
    def make(folder: Folder, path: Path, kind: str) -> None:
        path = path.with_suffix(".dcm")
        path.write_bytes(folder.sources.image(3 * 10**9 + len(folder.bad)))
        beside = path.with_name(path.name + ".json")
        if len(content) > 2**20:
            folder.path.joinpath(".large").write_bytes(content)
            beside.hardlink_to(folder.path / ".large")
        else:
            beside.write_bytes(content)
        folder.bad[path] = kind

    return make


def _truncated(folder: Folder, path: Path, kind: str) -> None:
    path = path.with_suffix(".dcm")
    data = folder.sources.image(4 * 10**9 + len(folder.bad))
    path.write_bytes(data[: len(data) * (1 + len(folder.bad) % 8) // 10])
    folder.bad[path] = kind


def _no_pixels(folder: Folder, path: Path, kind: str) -> None:
    dataset = dcmread(io.BytesIO(folder.sources.image(len(folder.bad))))
    del dataset.PixelData
    dataset.SOPInstanceUID = generate_uid()
    path = path.with_suffix(".dcm")
    path.write_bytes(written(dataset))
    folder.bad[path] = kind


def _beside(folder: Folder, path: Path, kind: str) -> None:
    """A NIfTI that is none, with what converters lay beside it."""
    path = path.with_suffix(".nii")
    path.write_bytes(b"no NIfTI" * len(path.name))
    folder.bad[path] = kind
    for other in (path.with_suffix(".bval"), path.with_suffix(".bvec"), path.with_suffix(".json")):
        other.write_bytes(b"{}")
        folder.none[other] = "beside an image"


def _system(folder: Folder, path: Path, kind: str) -> None:
    """What operating systems leave, and a file that is no image, so that the kind has an outcome."""
    for name in (".DS_Store", "Thumbs.db", "DICOMDIR"):
        path.with_name(name).write_bytes(b"left behind")
        folder.none[path.with_name(name)] = "left by a system"
    _content(".xml", b"<no image/>")(folder, path, kind)


POISON: Mapping[str, Callable[[Folder, Path, str], None]] = {
    "empty": _content(".dcm", b""),
    "no image": _content(".txt", b"Patient DOE^JOHN", bytes(3000), b"{" * 3000),
    "text called an image": _content(".png", b"Patient DOE^JOHN", b"\x89PNG\r\n\x1a\n" + bytes(100)),
    "cut short": _truncated,
    "without pixels": _no_pixels,
    "link to itself": _loop,
    "link into a file": _into,
    "name of 255 bytes": _long,
    "name that is not UTF-8": _not_utf8,
    "10 TB, sparse": _sparse,
    "sidecar names a mask of 300 characters": _sidecar(orjson.dumps({"mask": "m" * 300})),
    "sidecar of 16 MiB, nested": _sidecar(b"[" * 2**23 + b"]" * 2**23),
    "sidecar that is no JSON": _sidecar(b"{"),
    "NIfTI with .json, .bval, .bvec": _beside,
    "left by a system": _system,
}


def poison(wires: Wires) -> int:
    """Write junk to the topics, in every codec. How many messages of it a stage must bury."""
    count = 0
    for codec in CODECS:
        producer = Producer({**for_confluent(wires), "compression.type": codec})
        for number, value in enumerate(JUNK):
            for topic in (OBJECTS, BUCKET_EVENTS):
                # None may be compacted away: each has a key of its own.
                producer.produce(topic.on(wires), value, f"{codec}-{number}".encode())
            count += 1
        assert producer.flush(30) == 0
    return count


def watch_over(up: subprocess.Popen[bytes], settings: Settings, expected: int, minutes: float) -> float:
    """Wait for so many objects and messages to be done. Seconds that it took; raises AssertionError at the limit."""
    started, said, quiet = time.monotonic(), 0.0, 0
    while True:
        if up.poll() is not None:
            raise AssertionError(f"`up` ended by itself, with status {up.returncode}")
        now = time.monotonic() - started
        if now > 60 * minutes:
            raise AssertionError(f"not done after {minutes:g} minutes")
        try:
            status = look(settings.wires)
        except Unavailable:
            status = None
        done = next((one.done or 0 for one in status.stages if one.stage == "preprocess"), 0) if status else 0
        quiet = quiet + 1 if status and status.verdict == "up to date" and done >= expected else 0
        if quiet == 3:
            return now
        if now - said > 30:
            said = now
            say(f"{now:.0f} s: {done} of {expected} objects; {status.verdict if status else 'not there yet'}")
        time.sleep(2)


def faults(folder: Folder, junk: int, found: Outcomes, letters: Counter[str], settings: Settings) -> list[str]:
    """Whatever is not as it must be."""
    wrong = [f"announced, and nothing came of it: {one}" for one in found.unaccounted]
    seen: set[str] = set()
    for path, kind in {**folder.good, **folder.bad}.items():
        one = settings.identity.object_id(reference_to(path, folder.path, settings.limits.file_bytes))
        seen.add(one)
        good = path in folder.good
        if (one in found.triplets, one in found.letters) != (good, not good):
            wrong.append(f"{kind}: {path.name!r}: triplet {one in found.triplets}, letter {found.letters.get(one)}")
        if not good and letters[one] != 1:
            wrong.append(f"{kind}: {path.name!r}: {letters[one]} dead letters")
    wrong += [f"announced, and is no object: {found.announced[one]}" for one in found.announced if one not in seen]
    if (buried := letters[""]) != junk:
        wrong.append(f"{buried} dead letters of {junk} messages that are none of ours")
    if found.doubled:
        wrong.append(f"{found.doubled} frames with two triplets that differ")
    return wrong


def main() -> None:
    """Run it; exit status 1 where something was not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--minutes", type=float, default=60, help="within which all must be done")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for data and logs, kept")
    given = parser.parse_args()
    logging.getLogger("streams.reader").setLevel(logging.ERROR)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    stamina.instrumentation.set_on_retry_hooks(())
    with tempfile.TemporaryDirectory(prefix="tristream-soak-", ignore_cleanup_errors=True) as place:
        sys.exit(_soak(given.keep or Path(place), given.files, given.minutes, given.seed))


def _soak(place: Path, files: int, minutes: float, seed: int) -> int:
    inbox, state, port = place / "inbox", place / "state", free_port()
    inbox.mkdir(parents=True)
    folder = Folder(inbox, seed)
    folder.fill(files)
    say(f"{len(folder.good)} good files, {len(folder.bad)} bad, {len(folder.none)} that are passed by")
    LocalKafka(place / "unused").install()
    settings = Settings(wires=Wires(bootstrap=f"127.0.0.1:{port}"), key="0" * 64, inbox=str(inbox))
    argv = [sys.executable, "-m", "infra.cli", "up", "--inbox", str(inbox), "--state", str(state), "--port", str(port)]
    with (place / "up.log").open("wb") as log:
        up = subprocess.Popen(argv, env=os.environ | settings.handed_on(), stderr=log, start_new_session=True)
        try:
            settings, junk = _poisoned(settings)
            took = watch_over(up, settings, len(folder.good) + len(folder.bad) + junk, minutes)
            found, letters = outcomes(settings), _letters(settings.wires)
        finally:
            up.terminate()
            up.wait(30)
    kinds = Counter((kind, "triplet") for kind in folder.good.values())
    kinds.update((kind, "dead letter") for kind in folder.bad.values())
    kinds.update((kind, "passed by") for kind in folder.none.values())
    say("| kind | must be | files |\n| --- | --- | ---: |")
    for (kind, outcome), count in kinds.most_common():
        say(f"| {kind} | {outcome} | {count:,} |")
    say(f"| message of somebody else's | dead letter | {junk} |")
    wrong = faults(folder, junk, found, letters, settings)
    restarts = (place / "up.log").read_text().count("it starts again")
    say(f"{took:.0f} s, {(len(folder.good) + len(folder.bad)) / took:.1f} files/s; processes started again: {restarts}")
    say(f"not as it must be: {len(wrong)}")
    for line in wrong[:30]:
        say(f"  {line}")
    return 1 if wrong else 0


def _poisoned(settings: Settings) -> tuple[Settings, int]:
    """Junk, written as soon as the topics are there, while the pipeline works; and settings with the broker's login."""
    deadline = time.monotonic() + 120
    while True:
        known = with_login(settings)
        try:
            look(known.wires)
        except Unavailable:
            assert time.monotonic() < deadline, "`up` does not start"
            time.sleep(1)
        else:
            return known, poison(known.wires)


def _letters(wires: Wires) -> Counter[str]:
    """How many dead letters each object has; the empty one's are of messages that no object could be told of."""
    records = (record.message for record in read(wires, [DEAD_LETTERS]) if record and record.message)
    return Counter(letter.object_id or "" for letter in records)


if __name__ == "__main__":
    main()
