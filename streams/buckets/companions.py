"""What accompanies an object, whatever kind of bucket it lies in: decided by names, and by what a sidecar says.

`<name>.json` beside `<name>` is its sidecar; the files that this one names are companions too, and so is the
`_defaults.json` of its folder. Knows no bucket, and nothing else of what the files hold.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath
from typing import TypeVar

from schemas.sidecars import NotJson, parse_json

T = TypeVar("T")

ACCOMPANIED = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".nii", ".nii.gz", ".dcm", ".dicom", ".svs")
"""Endings of objects that may have companions, in any case."""
SIDECAR = ".json"
DEFAULTS = "_defaults.json"
"""In a folder: what holds of all objects in it, where their sidecars say nothing else."""
NAMED_IN = ("mask", "annotations")
"""The fields of a sidecar that name more files, one or a list, by paths below the object's own folder."""
MOST_SIDECAR_BYTES = 2**16
"""Of a larger one only the beginning is looked at; whoever reads the object refuses it."""
MOST_NAMED = 64
"""Files of a list in a sidecar; those after them are not looked for."""
UNFINISHED = (".part", ".tmp")
"""Endings that uploaders give to files they have not finished."""

GOING_ALONG = (".json", ".bval", ".bvec")
"""Endings of files that lie beside images, by converters and by BIDS, and are none."""
INDICES = ("DICOMDIR", "Thumbs.db", ".DS_Store", "source_text.jsonl")
"""Names of files that describe a folder."""


def is_wanted(below: str) -> bool:
    """Whether a path below a bucket may be an object, or an object's sidecar.

    Not hidden, no upload's temporary name, no folder's marker, and nothing that goes along.
    """
    return bool(below) and not hidden_in(below) and not below.endswith((*UNFINISHED, "/")) and not goes_along(below)


def hidden_in(below: str) -> str:
    """The hidden folder that a path lies in, or the path itself where its name begins with a dot; empty: neither."""
    parts = below.split("/")
    for number, part in enumerate(parts, 1):
        if part.startswith(".") and part not in (".", ".."):
            return "/".join(parts[:number])
    return ""


def goes_along(below: str) -> bool:
    """Whether a file is known by its name to lie beside images and be none. An image's sidecar is not meant."""
    name = below.rpartition("/")[2]
    return name in INDICES or (name.lower().endswith(GOING_ALONG) and not is_sidecar(name))


def is_sidecar(name: str) -> bool:
    """Whether a file is another's companion by its name, be that one there or not."""
    return name.endswith(SIDECAR) and may_have_companions(name.removesuffix(SIDECAR))


def may_have_companions(name: str) -> bool:
    """Whether an object is of a kind that another file may describe, by its name."""
    return name.lower().endswith(ACCOMPANIED)


def sidecar_of(name: str) -> str | None:
    """The name of an object's sidecar; None where it can have none."""
    return name + SIDECAR if may_have_companions(name) else None


def described_by(name: str) -> str:
    """The name of what a sidecar describes; of anything else, its own."""
    return name.removesuffix(SIDECAR) if is_sidecar(name) else name


def named_in(sidecar: bytes) -> dict[str, str]:
    """The paths below the object's folder that a sidecar names, by what they are: the field, of a list with the place.

    Those that lead out of the folder, by dots or from its root, are left out.
    """
    return {role: name for role, name in _names(sidecar) if _is_below(name)}


def objects_among(candidates: Mapping[T, Collection[T] | None]) -> list[T]:
    """Those that are objects, of what lies in a bucket and is no sidecar.

    A file that another's sidecar names is none, unless it has a sidecar of its own.

    Args:
        candidates: each with the files that its sidecar names; None where it has no sidecar.
    """
    named = {one for names in candidates.values() if names is not None for one in names}
    return [one for one, names in candidates.items() if names is not None or one not in named]


def _names(sidecar: bytes) -> Iterator[tuple[str, str]]:
    if len(sidecar) > MOST_SIDECAR_BYTES:
        return
    try:
        described = parse_json(sidecar)
    except NotJson:
        return  # Whoever reads the object says what is wrong with it.
    for field in NAMED_IN if isinstance(described, dict) else ():
        match described.get(field):
            case str(name):
                yield field, name
            case list(names):
                yield from (
                    (f"{field}/{n}", name) for n, name in enumerate(names[:MOST_NAMED]) if isinstance(name, str)
                )
            case _:
                pass


def _is_below(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in name
