"""All settings, from the environment, once. Nothing else in the project reads it."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from models.describers.settings import Serving
from schemas.experts import DEFAULT_EXPERT_RUNTIME, ExpertRuntime
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.weaviate import WeaviateServer
from streams.aws import ProfileUnusable, options
from streams.identity import Identity, key_from_file
from streams.s3 import Location, is_bucket
from streams.settings import Security, Wires

PREFIX = "TRISTREAM_"
LIMIT = "TRISTREAM_LIMIT_"
SGLANG = "TRISTREAM_SGLANG_"
KAFKA = "TRISTREAM_KAFKA_"
WEAVIATE = "TRISTREAM_WEAVIATE_"
EXPERT = "TRISTREAM_EXPERT_"

NEIGHBOURS = ("0", "1", "2", "3")
"""Of a slice, on each side: a message with three is as large as seven."""

SERIES = ("none", "folder")

T = TypeVar("T")


class BadSetting(ValueError):
    """A variable whose value cannot be used."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command runs with.

    Args:
        wires: delivery and flow: TRISTREAM_<FIELD> for each field of streams.settings.Wires, and for its `security`
            TRISTREAM_KAFKA_<FIELD> for each field of streams.settings.Security.
        frames: frame policy: all, every:N, or spread:N (TRISTREAM_FRAMES).
        neighbours: frames before and after each in space that are sent with it, 0 to 3 (TRISTREAM_NEIGHBOURS).
        series: where neighbours are sought of a slice that is an object of its own: none, or folder, its own; None: as
            the command has it (TRISTREAM_SERIES).
        burned_in: policy for uncertain text in pixels: mask, dead-letter or pass, also :always (TRISTREAM_BURNED_IN).
        annotations: folder or s3://bucket/prefix of DICOM objects that mark regions of the images; None: there are none
            but those that sidecars name (TRISTREAM_ANNOTATIONS).
        limits: of one object: TRISTREAM_LIMIT_<FIELD> for each field of schemas.limits.Limits.
        serving: a model on SGLang: TRISTREAM_SGLANG_<FIELD> for each field of
            models.describers.settings.Serving, but TRISTREAM_UNSUPPORTED.
        knowledge: index that `tristream knowledge build` wrote; None: the starter corpus (TRISTREAM_KNOWLEDGE).
        encoder: folder of an exported encoder; None: one is fitted to each corpus (TRISTREAM_ENCODER).
        weaviate: the server that holds the knowledge base, in place of an index (TRISTREAM_WEAVIATE_URL, and
            TRISTREAM_WEAVIATE_<FIELD> for each field of schemas.weaviate.WeaviateServer).
        experts: folder of one's own experts, beside the packaged ones (TRISTREAM_EXPERTS).
        expert_runtime: how they are run: TRISTREAM_EXPERT_<FIELD> for each field of schemas.experts.ExpertRuntime.
        key_file: where the identity key lies, made on first use (TRISTREAM_KEY_FILE).
        key: the identity key in hexadecimal, in place of the file (TRISTREAM_KEY).
    """

    wires: Wires
    frames: str = "all"
    neighbours: int = 0
    series: str | None = None
    burned_in: str = "mask"
    annotations: str | None = None
    limits: Limits = DEFAULT_LIMITS
    serving: Serving = field(default_factory=Serving)
    knowledge: Path | None = None
    encoder: Path | None = None
    weaviate: WeaviateServer | None = None
    experts: Path | None = None
    expert_runtime: ExpertRuntime = DEFAULT_EXPERT_RUNTIME
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
    # OpenTelemetry's own variable is known to whoever runs a collector; ours wins.
    endpoint = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    traced = {f"{PREFIX}OTLP_ENDPOINT": endpoint} if endpoint else {}
    return Settings(
        wires=dataclasses.replace(
            _built(Wires, PREFIX, {**traced, **environment}), security=_built(Security, KAFKA, environment)
        ),
        limits=_built(Limits, LIMIT, environment),
        serving=_built(Serving, SGLANG, _with_policy(environment)),
        frames=environment.get(f"{PREFIX}FRAMES", "all"),
        neighbours=neighbours_of(environment.get(f"{PREFIX}NEIGHBOURS", "0")),
        series=_series(environment.get(f"{PREFIX}SERIES")),
        burned_in=environment.get(f"{PREFIX}BURNED_IN", "mask"),
        annotations=place(text) if (text := environment.get(f"{PREFIX}ANNOTATIONS")) else None,
        knowledge=_path(environment, "KNOWLEDGE"),
        encoder=_path(environment, "ENCODER"),
        weaviate=weaviate_server(url, environment) if (url := environment.get(f"{WEAVIATE}URL")) else None,
        experts=_path(environment, "EXPERTS"),
        expert_runtime=_built(ExpertRuntime, EXPERT, environment),
        key_file=Path(environment.get(f"{PREFIX}KEY_FILE", "~/.config/tristream/key")),
        key=environment.get(f"{PREFIX}KEY"),
    )


def neighbours_of(text: str) -> int:
    """How many neighbours on each side a text asks for. Raises BadSetting."""
    if text.strip() not in NEIGHBOURS:
        raise BadSetting(f"{PREFIX}NEIGHBOURS must be one of {', '.join(NEIGHBOURS)}, not {text!r}")
    return int(text)


def _series(text: str | None) -> str | None:
    if text and text not in SERIES:
        raise BadSetting(f"{PREFIX}SERIES must be one of {', '.join(SERIES)}, not {text!r}")
    return text or None


def _with_policy(environment: Mapping[str, str]) -> Mapping[str, str]:
    """What becomes of unsupported statements is no matter of the server's: its variable has no SGLANG in its name."""
    policy = environment.get(f"{PREFIX}UNSUPPORTED")
    return environment if policy is None else {**environment, f"{SGLANG}UNSUPPORTED": policy}


def weaviate_server(url: str, environment: Mapping[str, str] = os.environ) -> WeaviateServer:
    """The server at `url`, with the other variables that tell of it. Raises BadSetting."""
    return _built(WeaviateServer, WEAVIATE, {**environment, f"{WEAVIATE}URL": url})


def place(text: str) -> str:
    """A folder made absolute, or a bucket's URL, that can be used.

    Raises:
        BadSetting: it is of neither form, or the AWS profile for it cannot be used.
    """
    if not is_bucket(text):
        return os.fspath(Path(text).expanduser().absolute())
    try:
        Location.parse(text)
        options(text)
    except (ValueError, ProfileUnusable) as error:
        raise BadSetting(str(error)) from None
    return text


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(PREFIX + name)
    return Path(text).expanduser().absolute() if text else None


def _built(kind: type[T], prefix: str, environment: Mapping[str, str]) -> T:
    """A dataclass of numbers, texts and paths, from a variable for each field that has one."""
    found: dict[str, object] = {}
    for name, field_type in {f.name: f.type for f in dataclasses.fields(kind)}.items():  # pyright: ignore[reportArgumentType]
        variable = prefix + name.upper()
        if field_type is Security or (text := environment.get(variable)) is None:
            continue
        convert = {int: int, float: float, Path: Path, Path | None: Path}.get(field_type, str)  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownVariableType]
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
        f"{PREFIX}NEIGHBOURS": str(settings.neighbours),
        f"{PREFIX}BURNED_IN": settings.burned_in,
        f"{PREFIX}KEY_FILE": str(settings.key_file),
    }
    if settings.series:
        found[f"{PREFIX}SERIES"] = settings.series
    if settings.annotations:
        found[f"{PREFIX}ANNOTATIONS"] = settings.annotations
    if settings.key:
        found[f"{PREFIX}KEY"] = settings.key
    for name, path in (("KNOWLEDGE", settings.knowledge), ("ENCODER", settings.encoder), ("EXPERTS", settings.experts)):
        if path is not None:
            found[PREFIX + name] = str(path)
    parts = (
        (PREFIX, settings.wires),
        (KAFKA, settings.wires.security),
        (LIMIT, settings.limits),
        (SGLANG, settings.serving),
        (WEAVIATE, settings.weaviate),
        (EXPERT, settings.expert_runtime),
    )
    for prefix, part in parts:
        for part_field in dataclasses.fields(part) if part is not None else ():
            value = getattr(part, part_field.name)
            if value is not None and not isinstance(value, Security):
                found[prefix + part_field.name.upper()] = str(value)
    found[f"{PREFIX}UNSUPPORTED"] = found.pop(f"{SGLANG}UNSUPPORTED")
    return found
