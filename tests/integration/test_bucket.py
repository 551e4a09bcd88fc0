"""A real S3 bucket as the inbox: by notifications, by listing where they are lost, across the server's restarts."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import obstore
import orjson
import pytest

from agents.settings import Settings
from infra.processes import Processes
from infra.s3 import LocalS3
from models.imaging import encode_png
from schemas.images import MedicalImage
from schemas.objects import ObjectReference
from streams.lag import LagReader, ask
from streams.reader import latest, read
from streams.topics import BUCKET_EVENTS, DEAD_LETTERS, IMAGES, OBJECTS, STAGES, TRIPLETS
from tests.integration.conftest import new_settings
from tests.integration.pipeline import STAGES as WORKERS
from tests.integration.pipeline import Pipeline, wait_for, wait_until
from tests.integration.s3 import BUCKET, LOCATION, PREFIX, keys, needs_s3, small_images

pytestmark = [pytest.mark.integration, needs_s3]

OBJECTS_PUT = int(os.environ.get("TRISTREAM_TEST_OBJECTS", "150"))
"""Passes with 2,000 too, in a minute and a half."""


class Chain(Pipeline):
    """Workers that watch the bucket."""

    def watch(self, *options: str, listing: float = 3600.0) -> None:
        self.settings = self.settings.with_wires(listing=listing)
        self.start("watch", "watch", "--inbox", f"s3://{BUCKET}/{PREFIX}", *options)
        wait_until(lambda: "watch/watch" in latest(self.settings.wires, STAGES))

    def images(self) -> list[str]:
        return [r.message.object_id for r in read(self.settings.wires, [IMAGES]) if r and r.message]

    def announced(self) -> list[str]:
        return [r.message.key for r in read(self.settings.wires, [OBJECTS]) if r and r.message]

    def dead_letters(self) -> list[str]:
        return [r.message.error for r in latest(self.settings.wires, DEAD_LETTERS).values() if r.message]

    def state(self, worker: str) -> tuple[str, str]:
        record = latest(self.settings.wires, STAGES).get(worker)
        return (record.message.state, record.message.reason) if record and record.message else ("", "")


@pytest.fixture
def chain(settings: Settings, s3: LocalS3, tmp_path: Path) -> Iterator[Chain]:
    settings = settings.with_wires(dead_letter_share=1.0, in_flight=8)
    running = Chain(settings.model_copy(update={"readable": LOCATION.url}), tmp_path)
    try:
        yield running
    finally:
        running.processes.stop()


@dataclass(frozen=True, slots=True)
class Part:
    """A folder of a bucket that a chain watches and reads, and what came of it."""

    chain: Chain
    server: LocalS3
    folder: str

    def put(self, name: str, data: bytes) -> None:
        obstore.put(self.server.store, f"{self.folder}/{name}", data)

    def announced(self) -> list[str]:
        """Names within it, as often as they were."""
        return [found.key.removeprefix(f"{self.folder}/") for found in self._announced()]

    def images(self) -> list[MedicalImage]:
        ours = {self.chain.settings.identity.object_id(found) for found in self._announced()}
        images = [r.message for r in read(self.chain.settings.wires, [IMAGES]) if r and r.message]
        return [image for image in images if image.object_id in ours]

    def _announced(self) -> list[ObjectReference]:
        found = [r.message for r in read(self.chain.settings.wires, [OBJECTS]) if r and r.message]
        return [one for one in found if one.key.startswith(f"{self.folder}/")]


@pytest.fixture(scope="module")
def watched(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Chain, LocalS3]]:
    """A bucket, and workers that watch it and read what comes, for tests that keep to a folder each."""
    folder = tmp_path_factory.mktemp("watched")
    settings = new_settings(kafka, folder).model_copy(update={"readable": LOCATION.url})
    chain = Chain(settings, folder)
    server = LocalS3(folder / "s3", BUCKET, kafka=settings.wires.bootstrap, topic=BUCKET_EVENTS.on(settings.wires))
    try:
        server.start(chain.processes)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in server.environment.items():
                patch.setenv(name, value)
            chain.watch()
            chain.start("preprocess")
        yield chain, server
    finally:
        chain.processes.stop()


@pytest.fixture
def part(watched: tuple[Chain, LocalS3]) -> Part:
    return Part(*watched, f"{PREFIX}/{uuid.uuid4().hex[:8]}")


def test_objects_put_while_workers_run(chain: Chain, s3: LocalS3, processes: Processes) -> None:
    """With awkward names, and the server killed in between, each object ends in one triplet, announced once."""
    chain.watch()
    for stage in WORKERS:
        chain.start(stage)
    for number, (key, data) in enumerate(zip(keys(OBJECTS_PUT), small_images(OBJECTS_PUT), strict=True)):
        if number == OBJECTS_PUT // 2:
            # A notification on its way dies with the server; what was put before the kill is told of by then.
            wait_for(chain.settings.wires, OBJECTS, OBJECTS_PUT // 2)
            s3.stop(processes)
            s3.start(processes)
        obstore.put(s3.store, key, data)
    wait_for(chain.settings.wires, TRIPLETS, OBJECTS_PUT)
    assert chain.dead_letters() == []
    assert sorted(chain.announced()) == sorted(keys(OBJECTS_PUT))


def test_what_no_notification_told_of_is_found_by_listing(chain: Chain, s3: LocalS3, processes: Processes) -> None:
    """Notifications lost on purpose: the listing finds every object, and a restarted watch announces none again."""
    s3.stop(processes)
    s3.start(processes, notify=False)
    for key, data in zip(keys(20), small_images(20), strict=True):
        obstore.put(s3.store, key, data)
    obstore.put(s3.store, f"{PREFIX}/unfinished.part", b"")
    obstore.put(s3.store, "elsewhere/x.dcm", b"")
    chain.watch(listing=0.5)
    wait_until(lambda: len(chain.announced()) >= 20)
    chain.kill("watch")
    chain.processes.stop("watch")
    chain.start("watch", "watch", "--inbox", f"s3://{BUCKET}/{PREFIX}")
    obstore.put(s3.store, f"{PREFIX}/one more.dcm", b"x")
    wait_until(lambda: f"{PREFIX}/one more.dcm" in chain.announced())
    assert sorted(chain.announced()) == sorted([*keys(20), f"{PREFIX}/one more.dcm"])


def test_notifications_are_held_to_the_patterns(chain: Chain, s3: LocalS3) -> None:
    """What the patterns leave out is not announced, whether a notification or a listing tells of it, nor is it late."""
    names = ("a.dcm", "b.png", "old/c.dcm", "new/d.dcm", "new/d.dcm.json", "new/.hidden.dcm", "Núñez 1/e+f.dcm")
    taken = [f"{PREFIX}/{name}" for name in ("Núñez 1/e+f.dcm", "a.dcm", "new/d.dcm")]
    obstore.put(s3.store, f"{PREFIX}/old/before.dcm", b"x")
    obstore.put(s3.store, f"{PREFIX}/before.dcm", b"x")
    # The first listing, an hour before the next, sees what was there; all else is told by the server alone.
    chain.watch("--include", "*.dcm", "--exclude", "old/*")
    wait_until(lambda: chain.announced() == [f"{PREFIX}/before.dcm"])
    for name in names:
        obstore.put(s3.store, f"{PREFIX}/{name}", b"{}" if name.endswith(".json") else b"x")
    obstore.put(s3.store, f"{PREFIX}/last.dcm", b"x")
    expected = sorted([*taken, f"{PREFIX}/before.dcm", f"{PREFIX}/last.dcm"])
    wait_until(lambda: sorted({*chain.announced()}) == expected)
    # Put again: the state that a pattern leaves out stays out, one that is taken is announced anew.
    for name in ("old/c.dcm", "a.dcm"):
        obstore.put(s3.store, f"{PREFIX}/{name}", b"changed")
    wait_until(lambda: chain.announced().count(f"{PREFIX}/a.dcm") == 2)
    assert sorted({*chain.announced()}) == expected


def test_what_changes_before_it_is_read(chain: Chain, s3: LocalS3) -> None:
    """An overwritten object is read in its new state once; a deleted one ends as a dead letter that says so."""
    chain.watch()
    first, second, third = small_images(3)
    changed, deleted = f"{PREFIX}/changed.dcm", f"{PREFIX}/deleted.dcm"
    obstore.put(s3.store, changed, first)
    obstore.put(s3.store, deleted, third)
    wait_until(lambda: len(chain.announced()) == 2)
    obstore.put(s3.store, changed, second)
    obstore.delete(s3.store, deleted)
    wait_until(lambda: len(chain.announced()) == 3)
    chain.start("preprocess")
    wait_until(lambda: len(chain.dead_letters()) == 2 and len(chain.images()) == 1)
    assert sorted(chain.dead_letters()) == ["ObjectChanged", "ObjectGone"]


def test_a_sidecar_is_read_with_its_image(part: Part) -> None:
    """What lies beside an image describes it, and is no object by itself."""
    part.put("scan.png.json", b'{"modality": "dermoscopy", "mask": ".masks/scan.png"}')
    part.put(".masks/scan.png", encode_png(np.eye(32, dtype=np.uint8)))
    part.put("scan.png", encode_png(np.full((32, 32), 90, np.uint8)))
    wait_until(lambda: len(part.images()) == 1)
    assert part.announced() == ["scan.png"]
    (image,) = part.images()
    assert (image.metadata.modality, len(image.annotations)) == ("dermoscopy", 1)


def test_defaults_of_a_folder_hold_for_its_images(part: Part) -> None:
    """Under the prefix that they lie in, where no sidecar says otherwise; they are no object by themselves."""
    said = {"modality": "dermoscopy", "organ": "skin", "source": "set@1", "licence": "CC0-1.0"}
    part.put("set/_defaults.json", orjson.dumps(said))
    part.put("set/b.png.json", b'{"source": "another@2"}')
    for name, grey in (("set/a.png", 90), ("set/b.png", 120), ("c.png", 150)):
        part.put(name, encode_png(np.full((32, 32), grey, np.uint8)))
    wait_until(lambda: len(part.images()) == 3)
    assert sorted(part.announced()) == ["c.png", "set/a.png", "set/b.png"]
    told = {
        (i.metadata.modality, i.metadata.organ, i.provenance.source, i.provenance.licence)
        for i in part.images()
        if i.provenance
    }
    assert told == {
        ("dermoscopy", "skin", "set@1", "CC0-1.0"),
        ("dermoscopy", "skin", "another@2", "CC0-1.0"),
        ("unknown", None, None, None),
    }


def test_a_changed_sidecar_has_its_image_read_again(part: Part) -> None:
    """A sidecar that comes after its image, or changes, makes the image a new object; the same one again does not."""
    part.put("scan.png", encode_png(np.full((32, 32), 90, np.uint8)))
    wait_until(lambda: len(part.images()) == 1)
    for count, modality in ((2, "dermoscopy"), (3, "MR"), (3, "MR")):
        part.put("scan.png.json", orjson.dumps({"modality": modality}))
        wait_until(lambda count=count: len(part.images()) == count)
    part.put("last.png", b"")
    wait_until(lambda: "last.png" in part.announced())
    found = part.images()
    assert sorted(image.metadata.modality or "" for image in found) == ["MR", "dermoscopy", "unknown"]
    assert len({image.object_id for image in found}) == 3


def test_a_stage_waits_for_a_server_that_is_away(chain: Chain, s3: LocalS3, processes: Processes) -> None:
    """While the server is down nothing becomes a dead letter and the stage says that it waits; then it goes on."""
    chain.watch()
    for key, data in zip(keys(5), small_images(5), strict=True):
        obstore.put(s3.store, key, data)
    wait_until(lambda: len(chain.announced()) == 5)
    s3.stop(processes)
    chain.start("preprocess")
    wait_until(lambda: chain.state("preprocess/preprocess") == ("waiting", "the bucket does not answer"))
    s3.start(processes)
    wait_until(lambda: len(chain.images()) == 5)
    wait_until(lambda: ask(chain.settings.wires, LagReader.read)["preprocess"].waiting == 0)
    assert chain.dead_letters() == []
