"""An outcome as a line of a file of results, with what is kept account of in it. Knows nothing of files."""

import hashlib
from dataclasses import dataclass

import orjson
import pybase64
from pydantic import BaseModel, ValidationError

from schemas.dead_letters import DeadLetter
from schemas.expert_runs import Unasked
from schemas.failures import TristreamError
from schemas.triplets import Triplet


class NotResults(TristreamError):
    """A line that is neither a triplet nor a dead letter."""

    def __init__(self) -> None:
        super().__init__(
            "an earlier file of results holds a line that is neither a triplet nor a dead letter, so that it cannot be "
            "gone on with: take another name for the results, or leave --resume away"
        )


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome. `triplet_id`: None of a dead letter, which has an error and what a person is told of it instead."""

    object_id: str
    frame: int | None
    frames_taken: int | None
    frames_skipped: int
    image_id: str | None
    triplet_id: str | None
    marked: bool
    """Whether its source marks a region."""
    error: str
    message: str
    also_in: tuple[str, ...]
    line: bytes
    file_id: str | None = None
    """Of a dead letter, the file that it is about, whatever its content."""
    unasked: tuple[Unasked, ...] = ()
    """Of a triplet, experts that lacked something beside its image."""


class _Region(BaseModel):
    kind: str


class _Row(BaseModel):
    object_id: str | None
    frame: int | None
    frames_taken: int | None
    frames_skipped: int
    image_id: str | None
    triplet_id: str | None = None
    regions: tuple[_Region, ...] = ()
    error: str = ""
    message: str = ""
    also_in: tuple[str, ...] = ()
    file_id: str | None = None
    unasked: tuple[Unasked, ...] = ()


def result_of(outcome: Triplet | DeadLetter, *, image: bool = True) -> Result | None:
    """An outcome as it is written; None of one that is about no object.

    Args:
        outcome: what a stage made, its pixels inline.
        image: False: without pixels, whose content address stands in their place.
    """
    if outcome.object_id is None:
        return None
    letter = outcome if isinstance(outcome, DeadLetter) else None
    triplet = outcome if isinstance(outcome, Triplet) else None
    if triplet is not None and not image:
        outcome = _without_pixels(triplet)
    return Result(
        object_id=outcome.object_id or "",
        frame=outcome.frame,
        frames_taken=outcome.frames_taken,
        frames_skipped=outcome.frames_skipped,
        image_id=outcome.image_id,
        triplet_id=triplet.triplet_id if triplet else None,
        marked=triplet is not None and any(region.kind == "source annotation" for region in triplet.regions),
        error=letter.error if letter else "",
        message=letter.message if letter else "",
        also_in=(),
        line=orjson.dumps(outcome.model_dump(mode="json")),
        file_id=letter.file_id if letter else None,
        unasked=triplet.unasked if triplet else (),
    )


def recalled(line: bytes) -> Result:
    """The outcome that a line of an earlier run tells. Raises NotResults."""
    try:
        row = _Row.model_validate(orjson.loads(line))
    except (orjson.JSONDecodeError, ValidationError):
        raise NotResults from None
    if row.object_id is None or (row.triplet_id is None and not row.error):
        raise NotResults
    return Result(
        object_id=row.object_id,
        frame=row.frame,
        frames_taken=row.frames_taken,
        frames_skipped=row.frames_skipped,
        image_id=row.image_id,
        triplet_id=row.triplet_id,
        marked=any(region.kind == "source annotation" for region in row.regions),
        error=row.error,
        message=row.message,
        also_in=row.also_in,
        line=line,
        file_id=row.file_id,
        unasked=row.unasked,
    )


def _without_pixels(triplet: Triplet) -> Triplet:
    if triplet.image.data is None:
        return triplet
    address = f"sha256/{hashlib.sha256(pybase64.b64decode(triplet.image.data)).hexdigest()}.png"
    return triplet.model_copy(update={"image": triplet.image.model_copy(update={"data": None, "reference": address})})
