"""What an S3 server's notifications mean. Asks the bucket only in doubt."""

from collections.abc import Iterator
from urllib.parse import unquote_plus

from schemas.events import BucketEvent
from schemas.objects import ObjectReference
from streams.buckets.base import ObjectUnreadable
from streams.buckets.companions import SIDECAR, described_by, may_have_companions
from streams.buckets.store import BESIDE, Store, bare

CREATED = "ObjectCreated:"
MOST_NAMED_KEYS = 1_000_000
"""Keys that are remembered, as they take some 100 MB."""


def created(event: BucketEvent, store: Store) -> Iterator[tuple[tuple[str, ...], str | None, int | None]]:
    """Objects that a notification says were made: the keys it can mean, the likelier first, and etag and size.

    A sidecar stands for what it describes, of which the notification tells no etag and size. AWS and MinIO write keys
    URL-encoded, with + for a space; others write them as they are. Only where the two readings differ are there two
    keys.
    """
    for record in event.records:
        made = record.name.removeprefix("s3:").startswith(CREATED)
        if not made or f"s3://{record.s3.bucket.name}" != store.bucket:
            continue
        written = record.s3.object.key
        plain = unquote_plus(written)
        keys = tuple(dict.fromkeys(map(described_by, (plain, written))))
        if any(store.is_object(key) for key in keys):
            etag, size = record.s3.object.etag, record.s3.object.size
            if keys[0] != plain:
                etag = size = None
            yield keys, None if etag is None else bare(etag), size


def resolve(store: Store, keys: tuple[str, ...], etag: str | None, size: int | None) -> ObjectReference | None:
    """The object that a notification means; None where it is gone, lies elsewhere, or only a listing can tell.

    Raises:
        Unavailable: the bucket does not answer.
    """
    told = (
        ObjectReference(bucket=store.bucket, key=keys[0], etag=etag, size=size)
        if len(keys) == 1 and etag is not None and size is not None
        else None
    )
    if told is not None and not may_have_companions(told.key):
        return told
    try:
        found = [one for key in keys if store.is_object(key) and (one := store.state(key)) is not None]
    except ObjectUnreadable:
        return told
    # Two objects, one for each reading: the etag tells which is meant.
    return next((one for one in found if one.etag.partition(BESIDE)[0] == etag), found[0] if found else None)


class Accompanying:
    """Objects that accompany others, as the sidecars say of which notifications have told.

    Args:
        store: where they lie.
    """

    def __init__(self, store: Store) -> None:
        self._named, self._keys = store.named(), set[str]()

    def note(self, reference: ObjectReference) -> bool:
        """Whether an object is one; of one with a sidecar, what that names is from now on. Blocks.

        Raises:
            Unavailable: the bucket does not answer.
        """
        if BESIDE not in reference.etag:
            return reference.key in self._keys
        self._keys.update(self._named.by(reference.key + SIDECAR))
        if len(self._keys) > MOST_NAMED_KEYS:
            self._keys.clear()  # A listing finds them too.
        return False
