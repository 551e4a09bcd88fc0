"""A TCP proxy whose wire can be cut, frozen, slowed and throttled. Knows nothing of what flows through it."""

import asyncio
import threading
import time
from contextlib import suppress

PIECE = 64 * 1024


class Proxy:
    """Forwards 127.0.0.1:`port` to 127.0.0.1:`target`, in a thread of its own.

    Args:
        port: where it listens.
        target: where it connects to.
    """

    def __init__(self, port: int, target: int) -> None:
        self._port, self._target = port, target
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._whole = True
        self._delay_s, self._bytes_per_s = 0.0, 0.0
        self._flowing: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def cut(self) -> None:
        """End all connections, and every new one, until healed."""
        self._whole = False
        self._call(self._abort)

    def freeze(self) -> None:
        """Keep connections open, and let nothing through."""
        self._call(lambda: self._flowing and self._flowing.clear())

    def slow(self, delay_s: float) -> None:
        """Let each piece take so much longer, each way."""
        self._delay_s = delay_s

    def throttle(self, bytes_per_s: float) -> None:
        """Let so much through, by each connection each way."""
        self._bytes_per_s = bytes_per_s

    def heal(self) -> None:
        """Be a wire again."""
        self._whole, self._delay_s, self._bytes_per_s = True, 0.0, 0.0
        self._call(lambda: self._flowing and self._flowing.set())

    def _call(self, work: object) -> None:
        self._loop.call_soon_threadsafe(work)  # pyright: ignore[reportArgumentType]

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._flowing = asyncio.Event()
        self._flowing.set()
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", self._port))
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end(server))
        self._loop.close()

    async def _end(self, server: asyncio.Server) -> None:
        """Let each connection end by itself, so that all sockets are closed: those that were just accepted too."""
        server.close()
        assert self._flowing is not None
        self._flowing.set()
        deadline = time.monotonic() + 10
        while (tasks := asyncio.all_tasks() - {asyncio.current_task()}) and time.monotonic() < deadline:
            self._abort()
            await asyncio.wait(tasks, timeout=0.1)
        await asyncio.sleep(0.05)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, far_writer}
        self._writers |= both
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            self._writers -= both
            for end in both:
                end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._flowing is not None
        with suppress(OSError, asyncio.CancelledError):
            while piece := await reader.read(PIECE):
                await self._flowing.wait()
                if self._delay_s:
                    await asyncio.sleep(self._delay_s)
                if self._bytes_per_s:
                    await asyncio.sleep(len(piece) / self._bytes_per_s)
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()
