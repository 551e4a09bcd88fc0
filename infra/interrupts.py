"""Ctrl-C, heard again after all that a command needs is imported. Imports nothing that takes time."""

import signal


def hear_interrupts() -> None:
    """From here on Ctrl-C is a KeyboardInterrupt again."""
    if callable(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, signal.default_int_handler)
