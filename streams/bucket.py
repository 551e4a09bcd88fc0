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
