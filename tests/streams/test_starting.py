"""A worker that starts while its broker is away."""

import asyncio
from collections.abc import Callable

import pytest

from streams import app as app_module
from streams.app import AWAY, Beside, build_app
from streams.settings import Wires


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - waits for another task
            await asyncio.sleep(0.01)


async def test_it_waits_and_says_so_and_begins_once_the_broker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the app runs before, since Faust ends a worker whose broker does not answer."""
    monkeypatch.setattr(app_module, "ASKED_EVERY", 0.01)
    app, asked, began = build_app("ground", Wires(bootstrap="127.0.0.1:1")), 0, False
    there = asyncio.Event()

    async def answers(_: Wires) -> bool:
        nonlocal asked
        asked += 1
        return there.is_set()

    async def work() -> None:
        nonlocal began
        began = True

    app.beside.append(work)
    beside = Beside(app, answers)
    starting = asyncio.create_task(beside.start())
    await until(lambda: asked >= 3)
    assert (app.unready(), began) == (AWAY, False)
    there.set()
    await starting
    await until(lambda: began)
    assert app.unready() == "starting"
    await beside.stop()


async def test_it_ends_when_it_is_asked_to_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C does not wait for a broker."""
    monkeypatch.setattr(app_module, "ASKED_EVERY", 3600.0)

    async def never(_: Wires) -> bool:
        return False

    app = build_app("ground", Wires(bootstrap="127.0.0.1:1"))
    beside = Beside(app, never)
    starting = asyncio.create_task(beside.start())
    await until(lambda: app.away)
    async with asyncio.timeout(10):
        await beside.stop()
        await starting


async def test_a_port_where_nobody_listens_does_not_answer() -> None:
    """Refused at once, it is no error."""
    assert not await app_module.answers(Wires(bootstrap="127.0.0.1:1"))
