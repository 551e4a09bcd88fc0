"""The folder of an encoder: its files, and a manifest that tells what they are and the digest of each.

Knows nothing of what a graph computes. Written by `make encoder` and models/knowledge/export, read by all encoders.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.failures import TristreamError

MANIFEST = "encoder.toml"


class BrokenEncoder(TristreamError):
    """An encoder that cannot be loaded: a fault of the installation."""


class Manifest(BaseModel):
    """What every folder says of itself; each sort of encoder adds how long its texts may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    source: str = Field(description="Where the weights came from, and their licence")
    dimensions: int = Field(ge=1)
    sha256: dict[str, str] = Field(description="Of each file")

    def versioned(self, files: Sequence[str]) -> str:
        """name@digest of the files, in their order: what stands in a snapshot."""
        digest = hashlib.sha256("".join(self.sha256[name] for name in files).encode()).hexdigest()
        return f"{self.name}@{digest[:12]}"


_M = TypeVar("_M", bound=Manifest)


def read_folder(folder: Path, manifest_type: type[_M], files: Sequence[str]) -> tuple[_M, dict[str, bytes]]:
    """The manifest of an encoder's folder and its files, each of which is the one named. Raises BrokenEncoder."""
    try:
        manifest = manifest_type.model_validate(tomllib.loads((folder / MANIFEST).read_text(encoding="utf-8")))
        data = {name: (folder / name).read_bytes() for name in files}
    except (tomllib.TOMLDecodeError, ValidationError, OSError, UnicodeDecodeError) as error:
        raise BrokenEncoder(
            f"TRISTREAM_ENCODER names no folder with {MANIFEST}, {', '.join(files)}; see docs/knowledge.md"
        ) from error
    for name, content in data.items():
        if hashlib.sha256(content).hexdigest() != manifest.sha256.get(name):
            raise BrokenEncoder(f"{name} of the encoder is not the file that its manifest names; make it again")
    return manifest, data


def write_folder(folder: Path, told: Mapping[str, str | int], files: Mapping[str, bytes]) -> None:
    """Write files, and last their manifest with `told` in it: a folder that was broken off has none."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    # Strings and numbers are the same in TOML as in JSON.
    lines = [f"{key} = {json.dumps(value)}" for key, value in told.items()] + ["", "[sha256]"]
    for name, data in files.items():
        (folder / name).write_bytes(data)
        lines.append(f"{json.dumps(name)} = {json.dumps(hashlib.sha256(data).hexdigest())}")
    (folder / MANIFEST).write_text("\n".join(lines) + "\n", encoding="utf-8")
