"""What a worker answers over HTTP: /metrics, /healthz, /readyz. Knows nothing of what the worker does.

The event loop that moves the messages answers itself: where it is stuck, nothing answers, which is what a liveness
probe wants to know. Work without an event loop is answered for by a thread beside it, which asks whether it is stuck.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from aiohttp import web
from mode import Service
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

ANSWER_S = 10.0


class Probes(Service):
    """A small HTTP server, up before the worker has joined its group and until it ends.

    Args:
        host: address to listen on.
        port: to listen on.
        unready: why the worker does not work now, in words; empty: it is ready.
        stuck: why it will not work again without a new start, in words; empty: it may.
    """

    logger = logging.getLogger("mode.probes")  # What services say of starting is noise in a worker's log.

    def __init__(self, host: str, port: int, unready: Callable[[], str], stuck: Callable[[], str] = lambda: "") -> None:
        super().__init__()
        self._host, self._port, self._unready, self._stuck = host, port, unready, stuck
        self._runner: web.AppRunner | None = None

    async def on_start(self) -> None:
        """Listen."""
        app = web.Application()
        app.add_routes(
            [web.get("/metrics", _metrics), web.get("/healthz", self._healthz), web.get("/readyz", self._readyz)]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def on_stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        reason = self._stuck()
        return web.json_response({"alive": not reason, "reason": reason}, status=503 if reason else 200)

    async def _readyz(self, _: web.Request) -> web.Response:
        reason = self._unready()
        return web.json_response({"ready": not reason, "reason": reason}, status=503 if reason else 200)


@contextmanager
def answering(host: str, port: int, unready: Callable[[], str], stuck: Callable[[], str]) -> Generator[None]:
    """Answer from a thread, for work that has no event loop; the arguments are those of Probes.

    Raises:
        OSError: the port is taken.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="probes", daemon=True)
    thread.start()
    probes = Probes(host, port, unready, stuck)
    try:
        asyncio.run_coroutine_threadsafe(probes.on_start(), loop).result(ANSWER_S)
        yield
    finally:
        asyncio.run_coroutine_threadsafe(probes.on_stop(), loop).result(ANSWER_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(ANSWER_S)
        loop.close()


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
