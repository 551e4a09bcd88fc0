"""What stands for UIDs and patients: keyed hashes, the same for the same input in every file; no list is kept."""

import hashlib
import hmac
import re

from pydicom.uid import UID

_CONTEXT_GROUP = re.compile(r"1\.2\.840\.10008\.6\.1\.\d{1,4}")
_SHIFT_DAYS = range(366, 3653)


def well_known(uid: str) -> bool:
    """A UID that DICOM itself registers: SOP classes, transfer syntaxes, frames of reference, ... (PS3.6 Annex A)."""
    return bool(UID(uid).type or _CONTEXT_GROUP.fullmatch(uid))


class Pseudonyms:
    """Replacements under one secret key. Without it none can be traced back, or confirmed by guessing.

    Args:
        key: at least 16 bytes, kept by who de-identifies; the same key gives the same replacements.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("the key must have at least 16 bytes")
        self._key = key

    def uid(self, uid: str) -> str:
        """Under 2.25, a UUID of version 8 made of the hash (PS3.5 B.2, RFC 9562); well-known UIDs stay."""
        if well_known(uid):
            return uid
        number = int.from_bytes(self._hash("uid", uid)[:16], "big")
        number = number & ~(0xF << 76) | 8 << 76
        number = number & ~(0b11 << 62) | 0b10 << 62
        return f"2.25.{number}"

    def name(self, kind: str, identifier: str) -> str:
        """16 hexadecimal digits for an identifier; `kind` keeps a patient and a specimen of one number apart."""
        return self._hash(kind, identifier)[:8].hex().upper()

    def days(self, patient: str) -> int:
        """How far a patient's dates are shifted: one to ten years back, in days."""
        return -_SHIFT_DAYS[int.from_bytes(self._hash("days", patient)[:8], "big") % len(_SHIFT_DAYS)]

    def _hash(self, kind: str, text: str) -> bytes:
        message = f"{kind}\0{text}".encode(errors="surrogatepass")
        return hmac.new(self._key, message, hashlib.sha256).digest()
