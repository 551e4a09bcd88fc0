"""Pixels by reference: above the limit, content-addressed, and back."""

import base64
from pathlib import Path

import pytest

from schemas.images import Pixels
from streams.payloads import PayloadMissing, Payloads


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
