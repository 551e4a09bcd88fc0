"""All settings, from the environment, once. Nothing else in the project reads it."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from models.describers.settings import Serving
from schemas.limits import DEFAULT_LIMITS, Limits
from streams.identity import Identity, key_from_file
from streams.settings import Wires

PREFIX = "TRISTREAM_"
LIMIT = "TRISTREAM_LIMIT_"
SGLANG = "TRISTREAM_SGLANG_"

T = TypeVar("T")


class BadSetting(ValueError):
    """A variable whose value cannot be used."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command runs with.

    Args:
        wires: delivery and flow: TRISTREAM_<FIELD> for each field of streams.settings.Wires.
        frames: frame policy: all, every:N, or spread:N (TRISTREAM_FRAMES).
        burned_in: policy for uncertain text in pixels: mask, dead-letter or pass, also :always (TRISTREAM_BURNED_IN).
        limits: of one object: TRISTREAM_LIMIT_<FIELD> for each field of schemas.limits.Limits.
        serving: a model on SGLang: TRISTREAM_SGLANG_<FIELD> for each field of
            models.describers.settings.Serving, but TRISTREAM_UNSUPPORTED.
        key_file: where the identity key lies, made on first use (TRISTREAM_KEY_FILE).
        key: the identity key in hexadecimal, in place of the file (TRISTREAM_KEY).
    """

    wires: Wires
    frames: str = "all"
    burned_in: str = "mask"
    limits: Limits = DEFAULT_LIMITS
    serving: Serving = field(default_factory=Serving)
    key_file: Path = Path("~/.config/tristream/key")
    key: str | None = field(default=None, repr=False)

    @property
    def secret(self) -> bytes:
        """The key itself; only keys derived from it are for use outside of names of objects."""
        try:
            found = bytes.fromhex(self.key) if self.key else key_from_file(self.key_file.expanduser())
        except ValueError:
            found = b""
        if len(found) < 16:
            raise BadSetting("the identity key must be at least 32 hexadecimal digits")
        return found

    @property
    def identity(self) -> Identity:
        """The names of objects under this key."""
        return Identity(self.secret)


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from TRISTREAM_* variables.

    Raises:
        BadSetting: a value that cannot be used; the message names the variable.
    """
    return Settings(
        wires=_built(Wires, PREFIX, environment),
        limits=_built(Limits, LIMIT, environment),
        serving=_built(Serving, SGLANG, _with_policy(environment)),
        frames=environment.get(f"{PREFIX}FRAMES", "all"),
        burned_in=environment.get(f"{PREFIX}BURNED_IN", "mask"),
        key_file=Path(environment.get(f"{PREFIX}KEY_FILE", "~/.config/tristream/key")),
        key=environment.get(f"{PREFIX}KEY"),
    )


def _with_policy(environment: Mapping[str, str]) -> Mapping[str, str]:
    """What becomes of unsupported statements is no matter of the server's: its variable has no SGLANG in its name."""
    policy = environment.get(f"{PREFIX}UNSUPPORTED")
    return environment if policy is None else {**environment, f"{SGLANG}UNSUPPORTED": policy}


def _built(kind: type[T], prefix: str, environment: Mapping[str, str]) -> T:
    """A dataclass of numbers, texts and paths, from a variable for each field that has one."""
    found: dict[str, object] = {}
    for name, field_type in {f.name: f.type for f in dataclasses.fields(kind)}.items():  # pyright: ignore[reportArgumentType]
        variable = prefix + name.upper()
        if (text := environment.get(variable)) is None:
            continue
        convert = {int: int, float: float, Path: Path}.get(field_type, str)  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownVariableType]
        try:
            found[name] = convert(text)
        except ValueError:
            raise BadSetting(f"{variable} must be a number, not {text!r}") from None
    try:
        return kind(**found)
    except ValueError as error:
        raise BadSetting(str(error)) from None


def to_environment(settings: Settings) -> dict[str, str]:
    """The variables that give a child process these settings."""
    found = {
        f"{PREFIX}FRAMES": settings.frames,
        f"{PREFIX}BURNED_IN": settings.burned_in,
        f"{PREFIX}KEY_FILE": str(settings.key_file),
    }
    if settings.key:
        found[f"{PREFIX}KEY"] = settings.key
    for prefix, part in ((PREFIX, settings.wires), (LIMIT, settings.limits), (SGLANG, settings.serving)):
        for part_field in dataclasses.fields(part):
            value = getattr(part, part_field.name)
            if value is not None:
                found[prefix + part_field.name.upper()] = str(value)
    found[f"{PREFIX}UNSUPPORTED"] = found.pop(f"{SGLANG}UNSUPPORTED")
    return found
