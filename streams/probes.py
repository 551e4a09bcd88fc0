"""What a worker answers over HTTP: /metrics, /healthz, /readyz. Knows nothing of what the worker does.

The event loop that moves the messages answers itself: where it is stuck, nothing answers, which is what a liveness
probe wants to know.
"""

import logging
from collections.abc import Callable

from aiohttp import web
from mode import Service
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


class Probes(Service):
    """A small HTTP server, up before the worker has joined its group and until it ends.

    Args:
        host: address to listen on.
        port: to listen on.
        unready: why the worker does not work now, in words; empty: it is ready.
    """

    logger = logging.getLogger("mode.probes")  # What services say of starting is noise in a worker's log.

    def __init__(self, host: str, port: int, unready: Callable[[], str]) -> None:
        super().__init__()
        self._host, self._port, self._unready = host, port, unready
        self._runner: web.AppRunner | None = None

    async def on_start(self) -> None:
        """Listen."""
        app = web.Application()
        app.add_routes([web.get("/metrics", _metrics), web.get("/healthz", _healthz), web.get("/readyz", self._readyz)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def on_stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _readyz(self, _: web.Request) -> web.Response:
        reason = self._unready()
        return web.json_response({"ready": not reason, "reason": reason}, status=503 if reason else 200)


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"alive": True})
