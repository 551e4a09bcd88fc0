"""What all commands share: settings with what the command line adds, and errors and words for a person."""

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

import click

from agents.settings import Settings
from infra.interrupts import hear_interrupts
from infra.kafka.login import with_login
from infra.variables import from_environment
from schemas.failures import InvalidInput, TristreamError
from streams.buckets import folder_of
from streams.buckets.references import reason

OPTIONS = {
    "kafka": "TRISTREAM_KAFKA",
    "inbox": "TRISTREAM_INBOX",
    "include": "TRISTREAM_INCLUDE",
    "exclude": "TRISTREAM_EXCLUDE",
    "frames": "TRISTREAM_FRAMES",
    "annotations": "TRISTREAM_ANNOTATIONS",
    "neighbours": "TRISTREAM_NEIGHBOURS",
    "volumes": "TRISTREAM_VOLUMES",
    "modality": "TRISTREAM_MODALITY",
    "organ": "TRISTREAM_ORGAN",
    "source": "TRISTREAM_SOURCE",
    "licence": "TRISTREAM_LICENCE",
    "patients": "TRISTREAM_PATIENTS",
    "weaviate": "TRISTREAM_WEAVIATE_URL",
    "sglang_url": "TRISTREAM_SGLANG_URL",
    "sglang_model": "TRISTREAM_SGLANG_MODEL",
}
"""The variable that each option stands for."""


def current_settings(**options: str | None) -> Settings:
    """The settings of the environment, and over them what was given as options, by their names.

    Raises:
        click.UsageError: a value cannot be used.
    """
    given = {OPTIONS[name]: text for name, text in options.items() if text is not None}
    try:
        if (place := options.get("annotations")) and (folder := folder_of(place)) is not None and not folder.is_dir():
            raise click.UsageError(f"there is no folder {place!r}")
        settings = with_login(from_environment(options=given))
        if "TRISTREAM_FRAMES" in given:
            from models.imaging import FramePolicy

            FramePolicy.parse(settings.frames)
        if settings.defaults is not None:
            from models.imaging.sidecar import check_defaults

            check_defaults(settings.defaults)
    except (ValueError, InvalidInput) as error:
        raise click.UsageError(str(error)) from None
    return settings


def need_data(*packages: str) -> None:
    """Raises click.ClickException where packages of the extra 'data' are missing."""
    if missing := _missing(packages):
        raise click.ClickException(f"{' and '.join(missing)} not installed: install tristream with the extra 'data'")


def need_llava(*packages: str) -> None:
    """Raises click.UsageError where packages of .venv-llava are missing."""
    if missing := _missing(packages):
        raise click.UsageError(
            f"{', '.join(missing)} not installed: `make llava-env` makes .venv-llava, whose tristream has it"
        )


def _missing(packages: Sequence[str]) -> list[str]:
    return [name for name in packages if find_spec(name) is None]


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
    except OSError as error:
        # Its own words hold the path, which can hold a name.
        raise click.ClickException(f"a file or folder cannot be used: {reason(error)}") from None


@contextmanager
def ending_well() -> Generator[None]:
    """To be asked to stop is how a command that runs for ever ends: with exit status 0, and no traceback."""
    try:
        hear_interrupts()
        yield
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(0)


def trace(settings: Settings, service: str) -> None:
    """Send this command's spans to where the settings say, if they do."""
    from streams.tracing import send_spans

    if settings.wires.otlp_endpoint:
        send_spans(settings.wires.otlp_endpoint, f"tristream-{service}", settings.wires.worker)


def say(text: str) -> None:
    """Tell a person, on standard error."""
    click.echo(text, err=True)
