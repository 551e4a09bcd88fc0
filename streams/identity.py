"""Names for objects that say nothing of the patient: keyed hashes of bucket, key and etag. Knows no pixels."""

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from schemas.objects import ObjectReference


class Identity:
    """Names objects under one secret key. Without it, an id cannot be linked to a file name even by guessing."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("the identity key must have at least 16 bytes")
        self._key = key

    def object_id(self, reference: ObjectReference) -> str:
        """32 hexadecimal digits of HMAC-SHA-256 over bucket, key and etag."""
        return self._named(reference.bucket, reference.key, reference.etag)

    def file_id(self, reference: ObjectReference) -> str:
        """The same over bucket and key: all contents of a file have it, one after the other."""
        return self._named(reference.bucket, reference.key)

    def group_id(self, kind: str, scope: str, own: str) -> str:
        """The same over the identifier of what images belong to, such as a patient.

        Args:
            kind: of the group: patient, study, series.
            scope: within which `own` is unique: a collection; empty: everywhere.
            own: the identifier.
        """
        return self._named("group", kind, scope, own)

    def _named(self, *parts: str) -> str:
        text = "\0".join(parts)
        return hmac.new(self._key, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:32]


def key_from_file(path: Path) -> bytes:
    """The secret key in a file, made on first use, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        if not path.exists():
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
            # link, not rename: of two processes that make a key at once, both must end up with the first one's.
            with contextlib.suppress(FileExistsError):
                os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    return bytes.fromhex(path.read_text().strip())
