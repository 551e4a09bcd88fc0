"""Object ids: keyed, stable, and made under one key."""

import threading
from pathlib import Path

import pytest

from schemas.objects import ObjectReference
from streams.identity import Identity, key_from_file

REFERENCE = ObjectReference(bucket="file:///inbox", key="DOE_JOHN.dcm", etag="00", size=1)


def test_an_id_depends_on_every_part_and_on_the_key() -> None:
    """Another bucket, key, etag or secret gives another id; the same gives the same."""
    identity = Identity(b"k" * 32)
    others = [REFERENCE.model_copy(update={name: "other"}) for name in ("bucket", "key", "etag")]
    ids = [identity.object_id(r) for r in (REFERENCE, *others)] + [Identity(b"q" * 32).object_id(REFERENCE)]
    assert len(set(ids)) == 5
    assert identity.object_id(REFERENCE) == ids[0]


def test_parts_do_not_run_into_each_other() -> None:
    """Moving a character from the bucket to the key gives another id."""
    identity = Identity(b"k" * 32)
    moved = REFERENCE.model_copy(update={"bucket": "file:///inbo", "key": "xDOE_JOHN.dcm"})
    assert identity.object_id(moved) != identity.object_id(REFERENCE)


def test_a_short_key_is_refused() -> None:
    """A key that could be guessed protects nobody."""
    with pytest.raises(ValueError, match="16 bytes"):
        Identity(b"short")


def test_processes_that_make_the_key_at_once_agree(tmp_path: Path) -> None:
    """Whoever comes first makes the key; all use it; only its owner can read it."""
    path = tmp_path / "deep" / "key"
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(key_from_file(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert path.stat().st_mode & 0o077 == 0
    assert list(path.parent.iterdir()) == [path]
