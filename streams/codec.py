"""Messages to bytes and back: orjson values with CloudEvents headers (binary mode, CloudEvents 1.0, Kafka binding 3.2).

Knows the types of `schemas` only as Pydantic models.
"""

import re
import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Self, TypeVar, cast

import orjson
from pydantic import ValidationError

from schemas.base import Message
from schemas.failures import InvalidInput

M = TypeVar("M", bound=Message)

CLEARS = "ce_clears"
# It goes into logs: what a foreign producer puts there must be ids and nothing else.
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class UnreadableMessage(InvalidInput):
    """A message on a topic that is not of the topic's type."""


@dataclass(frozen=True, slots=True)
class Context:
    """What travels beside a message from the bucket to the triplet.

    `traceparent` follows W3C Trace Context; `taken_at` is when the object was first taken (RFC 3339, UTC). `root`: it
    came from no message, so that nobody has told of a span under these ids.
    """

    traceparent: str = field(default_factory=lambda: f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01")
    taken_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    root: bool = field(default=True, compare=False)

    def child(self) -> Self:
        """The same trace, a span of its own."""
        version, trace, _, flags = self.traceparent.split("-")
        return replace(self, traceparent=f"{version}-{trace}-{secrets.token_hex(8)}-{flags}", root=False)

    @classmethod
    def read(cls, headers: Mapping[str, bytes] | Iterable[tuple[str, bytes]] | None) -> Self:
        """The context in a message's headers; a new one where a foreign producer sent none."""
        found = cast("dict[str, bytes]", dict(headers or {}))
        traceparent, taken_at = found.get("traceparent"), found.get("ce_takenat")
        fresh = cls()
        valid = traceparent is not None and _TRACEPARENT.fullmatch(traceparent) is not None
        return cls(
            traceparent=traceparent.decode("ascii") if valid and traceparent else fresh.traceparent,
            taken_at=_moment(taken_at) or fresh.taken_at,
            root=not valid,
        )


def _moment(text: bytes | None) -> str | None:
    """A moment with its zone, as it was sent; None: a foreign producer sent something else."""
    try:
        found = (text or b"").decode("ascii")
        return found if datetime.fromisoformat(found).tzinfo is not None else None
    except ValueError:
        return None


def encode(message: Message) -> bytes:
    """A message's value on the wire."""
    return orjson.dumps(message.model_dump(mode="json"))


def headers(message: Message, source: str, context: Context, clears: Sequence[str] = ()) -> list[tuple[str, bytes]]:
    """CloudEvents attributes of a message that `source` sends. `clears`: keys of the dead letters that it takes up."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", uuid.uuid4().hex.encode()),
        ("ce_type", f"tristream.{type(message).__name__}.v1".encode()),
        ("ce_source", f"/tristream/{source}".encode()),
        ("ce_time", datetime.now(UTC).isoformat().encode()),
        ("ce_takenat", context.taken_at.encode()),
        ("content-type", b"application/json"),
        ("traceparent", context.traceparent.encode()),
        *clearing(clears),
    ]


def clearing(keys: Sequence[str]) -> list[tuple[str, bytes]]:
    """The header of a message by which whoever takes it clears dead letters: none where there are none."""
    return [(CLEARS, ",".join(keys).encode())] if keys else []


def cleared_by(headers: Mapping[str, bytes] | Iterable[tuple[str, bytes]] | None) -> tuple[str, ...]:
    """Keys of the dead letters that a message with these headers takes up."""
    found = cast("dict[str, bytes]", dict(headers or {})).get(CLEARS)
    return tuple(found.decode("ascii", "replace").split(",")) if found else ()


def decode(carries: type[M], value: bytes | None) -> M:
    """A value as its type.

    Raises:
        UnreadableMessage: it is not JSON of that type. The values found are left out of the message.
    """
    try:
        return carries.model_validate(orjson.loads(value or b""))
    except orjson.JSONDecodeError:
        problem = "it is not JSON"
    except ValidationError as error:
        fields = sorted({".".join(str(part) for part in item["loc"]) or "the whole" for item in error.errors()})
        problem = f"these fields are missing or wrong: {', '.join(fields[:5])}"
    raise UnreadableMessage(f"The message is not a {carries.__name__}: {problem}. Check what produces to this topic.")
