"""What every import of an expert needs: the graph's own word on its ports, labels in our words, and refusals.

Knows no family of exports.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast, get_args

from models.experts.contracts import FullRange, InputContract, Size
from models.experts.decodings import Decoding, Label
from models.experts.external import NoExternalData, read_graph
from models.experts.running import open_session
from models.vocabulary import channel_of, read_label
from schemas.codes import Code
from schemas.experts import ExpertRuntime
from schemas.failures import TristreamError
from schemas.images import Modality

BY_HAND = "write the manifest by hand, as docs/own-experts.md shows"
CUT_SQUARE = "It was trained on the middle of images, cut square; here the whole image is stretched."
NEVER_MEASURED = "Imported: how well it finds what it tells was not measured here."
_MODALITIES: dict[str, Modality] = {
    **{one.lower(): one for one in get_args(Modality)},
    "mri": "MR", "xray": "X-ray", "cxr": "X-ray", "us": "ultrasound", "pathology": "histopathology",
}  # fmt: skip
_NOTHING = {"background", "bg", "none", "nothing", "other", "no finding", "normal"}


class CannotImport(TristreamError):
    """An export of which no manifest can be made; says what to do."""


@dataclass(frozen=True, slots=True)
class Told:
    """What whoever imports it says, where the export does not."""

    name: str | None = None
    modality: Modality | None = None
    organs: tuple[str, ...] = ()
    licence: str | None = None
    axes: str | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a graph: its name and axes, a word or None where any length will do."""

    name: str
    shape: tuple[int | str | None, ...]

    def side(self, axis: int) -> int | None:
        """Length along an axis; None where any will do, or there is no such axis."""
        found = self.shape[axis] if -len(self.shape) <= axis < len(self.shape) else None
        return found if isinstance(found, int) else None


@dataclass(frozen=True, slots=True)
class Graph:
    """What an ONNX file tells of itself."""

    path: Path
    takes: Port
    gives: tuple[Port, ...]
    told: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> "Graph":
        """Raises CannotImport, BrokenExpert."""
        try:
            graph = read_graph(path)
        except (OSError, NoExternalData) as error:
            raise CannotImport(f"{path.name} cannot be read: {error}") from None
        session = open_session(path.name, graph, ExpertRuntime(), wide=True)
        takes, gives = session.get_inputs(), session.get_outputs()
        if len(takes) != 1:
            names = ", ".join(one.name for one in takes)
            raise CannotImport(f"{path.name} has several inputs ({names}), of which one is the image: {BY_HAND}")
        return cls(
            path,
            Port(takes[0].name, tuple(takes[0].shape)),
            tuple(Port(one.name, tuple(one.shape)) for one in gives),
            cast(dict[str, str], session.get_modelmeta().custom_metadata_map),
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """A manifest, but for name, digest, and what `Told` overrides."""

    graph: Path
    name: str
    version: str
    title: str
    made: str
    source: str
    input: InputContract
    decoding: Decoding
    labels: tuple[Label, ...]
    modalities: tuple[Modality, ...] = ()
    licence: str | None = None
    limits: tuple[str, ...] = field(default=())
    lies_as_files_do: bool = False
    """The tensor's axes are those of the files, x first, whichever way these lie in the patient."""


def of_pictures(
    graph: Graph,
    size: Size,
    normalisation: FullRange,
    *,
    mean: tuple[float, ...] = (),
    deviation: tuple[float, ...] = (),
) -> InputContract:
    """The input of what was made for photographs: colours as shown, of any size; grey where the graph takes grey."""
    grey = graph.takes.side(1) == 1
    return InputContract(
        units=(),
        channels=1 if grey else 3,
        polarity="displayed",
        shortest_side=32,
        longest_side=8192,
        name=graph.takes.name,
        grey_as_colour=not grey,
        size=size,
        normalisation=normalisation,
        mean=mean,
        deviation=deviation,
    )


def labelled(names: Mapping[int, str]) -> tuple[tuple[Label, ...], tuple[int, ...]]:
    """Labels in the words of the vocabulary, with its codes, and the classes that are none.

    A name that the vocabulary does not know stays as it is, in small letters; so do two that it takes for the same.
    Raises CannotImport where no label is left.
    """
    raw = {index: " ".join(name.replace("_", " ").split()) for index, name in sorted(names.items())}
    found = {index: _in_words(name) for index, name in raw.items()}
    labels: list[Label] = []
    background: list[int] = []
    for index, (name, code) in found.items():
        if raw[index].lower() in _NOTHING or name is None:
            background.append(index)
            continue
        same = sum(other == name for other, _ in found.values()) > 1
        labels.append(Label(index=index, name=raw[index].lower() if same else name, code=None if same else code))
    if not labels:
        raise CannotImport(f"it tells of nothing but {', '.join(raw.values()) or 'no labels'}: {BY_HAND}")
    return tuple(labels), tuple(background)


def _in_words(text: str) -> tuple[str | None, Code | None]:
    reading = read_label(text)
    if not reading.understood:
        return text.lower(), None
    if reading.text is None:
        return None, None
    (term, *more) = [one.term for one in reading.named]
    coded = term.snomed is not None and not more
    return reading.text, Code(scheme="SCT", value=term.snomed or "", meaning=term.name) if coded else None


def modality_of(word: object) -> Modality | None:
    """A modality by what exports call it; None of any other word."""
    if not isinstance(word, str):
        return None
    channel = channel_of(word)
    return _MODALITIES.get(word.strip().lower()) or (channel and channel.modality)


@dataclass(frozen=True, slots=True)
class Channels:
    """Several channels of a volume in our words, in their order; `limits`: what is to be known of their names."""

    names: tuple[str, ...]
    modalities: tuple[Modality, ...]
    limits: tuple[str, ...]


def channels_told(told: Sequence[str]) -> Channels:
    """What an export calls its channels; one that is not known goes by its number. Raises CannotImport of two alike."""
    found = [channel_of(text) for text in told]
    names = tuple(one.name if one else f"channel {n}" for n, one in enumerate(found, 1))
    if len(set(names)) < len(names):
        raise CannotImport(f"two of its channels ({', '.join(told)}) are called the same here: {BY_HAND}")
    modalities: tuple[Modality, ...] = tuple(dict.fromkeys(one.modality for one in found if one and one.modality))
    strange = [f"{name} is what the export calls {text!r}" for name, text, one in zip(names, told, found) if not one]  # noqa: B905
    limits = (f"Sidecars name channels by number: {', '.join(strange)}.",) if strange else ()
    if "CT" in modalities:
        limits += ("Values of CT are taken for HU, whatever the file says of them.",)
    return Channels(names, modalities, limits)


def licence_in(folder: Path) -> str | None:
    """Of the file LICENSE, where it is one of two that are told by their first words."""
    path = folder / "LICENSE"
    text = " ".join(path.read_text(encoding="utf-8", errors="replace").split()[:60]) if path.is_file() else ""
    return "Apache-2.0" if "Apache License Version 2.0" in text else "MIT" if "MIT License" in text else None


def json_of(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises CannotImport."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CannotImport(f"{path.name} cannot be read as JSON: {error}") from None
    if not isinstance(found, dict):
        raise CannotImport(f"{path.name} does not hold a JSON object")
    return cast(dict[str, Any], found)


def the_graph(folder: Path, export: str, *below: str) -> Path:
    """The one ONNX file in a folder or in those named below it. `export`: how it is made where there is none."""
    found = [path for part in (".", *below) for path in sorted((folder / part).glob("*.onnx"))]
    if not found:
        raise CannotImport(f"there is no ONNX file in {folder.name}/: {export}")
    if len(found) > 1:
        raise CannotImport(
            f"there are several ONNX files ({', '.join(path.name for path in found)}): leave the one that is meant"
        )
    return found[0]


def numbers(value: object, count: int, what: str) -> tuple[float, ...]:
    """So many numbers. Raises CannotImport."""
    if (
        not isinstance(value, Sequence)
        or len(cast(Sequence[Any], value)) != count
        or not all(isinstance(one, int | float) for one in cast(Sequence[Any], value))
    ):
        raise CannotImport(f"{what} is not {count} numbers but {value!r}: {BY_HAND}")
    return tuple(float(one) for one in cast(Sequence[float], value))
