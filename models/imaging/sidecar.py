"""What a source says of an image in a JSON file beside it, put to its frames: metadata, unit, regions marked.

Of free text only words of the vocabulary are taken. Knows nothing of where such files lie.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson
from pydantic import ValidationError

from models.imaging.annotations import Annotations
from models.imaging.errors import InvalidSidecar
from models.imaging.frames import Frame, Source, identify
from models.imaging.metadata import IMPLIED_ORGANS
from models.imaging.neighbours import Stack
from models.imaging.quantities import RESCALED_VALUE, STORED_VALUE
from models.imaging.series import Slice
from models.imaging.vocabulary import disease_of, organ_of
from schemas.images import ImageMetadata, Orientation, Spacing
from schemas.sidecars import NotJson, Sidecar, parse_json

MOST_BYTES = 2**16
_FIELDS = frozenset(Sidecar.model_fields) | {"row_mm", "column_mm", "right", "down", "x", "y", "width", "height"} | {
    "label", "frame",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Said:
    """A sidecar as it is taken."""

    sidecar: Sidecar
    organ: str | None
    disease: str | None
    left_out: int

    def put_to(self, metadata: ImageMetadata, *, unit_taken: bool, annotations: str | None) -> ImageMetadata:
        """The metadata of a frame, with what the sidecar says before what the file says."""
        said = self.sidecar
        organ = self.organ
        if organ is None and metadata.organ is None and said.modality is not None:
            organ = IMPLIED_ORGANS.get(said.modality)
        spacing, orientation = said.spacing, said.orientation
        changes: dict[str, object] = {
            "modality": said.modality,
            "organ": organ,
            "disease": self.disease,
            "view": said.view,
            "laterality": said.laterality,
            "plane": said.plane,
            "spacing": spacing and Spacing(row_mm=spacing.row_mm, column_mm=spacing.column_mm, source="sidecar"),
            "orientation": orientation and Orientation(right=orientation.right, down=orientation.down),
            "annotations_digest": annotations,
            "sidecar_fields_left_out": self.left_out + (said.unit is not None and not unit_taken),
        }
        return metadata.model_copy(update={name: value for name, value in changes.items() if value is not None})


def describe(
    source: Source, sidecar: bytes, mask: bytes | None, open_mask: Callable[[bytes], Source], objects: int = 0
) -> Source:
    """The same frames with what the sidecar says of them.

    Args:
        source: the image file's.
        sidecar: JSON of `schemas.sidecars.Sidecar`.
        mask: the file that it names; None where there is none such.
        open_mask: reads it.
        objects: how many of the annotation objects that it names there are.

    Raises:
        InvalidSidecar: it names the field.
    """
    said = _parse(sidecar)
    if objects < len(said.sidecar.annotations):
        raise InvalidSidecar("annotations", "names a file that is not below the image's folder")
    annotations = Annotations(said.sidecar, source, mask, open_mask)

    def decode(index: int) -> Frame:
        frame = source.decode(index)
        unit = said.sidecar.unit
        taken = unit is not None and frame.unit in (STORED_VALUE, RESCALED_VALUE) and frame.stored.ndim == 2
        if unit == "HU" and frame.metadata.localizer and frame.metadata.modality == "CT":
            taken = False  # It is a projection.
        if unit is not None and taken and unit != frame.unit:
            named = identify(frame.stored, frame.slope, frame.intercept, unit, index, frame.inverted)
            frame = replace(frame, unit=unit, image_id=named)
        found, digest = annotations.of(frame)
        metadata = said.put_to(frame.metadata, unit_taken=taken, annotations=digest)
        return replace(frame, metadata=metadata, annotations=found)

    def stacks() -> tuple[Stack, ...]:
        # Who says that the picture lies otherwise than the file does, leaves unsaid what lies before and behind it.
        placed = said.sidecar.orientation is None
        return tuple(stack if placed else stack.unsided() for stack in source.stacks())

    def in_series() -> Slice | None:
        found = source.in_series()
        return found and replace(found, sided=said.sidecar.orientation is None)

    return replace(source, decode=decode, stacks=stacks, in_series=in_series)


def _parse(data: bytes) -> _Said:
    if len(data) > MOST_BYTES:
        raise InvalidSidecar("the whole", f"is larger than {MOST_BYTES >> 10} KiB")
    try:
        plain = parse_json(data)
    except NotJson as error:
        raise InvalidSidecar(error.field if error.field in {"the whole", *_FIELDS} else "a field", str(error)) from None
    if not isinstance(plain, dict):
        raise InvalidSidecar("the whole", "is not a JSON object")
    try:
        sidecar = Sidecar.model_validate_json(orjson.dumps(plain))
    except ValidationError as error:
        # Of what was found only names of fields are shown: keys of the input can hold anything.
        parts = next(iter(error.errors(include_input=False, include_url=False)))["loc"]
        field = ".".join(str(part) for part in parts if part in _FIELDS or isinstance(part, int)) or "the whole"
        raise InvalidSidecar(field, "does not hold what it may") from None
    organ, disease = organ_of(sidecar.organ), disease_of(sidecar.disease)
    unknown = _unknown(plain, Sidecar.model_json_schema())
    unknown += (sidecar.organ is not None and organ is None) + (sidecar.disease is not None and disease is None)
    return _Said(sidecar, organ, disease, unknown)


def _unknown(plain: Any, schema: dict[str, Any]) -> int:
    """How many fields are none of the sidecar's, in it and in the objects within it."""
    definitions: dict[str, Any] = schema["$defs"]

    def count(value: Any, names: dict[str, Any]) -> int:
        return sum(name not in names for name in value)

    found = count(plain, schema["properties"])
    for field, kind in (("spacing", "SaidSpacing"), ("orientation", "SaidOrientation")):
        if isinstance(plain.get(field), dict):
            found += count(plain[field], definitions[kind]["properties"])
    return found + sum(count(box, definitions["SaidBox"]["properties"]) for box in plain.get("boxes") or ())
