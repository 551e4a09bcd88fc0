"""What an adapter finds: an image with what is said of it, or a file that is left out and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.failures import InvalidInput


class WrongLayout(InvalidInput):
    """A folder is not laid out as the collection is; the message names what was expected."""


@dataclass(frozen=True)
class MaskPart:
    """A file that marks something, and its label: of `labels`, the numbers in the file, or of all that is not 0."""

    path: Path
    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """One image.

    `path` is the file; `name` where it is put, below the output folder; `sidecar` what is said of it, without masks.
    """

    path: Path
    name: str
    sidecar: Mapping[str, Any]
    masks: Sequence[MaskPart] = ()


@dataclass(frozen=True)
class LeftOut:
    """A file that is no input, and why."""

    path: Path
    reason: str
