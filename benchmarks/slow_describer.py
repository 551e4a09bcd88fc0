"""A describe worker that takes its time while a file says so: `python -m benchmarks.slow_describer FILE`.

The file holds seconds; each description waits that long, or until the file is gone.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from agents.describe import describe
from infra.variables import from_environment
from models.describers import Composer
from schemas.knowledge import EnrichedImage
from schemas.triplets import Triplet
from streams.app import bind, build_app, run_worker, sender
from streams.logs import configure_logging
from streams.stage import StageRunner
from streams.topics import ENRICHED, TRIPLETS


def seconds(brake: Path) -> float:
    """What the file says; 0 where there is none."""
    try:
        return float(brake.read_text())
    except (FileNotFoundError, ValueError):
        return 0.0


async def slowly(image: EnrichedImage, brake: Path, composer: Composer) -> AsyncIterator[Triplet]:
    """Describe an image, with the brake on or off."""
    started = time.monotonic()
    while time.monotonic() - started < seconds(brake):  # noqa: ASYNC110 - another process tells it by a file
        await asyncio.sleep(0.05)
    async for triplet in describe(image, describer=composer):
        yield triplet


def main() -> None:
    """Run the worker."""
    brake, wires, composer = Path(sys.argv[1]), from_environment().wires, Composer()
    configure_logging()
    app = build_app("describe", wires)
    runner = StageRunner(
        "describe",
        ENRICHED,
        TRIPLETS,
        lambda image: slowly(image, brake, composer),
        wires=wires,
        send=sender(app),
    )
    bind(app, runner, ENRICHED.on(wires))
    run_worker(app, wires)


if __name__ == "__main__":
    main()
