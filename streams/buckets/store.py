"""An object store as a bucket: S3, Google Cloud Storage or Azure Blob Storage, read by obstore.

Knows nothing of what the objects hold.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import obstore
import structlog
from obstore.exceptions import InvalidPathError

from schemas.failures import Unavailable
from schemas.objects import ObjectReference
from streams.buckets.asking import Entry, answered, entry_of, listed, store_of, told
from streams.buckets.base import Content, ObjectChanged, ObjectGone, ObjectUnreadable, Watching
from streams.buckets.companions import (
    DEFAULTS,
    MOST_SIDECAR_BYTES,
    hidden_in,
    is_sidecar,
    is_wanted,
    named_in,
    sidecar_of,
)
from streams.buckets.named import NamedObjects
from streams.buckets.selection import Reason, by_reason, reason_by_name

log = structlog.get_logger()

SCHEMES = {"s3": "S3", "gs": "Google Cloud Storage", "az": "Azure Blob Storage"}
BESIDE = " "
"""Between an object's etag and its sidecar's, in the state of both: no etag has a space (RFC 9110, 8.8.3)."""


@dataclass(frozen=True, slots=True)
class Store:
    """A bucket, or what lies below a prefix in it. See streams.buckets.base.Bucket.

    Args:
        bucket: s3://name, gs://name or az://container.
        prefix: without a slash at its ends; empty: all of the bucket.
    """

    bucket: str
    prefix: str = ""

    @classmethod
    def parse(cls, url: str) -> "Store":
        """From scheme://name or scheme://name/prefix.

        Raises:
            ValueError: it is neither.
        """
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES or not parts.netloc or parts.query or parts.fragment:
            scheme = parts.scheme if parts.scheme in SCHEMES else "s3"
            raise ValueError(f"{url!r} is not of the form {scheme}://bucket or {scheme}://bucket/prefix")
        return cls(f"{parts.scheme}://{parts.netloc}", parts.path.strip("/"))

    @property
    def url(self) -> str:
        """scheme://name/prefix."""
        return f"{self.bucket}/{self.prefix}" if self.prefix else self.bucket

    @property
    def notifies(self) -> bool:
        """S3 servers send to Kafka, or can be made to; the others' notifications go elsewhere."""
        return self.bucket.startswith("s3:")

    def holds(self, reference: ObjectReference) -> bool:
        """Whether a reference means something that lies below the prefix."""
        return reference.bucket == self.bucket and reference.key.startswith(f"{self.prefix}/" if self.prefix else "")

    def below(self, key: str) -> str:
        """A key without the prefix."""
        return key.removeprefix(f"{self.prefix}/") if self.prefix else key

    def is_object(self, key: str) -> bool:
        """Whether a key lies below the prefix, and is not hidden, no upload's temporary name and no sidecar."""
        below = self.below(key)
        return not (self.prefix and below == key) and is_wanted(below) and not is_sidecar(key)

    def list(self, beside: ObjectReference | None = None) -> Iterator[Sequence[ObjectReference]]:
        """As the protocol says. The etags are the store's."""
        if beside is not None:
            yield Store(self.bucket, beside.key.rpartition("/")[0])._list_folder()
            return
        yield from self._list_all(Counter())

    def _list_all(self, passed: Counter[Reason]) -> Iterator[Sequence[ObjectReference]]:
        """As `list`; what is passed by is by_reason."""
        hidden = ""
        waiting: dict[str, Entry] = {}
        """By the key of the sidecar that may still come: stores list keys in the order of their bytes."""
        for page in self._pages():
            found: list[ObjectReference] = []
            for entry in page:
                key = entry.key
                alone = [sidecar for sidecar in waiting if sidecar.encode() < key.encode()]
                found += [self._refer(waiting.pop(sidecar), None) for sidecar in alone]
                reason = reason_by_name(self.below(key))
                if reason == "hidden":
                    before, hidden = hidden, hidden_in(self.below(key))
                    passed[reason] += hidden != before
                elif reason is not None:
                    passed[reason] += 1
                if key in waiting:
                    found.append(self._refer(waiting.pop(key), entry))
                elif self.is_object(key) and (sidecar := sidecar_of(key)) is not None:
                    waiting[sidecar] = entry
                elif self.is_object(key):
                    found.append(self._refer(entry, None))
            yield found
        yield [self._refer(entry, None) for entry in waiting.values()]

    def _pages(self) -> Iterator[Sequence[Entry]]:
        """What lies below the prefix."""
        after: str | None = None
        try:
            for page in told(store_of(self.bucket), self.prefix or None):
                after = page[-1].key
                yield page
        except InvalidPathError:
            yield from self._whatever_keys(after=after)

    def entries(self) -> Sequence[Entry]:
        """What lies at the prefix, and not below it. Blocks.

        Raises:
            Unavailable: the bucket does not answer, or may not be listed.
        """
        store, prefix = store_of(self.bucket), self.prefix or None
        try:
            metas = listed(lambda: obstore.list_with_delimiter(store, prefix)["objects"])
            return [entry_of(meta) for meta in metas]
        except InvalidPathError:
            return [entry for page in self._whatever_keys(below=False) for entry in page]

    def named(self) -> NamedObjects:
        """The objects that others' sidecars name."""
        return NamedObjects(
            self.prefix,
            lambda folder: Store(self.bucket, folder).entries(),
            lambda key: answered(lambda: _begin(self.bucket, key)),
        )

    def _list_folder(self) -> Sequence[ObjectReference]:
        found = {entry.key: entry for entry in self.entries()}
        return [
            self._refer(entry, found.get(sidecar_of(key) or ""))
            for key, entry in sorted(found.items())
            if self.is_object(key)
        ]

    def _whatever_keys(self, after: str | None = None, *, below: bool = True) -> Iterator[Sequence[Entry]]:
        """A listing in which there are keys that obstore cannot tell. Whoever reads those objects finds that out."""
        # Imported where they are needed: hardly a bucket has such keys, and both load a client of HTTP.
        if self.bucket.startswith("s3:"):
            from streams.buckets.s3_keys import pages
        else:
            from streams.buckets.relay import pages
        return pages(self.bucket, self.prefix, after=after, below=below)

    def read(self, reference: ObjectReference) -> Content:
        """As the protocol says.

        The sidecar's state in the etag is there to announce a changed one; which one is read is not held against it, as
        a newer one is announced by itself and ends in the same triplet.
        """
        data, etag = _get(reference.bucket, reference.key)
        if not etag:
            raise ObjectUnreadable(
                "The bucket's server gives no etags, so the states of an object cannot be told apart. Let it keep "
                "them, then replay the object."
            )
        if etag != reference.etag.partition(BESIDE)[0]:
            raise ObjectChanged
        return Content(data, dict(_companions(reference)))

    def read_now(self, reference: ObjectReference) -> Content:
        """As the protocol says."""
        return Content(self.get(reference), dict(_companions(reference)))

    def get(self, reference: ObjectReference, most: int = -1) -> bytes:
        """As the protocol says."""
        if most >= 0 and reference.size == 0:
            return b""  # Of nothing there is no range.
        return _get(reference.bucket, reference.key, most)[0]

    def state(self, key: str) -> ObjectReference | None:
        """The reference to an object as it is now, its sidecar included, or None where there is none. Blocks.

        Raises:
            ObjectUnreadable: it may not be asked for.
            Unavailable: the bucket does not answer.
        """
        found = self._meta(key)
        if found is None:
            return None
        sidecar = sidecar_of(key)
        return self._refer(found, self._meta(sidecar) if sidecar is not None else None)

    def _meta(self, key: str) -> Entry | None:
        try:
            return entry_of(answered(lambda: obstore.head(store_of(self.bucket), key)))
        except ObjectGone:
            return None

    def _refer(self, found: Entry, beside: Entry | None) -> ObjectReference:
        etag = bare(found.etag)
        if beside is not None:
            etag += BESIDE + bare(beside.etag)
        return ObjectReference(bucket=self.bucket, key=found.key, etag=etag, size=found.size)

    async def watch(
        self, watching: Watching, ledger: Iterable[ObjectReference] = ()
    ) -> AsyncGenerator[ObjectReference]:
        """As the protocol says, by listing alone."""
        for known in ledger:
            if known.bucket == self.bucket:
                watching.known.add((known.key, known.etag))
        named = self.named()
        while True:
            try:
                passed = Counter[Reason]()
                named.again()
                pages = self._list_all(passed)
                while (page := await asyncio.to_thread(next, pages, None)) is not None:
                    for reference in page:
                        if not watching.selection.takes(self.below(reference.key)):
                            passed["left out"] += 1
                            continue
                        if (reference.key, reference.etag) in watching.known:
                            continue
                        if reference.size == 0 and await asyncio.to_thread(self._is_marker, reference.key):
                            watching.ignored(1)
                            watching.known.add((reference.key, reference.etag))
                        elif BESIDE not in reference.etag and await asyncio.to_thread(
                            named.__contains__, reference.key
                        ):
                            passed["companion"] += 1
                        elif watching.known.add((reference.key, reference.etag)):
                            yield reference
                watching.waiting("")
                watching.passed_by(by_reason(passed))
            except Unavailable as error:
                watching.waiting(str(error))
            await asyncio.sleep(watching.listing)

    def _is_marker(self, key: str) -> bool:
        """Whether what is listed without bytes is no object, but stands for a folder: `key/`, which obstore trims."""
        if key.endswith("_$folder$"):
            return True
        with contextlib.suppress(ObjectUnreadable):
            return self._meta(key) is None
        return False


def _get(bucket: str, key: str, most: int = -1) -> tuple[bytes, str]:
    def get() -> tuple[bytes, str]:
        result = obstore.get(store_of(bucket), key, options={"range": (0, most)} if most >= 0 else None)
        return bytes(result.bytes()), bare(result.meta["e_tag"])

    return answered(get)


def _companions(reference: ObjectReference) -> Iterator[tuple[str, bytes]]:
    """Its prefix's defaults, its sidecar, and the objects that this names below the same prefix, by what they are."""
    with contextlib.suppress(ObjectGone):
        defaults = str(PurePosixPath(reference.key).parent / DEFAULTS)
        yield "defaults", answered(lambda: _begin(reference.bucket, defaults))
    name = sidecar_of(reference.key)
    if name is None:
        return
    try:
        sidecar = answered(lambda: _begin(reference.bucket, name))
    except ObjectGone:
        return
    yield "sidecar", sidecar
    for role, named in named_in(sidecar).items():
        with contextlib.suppress(ObjectGone):
            yield role, _get(reference.bucket, str(PurePosixPath(reference.key).parent / named))[0]


def _begin(bucket: str, key: str) -> bytes:
    """No more of a sidecar than shows that it is too large. By no range: of nothing there is none."""
    found = bytearray()
    for chunk in obstore.get(store_of(bucket), key).stream(min_chunk_size=MOST_SIDECAR_BYTES + 1):
        found += chunk
        if len(found) > MOST_SIDECAR_BYTES:
            break
    return bytes(found[: MOST_SIDECAR_BYTES + 1])


def bare(etag: str | None) -> str:
    """An etag without the quotes and weakness mark of HTTP: listings, answers and notifications differ in them."""
    return (etag or "").removeprefix("W/").strip('"')
