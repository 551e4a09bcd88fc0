"""Listing and reading a real S3 bucket: states, prefixes, a server that throttles or refuses, and credentials."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest

from agents.preprocess import preprocess
from agents.reading import Reading
from agents.series import Series
from infra.s3 import LocalS3
from models.imaging import BurnedInPolicy, FramePolicy, from_pixels
from schemas.failures import Unavailable
from schemas.images import MedicalImage
from schemas.limits import Limits
from schemas.objects import ObjectReference
from streams.buckets import Bucket, ObjectGone, ObjectUnreadable, bucket_of, open_bucket
from streams.buckets.asking import clear_stores
from streams.buckets.store import Store
from streams.identity import Identity
from streams.isolation import Isolated
from streams.payloads import Payloads
from tests.integration.s3 import BUCKET, LOCATION, PREFIX, keys, needs_s3, small_images
from tests.integration.throttling import Throttle
from tests.models.imaging.annotation_objects import series, written

pytestmark = [pytest.mark.integration, needs_s3]


def listed(bucket: Bucket, beside: ObjectReference | None = None) -> list[ObjectReference]:
    return [one for page in bucket.list(beside) for one in page]


async def test_a_listing_finds_the_same_states(s3: LocalS3) -> None:
    """A listing says of an image and its sidecar what asking for the two says, whatever stands between their keys."""
    names = ["scan.png", "scan.png-2.png", "scan.png.json", "scan.png0.png", "z.png", "z.png.json", "plain"]
    for name in names:
        obstore.put(s3.store, f"{PREFIX}/{name}", name.encode())
    found = listed(LOCATION)
    assert sorted(found, key=lambda reference: reference.key) == [
        LOCATION.state(f"{PREFIX}/{name}") for name in sorted(names) if not name.endswith(".json")
    ]
    described = {reference.key for reference in found if " " in reference.etag}
    assert described == {f"{PREFIX}/scan.png", f"{PREFIX}/z.png"}


async def test_a_place_may_be_a_prefix(s3: LocalS3) -> None:
    """What lies below it is found with its state, hidden keys aside, and read as it is now."""
    for name in ("marks/Núñez/a+b #1.dcm", "marks/.hidden", "other.dcm"):
        obstore.put(s3.store, name, name.encode())
    (found,) = listed(open_bucket(f"s3://{BUCKET}/marks"))
    assert bucket_of(found).get(found) == "marks/Núñez/a+b #1.dcm".encode()
    obstore.put(s3.store, found.key, b"changed")
    (changed,) = listed(open_bucket(f"s3://{BUCKET}/marks"))
    assert (changed.key, bucket_of(found).get(found)) == (found.key, b"changed")
    assert changed.etag != found.etag
    obstore.delete(s3.store, found.key)
    with pytest.raises(ObjectGone):
        bucket_of(found).get(found)


async def test_the_next_slices_lie_under_the_same_prefix(
    s3: LocalS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the beginnings of files, and read through the same door as the slice; none below the prefix is asked."""
    monkeypatch.setattr("agents.series.HEAD", 2**15)
    images = series(4)
    images[1].add_new(0x00091010, "OB", bytes(2**15))  # a header longer than that
    names = ["a/c d.dcm", "a/b#1.dcm", "a/é.dcm", "a/a/0.dcm"]
    for name, image in zip(names, images, strict=True):
        obstore.put(s3.store, name, written(image))
    for name in ("a/empty", "a/b#1.dcm.json", "a/.hidden"):
        obstore.put(s3.store, name, b"{}" if name.endswith("json") else b"")
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
def throttle(s3: LocalS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Throttle]:
    proxy = Throttle(s3)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.server_port}")
    yield proxy
    proxy.shutdown()
    proxy.server_close()


async def test_a_server_that_throttles(
    s3: LocalS3, throttle: Throttle, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """503 SlowDown to every third request is asked again: everything is listed and read, and no log holds a key."""
    monkeypatch.setattr("streams.buckets.asking.PAGE", 3)
    monkeypatch.setattr("streams.buckets.s3_keys.PAGE", 3)
    put = dict(zip(keys(9), small_images(9), strict=True))
    for key, data in put.items():
        obstore.put(s3.store, key, data)
    found = listed(LOCATION)
    assert {reference.key: (await asyncio.to_thread(LOCATION.read, reference)).data for reference in found} == put
    assert throttle.refused > 5
    assert "arrivals" not in "".join(capfd.readouterr())


def test_what_no_retry_mends_is_asked_once(s3: LocalS3, throttle: Throttle, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_profile_gives_the_credentials(s3: LocalS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without AWS variables, keys, region and endpoint come from the profile that AWS_PROFILE names."""
    given = s3.environment
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
    obstore.put(s3.store, "scan", b"pixels")
    found = LOCATION.state("scan")
    assert found is not None
    assert LOCATION.read(found).data == b"pixels"
