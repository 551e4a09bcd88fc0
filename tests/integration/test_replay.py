"""Triplets that other versions made go through again; those of this version do not."""

from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import Producer

from agents.settings import Settings
from infra.announce import Replayed, announce, replay_stale
from infra.lineage import current_lineage
from models.describers.settings import Serving
from schemas.objects import ObjectReference
from schemas.triplets import Lineage, triplet_id
from streams.codec import Context, encode, headers
from streams.reader import read
from streams.topics import OBJECTS, TRIPLETS
from tests.models.describers.drawn_images import composed, plain_image

pytestmark = pytest.mark.integration

SERVING = Serving("http://sglang", "lab/vlm@1")


async def put_triplet(settings: Settings, reference: ObjectReference, lineage: Lineage) -> None:
    """As `describe` would for that object, with that lineage."""
    made = await composed(plain_image())
    triplet = made.model_copy(
        update={
            "object_id": settings.identity.object_id(reference),
            "triplet_id": triplet_id(made.image_id, lineage),
            "lineage": lineage,
        }
    )
    producer = Producer({"bootstrap.servers": settings.wires.bootstrap})
    head = list(headers(triplet, "describe", Context()))
    producer.produce(TRIPLETS.on(settings.wires), encode(triplet), triplet.triplet_id, headers=head)
    assert producer.flush(30) == 0


@pytest.mark.parametrize("change", [{"model": "lab/vlm@2"}, {"shown": "crops"}], ids=["model", "prompt"])
async def test_what_another_model_or_prompt_described_goes_through_again(
    settings: Settings, change: dict[str, Any]
) -> None:
    """Once; when the triplet of this version is there, no more."""
    was, now = (settings.model_copy(update={"serving": serving}) for serving in (SERVING, replace(SERVING, **change)))
    reference = ObjectReference(bucket="b", key="scan.dcm", etag="1", size=1)
    announce(settings, [reference])
    await put_triplet(was, reference, current_lineage(was))
    assert replay_stale(was, current_lineage(was)) == Replayed(0, 0)
    current = current_lineage(now)
    assert replay_stale(now, current) == Replayed(1, 0)
    assert [r.message for r in read(settings.wires, [OBJECTS]) if r is not None] == [reference, reference]
    await put_triplet(now, reference, current)
    assert replay_stale(now, current) == Replayed(0, 0)
