"""A real S3 server on loopback whose buckets are folders. Knows how to start and stop it; nothing of what it holds."""

import time
from pathlib import Path

import obstore
from obstore.exceptions import GenericError
from obstore.store import S3Store

from infra.kafka.local import free_port
from infra.processes import Processes
from infra.servers import VERSITYGW
from schemas.failures import Unavailable

NAME = "s3"
ACCESS, SECRET = "tristream", "tristream-secret"
"""Of a server on loopback that lives as long as a test."""


class LocalS3:
    """versitygw over a folder: each folder in it is a bucket.

    Args:
        folder: the buckets, and `s3.log`.
        bucket: made when it is not there.
        kafka: broker that notifications are sent to; None: nobody is told.
        topic: where they go; it must exist before the start.
    """

    def __init__(self, folder: Path, bucket: str, *, kafka: str | None = None, topic: str = "bucket-events") -> None:
        self.folder, self.bucket = folder.absolute(), bucket
        self._kafka, self._topic = kafka, topic
        self._port = free_port()

    @property
    def environment(self) -> dict[str, str]:
        """The usual AWS variables, for this server."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }

    @property
    def store(self) -> S3Store:
        """A client of the bucket."""
        return S3Store(
            self.bucket,
            access_key_id=ACCESS,
            secret_access_key=SECRET,
            endpoint=f"http://127.0.0.1:{self._port}",
            region="us-east-1",
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )

    def start(self, processes: Processes, *, notify: bool = True) -> None:
        """Start it, and return when it answers. `notify`: False to have it send no notifications this time.

        Raises:
            Unavailable: it does not answer.
        """
        buckets = self.folder / "buckets"
        metadata = self.folder / "metadata"  # etags, which not every file system can keep beside a file
        for needed in (buckets / self.bucket, metadata):
            needed.mkdir(parents=True, exist_ok=True)
        told = ("--event-kafka-url", self._kafka, "--event-kafka-topic", self._topic) if self._kafka and notify else ()
        argv = (
            str(VERSITYGW.binary()), "--access", ACCESS, "--secret", SECRET, "--port", f"127.0.0.1:{self._port}",
            *told, "posix", "--sidecar", str(metadata), str(buckets),
        )  # fmt: skip
        processes.start(NAME, argv, log_path=self.folder / "s3.log", restart=False)
        deadline = time.monotonic() + 30
        while not self._answers():
            if time.monotonic() > deadline:
                raise Unavailable(f"the S3 server does not answer; its log is {self.folder / 's3.log'}")
            processes.pause(0.1)

    def _answers(self) -> bool:
        try:
            obstore.list_with_delimiter(self.store)
        except GenericError:
            return False
        return True

    def stop(self, processes: Processes) -> None:
        """Stop it. Its buckets stay."""
        processes.stop(NAME)
