"""A bucket, be it a folder or S3. Knows only which of the two a reference speaks of."""

from schemas.objects import ObjectReference
from streams import folder, s3
from streams.folder import Content


def read_object(reference: ObjectReference) -> Content:
    """What a reference means, with its companions. Blocks.

    Raises:
        streams.folder.ObjectGone, ObjectUnreadable, ObjectChanged: see there.
        Unavailable: the bucket does not answer.
    """
    return s3.read_s3(reference) if s3.is_bucket(reference.bucket) else folder.read_object(reference)


def beside(reference: ObjectReference) -> list[ObjectReference]:
    """The objects in its own folder, or under its own prefix, itself included; in a stable order. Blocks.

    Of a folder an etag is no hash but tells the state of the file, and of its sidecar. Of one that cannot be read
    nothing is known.

    Raises:
        Unavailable: the bucket does not answer, or may not be listed.
    """
    if s3.is_bucket(reference.bucket):
        return s3.beside(reference)
    try:
        return list(folder.beside(reference))
    except OSError:
        return []


def read_now(reference: ObjectReference) -> Content:
    """The same as it is now, whatever its state. Blocks.

    Raises:
        streams.folder.ObjectGone, ObjectUnreadable: see there.
        Unavailable: the bucket does not answer.
    """
    return s3.read_now(reference) if s3.is_bucket(reference.bucket) else folder.read_now(reference)
