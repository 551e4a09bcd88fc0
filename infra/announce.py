"""Putting references on the `objects` topic from outside the pipeline: by annotate, and by replay."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from opentelemetry.trace import SpanKind

from agents.settings import Settings
from schemas.dead_letters import Origin
from schemas.objects import ObjectReference
from schemas.triplets import Lineage, Triplet
from streams.codec import CLEARS, Context, clearing, encode, headers
from streams.dead_letters import subject_key
from streams.reader import latest, no_answer
from streams.security import for_confluent
from streams.sending import Sender
from streams.settings import Wires
from streams.topics import DEAD_LETTERS, OBJECTS, TRIPLETS
from streams.tracing import span


def announce(
    settings: Settings, references: Iterable[ObjectReference], older: Mapping[str, Sequence[str]] | None = None
) -> int:
    """Put references on the `objects` topic, acknowledged when this returns.

    Args:
        settings: which pipeline.
        references: to the objects.
        older: keys of the dead letters of earlier contents of the files, by object_id; they are cleared.

    Returns:
        How many.

    Raises:
        Unavailable: Kafka did not take them all.
    """
    sender, count, older = Sender(settings.wires), 0, older or {}
    for reference in references:
        _announce(sender, settings, reference, "announce", older.get(settings.identity.object_id(reference), ()))
        count += 1
    sender.flush()
    return count


def _announce(
    sender: Sender, settings: Settings, reference: ObjectReference, source: str, clears: Sequence[str]
) -> None:
    with span(source, Context(), SpanKind.PRODUCER) as context:
        head = headers(reference, source, context, clears)
        sender.send(OBJECTS.on(settings.wires), settings.identity.object_id(reference), encode(reference), head)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay sent, and what it could not."""

    sent: int
    lost: int


def replay_dead_letters(settings: Settings, object_id: str | None = None) -> Replayed:
    """Send the objects of open dead letters through again. The stage that takes one clears its letters first.

    So a letter stays until its object is surely taken, and what fails anew has a letter that nobody clears.

    Args:
        settings: which pipeline.
        object_id: only this object's; None: all.

    Returns:
        Objects and messages sent; and dead letters whose object no longer stands on the `objects` topic.

    Raises:
        Unavailable: Kafka does not answer.
    """
    letters = [
        record.message
        for record in latest(settings.wires, DEAD_LETTERS).values()
        if record.message is not None and object_id in (None, record.message.object_id)
    ]
    known = known_objects(settings)
    sender = Sender(settings.wires)
    of_objects: dict[str, list[str]] = {}
    lost = messages = 0
    for letter in letters:
        if letter.object_id is None:
            assert letter.origin is not None, "only what a broker carries can be unreadable"
            found = _resend_message(sender, settings.wires, letter.origin, [subject_key(letter)])
            messages, lost = messages + found, lost + (not found)
        elif letter.object_id in known:
            of_objects.setdefault(letter.object_id, []).append(subject_key(letter))
        else:
            lost += 1
    for object_id, keys in of_objects.items():
        _announce(sender, settings, known[object_id], "replay", keys)
    sender.flush()
    return Replayed(len(of_objects) + messages, lost)


def replay_origin(settings: Settings, origin: Origin) -> Replayed:
    """Send one message again to the topic where it stands.

    Raises:
        Unavailable: Kafka does not answer.
    """
    sender = Sender(settings.wires)
    letter = f"{origin.topic}/{origin.partition}/{origin.offset}"
    found = _resend_message(sender, settings.wires, origin, [letter])
    sender.flush()
    return Replayed(int(found), int(not found))


def replay_stale(settings: Settings, current: Lineage) -> Replayed:
    """Send the objects of triplets through again that were made by other versions than `current`.

    Compared are preprocessing, grounding, knowledge, describer and prompt; the experts that ran depend on the image.

    Raises:
        Unavailable: Kafka does not answer.
    """
    fields = ("preprocess", "grounding", "knowledge", "describer", "prompt")
    fresh: set[str] = set()
    stale: set[str] = set()
    for record in latest(settings.wires, TRIPLETS).values():
        if isinstance(record.message, Triplet):
            same = all(getattr(record.message.lineage, name) == getattr(current, name) for name in fields)
            (fresh if same else stale).add(record.message.object_id)
    known = known_objects(settings)
    wanted = stale - fresh
    sent = announce(settings, (known[object_id] for object_id in sorted(wanted) if object_id in known))
    return Replayed(sent, len(wanted) - sent)


def known_objects(settings: Settings) -> dict[str, ObjectReference]:
    """The objects that a pipeline was told of, by their names. Raises Unavailable."""
    # The id is computed, not read from the key: references that a bucket announced itself carry none.
    identity = settings.identity
    references = (record.message for record in latest(settings.wires, OBJECTS).values())
    return {identity.object_id(reference): reference for reference in references if reference is not None}


def _resend_message(sender: Sender, wires: Wires, origin: Origin, clears: Sequence[str] = ()) -> bool:
    message = _message_at(wires, origin)
    if message is None:
        return False
    head = [(name, value) for name, value in message.headers() or [] if name != CLEARS]
    sender.send(origin.topic, message.key() or b"", message.value(), [*head, *clearing(clears)])  # pyright: ignore[reportArgumentType]
    return True


def _message_at(wires: Wires, origin: Origin) -> Message | None:
    """The message at an address, or None if it is no longer kept."""
    consumer = Consumer({**for_confluent(wires), "group.id": f"{wires.prefix}tristream-reader"})
    try:
        partition = TopicPartition(origin.topic, origin.partition, origin.offset)
        low, high = consumer.get_watermark_offsets(partition, timeout=10)
        if not low <= origin.offset < high:
            return None
        consumer.assign([partition])
        message = consumer.poll(10)
    except KafkaException as error:
        raise no_answer(wires, error) from error
    finally:
        consumer.close()
    return message if message is not None and message.error() is None and message.offset() == origin.offset else None
