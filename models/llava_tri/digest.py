"""Which weights a folder holds, by their hash."""

import hashlib
from pathlib import Path


def weights_digest(folder: Path) -> str:
    """Of all files of weights in a folder, as 32 hexadecimal digits."""
    found = hashlib.sha256()
    for path in sorted([*folder.glob("*.safetensors"), *folder.glob("*.bin")]):
        with path.open("rb") as file:
            found.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()[:32]
