"""Pixels by reference: above the limit, content-addressed, and back."""

import asyncio
import base64
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from schemas.images import Pixels
from streams.payloads import OUTLIVED, PayloadMissing, Payloads
from streams.private import private_folder, write_privately
from streams.topics import ENRICHED, GROUNDED, IMAGES

OPERATIONS = Path(__file__).parents[2] / "docs/operations.md"


def pixels(size: int) -> Pixels:
    return Pixels(rows=1, columns=1, channels=1, bits=8, unit="HU", data=base64.b64encode(bytes(size)).decode())


async def test_small_pixels_stay_and_large_ones_travel_by_reference(tmp_path: Path) -> None:
    """At the limit pixels stay inline; above it they go to the store, and come back as they were."""
    store = Payloads(tmp_path.as_uri(), inline_limit=1000)
    assert await store.place(pixels(1000)) == pixels(1000)
    placed = await store.place(pixels(1004))
    assert placed.data is None
    assert placed.reference is not None
    assert await store.fetch(placed) == pixels(1004)
    assert await store.place(pixels(1004)) == placed, "the same content has the same address"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


async def test_a_message_with_several_images_is_no_larger_than_one(tmp_path: Path) -> None:
    """The limit holds for all of them together, the first ones before the others."""
    store = Payloads(tmp_path.as_uri(), inline_limit=1000)
    sizes = (600, 600, 300, 300)
    placed = await store.place_all([pixels(size) for size in sizes])
    assert [one.data is not None for one in placed] == [True, False, True, False]
    assert [await store.fetch(one) for one in placed] == [pixels(size) for size in sizes]


async def test_lost_pixels_are_said_to_be_lost(tmp_path: Path) -> None:
    """A reference to nothing is an input that no retry can mend."""
    store = Payloads(tmp_path.as_uri(), inline_limit=10)
    placed = await store.place(pixels(100))
    for path in tmp_path.rglob("*.png"):
        path.unlink()
    with pytest.raises(PayloadMissing, match="replay"):
        await store.fetch(placed)


async def test_pixels_are_deleted_when_no_message_can_need_them(tmp_path: Path) -> None:
    """Those between stages, once their topics have forgotten them; views that triplets show stay."""
    store = Payloads(tmp_path.as_uri(), inline_limit=10)
    passing, kept, fresh = (
        await store.place(pixels(100)),
        await store.place(pixels(200), "kept"),
        await store.place(pixels(300)),
    )
    for placed in (passing, kept):
        path = tmp_path / str(placed.reference)
        age = path.stat().st_mtime - OUTLIVED.total_seconds() - 1
        os.utime(path, (age, age))
    with suppress(TimeoutError):
        await asyncio.wait_for(store.delete_on(every=0.05), 0.5)
    with pytest.raises(PayloadMissing):
        await store.fetch(passing)
    assert await store.fetch(kept) == pixels(200)
    assert await store.fetch(fresh) == pixels(300)
    # Put again, as a replay does, they live as long as new ones.
    assert await store.fetch(await store.place(pixels(100))) == pixels(100)


def test_the_rule_for_object_stores_is_the_same() -> None:
    """The lifecycle rule in the handbook deletes what is passing, after the days that a folder keeps it."""
    text = OPERATIONS.read_text()
    (rule,) = orjson.loads(re.findall(r"```json\n(\{\"Rules\".*?)```", text, re.DOTALL)[0])["Rules"]
    assert rule["Filter"] == {"Prefix": "pixels/passing/"}
    assert rule["Expiration"] == {"Days": OUTLIVED.days}
    assert OUTLIVED.total_seconds() * 1000 > max(topic.retention_ms for topic in (IMAGES, GROUNDED, ENRICHED))


async def test_what_lies_on_a_disk_is_its_users_alone(tmp_path: Path) -> None:
    """Folders 0700 and files 0600, whatever the mask was; an own folder that was open is closed."""
    mask = write_privately()
    try:
        tmp_path.chmod(0o755)
        (tmp_path / "open").mkdir(0o755)
        (tmp_path / "open").chmod(0o755)
        state = private_folder(tmp_path / "open")
        await Payloads((state / "payloads").as_uri(), inline_limit=10).place(pixels(100))
    finally:
        os.umask(mask)
    modes = {stat.S_IMODE(path.stat().st_mode): path.is_dir() for path in (state, *state.rglob("*"))}
    assert modes == {0o700: True, 0o600: False}
