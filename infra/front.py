"""The first step through the front door: Ctrl-C while all else is being imported ends the command, and no more."""

import os
import signal
import sys

from infra.interrupts import hear_interrupts

FOR_EVER = ("up", "gather")
"""Commands that run until they are asked to stop: to be asked is how they end well."""
INTERRUPTED = 130


def main() -> None:
    """Run `tristream`."""
    command = "".join(sys.argv[1:2])
    status = 0 if command in FOR_EVER else INTERRUPTED
    # No exception: raised in the midst of an import it is a traceback at best. Who ignores the signal, as under nohup,
    # goes on to do so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(status))
    from infra.cli import main as run

    if command not in FOR_EVER:
        hear_interrupts()
    run()


if __name__ == "__main__":
    main()
