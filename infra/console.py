"""What all commands share: settings with what the command line adds, and errors and words for a person."""

import dataclasses
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

from infra.settings import BadSetting, Settings, from_environment, place
from schemas.failures import TristreamError
from streams.s3 import is_bucket


def current_settings(
    kafka: str | None = None,
    frames: str | None = None,
    annotations: str | None = None,
    neighbours: str | None = None,
) -> Settings:
    """The settings of the environment, and over them what was given as options. Raises click.UsageError."""
    if annotations is not None and not is_bucket(annotations) and not Path(annotations).is_dir():
        raise click.UsageError(f"there is no folder {annotations!r}")
    try:
        settings = from_environment()
        if frames is not None:
            from models.imaging import FramePolicy

            FramePolicy.parse(frames)
            settings = dataclasses.replace(settings, frames=frames)
        if annotations is not None:
            settings = dataclasses.replace(settings, annotations=place(annotations))
        if neighbours is not None:
            settings = dataclasses.replace(settings, neighbours=int(neighbours))
        bootstrap = kafka or os.environ.get("TRISTREAM_KAFKA")
        if bootstrap:
            settings = dataclasses.replace(settings, wires=dataclasses.replace(settings.wires, bootstrap=bootstrap))
    except (BadSetting, ValueError) as error:
        raise click.UsageError(str(error)) from None
    return settings


@contextmanager
def plain_errors() -> Generator[None]:
    """Errors that a person can act on are one line, not a traceback."""
    try:
        yield
    except TristreamError as error:
        raise click.ClickException(str(error)) from None
    except BrokenPipeError:
        # The reader of our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def trace(settings: Settings, service: str) -> None:
    """Send this command's spans to where the settings say, if they do."""
    from streams.tracing import send_spans

    if settings.wires.otlp_endpoint:
        send_spans(settings.wires.otlp_endpoint, f"tristream-{service}", settings.wires.worker)


def say(text: str) -> None:
    """Tell a person, on standard error."""
    click.echo(text, err=True)
