"""`make chaos`: faults in a seeded order for some minutes, and a table of what came of it. See docs/reliability.md."""

import argparse
import logging
import random
import sys
import tempfile
from pathlib import Path

import stamina

from tests.chaos.faults import ALL
from tests.chaos.running import run


def say(line: str) -> None:
    """Tell a person, at once."""
    print(line, flush=True)  # noqa: T201 - a command's output


def main() -> None:
    """Run it; exit status 1 where a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1, help="times that each fault happens")
    parser.add_argument("--kills", type=int, default=5, help="times that the broker is killed")
    parser.add_argument("--only", action="append", choices=sorted(ALL), help="this fault, and those named so too")
    parser.add_argument(
        "--minutes", type=float, default=15, help="that it may take; faults not reached by then are told"
    )
    parser.add_argument("--keep", type=Path, help="folder for data and logs, kept")
    given = parser.parse_args()
    logging.getLogger("streams.reader").setLevel(logging.ERROR)  # Poison that is passed by is no news here.
    stamina.instrumentation.set_on_retry_hooks(())
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    names = [name for name in given.only or ALL for _ in range(given.rounds)]
    if not given.only:
        names += ["broker_kill"] * (given.kills - given.rounds)
    random.Random(given.seed).shuffle(names)
    with tempfile.TemporaryDirectory(prefix="tristream-chaos-", ignore_cleanup_errors=True) as folder:
        report = run(given.keep or Path(folder), given.seed, [ALL[name] for name in names], say, 60 * given.minutes)
    say(str(report))
    sys.exit(0 if report.kept else 1)


if __name__ == "__main__":
    main()
