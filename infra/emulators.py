"""Emulators of Google Cloud Storage and Azure Blob Storage on loopback, to try buckets on. In memory.

Knows how to start and stop them, and how an object is put there; nothing of what it holds.
"""

import base64
import hmac
import shutil
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlencode

import httpx
import obstore
from obstore.store import AzureStore

from infra.kafka.local import free_port
from infra.processes import Processes
from infra.servers import AZURITE, FAKE_GCS
from schemas.failures import Unavailable

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Of Azurite's only account; they are the same everywhere (Azurite's README)."""


class Emulator(Protocol):
    """A store with one bucket."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which obstore finds it."""
        ...

    def start(self, processes: Processes) -> None:
        """Start it, and return when its bucket is there."""
        ...

    def put(self, key: str, data: bytes) -> None:
        """Put an object."""
        ...

    def put_odd(self, key: str, data: bytes) -> None:
        """Put an object under a key that obstore cannot tell."""
        ...

    def delete(self, key: str) -> None:
        """Delete one."""
        ...


class LocalGcs:
    """fake-gcs-server. It takes objects by Google's JSON API, and gives them by the XML API that obstore speaks."""

    def __init__(self, folder: Path, bucket: str) -> None:
        self._log, self._bucket = folder / "gcs.log", bucket
        self._place = f"127.0.0.1:{free_port()}"
        self.url = f"gs://{bucket}"

    @property
    def environment(self) -> dict[str, str]:
        """A service account of nobody, at this address."""
        account = f'"gcs_base_url": "http://{self._place}", "disable_oauth": true, "client_email": ""'
        return {"GOOGLE_SERVICE_ACCOUNT_KEY": f'{{{account}, "private_key": "", "private_key_id": ""}}'}

    def start(self, processes: Processes) -> None:
        """Start it, and return when its bucket is there. Raises Unavailable."""
        port = self._place.partition(":")[2]
        argv = (
            str(FAKE_GCS.binary()), "-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", port,
            "-public-host", self._place,
        )  # fmt: skip
        processes.start("gcs", argv, log_path=self._log, restart=False)
        _until(
            processes,
            lambda: httpx.post(f"http://{self._place}/storage/v1/b?project=p", json={"name": self._bucket}).is_success,
        )

    def put(self, key: str, data: bytes) -> None:
        """Put an object."""
        where = f"http://{self._place}/upload/storage/v1/b/{self._bucket}/o"
        httpx.post(where, params={"uploadType": "media", "name": key}, content=data).raise_for_status()

    put_odd = put

    def delete(self, key: str) -> None:
        """Delete one."""
        where = f"http://{self._place}/storage/v1/b/{self._bucket}/o/{quote(key, safe='')}"
        httpx.delete(where).raise_for_status()


class LocalAzure:
    """Azurite, which needs Node."""

    def __init__(self, folder: Path, container: str) -> None:
        self._folder, self._container = folder, container
        self._place = f"127.0.0.1:{free_port()}"
        self.url = f"az://{container}"

    @property
    def environment(self) -> dict[str, str]:
        """The usual Azure variables, for this server."""
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": KEY,
            "AZURE_STORAGE_ENDPOINT": f"http://{self._place}/{ACCOUNT}",
            "AZURE_ALLOW_HTTP": "true",
        }

    @property
    def _store(self) -> AzureStore:
        return AzureStore(
            self._container,
            account_name=ACCOUNT,
            account_key=KEY,
            endpoint=f"http://{self._place}/{ACCOUNT}",
            client_options={"allow_http": True},
        )

    def start(self, processes: Processes) -> None:
        """Start it, and return when its container is there. Raises Unavailable."""
        host, port = self._place.split(":")
        argv = (
            shutil.which("node") or "node", str(AZURITE.binary()), "--blobHost", host, "--blobPort", port, "--silent",
            "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry",
        )  # fmt: skip
        processes.start("azure", argv, log_path=self._folder / "azure.log", restart=False)
        _until(processes, self._made)

    def _made(self) -> bool:
        """Have the container made, which obstore does not do."""
        return self._sent("", {"restype": "container"}).is_success

    def put_odd(self, key: str, data: bytes) -> None:
        """Put an object under a key that obstore cannot tell."""
        self._sent(f"/{key}", {}, data, {"x-ms-blob-type": "BlockBlob"}).raise_for_status()

    def _sent(
        self, path: str, query: Mapping[str, str], data: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """The answer to a PUT (Azure Storage REST: Authorize with Shared Key)."""
        headers = {
            "x-ms-date": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "x-ms-version": "2021-08-06",
            **(extra or {}),
        }
        path = f"/{ACCOUNT}/{self._container}{quote(path)}"
        lines = [f"{name}:{headers[name]}\n" for name in sorted(headers)]
        length = str(len(data)) if data else ""
        text = f"PUT\n\n\n{length}\n\n\n\n\n\n\n\n\n{''.join(lines)}/{ACCOUNT}{path}"
        text += "".join(f"\n{name}:{value}" for name, value in query.items())
        signature = base64.b64encode(hmac.digest(base64.b64decode(KEY), text.encode(), "sha256")).decode()
        headers["authorization"] = f"SharedKey {ACCOUNT}:{signature}"
        place = httpx.URL(f"http://{self._place}", raw_path=(path + "?" + urlencode(query)).rstrip("?").encode())
        return httpx.put(place, content=data, headers=headers)

    def put(self, key: str, data: bytes) -> None:
        """Put an object."""
        obstore.put(self._store, key, data)

    def delete(self, key: str) -> None:
        """Delete one."""
        obstore.delete(self._store, key)


def _until(processes: Processes, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if ready():
                return
        except httpx.HTTPError:
            pass
        if time.monotonic() > deadline:
            raise Unavailable("the emulator does not answer")
        processes.pause(0.1)
