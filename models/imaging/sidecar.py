"""What a source says of an image in a JSON file beside it, or in one of its folder, put to its frames.

Of free text only words of the vocabulary are taken. Knows nothing of where such files lie.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from models.imaging.annotations import Annotations
from models.imaging.belonging import Belonging, Identifiers
from models.imaging.channels import as_channel, channels_of
from models.imaging.errors import DEFAULTS, SIDECAR, InvalidSidecar
from models.imaging.frames import Frame, Source, identify
from models.imaging.metadata import IMPLIED_ORGANS
from models.imaging.neighbours import Stack
from models.imaging.quantities import RESCALED_VALUE, STORED_VALUE, can_measure
from models.imaging.series import Slice
from models.imaging.vocabulary import disease_of, organ_of
from schemas.images import ImageMetadata, Orientation, Spacing
from schemas.sidecars import FolderDefaults, NotJson, SaidBox, SaidOrientation, SaidSpacing, Sidecar, parse_json

MOST_BYTES = 2**16
_OF_PARTS = {"spacing": SaidSpacing, "orientation": SaidOrientation}
_FIELDS = frozenset(name for model in (Sidecar, SaidBox, *_OF_PARTS.values()) for name in model.model_fields)
_MEANT = {
    "anatomy": "organ", "body_part": "organ", "bodypart": "organ", "bounding_boxes": "boxes", "bbox": "boxes",
    "box": "boxes", "column": "column_mm", "h": "height", "left": "x", "row": "row_mm", "src": "source", "top": "y",
    "w": "width",
    "channel_names": "channels", "class": "disease", "collection": "source", "copyright": "licence",
    "dataset": "source", "diagnosis": "disease", "finding": "disease", "fold": "split", "license": "licence",
    "orientation_right": "orientation",
    "patient_id": "patient", "patientid": "patient", "pathology": "disease", "pixel_spacing": "spacing",
    "pixelspacing": "spacing", "segmentation": "mask", "sequences": "channels", "series_uid": "series",
    "side": "laterality", "study_uid": "study", "subject": "patient", "subject_id": "patient", "subset": "split",
    "type": "modality", "units": "unit",
}  # fmt: skip
"""Words of others, by the field that says the same here."""
_CLOSE, _LONGER = 0.76, 2
"""Similarity (difflib's ratio) from which on a name is taken for a field's, misspelt, and letters it may have more.

Others are not shown: any text can stand there, a patient's name too.
"""
_PLAIN = re.compile(r"[A-Za-z_ -]+")
_TEXTS = ("modality", "organ", "disease", "view", "laterality", "plane", "labels", "boxes", "annotations", "channels")
"""Fields whose words a description can tell."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A sidecar as it is taken."""

    sidecar: Sidecar
    organ: str | None
    disease: str | None
    left_out: int
    texts: tuple[str, ...] = ()

    def put_to_belonging(self, found: Belonging) -> Belonging:
        """What the image belongs to, by the file and by the sidecar."""
        said = self.sidecar
        return replace(
            found,
            sidecar=Identifiers(said.patient, said.study, said.series),
            source=said.source,
            licence=said.licence,
            split=said.split,
            text_from=(*found.text_from, *self.texts),
        )

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
    source: Source,
    sidecar: bytes | None,
    mask: bytes | None,
    open_mask: Callable[[bytes], Source],
    objects: int = 0,
    defaults: Sequence[bytes] = (),
) -> Source:
    """The same frames with what the sidecar says of them, and where it says nothing, the defaults.

    Args:
        source: the image file's.
        sidecar: JSON of `schemas.sidecars.Sidecar`; None: there are defaults alone.
        mask: the file that it names; None where there is none such.
        open_mask: reads it.
        objects: how many of the annotation objects that it names there are.
        defaults: JSON of `schemas.sidecars.FolderDefaults`, the most general first.

    Raises:
        InvalidSidecar: it names the field.
    """
    said = _parse(sidecar, defaults)
    if objects < len(said.sidecar.annotations):
        raise InvalidSidecar("annotations", "names a file that is not below the image's folder")
    annotations = Annotations(said.sidecar, source, mask, open_mask)
    channels = channels_of(said.sidecar, source.volumes)

    def decode(index: int) -> Frame:
        frame = source.decode(index)
        channel = channels[index * len(channels) // source.frames_total] if channels else None
        unit, modality = said.sidecar.unit, said.sidecar.modality or frame.metadata.modality
        modality = (channel and channel.modality) or modality
        taken = unit is not None and frame.unit in (STORED_VALUE, RESCALED_VALUE) and frame.stored.ndim == 2
        if unit is not None and not can_measure(modality, unit):
            taken = False
        if unit == "HU" and frame.metadata.localizer and frame.metadata.modality == "CT":
            taken = False  # It is a projection.
        if unit is not None and taken:
            frame = _with_unit(frame, unit)
        elif not can_measure(modality, frame.unit):
            frame = _with_unit(frame, RESCALED_VALUE)  # That of the file, which the sidecar says is of another kind.
        found, digest = annotations.of(frame)
        metadata = said.put_to(frame.metadata, unit_taken=taken, annotations=digest)
        metadata = as_channel(metadata, channel) if channel else metadata
        return replace(frame, metadata=metadata, annotations=found)

    def stacks() -> tuple[Stack, ...]:
        # Who says that the picture lies otherwise than the file does, leaves unsaid what lies before and behind it.
        placed = said.sidecar.orientation is None
        return tuple(stack if placed else stack.unsided() for stack in source.stacks())

    def in_series() -> Slice | None:
        found = source.in_series()
        return found and replace(found, sided=said.sidecar.orientation is None)

    return replace(
        source,
        decode=decode,
        stacks=stacks,
        in_series=in_series,
        belonging=said.put_to_belonging(source.belonging),
        channels=tuple(one.name for one in channels),
    )


def _with_unit(frame: Frame, unit: str) -> Frame:
    named = identify(frame.stored, frame.slope, frame.intercept, unit, frame.index, frame.inverted)
    return replace(frame, unit=unit, image_id=named)


def check_defaults(data: bytes) -> None:
    """Raises InvalidSidecar of defaults that cannot be used, or whose organ is no word of the vocabulary."""
    said = _parse(None, [data])
    if said.left_out:
        raise InvalidSidecar("organ", "is no word of the vocabulary", DEFAULTS)


def _parse(sidecar: bytes | None, defaults: Sequence[bytes]) -> _Said:
    plain: dict[str, Any] = {}
    for data in defaults:
        plain |= _fields(data, FolderDefaults, DEFAULTS)
    if sidecar is not None:
        plain |= _fields(sidecar, Sidecar, SIDECAR)
    found = _validated(plain, Sidecar, SIDECAR)
    organ, disease = organ_of(found.organ), disease_of(found.disease)
    unknown = (found.organ is not None and organ is None) + (found.disease is not None and disease is None)
    taken = {"organ": organ, "disease": disease}
    texts = tuple(name for name in _TEXTS if plain.get(name) and taken.get(name, True) is not None)
    return _Said(found, organ, disease, unknown, texts)


def _fields(data: bytes, model: type[FolderDefaults], where: str) -> dict[str, Any]:
    """The fields of one file, which are all known and hold what they may. Raises InvalidSidecar."""
    if len(data) > MOST_BYTES:
        raise InvalidSidecar("the whole", f"is larger than {MOST_BYTES >> 10} KiB", where)
    try:
        plain = parse_json(data)
    except NotJson as error:
        field = error.field if error.field in {"the whole", *_FIELDS} else "a field"
        raise InvalidSidecar(field, str(error), where) from None
    if not isinstance(plain, dict):
        raise InvalidSidecar("the whole", "is not a JSON object", where)
    _refuse_unknown(plain, model, where)
    for name, part in _OF_PARTS.items():
        _refuse_unknown(plain.get(name), part, where, f"{name}.")
    for number, box in enumerate(boxes if isinstance(boxes := plain.get("boxes"), list) else ()):
        _refuse_unknown(box, SaidBox, where, f"boxes.{number}.")
    _validated(plain, model, where)
    return {name: value for name, value in plain.items() if value is not None}


M = TypeVar("M", bound=BaseModel)


def _validated(plain: dict[str, Any], model: type[M], where: str) -> M:
    try:
        return model.model_validate_json(orjson.dumps(plain))
    except ValidationError as error:
        # Of what was found only names of fields are shown: keys of the input can hold anything.
        first = next(iter(error.errors(include_input=False, include_url=False)))
        field = ".".join(str(part) for part in first["loc"] if part in _FIELDS or isinstance(part, int)) or "the whole"
        if first["type"] == "missing":
            raise InvalidSidecar(field, "is missing", where) from None
        words = f": {first.get('ctx', {})['expected']}" if first["type"] == "literal_error" else ""
        raise InvalidSidecar(field, f"does not hold what it may{words}", where) from None


def _refuse_unknown(plain: Any, model: type[BaseModel], where: str, within: str = "") -> None:
    """Raises InvalidSidecar, with the field that may be meant."""
    names = model.model_fields
    for number, name in enumerate(plain if isinstance(plain, dict) else (), 1):
        if name in names:
            continue
        bare = re.sub(r"[^a-z]+", "_", name.casefold()).strip("_")
        similar = [one for one in get_close_matches(bare, names, 3, _CLOSE) if len(bare) <= len(one) + _LONGER]
        near = _MEANT.get(bare) or next(iter(similar), None)
        if near in names and _PLAIN.fullmatch(name):
            raise InvalidSidecar(f"{within}{name}", f"is no field: {within}{near} is meant, perhaps", where)
        if name in _FIELDS:
            raise InvalidSidecar(f"{within}{name}", "is no field here", where)
        known = ", ".join(names)
        raise InvalidSidecar(f"field {number} of {within.rstrip('.') or 'the whole'}", f"is none of {known}", where)
