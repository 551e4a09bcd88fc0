"""Concurrency doubles at first, then rises by one while the server keeps up, and halves when it does not."""

import asyncio

import pytest

from models.describers.concurrency import Concurrency


class Server:
    """Serves `room` requests at once and refuses more; time goes by in steps of the event loop."""

    def __init__(self, room: int) -> None:
        self.room, self.inside, self.most, self.refused = room, 0, 0, 0

    async def ask(self) -> bool:
        if self.inside >= self.room:
            self.refused += 1
            await asyncio.sleep(0)
            return False
        self.inside += 1
        self.most = max(self.most, self.inside)
        for _ in range(5):
            await asyncio.sleep(0)
        self.inside -= 1
        return True


async def work(concurrency: Concurrency, server: Server, requests: int) -> None:
    """Each request until it is served."""

    async def one() -> None:
        while True:
            async with concurrency.slot() as began:
                if await server.ask():
                    concurrency.succeeded()
                    return
                concurrency.overloaded(began)

    await asyncio.gather(*(one() for _ in range(requests)))


async def test_it_finds_what_the_server_takes() -> None:
    """With more to do than the server takes, nearly all its places are used and few requests are refused."""
    concurrency, server = Concurrency(64), Server(8)
    await work(concurrency, server, 2000)
    assert server.most == 8
    assert 4 <= concurrency.allowed <= 9
    assert server.refused < 2000 / 8


async def test_it_is_soon_at_what_a_large_server_takes() -> None:
    """Twice as many each round: 32 after 31 successes, of which one by one there would be some 500."""
    concurrency, server = Concurrency(32), Server(64)
    await work(concurrency, server, 63)
    assert (concurrency.allowed, server.most) == (32, 32)


async def test_it_doubles_no_more_once_the_server_had_enough() -> None:
    """A round of successes after the first overload adds one."""
    concurrency, server = Concurrency(64), Server(64)
    await work(concurrency, server, 15)
    concurrency.queued(100)
    before = concurrency.allowed
    await work(concurrency, server, 2 * before)
    assert before < concurrency.allowed <= before + 2


async def test_it_follows_a_server_that_shrinks_and_grows() -> None:
    """Down at once, up by and by."""
    concurrency, server = Concurrency(64), Server(16)
    await work(concurrency, server, 1000)
    server.room = 2
    await work(concurrency, server, 200)
    assert concurrency.allowed <= 3
    server.room = 16
    await work(concurrency, server, 1000)
    assert concurrency.allowed >= 8


async def test_it_never_exceeds_its_bound() -> None:
    """However well it goes."""
    concurrency, server = Concurrency(3), Server(100)
    await work(concurrency, server, 500)
    assert (server.most, concurrency.allowed) == (3, 3)


async def test_one_overload_halves_once() -> None:
    """Ten requests that met the same full queue are one reason, not ten."""
    concurrency = Concurrency(64)
    await work(concurrency, Server(64), 2000)
    before = concurrency.allowed
    async with concurrency.slot() as first, concurrency.slot() as second:
        concurrency.overloaded(first)
        concurrency.overloaded(second)
    assert concurrency.allowed == before // 2


async def test_a_long_queue_in_the_server_is_an_overload() -> None:
    """Before it refuses anything."""
    concurrency = Concurrency(64, queue=4)
    await work(concurrency, Server(64), 2000)
    before = concurrency.allowed
    concurrency.queued(4)
    assert concurrency.allowed == before
    concurrency.queued(5)
    assert concurrency.allowed == before // 2


async def test_at_least_one_goes_on() -> None:
    """Or it would never be noticed that the server is well again."""
    concurrency = Concurrency(8)
    for _ in range(20):
        async with concurrency.slot() as began:
            concurrency.overloaded(began)
    assert concurrency.allowed == 1
    with pytest.raises(ValueError, match="at least one"):
        Concurrency(0)


async def test_a_cancelled_request_gives_its_place_back() -> None:
    """A worker that is stopped leaves no slot taken."""
    concurrency = Concurrency(1)

    async def hang() -> None:
        async with concurrency.slot():
            await asyncio.sleep(60)

    task = asyncio.create_task(hang())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(1), concurrency.slot():
        assert concurrency.at_work == 1
