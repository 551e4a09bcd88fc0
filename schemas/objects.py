"""What the bucket holds, by reference. The only message that carries an object key, and keys can hold names."""

from pydantic import Field

from schemas.base import Message


class ObjectReference(Message):
    """One object in a bucket, never its bytes. Read by preprocess alone."""

    bucket: str = Field(repr=False, description="Bucket URL: file:///folder, s3://bucket")
    key: str = Field(repr=False, description="Key within the bucket; may identify a patient")
    etag: str = Field(
        description="Version of the content; for a folder the SHA-256 of the bytes, in hexadecimal, "
        "or where files beside the object describe it, of those of all of them"
    )
    size: int = Field(ge=0, description="Bytes")

    def __hash__(self) -> int:
        return hash((self.bucket, self.key, self.etag))
