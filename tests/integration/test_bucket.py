"""A real S3 bucket as the inbox: by notifications, by listing where they are lost, across the server's restarts."""

import asyncio
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import obstore
import orjson
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from agents.preprocess import preprocess
from agents.reading import Reading
from agents.series import Series
from agents.settings import Settings
from infra.processes import Processes
from infra.s3 import LocalS3
from infra.servers import VERSITYGW
from models.imaging import BurnedInPolicy, FramePolicy, encode_png, from_pixels
from schemas.failures import Unavailable
from schemas.images import MedicalImage
from schemas.limits import Limits
from schemas.objects import ObjectReference
from streams.buckets import Bucket, ObjectGone, ObjectUnreadable, bucket_of, open_bucket
from streams.buckets.asking import clear_stores
from streams.buckets.store import Store
from streams.identity import Identity
from streams.isolation import Isolated
from streams.lag import LagReader, ask
from streams.payloads import Payloads
from streams.reader import latest, read
from streams.topics import BUCKET_EVENTS, DEAD_LETTERS, IMAGES, OBJECTS, STAGES, TRIPLETS
from tests.integration.conftest import new_settings
from tests.integration.pipeline import STAGES as WORKERS
from tests.integration.pipeline import Pipeline, wait_for, wait_until
from tests.integration.throttling import Throttle
from tests.models.imaging.annotation_objects import series, written

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not VERSITYGW.binary().exists() and not os.environ.get("CI"),
        reason="the S3 server is not there: run 'make servers'",
    ),
]

BUCKET, PREFIX = "scans", "new arrivals"
LOCATION = Store.parse(f"s3://{BUCKET}/{PREFIX}")


def listed(bucket: Bucket, beside: ObjectReference | None = None) -> list[ObjectReference]:
    return [one for page in bucket.list(beside) for one in page]


OBJECTS_PUT = int(os.environ.get("TRISTREAM_TEST_OBJECTS", "150"))
"""Passes with 2,000 too, in a minute and a half."""


@pytest.fixture
def server(settings: Settings, processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalS3:
    """A running S3 server that tells this test's topic what happens."""
    found = LocalS3(tmp_path / "s3", BUCKET, kafka=settings.wires.bootstrap, topic=BUCKET_EVENTS.on(settings.wires))
    found.start(processes)
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    clear_stores()
    return found


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
def chain(settings: Settings, server: LocalS3, tmp_path: Path) -> Iterator[Chain]:
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


def small_images(count: int) -> Iterator[bytes]:
    """Distinct DICOM files of 16 × 16 px."""
    dataset = dcmread(str(get_testdata_file("MR_small.dcm", download=False)))
    pixels = dataset.pixel_array[:16, :16].copy()
    dataset.Rows = dataset.Columns = 16
    for number in range(count):
        pixels[0, :4] = [number // 10**place % 10 for place in range(4)]
        dataset.PixelData = pixels.tobytes()
        file = BytesIO()
        dataset.save_as(file)
        yield file.getvalue()


def keys(count: int) -> list[str]:
    """Names as people give them: spaces, other scripts, and signs that mean something in URLs."""
    return [f"{PREFIX}/Núñez, 田中 {n % 7}/a+b {100 - n % 3}% #{n}&=?.dcm" for n in range(count)]


def test_objects_put_while_workers_run(chain: Chain, server: LocalS3, processes: Processes) -> None:
    """With awkward names, and the server killed in between, each object ends in one triplet, announced once."""
    chain.watch()
    for stage in WORKERS:
        chain.start(stage)
    for number, (key, data) in enumerate(zip(keys(OBJECTS_PUT), small_images(OBJECTS_PUT), strict=True)):
        if number == OBJECTS_PUT // 2:
            # A notification on its way dies with the server; what was put before the kill is told of by then.
            wait_for(chain.settings.wires, OBJECTS, OBJECTS_PUT // 2)
            server.stop(processes)
            server.start(processes)
        obstore.put(server.store, key, data)
    wait_for(chain.settings.wires, TRIPLETS, OBJECTS_PUT)
    assert chain.dead_letters() == []
    assert sorted(chain.announced()) == sorted(keys(OBJECTS_PUT))


def test_what_no_notification_told_of_is_found_by_listing(chain: Chain, server: LocalS3, processes: Processes) -> None:
    """Notifications lost on purpose: the listing finds every object, and a restarted watch announces none again."""
    server.stop(processes)
    server.start(processes, notify=False)
    for key, data in zip(keys(20), small_images(20), strict=True):
        obstore.put(server.store, key, data)
    obstore.put(server.store, f"{PREFIX}/unfinished.part", b"")
    obstore.put(server.store, "elsewhere/x.dcm", b"")
    chain.watch(listing=0.5)
    wait_until(lambda: len(chain.announced()) >= 20)
    chain.kill("watch")
    chain.processes.stop("watch")
    chain.start("watch", "watch", "--inbox", f"s3://{BUCKET}/{PREFIX}")
    obstore.put(server.store, f"{PREFIX}/one more.dcm", b"x")
    wait_until(lambda: f"{PREFIX}/one more.dcm" in chain.announced())
    assert sorted(chain.announced()) == sorted([*keys(20), f"{PREFIX}/one more.dcm"])


def test_notifications_are_held_to_the_patterns(chain: Chain, server: LocalS3) -> None:
    """What the patterns leave out is not announced, whether a notification or a listing tells of it, nor is it late."""
    names = ("a.dcm", "b.png", "old/c.dcm", "new/d.dcm", "new/d.dcm.json", "new/.hidden.dcm", "Núñez 1/e+f.dcm")
    taken = [f"{PREFIX}/{name}" for name in ("Núñez 1/e+f.dcm", "a.dcm", "new/d.dcm")]
    obstore.put(server.store, f"{PREFIX}/old/before.dcm", b"x")
    obstore.put(server.store, f"{PREFIX}/before.dcm", b"x")
    # The first listing, an hour before the next, sees what was there; all else is told by the server alone.
    chain.watch("--include", "*.dcm", "--exclude", "old/*")
    wait_until(lambda: chain.announced() == [f"{PREFIX}/before.dcm"])
    for name in names:
        obstore.put(server.store, f"{PREFIX}/{name}", b"{}" if name.endswith(".json") else b"x")
    obstore.put(server.store, f"{PREFIX}/last.dcm", b"x")
    expected = sorted([*taken, f"{PREFIX}/before.dcm", f"{PREFIX}/last.dcm"])
    wait_until(lambda: sorted({*chain.announced()}) == expected)
    # Put again: the state that a pattern leaves out stays out, one that is taken is announced anew.
    for name in ("old/c.dcm", "a.dcm"):
        obstore.put(server.store, f"{PREFIX}/{name}", b"changed")
    wait_until(lambda: chain.announced().count(f"{PREFIX}/a.dcm") == 2)
    assert sorted({*chain.announced()}) == expected


def test_what_changes_before_it_is_read(chain: Chain, server: LocalS3) -> None:
    """An overwritten object is read in its new state once; a deleted one ends as a dead letter that says so."""
    chain.watch()
    first, second, third = small_images(3)
    changed, deleted = f"{PREFIX}/changed.dcm", f"{PREFIX}/deleted.dcm"
    obstore.put(server.store, changed, first)
    obstore.put(server.store, deleted, third)
    wait_until(lambda: len(chain.announced()) == 2)
    obstore.put(server.store, changed, second)
    obstore.delete(server.store, deleted)
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


async def test_a_listing_finds_the_same_states(server: LocalS3) -> None:
    """A listing says of an image and its sidecar what asking for the two says, whatever stands between their keys."""
    names = ["scan.png", "scan.png-2.png", "scan.png.json", "scan.png0.png", "z.png", "z.png.json", "plain"]
    for name in names:
        obstore.put(server.store, f"{PREFIX}/{name}", name.encode())
    found = listed(LOCATION)
    assert sorted(found, key=lambda reference: reference.key) == [
        LOCATION.state(f"{PREFIX}/{name}") for name in sorted(names) if not name.endswith(".json")
    ]
    described = {reference.key for reference in found if " " in reference.etag}
    assert described == {f"{PREFIX}/scan.png", f"{PREFIX}/z.png"}


async def test_a_place_may_be_a_prefix(server: LocalS3) -> None:
    """What lies below it is found with its state, hidden keys aside, and read as it is now."""
    for name in ("marks/Núñez/a+b #1.dcm", "marks/.hidden", "other.dcm"):
        obstore.put(server.store, name, name.encode())
    (found,) = listed(open_bucket(f"s3://{BUCKET}/marks"))
    assert bucket_of(found).get(found) == "marks/Núñez/a+b #1.dcm".encode()
    obstore.put(server.store, found.key, b"changed")
    (changed,) = listed(open_bucket(f"s3://{BUCKET}/marks"))
    assert (changed.key, bucket_of(found).get(found)) == (found.key, b"changed")
    assert changed.etag != found.etag
    obstore.delete(server.store, found.key)
    with pytest.raises(ObjectGone):
        bucket_of(found).get(found)


async def test_the_next_slices_lie_under_the_same_prefix(
    server: LocalS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the beginnings of files, and read through the same door as the slice; none below the prefix is asked."""
    monkeypatch.setattr("agents.series.HEAD", 2**15)
    images = series(4)
    images[1].add_new(0x00091010, "OB", bytes(2**15))  # a header longer than that
    names = ["a/c d.dcm", "a/b#1.dcm", "a/é.dcm", "a/a/0.dcm"]
    for name, image in zip(names, images, strict=True):
        obstore.put(server.store, name, written(image))
    for name in ("a/empty", "a/b#1.dcm.json", "a/.hidden"):
        obstore.put(server.store, name, b"{}" if name.endswith("json") else b"")
    (first,) = [one for one in listed(Store.parse(f"s3://{BUCKET}")) if one.key == names[0]]
    assert [one.key for one in listed(bucket_of(first), first)] == ["a/b#1.dcm", "a/c d.dcm", "a/empty", "a/é.dcm"]
    isolated = Isolated(Limits(), modules=("agents.preprocess",))
    try:
        (image,) = [
            one
            async for one in preprocess(
                first, isolated=isolated, identity=Identity(bytes(16)), payloads=Payloads(tmp_path.as_uri(), 10**6),
                reading=Reading(FramePolicy(), BurnedInPolicy(), Limits(), neighbours=3),
                series=Series(isolated=isolated, limits=Limits()),
            )
        ]  # fmt: skip
    finally:
        isolated.close()
    assert isinstance(image, MedicalImage)
    assert [one.steps for one in image.metadata.neighbours] == [1, 2]
    stored = [from_pixels(one)[0, 0] for one in (image.pixels, *image.neighbours)]
    assert [int(one) - int(stored[0]) for one in stored] == [0, 1, 2]


@pytest.fixture
def throttle(server: LocalS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Throttle]:
    proxy = Throttle(server)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.server_port}")
    yield proxy
    proxy.shutdown()
    proxy.server_close()


async def test_a_server_that_throttles(
    server: LocalS3, throttle: Throttle, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """503 SlowDown to every third request is asked again: everything is listed and read, and no log holds a key."""
    monkeypatch.setattr("streams.buckets.asking.PAGE", 3)
    monkeypatch.setattr("streams.buckets.s3_keys.PAGE", 3)
    put = dict(zip(keys(9), small_images(9), strict=True))
    for key, data in put.items():
        obstore.put(server.store, key, data)
    found = listed(LOCATION)
    assert {reference.key: (await asyncio.to_thread(LOCATION.read, reference)).data for reference in found} == put
    assert throttle.refused > 5
    assert "arrivals" not in "".join(capfd.readouterr())


def test_what_no_retry_mends_is_asked_once(
    server: LocalS3, throttle: Throttle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing bucket or object, and refused credentials, are told at once."""
    throttle.share = 10**9
    with pytest.raises(Unavailable, match="no such bucket"):
        listed(Store.parse("s3://nowhere"))
    assert LOCATION.state("nothing") is None
    assert throttle.asked == 2
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    clear_stores()
    with pytest.raises(ObjectUnreadable, match="credentials"):
        LOCATION.read(ObjectReference(bucket=LOCATION.bucket, key="nothing", etag="e", size=1))
    with pytest.raises(Unavailable, match="refuses to be listed"):
        listed(LOCATION)
    assert throttle.asked == 4


def test_a_profile_gives_the_credentials(server: LocalS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without AWS variables, keys, region and endpoint come from the profile that AWS_PROFILE names."""
    given = server.environment
    access, secret = given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"]
    (tmp_path / "credentials").write_text(
        "[default]\naws_access_key_id = x\naws_secret_access_key = y\n"
        f"[scans]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n"
    )
    endpoint = given["AWS_ENDPOINT_URL"]
    (tmp_path / "config").write_text(f"[profile scans]\nregion = us-east-1\nendpoint_url = {endpoint}\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "scans")
    obstore.put(server.store, "scan", b"pixels")
    found = LOCATION.state("scan")
    assert found is not None
    assert LOCATION.read(found).data == b"pixels"


def test_a_stage_waits_for_a_server_that_is_away(chain: Chain, server: LocalS3, processes: Processes) -> None:
    """While the server is down nothing becomes a dead letter and the stage says that it waits; then it goes on."""
    chain.watch()
    for key, data in zip(keys(5), small_images(5), strict=True):
        obstore.put(server.store, key, data)
    wait_until(lambda: len(chain.announced()) == 5)
    server.stop(processes)
    chain.start("preprocess")
    wait_until(lambda: chain.state("preprocess/preprocess") == ("waiting", "the bucket does not answer"))
    server.start(processes)
    wait_until(lambda: len(chain.images()) == 5)
    wait_until(lambda: ask(chain.settings.wires, LagReader.read)["preprocess"].waiting == 0)
    assert chain.dead_letters() == []
