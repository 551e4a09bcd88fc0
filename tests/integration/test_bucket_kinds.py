"""Every kind of bucket keeps the same promises: a folder, a real S3 server, emulators of GCS and Azure."""

import asyncio
import http.client
import os
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
import orjson
import pytest

from infra.emulators import Emulator, LocalAzure, LocalGcs
from infra.processes import Processes
from infra.s3 import LocalS3
from infra.servers import AZURITE, FAKE_GCS, VERSITYGW, Server
from schemas.failures import Unavailable
from schemas.objects import ObjectReference
from streams.buckets import (
    Bucket,
    ObjectChanged,
    ObjectGone,
    ObjectUnreadable,
    Watching,
    bucket_of,
    open_bucket,
    s3_keys,
)
from streams.buckets.asking import clear_stores
from streams.buckets.aws import Access, access_to
from streams.buckets.s3_events import Accompanying, resolve
from streams.buckets.store import Store
from tests.integration.odd_answers import Odd

KINDS = ["folder", "s3", "gs", "az"]


class Files:
    """A folder, as a store is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self.url = str(folder)
        self.environment: dict[str, str] = {}

    def put(self, key: str, data: bytes) -> None:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def delete(self, key: str) -> None:
        (self._folder / key).unlink()


class S3(LocalS3):
    """A real server, as a store is."""

    def __init__(self, folder: Path, bucket: str) -> None:
        super().__init__(folder, bucket)
        self.url = f"s3://{bucket}"

    def put(self, key: str, data: bytes) -> None:
        """Put an object."""
        obstore.put(self.store, key, data)

    def put_odd(self, key: str, data: bytes) -> None:
        """Not by the server's own means: see Odd."""
        raise NotImplementedError

    def delete(self, key: str) -> None:
        """Delete one."""
        obstore.delete(self.store, key)


def need(server: Server) -> None:
    if not server.binary().exists() and not os.environ.get("CI"):
        pytest.skip(f"{server.name} is not there: run 'make servers'")


@pytest.fixture(params=KINDS)
def store(
    request: pytest.FixtureRequest, tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> Emulator | Files:
    """One of each kind, empty."""
    if request.param == "folder":
        return Files(tmp_path / "inbox")
    server, kind = {"s3": (VERSITYGW, S3), "gs": (FAKE_GCS, LocalGcs), "az": (AZURITE, LocalAzure)}[request.param]
    need(server)
    found = kind(tmp_path, "scans")
    found.start(processes)
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    clear_stores()
    return found


def listed(bucket: Bucket, beside: ObjectReference | None = None) -> list[ObjectReference]:
    return [one for page in bucket.list(beside) for one in page]


class Seen(list[ObjectReference]):
    """What a watch has given out."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[str] = []
        self.ignored = 0

    async def until(self, holds: Callable[[], bool], seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - as a user would
                await asyncio.sleep(0.02)

    def ignore(self, number: int) -> None:
        self.ignored += number


@asynccontextmanager
async def watching(bucket: Bucket, ledger: list[ObjectReference] | None = None) -> AsyncGenerator[Seen]:
    seen = Seen()
    settings = Watching(listing=0.2, waiting=seen.waiting.append, ignored=seen.ignore)

    async def follow() -> None:
        async with aclosing(bucket.watch(settings, ledger or [])) as references:
            async for reference in references:
                seen.append(reference)

    task = asyncio.create_task(follow())
    try:
        yield seen
        assert not task.done(), "the watch ended"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def key_of(reference: ObjectReference) -> str:
    """As it was put: the keys of a folder are percent-encoded."""
    return unquote(reference.key) if reference.bucket.startswith("file:") else reference.key


async def test_a_bucket_keeps_its_promises(store: Emulator | Files) -> None:
    """What is there is listed, watched once, read as it was announced, and refused once it changed or went."""
    bucket = open_bucket(f"{store.url}/in")
    for key in ("in/b.dcm", "in/Núñez a+b #1.dcm", "in/sub/c.dcm", "in/.hidden", "in/x.part", "inner.dcm", "in/.m/z"):
        store.put(key, key.encode())
    store.put("in/scan.png", b"image")
    store.put("in/masks/.scan.png", b"mask")
    store.put("in/scan.png.json", orjson.dumps({"mask": "masks/.scan.png", "annotations": ["../inner.dcm", "none"]}))
    wanted = {"in/b.dcm", "in/Núñez a+b #1.dcm", "in/sub/c.dcm", "in/scan.png"}
    below = "" if isinstance(store, Files) else "in/"
    wanted = {below + key.removeprefix("in/") for key in wanted}

    found = listed(bucket)
    assert [key_of(one) for one in found] == sorted(map(key_of, found))
    assert set(map(key_of, found)) == wanted
    assert all(bucket.holds(one) for one in found)
    assert not bucket.holds(ObjectReference(bucket=found[0].bucket, key="../inner.dcm", etag="", size=0)) or below
    assert not open_bucket(f"{store.url}/i").holds(found[0])
    (first,) = [one for one in found if key_of(one).endswith("b.dcm") and "ez" not in one.key]
    assert {key_of(one) for one in listed(bucket_of(first), first)} == wanted - {f"{below}sub/c.dcm"}
    assert bucket_of(first).get(first, 4) == b"in/b"

    async with watching(bucket) as seen:
        await seen.until(lambda: len(seen) == 4)
        store.put("in/b.dcm", b"other")
        store.put("in/late.dcm", b"late")
        await seen.until(lambda: len(seen) == 6)
        await asyncio.sleep(0.6)
    assert set(map(key_of, seen[4:])) == {f"{below}b.dcm", f"{below}late.dcm"}
    by_key = {key_of(one): one for one in seen[:4]}
    content = bucket_of(seen[0]).read(by_key[f"{below}scan.png"])
    assert (content.data, sorted(content.companions)) == (b"image", ["mask", "sidecar"])
    assert content.companions["mask"] == b"mask"
    with pytest.raises(ObjectChanged):
        bucket_of(seen[0]).read(by_key[f"{below}b.dcm"])
    assert bucket_of(seen[0]).read_now(by_key[f"{below}b.dcm"]).data == b"other"
    store.delete("in/sub/c.dcm")
    with pytest.raises(ObjectGone):
        bucket_of(seen[0]).read(by_key[f"{below}sub/c.dcm"])

    async with watching(bucket, list(seen)) as again:
        store.put("in/scan.png.json", b"{}")
        await again.until(lambda: len(again) == 1)
        await asyncio.sleep(0.6)
    assert [key_of(one) for one in again] == [f"{below}scan.png"]


async def test_what_a_sidecar_names_is_no_object(store: Emulator | Files) -> None:
    """A mask beside an image, before or behind it by name, in its folder or below it; one that nobody names is one."""
    bucket = open_bucket(f"{store.url}/in")
    store.put("in/sub/m.png.json", orjson.dumps({"mask": "a-mask.png", "annotations": ["z/seg.dcm"]}))
    for key in ("in/sub/m.png", "in/sub/a-mask.png", "in/sub/z/seg.dcm", "in/a-mask.png", "in/sub/z/other.dcm"):
        store.put(key, key.encode())
    below = "" if isinstance(store, Files) else "in/"
    wanted = [f"{below}{key}" for key in ("a-mask.png", "sub/m.png", "sub/z/other.dcm")]
    async with watching(bucket) as seen:
        await seen.until(lambda: len(seen) == len(wanted))
        store.put("in/sub/n.png.json", orjson.dumps({"mask": "n-mask.png"}))
        store.put("in/sub/n.png", b"image")
        store.put("in/sub/n-mask.png", b"mask")
        await seen.until(lambda: len(seen) == len(wanted) + 1)
        await asyncio.sleep(0.6)
    assert sorted(map(key_of, seen)) == sorted([*wanted, f"{below}sub/n.png"])


def test_a_notification_of_a_mask_announces_nothing(s3: S3) -> None:
    """Once its sidecar was told of."""
    s3.put("in/m.png", b"image")
    s3.put("in/m.png.json", orjson.dumps({"mask": "mask.png"}))
    s3.put("in/mask.png", b"mask")
    bucket = open_bucket(f"{s3.url}/in")
    assert isinstance(bucket, Store)
    accompanying = Accompanying(bucket)
    image, mask = (resolve(bucket, (key,), None, None) for key in ("in/m.png", "in/mask.png"))
    assert image is not None
    assert mask is not None
    assert not accompanying.note(image)
    assert accompanying.note(mask)


@pytest.mark.parametrize("store", KINDS[1:], indirect=True)
async def test_markers_of_folders_are_ignored_and_counted(store: Emulator) -> None:
    """An object of no bytes that stands for a folder is none; an image of no bytes is an object."""
    bucket = open_bucket(f"{store.url}/in")
    if isinstance(store, S3):
        put = store.environment["AWS_ENDPOINT_URL"]
        for key in ("in/", "in/dir/", "in/dir/sub/"):
            asked(put, key, "PUT")
    elif isinstance(store, LocalGcs):
        for key in ("in/", "in/dir/", "in/dir/sub/"):
            store.put(key, b"")
    store.put("in/old_$folder$", b"")
    store.put("in/dir/empty.dcm", b"")
    async with watching(bucket) as seen:
        await seen.until(lambda: len(seen) == 1 and seen.ignored >= (1 if isinstance(store, LocalAzure) else 3))
        before = seen.ignored
        await asyncio.sleep(0.6)
    assert [one.key for one in seen] == ["in/dir/empty.dcm"]
    assert seen.ignored == before


def asked(endpoint: str, key: str, method: str) -> None:
    """A request for a key that obstore cannot tell, signed as everything else is."""
    access = access_to("s3://scans")
    access = Access(f"{endpoint}/scans/{key}", access.region, access.access_key_id, access.secret_access_key)
    url, headers = s3_keys.signed(access, {}, datetime.now(UTC), method)
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc)
    connection.request(method, urlsplit(url).path, headers=headers)
    assert connection.getresponse().status == 200


@pytest.fixture
def s3(tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch) -> S3:
    need(VERSITYGW)
    server = S3(tmp_path, "scans")
    server.start(processes)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    clear_stores()
    return server


@pytest.fixture
def odd(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Odd]:
    proxy = Odd(s3)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.server_port}")
    clear_stores()
    yield proxy
    proxy.shutdown()
    proxy.server_close()


ODD = ["x//y.dcm", "x/./y.dcm", "x/../y.dcm", "ctl\x7f.dcm", "tab\t.dcm"]


@pytest.mark.parametrize("name", ODD)
async def test_one_odd_key_costs_itself(s3: S3, odd: Odd, name: str) -> None:
    """Listed as it is, and refused by whoever reads it, in words without the key; all others go on, new ones too."""
    plain = "xODD.dcm"
    odd.spelled = {plain.encode(): name.encode().replace(b"\t", b"&#x9;")}
    for number in range(5):
        s3.put(f"in/a{number}.dcm", b"1")
    s3.put(f"in/{plain}", b"1")
    bucket = open_bucket("s3://scans/in")
    async with watching(bucket) as seen:
        await seen.until(lambda: len(seen) == 6)
        s3.put("in/zz.dcm", b"1")
        await seen.until(lambda: len(seen) == 7)
    assert not any(seen.waiting)
    (found,) = [one for one in seen if one.key == f"in/{name}"]
    with pytest.raises(ObjectUnreadable, match="Copy the object to another key") as caught:
        bucket.read(found)
    assert name not in str(caught.value)
    good = next(one for one in seen if one.key == "in/a0.dcm")
    assert bucket.read(good).data == b"1"
    assert {one.key for one in listed(bucket, good)} >= {"in/a0.dcm", "in/zz.dcm"}


@pytest.mark.parametrize(
    ("store", "name"),
    [
        *(("gs", name) for name in ("x//y.dcm", "x/./y.dcm", "x/../y.dcm", "tab\t.dcm")),
        # A segment of dots alone does not reach Azure: HTTP resolves it.
        *(("az", name) for name in ("x//y.dcm", "tab\t.dcm")),
    ],
    indirect=["store"],
)
async def test_one_odd_key_of_google_or_azure_costs_itself(store: Emulator, name: str) -> None:
    """The same for stores that are listed through a relay; a folder with such a key in it is listed too."""
    for number in range(5):
        store.put(f"in/a{number}.dcm", b"1")
    store.put("in/scan.png", b"image")
    store.put("in/scan.png.json", b"{}")
    store.put_odd(f"in/{name}", b"12")
    bucket = open_bucket(f"{store.url}/in")
    async with watching(bucket) as seen:
        await seen.until(lambda: len(seen) == 7)
        store.put("in/zz.dcm", b"1")
        await seen.until(lambda: len(seen) == 8)
    assert not any(seen.waiting)
    (found,) = [one for one in seen if one.key == f"in/{name}"]
    assert found.size == 2
    assert found.etag
    with pytest.raises(ObjectUnreadable, match="Copy the object to another key") as caught:
        bucket.read(found)
    assert name not in str(caught.value)
    good = next(one for one in seen if one.key == "in/a0.dcm")
    assert bucket.read(good).data == b"1"
    assert {one.key for one in listed(bucket, good)} >= {"in/a0.dcm", "in/scan.png", "in/zz.dcm"}
    (image,) = [one for one in seen if one.key == "in/scan.png"]
    assert " " in image.etag  # Its sidecar is found beside it.


async def test_a_marker_of_an_odd_folder(s3: S3, odd: Odd) -> None:
    """`dir//` holds nothing: ignored, as `dir/` is."""
    odd.spelled = {b"odd.marker": b"dir//", b"&#34;5d41402abc4b2a76b9719d911017c592&#34;</ETag><Key>in/dir": b"in/dir"}
    s3.put("in/odd.marker", b"")
    s3.put("in/a.dcm", b"1")
    async with watching(open_bucket("s3://scans/in")) as seen:
        await seen.until(lambda: len(seen) == 1 and seen.ignored == 1)
    assert [one.key for one in seen] == ["in/a.dcm"]


async def test_a_bucket_of_many_pages_with_odd_keys(s3: S3, odd: Odd, monkeypatch: pytest.MonkeyPatch) -> None:
    """The listing without obstore goes on from page to page, after the last key that obstore told."""
    monkeypatch.setattr("streams.buckets.asking.PAGE", 7)
    monkeypatch.setattr("streams.buckets.s3_keys.PAGE", 7)
    odd.spelled = {b"m0ODD": b"m//0"}
    for number in range(20):
        s3.put(f"in/{'az'[number // 10]}{number}.dcm", b"1")
    s3.put("in/m0ODD.dcm", b"1")
    found = [one.key for one in listed(open_bucket("s3://scans/in"))]
    assert len(found) == len(set(found)) == 21
    assert "in/m//0.dcm" in found


@pytest.mark.parametrize("code", [b"InvalidRequest", b"KMS.DisabledException", b"KMS.InvalidStateException"])
def test_an_object_that_the_server_never_gives_is_a_dead_letter(s3: S3, odd: Odd, code: bytes) -> None:
    """400 to a GET of one object, as with SSE-C or a disabled key, is that object's; others are read."""
    s3.put("in/locked.dcm", b"1")
    s3.put("in/open.dcm", b"1")
    odd.refused = {"locked": code}
    bucket = open_bucket("s3://scans/in")
    assert isinstance(bucket, Store)
    locked, free = listed(bucket)
    with pytest.raises(ObjectUnreadable, match="encrypted"):
        bucket.read(locked)
    assert bucket.read(free).data == b"1"
    # Its notification is followed too, though the server does not tell its state.
    assert resolve(bucket, ("in/locked.dcm",), locked.etag, 1) == locked
    assert resolve(bucket, ("in/locked.dcm",), None, None) is None


@pytest.mark.parametrize("code", [b"ExpiredToken", b"AuthorizationHeaderMalformed"])
def test_what_is_wrong_with_the_worker_is_no_dead_letter(s3: S3, odd: Odd, code: bytes) -> None:
    """Expired credentials and a wrong region are waited for: no object is to blame."""
    s3.put("in/a.dcm", b"1")
    (found,) = listed(open_bucket("s3://scans/in"))
    odd.refused = {"a.dcm": code}
    with pytest.raises(Unavailable, match="credentials"):
        bucket_of(found).read(found)
