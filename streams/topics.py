"""Every topic there is, in one table, and their creation. Nothing else in the project names a topic."""

import time
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import stamina
import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.base import Message
from schemas.control import Resume
from schemas.dead_letters import DeadLetter
from schemas.events import BucketEvent
from schemas.failures import Unavailable
from schemas.images import MedicalImage
from schemas.knowledge import EnrichedImage
from schemas.objects import ObjectReference
from schemas.regions import GroundedImage
from schemas.stages import StageState
from schemas.triplets import Triplet
from schemas.volumes import VolumeRecord
from streams.security import AccessRefused, for_confluent, knock
from streams.settings import MEBIBYTE, Wires

log = structlog.get_logger()

M = TypeVar("M", bound=Message)
DAY_MS = 24 * 60 * 60 * 1000
MAX_MESSAGE_BYTES = 8 * MEBIBYTE


@dataclass(frozen=True, slots=True)
class Topic(Generic[M]):
    """One topic: what it carries, how it is keyed, and how long it keeps it."""

    name: str
    carries: type[M]
    key: str
    cleanup: Literal["delete", "compact"]
    retention_ms: int
    summary: str
    max_message_bytes: int = MAX_MESSAGE_BYTES
    foreign: bool = False
    """Written by other software: without our headers, and with any key."""

    def on(self, wires: Wires) -> str:
        """Its name on that cluster."""
        return wires.prefix + self.name

    def config(self, wires: Wires) -> dict[str, str]:
        """Broker settings on that cluster."""
        cleanup, retention_ms = self.cleanup, self.retention_ms
        if self.name == OBJECTS.name and wires.objects_days:
            cleanup, retention_ms = f"{cleanup},delete", int(wires.objects_days * DAY_MS)
        return {
            "cleanup.policy": cleanup,
            "retention.ms": str(retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
        }


BUCKET_EVENTS = Topic(
    "bucket-events", BucketEvent, "nothing that matters", "delete", 7 * DAY_MS,
    "Notifications of an S3 server, as it sends them; read by watch", max_message_bytes=MEBIBYTE, foreign=True,
)  # fmt: skip
OBJECTS = Topic(
    "objects", ObjectReference, "object_id", "compact", -1,
    "References to objects in the bucket; compacted, so that it is also the ledger of what was taken",
    max_message_bytes=MEBIBYTE,
)  # fmt: skip
IMAGES = Topic("images", MedicalImage, "image_id", "delete", 3 * DAY_MS, "De-identified frames, quantitative pixels")
GROUNDED = Topic("grounded", GroundedImage, "image_id", "delete", 3 * DAY_MS, "Rendered views with measured regions")
ENRICHED = Topic("enriched", EnrichedImage, "image_id", "delete", 3 * DAY_MS, "Grounded views with passages found")
TRIPLETS = Topic("triplets", Triplet, "triplet_id", "compact", -1, "The product: image, regions, description")
VOLUMES = Topic(
    "volumes", VolumeRecord, "record_id", "compact", -1,
    "Beside the triplets of slices, one record a volume: ml, parts and extents; written by `tristream gather`",
)  # fmt: skip
DEAD_LETTERS = Topic(
    "dead-letters", DeadLetter, "subject", "compact", -1,
    "Open dead letters by what they are about; a replay clears them", max_message_bytes=MEBIBYTE,
)  # fmt: skip
STAGES = Topic("stages", StageState, "worker", "compact", -1, "What each worker is doing", max_message_bytes=MEBIBYTE)
CONTROL = Topic(
    "control", Resume, "stage", "delete", DAY_MS, "What an operator tells workers: a stage that is paused shall go on",
    max_message_bytes=MEBIBYTE,
)  # fmt: skip

TOPICS: tuple[Topic[Message], ...] = (
    BUCKET_EVENTS,
    OBJECTS,
    IMAGES,
    GROUNDED,
    ENRICHED,
    TRIPLETS,
    VOLUMES,
    DEAD_LETTERS,
    STAGES,
    CONTROL,
)  # type: ignore[assignment]


def admin(wires: Wires) -> AdminClient:
    """An admin client for that cluster."""
    return AdminClient(for_confluent(wires))


def create_topics(wires: Wires, timeout: float = 30.0) -> None:
    """Create every topic that does not exist yet. A worker must not start before: it would never see a later one.

    Raises:
        Unavailable: the broker does not answer, or refuses.
    """
    knock(wires, timeout)
    wanted = [
        NewTopic(
            topic.on(wires),
            num_partitions=wires.partitions,
            replication_factor=wires.replication,
            config=topic.config(wires),
        )
        for topic in TOPICS
    ]
    client = admin(wires)  # must outlive its futures
    for name, future in client.create_topics(wanted, operation_timeout=timeout, request_timeout=timeout).items():
        try:
            future.result(timeout)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise Unavailable(
                    f"Kafka at {wires.bootstrap} did not create topic {name!r}: {error.args[0].name()}"
                ) from error
        except TimeoutError as error:
            raise Unavailable(f"Kafka at {wires.bootstrap} did not answer in {timeout:.0f} s") from error
    deadline = time.monotonic() + timeout
    while not all(_has_leaders(client, topic.on(wires), timeout) for topic in TOPICS):
        if time.monotonic() > deadline:
            raise Unavailable(
                f"Kafka at {wires.bootstrap} has created topics that have no leaders after {timeout:.0f} s"
            )
        time.sleep(0.05)


def create_topics_at_last(wires: Wires) -> None:
    """The same, however long the broker is away; said once.

    Raises:
        AccessRefused: the broker is there, and does not let us in.
    """
    said = False

    def passes(error: Exception) -> bool:
        nonlocal said
        if not isinstance(error, Unavailable) or isinstance(error, AccessRefused):
            return False
        if not said:
            log.warning("waiting", reason=str(error))
        said = True
        return True

    for attempt in stamina.retry_context(on=passes, attempts=None, timeout=None, wait_initial=0.5, wait_max=5.0):
        with attempt:
            create_topics(wires)


def _has_leaders(client: AdminClient, topic: str, timeout: float) -> bool:
    try:
        partitions = client.list_topics(topic, timeout=timeout).topics[topic].partitions
    except KafkaException as error:
        raise Unavailable(f"Kafka does not tell of topic {topic!r}: {error.args[0].name()}") from error
    return bool(partitions) and all(partition.leader >= 0 for partition in partitions.values())
