"""Which DICOM objects mark regions of other images, by their storage class (PS3.4 B.5).

Knows nothing of what they say.
"""

import re
from typing import Literal

Kind = Literal["segmentation", "structure set", "structured report"]

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_KINDS: dict[str, Kind] = {
    "66.4": "segmentation",
    "66.7": "segmentation",  # label maps
    "481.3": "structure set",
    "88.22": "structured report",  # enhanced
    "88.33": "structured report",  # comprehensive
    "88.34": "structured report",  # comprehensive 3D
    "88.35": "structured report",  # extensible
}

# (0002,0002) or (0008,0016), with or without a VR, in little endian.
_CLASS = re.compile(
    rb"(?:\x02\0\x02\0|\x08\0\x16\0)(?:UI..|..\0\0)" + re.escape(_STORAGE.encode()) + rb"([0-9.]+)\0?", re.DOTALL
)
HEAD = 4096
"""Bytes of a file within which its storage class stands."""


def kind_of(storage_class: str | None) -> Kind | None:
    """What kind of annotation object a storage class is; None: none that is read."""
    return _KINDS.get((storage_class or "").removeprefix(_STORAGE))


def looks_like(head: bytes) -> Kind | None:
    """The same, by a file's first HEAD bytes: without reading it, and so without being certain."""
    found = _CLASS.search(head[:HEAD])
    return _KINDS.get(found[1].decode()) if found else None
