"""Triplets of slices become records of volumes: once whole, or once no more come, and never weaker than before."""

import asyncio
from functools import lru_cache

import pytest
from prometheus_client import REGISTRY

from agents import gather
from agents.gather import Volumes
from schemas.images import InVolume
from schemas.triplets import Triplet
from schemas.volumes import VolumeRecord
from tests.models.describers.drawn_images import composed, drawn_image


@lru_cache(maxsize=1)
def alone() -> Triplet:
    """Of no volume."""
    return asyncio.run(composed(drawn_image(0)))


def slices(volume: int, count: int = 3) -> list[Triplet]:
    """Triplets of a volume's slices, in their order."""
    found: list[Triplet] = []
    for place in range(count):
        within = InVolume(digest=f"{volume:032x}", slices=count, place=place)
        metadata = alone().metadata.model_copy(update={"volume": within})
        found.append(alone().model_copy(update={"metadata": metadata}))
    return found


def take(volumes: Volumes, triplets: list[Triplet], first: int = 0, now: float = 0.0) -> list[VolumeRecord]:
    """What comes of them, one behind the other in two partitions."""
    return [
        record
        for number, triplet in enumerate(triplets, start=first)
        for record in volumes.take(triplet, number % 2, number, now)
    ]


def test_a_volume_is_told_with_its_last_slice() -> None:
    """Whatever the order, and whatever comes between; the same slice twice counts once, and once told it is done."""
    one, two = slices(1), slices(2)
    volumes = Volumes()
    records = take(volumes, [one[2], two[0], one[0], alone(), one[2], two[1], one[1], one[0], two[2]])
    assert [(record.volume[-1], record.seen, record.complete) for record in records] == [("1", 3, True), ("2", 3, True)]
    assert (volumes.held(), list(volumes.overdue(1e9))) == ({}, [])


def test_nothing_is_committed_past_an_open_volume() -> None:
    """Of each partition the first message that is still needed is held."""
    one, two = slices(1), slices(2)
    volumes = Volumes()
    take(volumes, [one[0], one[1], two[0], two[1]], first=10)
    assert volumes.held() == {0: 10, 1: 11}
    take(volumes, [one[2]], first=14)
    assert volumes.held() == {0: 12, 1: 13}


def test_what_waited_long_enough_is_told_as_it_is() -> None:
    """From the last slice on; one that comes late makes it whole, under the same id."""
    one = slices(1)
    volumes = Volumes(wait=60)
    take(volumes, one[:1], now=0.0)
    take(volumes, one[1:2], first=1, now=50.0)
    assert list(volumes.overdue(109.0)) == []
    (part,) = volumes.overdue(110.0)
    assert (part.seen, part.complete) == (2, False)
    assert volumes.held() == {}
    (whole,) = take(volumes, one[2:], first=5, now=1000.0)
    assert (whole.record_id, whole.complete) == (part.record_id, True)


def test_a_record_is_never_told_with_fewer_slices() -> None:
    """Of a process that was started anew: neither where it was whole, nor where it had more of it."""
    one, two = slices(1), slices(2)
    (whole,) = take(Volumes(), one)
    before = Volumes(wait=0)
    take(before, two[:2])
    (part,) = before.overdue(1.0)
    anew = Volumes({whole.record_id: whole.seen, part.record_id: part.seen}, wait=0)
    assert take(anew, [one[0], two[2]]) == []
    assert list(anew.overdue(1.0)) == []
    (completed,) = take(anew, two[:2], first=3)
    assert (completed.record_id, completed.seen) == (part.record_id, 3)


def test_so_many_volumes_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond them the one that has waited longest is told: memory is bounded."""
    monkeypatch.setattr(gather, "MOST_OPEN", 2)
    volumes = Volumes()
    records = take(volumes, [slices(number)[0] for number in (1, 2, 3)])
    assert [(record.volume[-1], record.seen) for record in records] == [("1", 1)]


def test_what_is_open_and_what_was_written_is_counted() -> None:
    """Records by whether they are whole, what is held now, and the slice that came after its record."""

    def counted() -> dict[str, float]:
        found = {
            "whole": REGISTRY.get_sample_value("tristream_volume_records_total", {"complete": "yes"}),
            "parts": REGISTRY.get_sample_value("tristream_volume_records_total", {"complete": "no"}),
            "late": REGISTRY.get_sample_value("tristream_volume_slices_late_total"),
            "open": REGISTRY.get_sample_value("tristream_volumes_open"),
            "waiting": REGISTRY.get_sample_value("tristream_volume_slices_waiting"),
        }
        return {name: value or 0.0 for name, value in found.items()}

    volumes = Volumes(wait=60)
    before = counted()

    def since() -> dict[str, float]:
        return {name: value - before[name] if name in {"whole", "parts", "late"} else value
                for name, value in counted().items()}  # fmt: skip

    one, two = slices(1), slices(2)
    take(volumes, [*one[:2], two[0]])
    assert since() == {"whole": 0, "parts": 0, "late": 0, "open": 2, "waiting": 3}
    list(volumes.overdue(60.0))
    assert since() == {"whole": 0, "parts": 2, "late": 0, "open": 0, "waiting": 0}
    take(volumes, one[2:], now=70.0)
    assert since() == {"whole": 1, "parts": 2, "late": 1, "open": 0, "waiting": 0}


def test_the_same_slices_give_the_same_record() -> None:
    """In any order: told again after a crash, it is the same message."""
    one = slices(1)
    assert take(Volumes(), one) == take(Volumes(), one[::-1])
