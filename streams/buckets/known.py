"""What a watcher has announced, in little memory: a bucket holds millions of objects, and their keys are long."""

import hashlib


def fingerprint(*parts: object) -> bytes:
    """16 bytes that two different states do not share: BLAKE2b over what `repr` tells apart."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogateescape"), digest_size=16).digest()


class Known:
    """States of objects, each a key and an etag."""

    def __init__(self) -> None:
        self._found: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, state: tuple[str, str | None]) -> bool:
        return fingerprint(*state) in self._found

    def add(self, state: tuple[str, str]) -> bool:
        """Note it. False where it was known."""
        before = len(self._found)
        self._found.add(fingerprint(*state))
        return len(self._found) > before

    def discard(self, state: tuple[str, str]) -> None:
        """Forget it."""
        self._found.discard(fingerprint(*state))
